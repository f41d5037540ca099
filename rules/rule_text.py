"""A learning rule as a few lines of text, and back.

    rule my-dfa                                          # a name; custom if left out
      dw = 0.0123*x0*x1*y2 - 0.0123*x0*x1*y3             # the one field that a rule must have
      feedback output-error random direct gain=1         # how credit reaches hidden units
      networks graded                                    # graded, spiking, or both
      cite Nokland 2016                                  # free text

One field a line, or several with ``;`` between them; ``#`` starts a comment.

dw, dt         sums of products (`hebbite.rules.sums`): what is added to a weight, to a tag.
feedback_dw    the same for feedback weights that learn. A coefficient with a decimal point is
               real: the mean change in weight steps for a product of the variables that is 1; it
               becomes the nearest scale that the chip has (`hebbite.rules.scale`). One without,
               ``3*2^-6``, is the chip's own mantissa and exponent and stays as it is.
feedback       source, weights and delivery of `hebbite.rules.feedback`, and gain, latency,
               amplitude, follow (true, false); a rule of the library (``feedback fa gain=1``,
               ``feedback stdp(tau_pre=20)``) gives all that it has but these; ``none`` sends
               nothing back. Default: that of dfa for graded networks, none for spiking ones.
networks       default: spiking if a trace is given, or if y0, y1 or x2 is read and y2, y3 are not;
               else graded.
signal         what neurons tell their synapses. Default: error (graded), spikes (spiking).
learns         all (the default), readout (the default in graded networks without feedback).
trace          x1, x2, y1, y2, y3 with tau (steps) and impulse, for rules of spikes. Default:
               ``tau=10 impulse=16`` for every one that is read.
real           the real coefficients that products stand for: written when a rule is printed.
cite           free text, to the end of the line.

Which neuron signal, feedback and network go together is what the rules of the library have: such a
path has a lowering, and its locality is known. Nothing is evaluated as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.feedback import Feedback
from hebbite.rules.loihi import check_loihi
from hebbite.rules.rule import LearningRule, Learns
from hebbite.rules.rule_feedback import Library, Path, print_feedback
from hebbite.rules.rule_fields import (
    DEFAULT_TRACE,
    NETWORKS,
    READERS,
    TRACES,
    Draft,
)
from hebbite.rules.rule_lines import SUMS, fields_of
from hebbite.rules.sums import VARIABLES, SumOfProducts, effective_scale
from hebbite.rules.traces import Trace


def is_rule_text(text: str) -> bool:
    """Whether ``text`` holds fields of a rule, rather than a rule's name with its options."""
    return bool(re.search(r"[\n;]|\Arule\s|\A[^(]*=", without_comments(text)))


def without_comments(text: str) -> str:
    """Return a text without its comments, and without blanks around it."""
    return re.sub(r"#[^\n]*", "", text).strip()


def read_rule(text: str, library: Library) -> tuple[LearningRule | None, tuple[Problem, ...]]:
    """Return the rule that ``text`` says, if it says one, and everything that is wrong with it.

    A rule that no chip evaluates is returned too, so that it can be checked further.
    Codes: HB044x of a sum, HB045x of the chip, HB0446 a trace, HB0490 and HB0491 a coefficient,
    HB0493 a field, HB0494 a word in a field, HB0495 fields that do not go together.
    """
    fields, problems = fields_of(text)
    draft = Draft()
    for each in fields:
        try:
            problems.extend(READERS[each.key](each, draft, library))
        except UsageError as error:
            draft.unread.add(each.key)
            problems.extend(error.problems)
    if "dw" not in draft.sums:
        if "dw" not in draft.unread:
            what = "a rule needs the update of a weight"
            hint = "dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"
            problems.append(Problem("HB0493", what, hint=hint))
        return None, tuple(problems)
    rule, found = _rule(draft, library)
    return rule, (*problems, *found, *_beyond_the_chip(draft))


