"""The fields of a rule's text, each to what it means.

In: a `Field`. Out: a part of a `Draft`, and what is wrong with the field. What the fields mean
together is for `hebbite.rules.rule_text`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.rule import Learns
from hebbite.rules.rule_feedback import Library, Path, read_path
from hebbite.rules.rule_lines import Field
from hebbite.rules.scale import nearest_scale
from hebbite.rules.sums import Factor, Scale, SumOfProducts, parse_sum
from hebbite.rules.tokens import Token, refusal
from hebbite.rules.traces import Trace

NETWORKS = {"graded": "error", "spiking": "spikes"}
"""Kind of network -> the signal that its neurons have if a rule names none."""
TRACES = ("x1", "x2", "y1", "y2", "y3")
DEFAULT_TRACE = Trace(tau=10, impulse=16)
DEFAULT_NAME = "custom"
_LEARNS: tuple[Learns, ...] = ("all", "readout", "none")
_NAME = re.compile(r"[A-Za-z][\w-]{0,39}")


@dataclass
class Draft:
    """What was read so far; None where a field was not given or could not be read."""

    name: str = DEFAULT_NAME
    sums: dict[str, SumOfProducts] = field(default_factory=dict)
    asked: dict[str, list[float | None]] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    networks: tuple[str, ...] = ()
    signal: str = ""
    learns: Learns | None = None
    traces: dict[str, Trace] = field(default_factory=dict)
    real: tuple[float, ...] = ()
    cite: str = ""
    unread: set[str] = field(default_factory=set)


def _sum(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    """Take dw, dt or feedback_dw; whatever a coefficient cannot be is told with its place."""
    head = "dt =" if given.key == "dt" else "dw ="
    text = head + given.body
    asked: list[float | None] = []
    found: list[Problem] = []

    def quantise(
        real: float | None, written: Scale, factors: tuple[Factor, ...], token: Token
    ) -> Scale:
        scale = written if real is None else nearest_scale(real, factors)
        asked.append(real)
        if isinstance(scale, Problem):
            draft.unread.add(given.key)
            found.extend(refusal(text, token, scale.code, scale.what, scale.hint).problems)
            return 1, 0
        return scale

    draft.origin[given.key] = given.origin
    draft.asked[given.key] = asked
    try:
        draft.sums[given.key] = parse_sum(text, quantise=quantise)
    except UsageError as error:
        draft.unread.add(given.key)
        found.extend(error.problems)
    for problem in found:
        yield given.moved(problem, given.start - len(head))


def _name(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    words = given.words()
    if len(words) != 1 or not _NAME.fullmatch(words[0].text):
        yield from given.refuse(None, "HB0494", "a name is one word", "rule my-rule").problems
    elif words[0].text in library:
        what = f"'{words[0].text}' is a rule of the library"
        yield from given.refuse(None, "HB0494", what, f"rule my-{words[0].text}").problems
    else:
        draft.name = words[0].text


def _feedback(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    draft.path = read_path(given, library)
    yield from ()


def _networks(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    words = [_one_of(given, word, NETWORKS) for word in given.words()]
    if not words or len(set(words)) < len(words):
        yield from given.refuse(None, "HB0494", "networks names each kind once", "graded").problems
    draft.networks = tuple(words)


def _signal(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    known = sorted({factory().signal for factory in library.values()})
    draft.signal = _one_of(given, _only(given), known)
    yield from ()


def _learns(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    word = _one_of(given, _only(given), _LEARNS)
    draft.learns = next(each for each in _LEARNS if each == word)
    yield from ()


def _trace(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    """Take ``x1 tau=10 impulse=16``, once or for several traces."""
    name = ""
    for word in given.words():
        key, equals, value = word.text.partition("=")
        if not equals:
            name = _one_of(given, word, TRACES)
            if name in draft.traces:
                raise given.refuse(word, "HB0494", f"{name} is given twice", "remove one")
            draft.traces[name] = DEFAULT_TRACE
            continue
        if not name or key not in ("tau", "impulse") or not re.fullmatch(r"\d{1,9}", value):
            hint = "trace x1 tau=10 impulse=16"
            raise given.refuse(word, "HB0494", f"cannot read '{word.text}' of a trace", hint)
        try:
            kept = draft.traces[name]
            draft.traces[name] = (
                replace(kept, tau=int(value)) if key == "tau" else replace(kept, impulse=int(value))
            )
        except UsageError as error:
            (problem,) = error.problems
            raise given.refuse(word, problem.code, problem.what, problem.hint) from error
    if not name:
        yield from given.refuse(None, "HB0494", "which trace?", "trace x1 tau=10").problems


def _real(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    values = []
    for word in given.words():
        try:
            value = float(word.text)
        except ValueError:
            value = 0.0
        if not value or not math.isfinite(value):
            what = f"'{word.text}' is no coefficient"
            raise given.refuse(word, "HB0494", what, "real 0.0123 -0.0123")
        values.append(value)
    draft.real = tuple(values)
    draft.origin["real"] = given.origin
    yield from ()


def _cite(given: Field, draft: Draft, library: Library) -> Iterator[Problem]:
    draft.cite = " ".join(given.body.split())
    yield from ()


Reader = Callable[[Field, Draft, Library], Iterator[Problem]]
READERS: dict[str, Reader] = {
    "dw": _sum,
    "dt": _sum,
    "feedback_dw": _sum,
    "rule": _name,
    "feedback": _feedback,
    "networks": _networks,
    "signal": _signal,
    "learns": _learns,
    "trace": _trace,
    "real": _real,
    "cite": _cite,
}


def _only(given: Field) -> Token:
    words = given.words()
    if len(words) != 1:
        raise given.refuse(None, "HB0494", f"{given.key} takes one word", "")
    return words[0]


def _one_of(given: Field, word: Token, known: Iterable[str]) -> str:
    if word.text in known:
        return word.text
    what = f"{given.key} is not '{word.text}'"
    raise given.refuse(word, "HB0494", what, near(word.text, known))
