"""Rows of an inference: one candidate, and how well it predicts the held-out steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hebbite.runtime.infer.candidates import Candidate
from hebbite.runtime.infer.score import Scored


@dataclass(frozen=True)
class LayerRow:
    """One layer: ``r2`` explained variance, None where nothing changed; ``rate`` eta as fitted, in
    steps of the weight per unit of gradient and sample; ``refuted``: said to learn, stood still."""

    name: str
    r2: float | None
    rate: float
    refuted: bool

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Row:
    """One candidate.

    objective    and ``rule``: names where these suffice, else texts; ``objective_text`` and
                 ``rule_text`` with all options
    score        mean gain over no change, nats a held-out step; ``low`` to ``high`` its interval
    control      the same from the samples of another step
    r2           explained variance over all weights
    same_as      candidates that predict the same, as (objective, rule)
    """

    objective: str
    rule: str
    objective_text: str
    rule_text: str
    score: float
    low: float
    high: float
    control: float
    r2: float | None
    layers: tuple[LayerRow, ...]
    same_as: tuple[tuple[str, str], ...] = ()

    @property
    def refuted(self) -> tuple[str, ...]:
        """Layers that are said to learn and stood still."""
        return tuple(layer.name for layer in self.layers if layer.refuted)

    def with_same(self, others: Sequence[Candidate]) -> Row:
        """Return the row with the candidates that predict the same."""
        return replace(self, same_as=tuple((o.goal, o.name) for o in others))

    def to_json(self) -> dict[str, object]:
        """Return plain data with the keys of ``hebbite infer --json``."""
        return {
            **{name: value for name, value in vars(self).items() if name != "layers"},
            "layers": [layer.to_json() for layer in self.layers],
            "refuted": list(self.refuted),
            "same_as": [{"objective": goal, "rule": rule} for goal, rule in self.same_as],
        }


def row_of(scored: Scored, index: int, candidate: Candidate) -> Row:
    """Return the row of a candidate that was scored."""
    low, high = scored.interval(scored.gains[index])
    r2, layers = scored.explained(index)
    refuted = scored.fit.refuted(scored.held_out)[index]
    rate, names = scored.fit.rate[index], scored.held_out.layers
    return Row(
        objective=candidate.goal,
        rule=candidate.name,
        objective_text=candidate.objective.text,
        rule_text=candidate.rule_text,
        score=float(scored.scores[index]),
        low=low,
        high=high,
        control=float(scored.control_gains[index].mean()),
        r2=r2,
        layers=tuple(
            LayerRow(name, layers[i], float(rate[i]), bool(refuted[i]))
            for i, name in enumerate(names)
        ),
    )