def _rule(draft: Draft, library: Library) -> tuple[LearningRule | None, list[Problem]]:
    """Put the fields together upon the rule of the library whose signal comes the same way."""
    read = {name for each in draft.sums.values() for name in _names(each)}
    wanted = _wanted(draft, read, library)
    base = wanted.base or _twin(wanted, library)
    if base is None or wanted.differs_from(base):
        return None, [] if draft.unread else [_no_twin(wanted, draft, library)]
    remote = tuple(name for name in _names(draft.sums["dw"]) if VARIABLES[name].site == "remote")
    path, steps = wanted.path, base.feedback.latency
    rule = replace(
        base,
        name=draft.name,
        equation="; ".join(str(each) for each in draft.sums.values()),
        citation=draft.cite,
        dw=draft.sums["dw"],
        dt=draft.sums.get("dt"),
        feedback_dw=draft.sums.get("feedback_dw"),
        networks=wanted.networks,
        feedback=replace(
            base.feedback,
            gain=path.feedback.gain,
            amplitude=path.feedback.amplitude,
        ),
        follows=path.follows,
        traces=_traces(draft, read, base),
        locality=replace(base.locality, remote=remote),
        real=_asked(draft),
    )
    problems = list(_together(rule, draft, read))
    if path.timed and path.feedback.latency != steps:
        what = f"this feedback takes {steps} steps a population, not {path.feedback.latency}"
        problems.append(Problem("HB0495", what, f"rule {rule.name}", hint=f"latency={steps}"))
    text = print_rule(rule)
    if not problems and wanted.base is not None and not draft.unread:
        again = read_rule(text, library)[0]  # do words alone say the path?
        same = again is not None and replace(again, text="") == replace(rule, text="")
        text = text if same else print_rule(rule, base=base.text)
    # what could not be read is not what was meant
    return replace(rule, text=text), [] if draft.unread else problems


@dataclass(frozen=True)
class _Wanted:
    """What a rule asks of the network that it is in, with defaults."""

    path: Path
    networks: tuple[str, ...]
    signal: str
    learns: Learns

    @property
    def base(self) -> LearningRule | None:
        """The rule of the library that the path was taken from, if it was named."""
        return self.path.base

    def differs_from(self, rule: LearningRule) -> bool:
        """Whether that rule's signal comes another way, or not in every such network."""
        mine, other = self.path.feedback, rule.feedback
        return (
            not rule.runs_on_chip
            or (self.signal, self.learns) != (rule.signal, rule.learns)
            or not set(self.networks) <= set(rule.networks)
            or (mine.source, mine.weights, mine.delivery)
            != (other.source, other.weights, other.delivery)
        )


def _wanted(draft: Draft, read: set[str], library: Library) -> _Wanted:
    base = draft.path.base if draft.path is not None else None
    if base is not None:
        assert draft.path is not None
        return _Wanted(
            draft.path,
            draft.networks or base.networks,
            draft.signal or base.signal,
            draft.learns or base.learns,
        )
    networks = draft.networks or (_kind(draft, read),)
    graded = networks[0] == "graded"
    plain = Path(library["dfa"]().feedback if graded else Feedback(), False)
    path = draft.path or plain
    still = graded and path.feedback.source == "none"
    learns: Learns = draft.learns or ("readout" if still else "all")
    return _Wanted(path, networks, draft.signal or _signal(path, networks[0], library), learns)


def _signal(path: Path, network: str, library: Library) -> str:
    """Return the signal of a path: the usual one of the network, or of the rule that has it."""
    usual = NETWORKS[network]
    mine = path.feedback
    for other in (factory() for factory in library.values()):
        theirs = other.feedback
        same = (mine.source, mine.weights, mine.delivery) == (
            theirs.source,
            theirs.weights,
            theirs.delivery,
        )
        if same and network in other.networks and other.runs_on_chip and mine.source != "none":
            return other.signal
    return usual


def _twin(wanted: _Wanted, library: Library) -> LearningRule | None:
    """Return a rule of the library whose signal comes the same way in every such network."""
    for factory in library.values():
        rule = factory()
        if not wanted.differs_from(rule):
            return rule
    return None


def _no_twin(wanted: _Wanted, draft: Draft, library: Library) -> Problem:
    known: dict[str, list[str]] = {}
    for other in (factory() for factory in library.values()):
        if other.runs_on_chip and set(wanted.networks) & set(other.networks):
            words = print_feedback(other.feedback, follows=other.follows).partition(" latency")[0]
            known.setdefault(words.partition(" gain")[0], []).append(other.name)
    path = print_feedback(wanted.path.feedback, follows=wanted.path.follows)
    what = (
        f"no {' and '.join(wanted.networks)} network learns so: {wanted.learns}, from the signal "
        f"'{wanted.signal}', feedback {path}"
    )
    hint = "; ".join(f"feedback {words} ({', '.join(names)})" for words, names in known.items())
    return Problem("HB0495", what, at=f"rule {draft.name}", hint=hint or "feedback dfa")


def _names(each: SumOfProducts) -> tuple[str, ...]:
    return tuple(variable.name for variable in each.variables)


