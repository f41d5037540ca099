"""What is held against a learning rule as a model of learning in brains, answered from its data.

In: a rule. Out: seven answers. The questions are those that are put to backpropagation and to
random feedback: does feedback need the forward weights, or their signs? Separate passes? Signals
from elsewhere? Is feedback linear, or gated by a derivative? Has it a path of its own? Does it
reach the activity itself at once? And how far from the gradient does it lead?

symmetric_feedback   what feedback weights are of the forward ones: ``none``, their ``sign``,
                     ``copied``, or ``learned`` to be like them
separate_phases      passes over a sample, from 1
non_local_signals    variables of other synapses that the update reads, and signals that every
                     neuron gets alike
feedback_gate        what meets the signal at the neuron: its ``derivative``, nothing (``linear``),
                     or ``none`` where nothing is sent
feedback_path        ``forward``: the forward synapses backwards; ``separate`` synapses; one
                     ``broadcast`` to all; ``none``
immediate_feedback   whether feedback changes the activity of the neurons that it reaches within
                     the sample (`Feedback.moves_activity`), rather than their synapses afterwards
measured_bias        bias of the hidden layer's update, 0 to 1, as measured; None with a reason

Source of the questions: B. A. Richards et al., "A deep learning framework for neuroscience", Nature
Neuroscience 22, 1761-1770 (2019), doi 10.1038/s41593-019-0520-2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from hebbite.rules.rule import LearningRule

Symmetric = Literal["none", "sign", "copied", "learned"]
Gate = Literal["linear", "derivative", "none"]
Way = Literal["forward", "separate", "broadcast", "none"]
BIAS_FILE = Path(__file__).parent / "data" / "measured_bias.json"
RECORD = "python benchmarks/credit.py --record"
_SYMMETRIC: dict[str, Symmetric] = {"transpose": "copied", "sign": "sign", "learned": "learned"}


@dataclass(frozen=True)
class Measured:
    """A bias with its 95 % interval over seeds; or None, and why."""

    mean: float | None
    interval: tuple[float, float] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Assignment:
    """The answers for one rule; see the module."""

    symmetric_feedback: Symmetric
    separate_phases: int
    non_local_signals: tuple[str, ...]
    feedback_gate: Gate
    feedback_path: Way
    immediate_feedback: bool
    measured: Measured

    def to_json(self) -> dict[str, object]:
        """Return plain data with the keys of ``hebbite list rules --json``."""
        interval = self.measured.interval
        return {
            "symmetric_feedback": self.symmetric_feedback,
            "separate_phases": self.separate_phases,
            "non_local_signals": list(self.non_local_signals),
            "feedback_gate": self.feedback_gate,
            "feedback_path": self.feedback_path,
            "immediate_feedback": self.immediate_feedback,
            "measured_bias": self.measured.mean,
            "measured_bias_interval": None if interval is None else list(interval),
            "measured_bias_reason": self.measured.reason,
        }


def assignment_of(rule: LearningRule) -> Assignment:
    """Return the answers for a rule, from its feedback, its locality and what was measured."""
    return Assignment(
        symmetric_feedback=_SYMMETRIC.get(rule.feedback.weights, "none"),
        separate_phases=rule.locality.phases,
        non_local_signals=(*rule.locality.remote, *rule.locality.global_signals),
        feedback_gate=_gate(rule),
        feedback_path=_way(rule),
        immediate_feedback=rule.feedback.moves_activity,
        measured=_measured(rule),
    )


def _gate(rule: LearningRule) -> Gate:
    if rule.feedback.delivery == "none":
        return "none"
    return "derivative" if rule.locality.is_gated else "linear"


def _way(rule: LearningRule) -> Way:
    if rule.feedback.delivery == "none":
        return "none"
    if rule.feedback.delivery == "broadcast":
        return "broadcast"
    return "forward" if rule.locality.remote else "separate"


def _measured(rule: LearningRule) -> Measured:
    found = _recorded().get(rule.name)
    if not rule.runs_on_chip:
        return Measured(None, reason="it runs on no chip: it is what others are measured by")
    if "graded" not in rule.networks:
        return Measured(None, reason="it serves spiking networks, and the measured one is graded")
    if not rule.follows_objective:
        return Measured(None, reason="it follows no objective: there is no gradient to lead from")
    if found is None:
        return Measured(None, reason=f"not measured yet: {RECORD} --rules {rule.name}")
    if found["text"] != rule.text:
        return Measured(None, reason=f"measured with other options: {found['text']}")
    if "reason" in found:
        return Measured(None, reason=found["reason"])
    return Measured(found["mean"], (found["low"], found["high"]))


@cache
def _recorded() -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(BIAS_FILE.read_text("utf-8"))["rules"]
    return rules


COLUMNS = (
    "rule", "networks", "feedback weights like forward", "phases", "non-local signals", "gate",
    "path", "immediate", "bias (95 % interval)",
)  # fmt: skip


def markdown_of(rules: tuple[LearningRule, ...]) -> str:
    """Return the answers as a table in Markdown, a rule a row."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_cells(rule)) + " |" for rule in rules]
    return "\n".join(lines)


def _cells(rule: LearningRule) -> tuple[str, ...]:
    found = assignment_of(rule)
    return (
        f"`{rule.name}`",
        ", ".join(rule.networks),
        found.symmetric_feedback,
        str(found.separate_phases),
        ", ".join(found.non_local_signals) or "none",
        found.feedback_gate,
        found.feedback_path,
        "yes" if found.immediate_feedback else "no",
        _bias(found.measured),
    )


def _bias(measured: Measured) -> str:
    if measured.mean is None or measured.interval is None:
        return measured.reason
    low, high = measured.interval
    return f"{measured.mean:.3g}" + (f" ({low:.3g} to {high:.3g})" if high > low else "")
