"""The lowerings: one for each kind of unit and of learning signal. A new one needs a line here.

A rule says what its neurons tell their synapses (`LearningRule.signal`); the settings say which
units a network has.
"""

from __future__ import annotations

from collections.abc import Callable

from hebbite.compiler.lowering.goodness import lower_goodness
from hebbite.compiler.lowering.graded import lower_graded
from hebbite.compiler.lowering.hebbian import lower_hebbian
from hebbite.compiler.lowering.prototypes import lower_prototypes
from hebbite.compiler.lowering.relaxing import lower_relaxing
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.rewarded import lower_rewarded
from hebbite.compiler.lowering.spiking import lower_spiking
from hebbite.compiler.lowering.spiking_error import lower_spiking_error
from hebbite.compiler.lowering.two_phase import lower_two_phase
from hebbite.compiler.program.verify import verify_program

LOWERINGS: dict[tuple[str, str], Callable[[Request], Lowered]] = {
    ("graded", "error"): lower_graded,
    ("graded", "activity"): lower_hebbian,
    ("graded", "sliding-threshold"): lower_hebbian,
    ("graded", "winner"): lower_prototypes,
    ("graded", "prototype"): lower_prototypes,
    ("graded", "relaxation"): lower_relaxing,
    ("graded", "goodness"): lower_goodness,
    ("lif", "spikes"): lower_spiking,
    ("lif", "error"): lower_spiking_error,
    ("lif", "reward"): lower_rewarded,
    ("lif", "two-phase"): lower_two_phase,
}
"""(unit, learning signal) -> lowering."""


def lower(request: Request) -> Lowered:
    """Return the verified program of a request that `compiler.check` found to be sound."""
    lowering = LOWERINGS[request.settings.neuron, request.rule.signal]
    lowered = lowering(request)
    verify_program(lowered.program, running=lowering.__name__)
    return lowered
