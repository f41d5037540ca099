"""The lowerings: one for each kind of unit and of learning signal. A new one needs a line here.

A rule says what its neurons tell their synapses (`LearningRule.signal`); the settings say which
units a network has.
"""

from __future__ import annotations

from collections.abc import Callable

from hebbite.compiler.lowering.graded import lower_graded
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.rewarded import lower_rewarded
from hebbite.compiler.lowering.spiking import lower_spiking
from hebbite.compiler.program.verify import verify_program

LOWERINGS: dict[tuple[str, str], Callable[[Request], Lowered]] = {
    ("graded", "error"): lower_graded,
    ("lif", "spikes"): lower_spiking,
    ("lif", "reward"): lower_rewarded,
}
"""(unit, learning signal) -> lowering."""


def lower(request: Request) -> Lowered:
    """Return the verified program of a request that `compiler.check` found to be sound."""
    lowering = LOWERINGS[request.settings.neuron, request.rule.signal]
    lowered = lowering(request)
    verify_program(lowered.program, running=lowering.__name__)
    return lowered
