"""What ``hebbite list rules`` shows: every rule, and what it can do on which chip and why not.

In: the registry. Out: rows of plain text. The answer for a chip is '' if it runs the rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from hebbite.rules.loihi import check_loihi
from hebbite.rules.registry import RULES
from hebbite.rules.rule import LearningRule

CHIPS = ("loihi1", "loihi2", "ideal")


@dataclass(frozen=True)
class RuleRow:
    """One rule: its text with default options, its equation, and per chip '' or the refusal.

    ``dw`` holds the update of forward weights, that of their tags and, where they learn, that of
    feedback weights, and of the readout's where it is another one.
    """

    name: str
    text: str
    equation: str
    dw: str
    networks: tuple[str, ...]
    learns: str
    factors: int
    refused: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, object]:
        """Return plain data; ``chips`` maps a chip to '' or the reason why it refuses."""
        return {
            "name": self.name,
            "text": self.text,
            "equation": self.equation,
            "dw": self.dw,
            "networks": list(self.networks),
            "learns": self.learns,
            "factors": self.factors,
            "chips": dict(self.refused),
        }


def list_rules() -> tuple[RuleRow, ...]:
    """Return a row per rule of the registry, in its order."""
    return tuple(_row(factory()) for factory in RULES.values())


def refusal_of(rule: LearningRule, chip: str) -> str:
    """Return why a chip of `CHIPS` cannot run the rule; '' if it can.

    loihi1 has binary spikes and spike-driven rules only: no payloads, no neuron that writes y1..y3.
    ``ideal`` knows no limit but locality.
    """
    if not rule.runs_on_chip:
        return rule.reason
    if chip == "ideal":
        return ""
    if chip == "loihi1" and rule.factors == 3:
        return "three factors: its neurons cannot write y1..y3"
    if chip == "loihi1" and "spiking" not in rule.networks:
        return "graded payloads: its spikes are binary"
    return "; ".join(problem.what for sums in rule.kinds for problem in check_loihi(*sums))


def _row(rule: LearningRule) -> RuleRow:
    return RuleRow(
        rule.name,
        rule.text,
        rule.equation,
        _updates(rule),
        rule.networks,
        rule.learns,
        rule.factors,
        tuple((chip, refusal_of(rule, chip)) for chip in CHIPS),
    )


def _updates(rule: LearningRule) -> str:
    others = (("feedback", rule.feedback_dw), ("readout", rule.readout_dw))
    named = (f"; {name} {update}" for name, update in others if update is not None)
    return "; ".join(map(str, rule.kinds[0])) + "".join(named)
