"""Lowering of spiking units that run twice a sample and learn from the difference.

source --> LIF units --> LIF output units that know the target
LIF units <-- feedback synapses -- error of the output, in the second phase

T = ``window`` steps of spikes, answered from the counts of the output at step T; then the same T
steps once more, with the errors of the output as currents. Both phases begin with a reset of u and
v. In the last step, 2 T, every unit writes the difference of its counts; there synapses learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.lowering.learning_signal import Signals, signals_of
from hebbite.compiler.lowering.rated import rated
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.spiking_stage import SpikingStage, spiking_stages, weight_errors
from hebbite.compiler.lowering.thresholds import DU_KEEP
from hebbite.compiler.lowering.written import TEACHER, WRITTEN
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Wire,
)
from hebbite.rules.traces import Trace

PHASES = 2
IMPULSE = 8
"""Of x1. A line that spikes at every other step stays near 4 tau of 127."""
SHARE = 4
"""The target of a class is a spike in every fourth step, about twice what units begin with."""


def lower_two_phase(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, its coding and its quantisation errors."""
    network, settings, given = request.network, request.settings, rated(request, passes=PHASES)
    stages = spiking_stages(network, given.spikes, settings, signed=given.signed, integrate=False)
    signals = signals_of(network, stages, request.rule, settings, margin=request.objective.margin)
    program = _Lowering(request, stages, signals, given.signed).program()
    return Lowered(program, given.coding, weight_errors(network, stages))


@dataclass(frozen=True)
class _Lowering:
    request: Request
    stages: tuple[SpikingStage, ...]
    signals: Signals
    signed: bool

    def program(self) -> Program:
        """Put all parts together."""
        network, settings = self.request.network, self.request.settings
        free, output = settings.window, network.stages[-1].name
        return Program(
            name=network.name,
            target=settings.target,
            schedule=Schedule(
                PHASES * free,
                free,
                (("answer", free), ("errors", free), ("learnt", PHASES * free)),
            ),
            sources=self._sources(),
            populations=tuple(self._population(index) for index in range(len(self.stages))),
            synapses=(*self._forward(), *(group for group, _ in self.signals.groups)),
            wires=(Wire(TEACHER, output),),
            plasticity=self._plasticity(),
            readout=Readout(output, "score", free),
            widths=self.request.widths,
            seed=settings.seed,
            tensors=self._tensors(),
        )

    def _sources(self) -> tuple[Source, ...]:
        network, free = self.request.network, self.request.settings.window
        lines = network.input_size * (1 + self.signed)
        steps = tuple(range(1, PHASES * free + 1))
        return (
            Source(network.input_name, lines, steps, origin=network.input_origin),
            Source(TEACHER, len(network.stages[-1].weight), (1, free + 1), role="target"),
        )

    def _population(self, index: int) -> Population:
        stage, made = self.request.network.stages[index], self.stages[index]
        settings, free = self.request.settings, self.request.settings.window
        output = index == len(self.stages) - 1
        neuron = NEURONS["lif_counted" if output else "lif_two_phase"]
        target = self.request.objective.target_rate
        nudge = dict(self.request.rule.constants).get("nudge", 0)
        constants = {
            "du_keep": DU_KEEP,
            "dv_keep": made.dv_keep,
            "threshold": made.threshold,
            "unit": max(round(float(np.log2(SHARE * target / free))), 0),
            "again": free + 1,
            "second": free + 2,
            "feedback_shift": self.signals.shifts.get(stage.name, 0),
            "strength": made.threshold >> (7 + nudge) if stage.name in self.signals.shifts else 0,
            "free": free,
            "before": PHASES * free - 1,
            "fine": max(made.threshold.bit_length() - 9, 0),
            "margin": self.request.objective.margin,
            "shift": settings.error_shift,
        }
        return Population(
            stage.name,
            made.size,
            neuron,
            neuron.chosen(constants),
            (("bias", f"{stage.name}.bias"),),
            origin=stage.origin,
        )

    def _forward(self) -> tuple[Synapses, ...]:
        groups: list[Synapses] = []
        pre = self.request.network.input_name
        for stage, made in zip(self.request.network.stages, self.stages, strict=True):
            name, tensor = stage.synapses, f"{stage.synapses}.weight"
            groups.append(
                Synapses(name, pre, stage.name, tensor, graded=False, connect=made.connect)
            )
            pre = stage.name
        return tuple(groups)

    def _plasticity(self) -> tuple[Plasticity, ...]:
        rule, stages = self.request.rule, self.request.network.stages
        learning = stages if rule.learns == "all" else stages[-1:]
        heard = Trace(max(self.request.settings.window // 2, 1), IMPULSE)
        traces = (("x1", heard), ("y2", WRITTEN), ("y3", WRITTEN))
        return tuple(
            Plasticity(stage.synapses, rule.dw, 1, traces)
            for stage in learning
            if not stage.is_shared
        )

    def _tensors(self) -> dict[str, IntArray]:
        tensors: dict[str, IntArray] = {}
        for stage, made in zip(self.request.network.stages, self.stages, strict=True):
            tensors[f"{stage.synapses}.weight"] = made.weight.astype(np.int16)
            tensors[f"{stage.name}.bias"] = made.bias
        for group, weight in self.signals.groups:
            tensors[group.weight] = weight.astype(np.int16)
        return tensors