def _kind(draft: Draft, read: set[str]) -> str:
    """Return the kind of network that a rule without a word about it is for."""
    events = draft.traces or read & {"y0", "y1", "x2"}
    return "spiking" if draft.traces or (events and not read & {"y2", "y3"}) else "graded"


def _traces(draft: Draft, read: set[str], base: LearningRule) -> tuple[tuple[str, Trace], ...]:
    """Return the traces that events make: as given, as the base has them, or the default."""
    kept = dict(base.traces) if draft.path is not None and draft.path.base is not None else {}
    if base.signal != NETWORKS["spiking"]:  # units write some of them: which, the base says
        kept = dict(base.traces)
        return tuple((name, draft.traces.get(name, trace)) for name, trace in kept.items())
    return tuple(
        (name, draft.traces.get(name, kept.get(name, DEFAULT_TRACE)))
        for name in TRACES
        if name in read or name in draft.traces
    )


def _asked(draft: Draft) -> tuple[float, ...]:
    """Return the real coefficients of all products; () if every one is in the chip's own scale."""
    if draft.real or draft.unread & {*SUMS}:
        return draft.real
    pairs = [
        pair
        for key in SUMS
        if key in draft.sums
        for pair in zip(draft.asked[key], draft.sums[key].products, strict=True)
    ]
    if all(asked is None for asked, _ in pairs):
        return ()
    return tuple(effective_scale(p) if asked is None else asked for asked, p in pairs)


def _together(rule: LearningRule, draft: Draft, read: set[str]) -> Iterator[Problem]:
    """Yield what each field says, but not together with the others (HB0495)."""
    at = f"rule {rule.name}"
    written = [name for name in draft.traces if name not in dict(rule.traces)]
    if written:
        what = f"the traces {', '.join(written)} are none of events with the signal '{rule.signal}'"
        yield Problem("HB0495", what, at, hint="remove the trace, or networks spiking")
    if "t" in read and rule.dt is None:
        yield Problem("HB0495", "t is a synapse's tag, and nothing updates it", at, hint="dt = ...")
    if "d" in read:
        yield Problem("HB0495", "d is a delay, and delays are no variables here", at)
    learnt = rule.feedback.weights == "learned"
    if learnt != (rule.feedback_dw is not None):
        what = "feedback weights that learn need an update, and an update such weights"
        hint = "feedback learned layered; feedback_dw = 2^-5*x0*(x1-64)*y1"
        yield Problem("HB0495", what, at, hint=hint)
    count = sum(len(each.products) for each in rule.updates)
    if rule.real and len(rule.real) != count:
        what = f"{len(rule.real)} real coefficients for {count} products"
        yield Problem("HB0495", what, at, draft.origin.get("real", ""), "one a product, in order")


def _beyond_the_chip(draft: Draft) -> Iterator[Problem]:
    """Yield what no chip of this class evaluates, with the line that says so."""
    together = [draft.sums[key] for key in ("dw", "dt") if key in draft.sums]
    back = draft.sums.get("feedback_dw")
    for key, sums in (("dw", together), ("feedback_dw", [back] if back is not None else [])):
        for problem in check_loihi(*sums) if sums else ():
            origin = draft.origin["dt" if problem.at.startswith("dt") else key]
            yield replace(problem, origin=problem.origin or origin)


def print_rule(rule: LearningRule, *, base: str = "") -> str:
    """Return the text of a rule that has no factory: every field, on one line.

    ``base`` is the text of the rule of the library that has its path, where words do not say it.
    """
    fields = [f"rule {rule.name}", str(rule.dw)]
    fields += [str(rule.dt)] if rule.dt is not None else []
    fields += [f"feedback_{rule.feedback_dw}"] if rule.feedback_dw is not None else []
    path = print_feedback(rule.feedback, follows=rule.follows)
    fields += [f"feedback {base or path}"]
    fields[-1] += f" follow={str(rule.follows).lower()}" if base and " follow=" in path else ""
    fields[-1] += f" gain={rule.feedback.gain}" if base and " gain=" in path else ""
    fields += [f"networks {' '.join(rule.networks)}", f"signal {rule.signal}"]
    fields += [f"learns {rule.learns}"]
    fields += [f"trace {name} tau={t.tau} impulse={t.impulse}" for name, t in rule.traces]
    fields += ["real " + " ".join(map(repr, rule.real))] if rule.real else []
    fields += [f"cite {rule.citation}"] if rule.citation else []
    return "; ".join(fields)
