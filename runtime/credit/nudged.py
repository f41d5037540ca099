"""The learning signal of equilibrium propagation: what a nudge at the output changed everywhere.

    x_l = f_l(W_l [x_(l-1), b_l] + gamma k_(l+1) / k_l W_(l+1)^T x_(l+1))
    x_L = f_L(W_L [x_(L-1), b_L] + beta e / k_L),   e = -dF/dx_L at the free equilibrium

settle twice, with beta = 0 and with the rule's beta. The error is held while the nudged network
settles: F has a dead zone, at whose edge its slope jumps, and a nudge that followed it would never
come to rest there; to first order in beta it is the same. k_l is the number of payloads a unit of
potential, so that couplings are symmetric in payloads. Of every layer, the output included,

    d_l = k_l (x_l^beta - x_l^0) / (beta gamma^(L-l)),   update d_l [x_(l-1)^0, b_l]^T

See the rule for which gradient this approaches: not that of the feed-forward twin, unless gamma
goes to 0 as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.relaxation import Relaxation
from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.batch import Batch
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.predicted import units
from hebbite.runtime.credit.twin import Twin

SMALL = 1e-10
"""Settled where no payload moves more, in payloads."""
DAMPING = 0.5
"""Part of the way to its new value that a payload goes in a step: all at once could swing."""
MOST = 5_000


@dataclass(frozen=True, eq=False)
class Coupled:
    """The network with a way down: a twin's weights, ``gamma`` their strength downwards.

    ``down`` has the weights of the way down, where they are not the twin's own.
    """

    twin: Twin
    gamma: float
    down: Twin | None = None

    def settle(
        self,
        x: Real,
        *,
        push: Real | None = None,
        start: list[Real] | None = None,
        small: float = SMALL,
        damping: float = DAMPING,
    ) -> tuple[list[Real], int]:
        """Return the payloads of every layer, (samples, out) each, and the steps it took.

        ``push`` is added to the output's sum in payloads, (samples, outputs).

        Raises:
            UnsupportedError: HB0473 after MOST steps.
        """
        twin, k = self.twin, units(self.twin)
        state = start or [np.zeros((len(x), len(layer.weight))) for layer in twin.layers]
        for count in range(1, MOST + 1):
            new = self._next(state, x, push, k)
            moved = max(float(np.abs(a - b).max()) for a, b in zip(new, state, strict=True))
            state = [b + damping * (a - b) for a, b in zip(new, state, strict=True)]
            if moved <= small:
                return state, count
        what = f"the network does not settle within {MOST} steps"
        hint = "a weaker way down: coupling=3; or a weaker nudge: nudge=2"
        raise UnsupportedError(Problem("HB0473", what, hint=hint))

    def _next(self, state: list[Real], x: Real, push: Real | None, k: list[float]) -> list[Real]:
        twin = self.twin
        found = []
        for index, layer in enumerate(twin.layers):
            v = layer.lines(state[index - 1] if index else x) @ layer.weight.T
            if index < len(twin.layers) - 1:
                weight = (self.down or twin).layers[index + 1].weight[:, :-1]
                v += self.gamma * k[index + 1] / k[index] * (state[index + 1] @ weight)
            elif push is not None:
                v += push / k[index]
            found.append(layer.activation.value(v))
        return found


def nudged(rule: LearningRule, batch: Batch) -> list[Update]:
    """Return the updates of all layers."""
    chosen = rule.feedback.relaxation or Relaxation()
    return contrasted(batch, beta=2.0**-chosen.nudge, gamma=2.0**-chosen.coupling)


def contrasted(batch: Batch, *, beta: float, gamma: float) -> list[Update]:
    """Return the updates of all layers for a nudge beta != 0 and a way down of strength gamma."""
    twin, k = batch.twin, units(batch.twin)
    network = Coupled(twin, gamma)
    free, _ = network.settle(batch.x)
    error = twin.objective.error(free[-1], batch.target)
    pushed, _ = network.settle(batch.x, push=beta * error, start=free)
    below = [batch.x, *free[:-1]]
    return [
        Update(
            unit * (after - before) / (beta * gamma ** (len(free) - 1 - index)), layer.lines(pre)
        )
        for index, (layer, unit, before, after, pre) in enumerate(
            zip(twin.layers, k, free, pushed, below, strict=True)
        )
    ]
