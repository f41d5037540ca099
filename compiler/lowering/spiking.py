"""Lowering of a network of leaky integrate-and-fire units whose synapses learn from spike times.

Rectified units become LIF units; a sample is ``window`` steps of Bernoulli spikes at its inputs.
The thresholds are the ones at which each population spikes at RATE on the calibration data, found
by bisection on the integer neuron itself. Nothing is reset between samples: time goes on.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.coding import Coding
from hebbite.compiler.lowering.encode import rate_code
from hebbite.compiler.lowering.quantise import even, weight_scale
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.shared import delivered
from hebbite.compiler.lowering.spiking_stage import unit_bias
from hebbite.compiler.lowering.thresholds import DU_KEEP, INPUT_SHIFT, Drive, fitted_threshold
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
)

RATE = 0.08
"""Wanted spikes a neuron and step."""
DV_KEEP = 3584
"""The potential keeps 7/8 a step: a time constant of 7.5 steps."""


def lower_spiking(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, and its coding."""
    network, settings = request.network, request.settings
    top = float(request.data.max(initial=0.0)) or 1.0
    coding = Coding(
        kind="rate",
        source=network.input_name,
        teacher="",
        scale=top,
        signed=False,
        window=settings.window,
        seed=settings.seed,
        outputs=len(network.stages[-1].weight),
        target_rate=request.objective.target_rate,
    )
    return Lowered(_program(request, top), coding)


def _program(request: Request, top: float) -> Program:
    network, settings = request.network, request.settings
    window = settings.window
    spikes = rate_code(request.data, top=top, window=window, seed=settings.seed)
    tensors: dict[str, IntArray] = {}
    populations: list[Population] = []
    synapses: list[Synapses] = []
    pre = network.input_name
    for stage in network.stages:
        scale = weight_scale(settings, stage.weight)
        weight, bias = even(stage.weight * scale), unit_bias(stage, scale)
        tensors |= {f"{stage.synapses}.weight": weight, f"{stage.name}.bias": bias}
        arrived = delivered(stage.connect, weight.astype(np.int64), spikes)
        threshold, spikes = fitted_threshold(Drive(arrived, bias, dv_keep=DV_KEEP), rate=RATE)
        constants = (
            ("du_keep", DU_KEEP),
            ("dv_keep", DV_KEEP),
            ("threshold", threshold << INPUT_SHIFT),
        )
        populations.append(
            Population(
                stage.name,
                stage.size,
                NEURONS["lif"],
                constants,
                (("bias", f"{stage.name}.bias"),),
                origin=stage.origin,
            )
        )
        name, tensor = stage.synapses, f"{stage.synapses}.weight"
        synapses.append(
            Synapses(name, pre, stage.name, tensor, graded=False, connect=stage.connect)
        )
        pre = stage.name
    return Program(
        name=network.name,
        target=settings.target,
        schedule=Schedule(window, window),
        sources=(
            Source(
                network.input_name,
                network.input_size,
                tuple(range(1, window + 1)),
                origin=network.input_origin,
            ),
        ),
        populations=tuple(populations),
        synapses=tuple(synapses),
        plasticity=tuple(
            Plasticity(
                group.name,
                request.rule.dw,
                1,
                request.rule.traces,
                factors=2,
                dt=request.rule.dt,
            )
            for group, stage in zip(synapses, network.stages, strict=True)
            if not stage.is_shared
        ),
        readout=Readout(pre, "s", window, count=True),
        widths=request.widths,
        seed=settings.seed,
        tensors=tensors,
    )
