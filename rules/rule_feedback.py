"""The field ``feedback`` of a rule's text: how credit reaches hidden units, in words.

    feedback output-error random direct gain=1        source, weights, delivery, in any order
    feedback sign-symmetric follow=false              all that a rule of the library has
    feedback sign-symmetric(gain=2)                   the same, with options of that rule
    feedback none

What is left out follows from the rest: ``direct`` and ``random`` come from the output's error,
``layered``, ``sign``, ``transpose`` and ``learned`` from the error above, ``broadcast`` from a
perturbation. Numbers: gain -6..6, amplitude 0..6 (of a perturbation); the latency in steps follows
from the path and may be stated; ``follow`` is true or false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from hebbite.rules.errors import UsageError, near
from hebbite.rules.feedback import Delivery, Feedback, FeedbackWeights, SignalSource
from hebbite.rules.options import call_by_text
from hebbite.rules.rule import LearningRule
from hebbite.rules.rule_lines import Field
from hebbite.rules.tokens import Token

Library = Mapping[str, Callable[..., LearningRule]]
SOURCES, WEIGHTS, DELIVERIES = map(get_args, (SignalSource, FeedbackWeights, Delivery))
COPIED = ("transpose", "sign")
"""Feedback weights that are made of the forward ones; they follow these, or stay."""
NUMBERS = ("gain", "latency", "amplitude")
_SOURCE_OF = {"layered": "upper-error", "broadcast": "perturbation"}
_LAYERED = ("sign", "transpose", "learned")
_CALL = re.compile(r"\s*([\w-]+)\s*(\([^()]*\))?")


@dataclass(frozen=True)
class Path:
    """A feedback path; ``follows`` of copied weights; ``base``, the rule of the library that it was
    taken from, if one was named; ``timed``, whether the latency was stated.
    """

    feedback: Feedback
    follows: bool
    base: LearningRule | None = None
    timed: bool = False


def read_path(given: Field, library: Library) -> Path:
    """Return the feedback path that a field says (HB0494, HB0409, HB0401 in a call)."""
    call = _CALL.match(given.body)
    if call and call[1] in library:
        base = _called(given, call[0].strip(), library)
        path = Path(base.feedback, base.follows, base)
        words = [word for word in given.words() if word.start >= given.start + call.end()]
    else:
        words = given.words()
        plain = [word for word in words if "=" not in word.text]
        feedback = _by_words(given, plain, library)
        path = Path(feedback, feedback.weights in COPIED)
        words = [word for word in words if "=" in word.text]
    for word in words:
        feedback, follows = _changed(given, word, path.feedback, path.follows)
        timed = path.timed or word.text.startswith("latency=")
        path = replace(path, feedback=feedback, follows=follows, timed=timed)
    return path


def _called(given: Field, text: str, library: Library) -> LearningRule:
    try:
        return call_by_text(text, library, kind="rule", code="HB0401")
    except UsageError as error:
        problem = error.problems[0]
        raise given.refuse(None, problem.code, problem.what, problem.hint) from error


def _by_words(given: Field, words: list[Token], library: Library) -> Feedback:
    if [word.text for word in words] == ["none"]:
        return Feedback()
    chosen: dict[str, str] = {}
    for word in words:
        kind = _kind_of(given, word, library)
        if kind in chosen:
            what = f"two words for the {kind} of feedback: {chosen[kind]}, {word.text}"
            raise given.refuse(word, "HB0494", what, "keep one")
        if kind:
            chosen[kind] = word.text
    if not chosen:
        what = "feedback says source, weights and delivery"
        raise given.refuse(None, "HB0494", what, "feedback output-error random direct")
    delivery = chosen.get("delivery") or _delivery(chosen)
    source = chosen.get("source") or _SOURCE_OF.get(delivery, "output-error")
    weights = chosen.get("weights") or ("none" if delivery == "broadcast" else "random")
    return Feedback(
        source=next(each for each in SOURCES if each == source),
        weights=next(each for each in WEIGHTS if each == weights),
        delivery=next(each for each in DELIVERIES if each == delivery),
    )


def _kind_of(given: Field, word: Token, library: Mapping[str, Callable[..., LearningRule]]) -> str:
    if word.text == "none":
        return ""
    kinds = {"source": SOURCES, "weights": WEIGHTS, "delivery": DELIVERIES}
    for kind, known in kinds.items():
        if word.text in known:
            return kind
    hint = near(word.text, {*SOURCES, *WEIGHTS, *DELIVERIES, *library})
    raise given.refuse(word, "HB0494", f"unknown word of feedback '{word.text}'", hint)


def _delivery(chosen: Mapping[str, str]) -> str:
    if chosen.get("source") == "perturbation":
        return "broadcast"
    above = chosen.get("source") == "upper-error" or chosen.get("weights") in _LAYERED
    return "layered" if above else "direct"


def _changed(given: Field, word: Token, feedback: Feedback, follows: bool) -> tuple[Feedback, bool]:
    key, _, value = word.text.partition("=")
    if key == "follow" and value in ("true", "false") and feedback.weights in COPIED:
        return feedback, value == "true"
    numbers = {name: getattr(feedback, name) for name in _numbers(feedback)}
    if key not in numbers or not re.fullmatch(r"[+-]?\d{1,9}", value):
        what = f"cannot read '{word.text}' of feedback"
        hint = "gain=1, latency=1; follow=true for sign, transpose; amplitude=2 for perturbation"
        raise given.refuse(word, "HB0494", what, hint)
    numbers[key] = int(value)
    try:
        return replace(
            feedback,
            gain=numbers["gain"],
            latency=numbers["latency"],
            amplitude=numbers.get("amplitude", 0),
        ), follows
    except UsageError as error:
        (problem,) = error.problems
        raise given.refuse(word, problem.code, problem.what, problem.hint) from error


def _numbers(feedback: Feedback) -> tuple[str, ...]:
    """Return the numbers that a path has: only perturbations have an amplitude."""
    if feedback.source == "none":
        return ()
    return NUMBERS if feedback.source == "perturbation" else NUMBERS[:2]


def print_feedback(feedback: Feedback, *, follows: bool) -> str:
    """Return the words that `read_path` reads as this path."""
    if feedback == Feedback():
        return "none"
    words = [feedback.source, feedback.weights, feedback.delivery]
    words = [word for word in words if word != "none"] or ["none"]
    numbers = [f"{name}={getattr(feedback, name)}" for name in _numbers(feedback)]
    copied = [f"follow={str(follows).lower()}"] if feedback.weights in COPIED else []
    return " ".join([*words, *numbers, *copied])
