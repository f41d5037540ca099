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
               amplitude, follow (true, false); a rule's name (``feedback fa gain=1``) takes
               what that rule has; ``none`` sends nothing back. Default: that of dfa for graded
               networks, none for spiking ones.
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
from dataclasses import replace

from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.feedback import Feedback
from hebbite.rules.loihi import check_loihi
from hebbite.rules.rule import LearningRule, Learns
from hebbite.rules.rule_feedback import print_feedback
from hebbite.rules.rule_fields import (
    DEFAULT_TRACE,
    NETWORKS,
    READERS,
    TRACES,
    Draft,
    Library,
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


def _rule(draft: Draft, library: Library) -> tuple[LearningRule, list[Problem]]:
    """Put the fields together, with defaults, and the locality of a rule of the same feedback."""
    read = {name for each in draft.sums.values() for name in _names(each)}
    networks = draft.networks or (_kind(draft, read),)
    signal = draft.signal or NETWORKS[networks[0]]
    graded = networks[0] == "graded"
    given = draft.feedback
    if given is None:
        given = (library["dfa"]().feedback if graded else Feedback(), False)
    feedback, follows = given
    still = graded and feedback.source == "none"
    learns: Learns = draft.learns or ("readout" if still else "all")
    asked = _asked(draft)
    rule = LearningRule(
        name=draft.name,
        text="",
        equation="; ".join(str(each) for each in draft.sums.values()),
        citation=draft.cite,
        dw=draft.sums["dw"],
        learns=learns,
        factors=3,
        networks=networks,
        signal=signal,
        dt=draft.sums.get("dt"),
        feedback=feedback,
        traces=_traces(draft, read) if signal == NETWORKS["spiking"] else (),
        follows=follows,
        feedback_dw=draft.sums.get("feedback_dw"),
        real=asked,
    )
    twin = _twin(rule, library)
    problems = list(_together(rule, draft, read))
    if twin is not None:
        remote = tuple(name for name in _names(rule.dw) if VARIABLES[name].site == "remote")
        locality = replace(twin.locality, remote=remote)
        steps = twin.feedback.latency
        if draft.timed and feedback.latency != steps:
            what = f"this feedback takes {steps} steps a population, not {feedback.latency}"
            problems.append(Problem("HB0495", what, f"rule {rule.name}", hint=f"latency={steps}"))
        timed = replace(feedback, latency=steps)
        rule = replace(rule, factors=twin.factors, locality=locality, feedback=timed)
    else:
        problems.append(_no_twin(rule, library))
    problems = [] if draft.unread else problems  # what could not be read is not what was meant
    return replace(rule, text=print_rule(rule)), problems


def _names(each: SumOfProducts) -> tuple[str, ...]:
    return tuple(variable.name for variable in each.variables)


def _kind(draft: Draft, read: set[str]) -> str:
    """Return the kind of network that a rule without a word about it is for."""
    events = draft.traces or read & {"y0", "y1", "x2"}
    return "spiking" if draft.traces or (events and not read & {"y2", "y3"}) else "graded"


def _traces(draft: Draft, read: set[str]) -> tuple[tuple[str, Trace], ...]:
    return tuple(
        (name, draft.traces.get(name, DEFAULT_TRACE))
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


def _path(rule: LearningRule) -> tuple[str, ...]:
    feedback = rule.feedback
    return rule.signal, rule.learns, feedback.source, feedback.weights, feedback.delivery


def _twin(rule: LearningRule, library: Library) -> LearningRule | None:
    """Return a rule of the library whose signal comes the same way in every such network."""
    known = [factory() for factory in library.values()]
    for other in known:
        same = _path(other) == _path(rule) and set(rule.networks) <= set(other.networks)
        if same and other.runs_on_chip:
            return other
    return None


def _no_twin(rule: LearningRule, library: Library) -> Problem:
    known: dict[str, list[str]] = {}
    for other in (factory() for factory in library.values()):
        if other.runs_on_chip and set(rule.networks) <= set(other.networks):
            words = print_feedback(other.feedback, follows=other.follows).partition(" latency")[0]
            known.setdefault(words.partition(" gain")[0], []).append(other.name)
    what = (
        f"no {' and '.join(rule.networks)} network learns so: {rule.learns}, from the signal "
        f"'{rule.signal}', feedback {print_feedback(rule.feedback, follows=rule.follows)}"
    )
    hint = "; ".join(f"feedback {words} ({', '.join(names)})" for words, names in known.items())
    return Problem("HB0495", what, at=f"rule {rule.name}", hint=hint)


def _together(rule: LearningRule, draft: Draft, read: set[str]) -> Iterator[Problem]:
    """Yield what each field says, but not together with the others (HB0495)."""
    at = f"rule {rule.name}"
    if draft.traces and not rule.traces:
        what = f"traces of {', '.join(draft.traces)}: neurons with the signal '{rule.signal}' write"
        yield Problem("HB0495", f"{what} theirs", at, hint="remove the trace, or networks spiking")
    if "t" in read and rule.dt is None:
        yield Problem("HB0495", "t is a synapse's tag, and nothing updates it", at, hint="dt = ...")
    if "d" in read:
        yield Problem("HB0495", "d is a delay, and delays are no variables here", at)
    learnt = rule.feedback.weights == "learned"
    if learnt != (rule.feedback_dw is not None):
        what = "feedback weights that learn need an update, and an update such weights"
        hint = "feedback learned layered; feedback_dw = 2^-5*x0*(x1-64)*y1"
        yield Problem("HB0495", what, at, hint=hint)
    count = sum(len(each.products) for each in rule.sums)
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


def print_rule(rule: LearningRule) -> str:
    """Return the text of a rule that has no factory: every field, on one line."""
    fields = [f"rule {rule.name}", str(rule.dw)]
    fields += [str(rule.dt)] if rule.dt is not None else []
    fields += [f"feedback_{rule.feedback_dw}"] if rule.feedback_dw is not None else []
    fields += [f"feedback {print_feedback(rule.feedback, follows=rule.follows)}"]
    fields += [f"networks {' '.join(rule.networks)}", f"signal {rule.signal}"]
    fields += [f"learns {rule.learns}"]
    fields += [f"trace {name} tau={t.tau} impulse={t.impulse}" for name, t in rule.traces]
    fields += ["real " + " ".join(map(repr, rule.real))] if rule.real else []
    fields += [f"cite {rule.citation}"] if rule.citation else []
    return "; ".join(fields)
