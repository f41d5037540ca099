"""The rules by name. A new rule of the library needs its file in `hebbite.rules.library` and a
line here; a rule of your own is text (`Rule`, `hebbite.rules.rule_text`).
"""

from __future__ import annotations

from collections.abc import Callable

from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.library.backprop import backprop
from hebbite.rules.library.bandit import bandit
from hebbite.rules.library.bcm import bcm
from hebbite.rules.library.bptt import bptt
from hebbite.rules.library.clp import clp
from hebbite.rules.library.decolle import decolle
from hebbite.rules.library.delta import delta
from hebbite.rules.library.dfa import dfa
from hebbite.rules.library.drtp import drtp
from hebbite.rules.library.emstdp import emstdp
from hebbite.rules.library.eprop import eprop
from hebbite.rules.library.eprop_alif import eprop_alif
from hebbite.rules.library.eprop_filtered import eprop_filtered
from hebbite.rules.library.equilibrium_propagation import equilibrium_propagation
from hebbite.rules.library.fa import fa
from hebbite.rules.library.forward_forward import forward_forward
from hebbite.rules.library.frozen import frozen
from hebbite.rules.library.instar import instar
from hebbite.rules.library.kolen_pollack import kolen_pollack
from hebbite.rules.library.node_perturbation import node_perturbation
from hebbite.rules.library.oja import oja
from hebbite.rules.library.pes import pes
from hebbite.rules.library.predictive_coding import predictive_coding
from hebbite.rules.library.r_stdp import r_stdp
from hebbite.rules.library.sign_symmetric import sign_symmetric
from hebbite.rules.library.soft_bound_stdp import soft_bound_stdp
from hebbite.rules.library.stdp import stdp
from hebbite.rules.library.triplet_stdp import triplet_stdp
from hebbite.rules.loihi import check_loihi
from hebbite.rules.options import call_by_text
from hebbite.rules.rule import LearningRule
from hebbite.rules.rule_text import is_rule_text, read_rule, without_comments

RULES: dict[str, Callable[..., LearningRule]] = {
    "delta": delta,
    "pes": pes,
    "frozen": frozen,
    "dfa": dfa,
    "fa": fa,
    "drtp": drtp,
    "bandit": bandit,
    "backprop": backprop,
    "sign-symmetric": sign_symmetric,
    "kolen-pollack": kolen_pollack,
    "node-perturbation": node_perturbation,
    "predictive-coding": predictive_coding,
    "equilibrium-propagation": equilibrium_propagation,
    "forward-forward": forward_forward,
    "eprop": eprop,
    "eprop-filtered": eprop_filtered,
    "eprop-alif": eprop_alif,
    "decolle": decolle,
    "emstdp": emstdp,
    "stdp": stdp,
    "triplet-stdp": triplet_stdp,
    "soft-bound-stdp": soft_bound_stdp,
    "r-stdp": r_stdp,
    "oja": oja,
    "bcm": bcm,
    "instar": instar,
    "clp": clp,
    "bptt": bptt,
}


def parse_rule(text: str) -> LearningRule:
    """Return a rule from ``name``, ``name(option=value, ...)``, or the fields of a rule's text.

    Raises:
        UsageError: HB0401 for an unknown name, option or value, with the nearest name; HB04xx if a
            value makes an update that no chip of this class can evaluate, or if a field cannot be
            read: all of it at once (`hebbite.rules.rule_text`).
    """
    rule, problems = examine_rule(text)
    if problems or rule is None:
        raise UsageError(*problems)
    return rule


def examine_rule(text: str) -> tuple[LearningRule | None, tuple[Problem, ...]]:
    """Return the rule that ``text`` says, as far as it says one, and everything wrong with it."""
    if is_rule_text(text):
        return read_rule(text, RULES)
    try:
        rule = call_by_text(without_comments(text), RULES, kind="rule", code="HB0401")
    except UsageError as error:
        return None, error.problems
    problems = tuple(problem for sums in rule.kinds for problem in check_loihi(*sums))
    return rule, problems if rule.runs_on_chip else ()


def Rule(
    text: str,
    *,
    name: str = "",
    dt: str = "",
    feedback_dw: str = "",
    feedback: str = "",
    networks: str = "",
    signal: str = "",
    learns: str = "",
    traces: str = "",
    cite: str = "",
) -> LearningRule:
    """Return a learning rule of your own: an update, and what the neurons must tell its synapses.

        Rule("dw = 0.0123*x0*x1*y2 - 0.0123*x0*x1*y3", feedback="dfa", name="my-dfa")

    A coefficient with a decimal point is real: the mean change of a weight, in its steps, for a
    product of the variables that is 1. The chip's nearest scale is taken; ``rule_error.<n>`` in the
    report of a compiled model says how near. ``3*2^-6`` without one is the chip's own scale.

    Args:
        text: ``dw = ...``, or a whole rule, one field a line (`hebbite.rules.rule_text`).
        name: its name in tables; custom if left out.
        dt, feedback_dw: right-hand sides of the update of a tag, and of feedback weights.
        feedback: a path in words, or the rule that has it: ``dfa``, ``upper-error random layered``.
        networks: graded, spiking, or both with a space between.
        signal, learns: as in the text.
        traces: for spikes, ``x1 tau=10 impulse=16 y1 tau=20 impulse=16``.
        cite: where the rule comes from.

    Raises:
        UsageError: HB04xx, everything that is wrong at once.
    """
    sums = {"dt": dt, "feedback_dw": feedback_dw}
    words = {
        "rule": name,
        "feedback": feedback,
        "networks": networks,
        "signal": signal,
        "learns": learns,
        "trace": traces,
        "cite": cite,
    }
    lines = [f"{key} = {value}" for key, value in sums.items() if value]
    lines += [f"{key} {value}" for key, value in words.items() if value]
    return parse_rule("\n".join([text, *lines, ""]))
