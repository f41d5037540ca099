"""Lowering of one population of linear units that learns from its own activity.

input --plastic synapses--> units

A sample takes two steps: the input sends, then the units have their output and show it to their
synapses. There is no bias line and no teacher. Weights start as the file says, at the root mean
square ``weight_rms``; what the rule gives to its neurons is in `LearningRule.constants`.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.coding import Coding
from hebbite.compiler.lowering.graded import offset_coded
from hebbite.compiler.lowering.network import Long
from hebbite.compiler.lowering.quantise import (
    Int,
    encode_input,
    even,
    input_scale,
    nearest_shift,
    weight_scale,
)
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.written import HELD, WRITTEN
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)

PERIOD = 2
TOP_OUTPUT = 127
UNITS = {"activity": "oja", "sliding-threshold": "bcm"}
"""Learning signal -> neuron program."""


def lower_hebbian(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, its coding and what a reader should know."""
    network, settings = request.network, request.settings
    (stage,) = network.stages
    scale, signed = _scale(request)
    weight = even(stage.weight * weight_scale(settings, stage.weight))
    payload = encode_input(request.data, scale=scale, signed=signed)
    shift = _shift(request, payload @ weight.T.astype(np.int64), signed=signed)
    coding = Coding(
        kind="payload",
        source=network.input_name,
        teacher="",
        scale=scale,
        signed=signed,
        window=0,
        seed=settings.seed,
        outputs=len(weight),
        target_rate=request.objective.target_rate,
    )
    given = dict(request.rule.constants)
    report = {f"norm.{stage.name}": 2.0 ** given["norm"]} if "norm" in given else {}
    return Lowered(_program(request, weight, shift, signed=signed), coding, report)


def _scale(request: Request) -> tuple[float, bool]:
    """Return (payload per unit, whether payloads have a sign).

    Outputs of Oja's rule at the norm n are n e.p / 2^s: payloads are kept so small that no sample
    of the calibration data, whatever e, gives more than 127, where the unit would not be linear.
    """
    scale, signed = input_scale(request.data)
    given = dict(request.rule.constants)
    if "norm" not in given:
        return scale, signed
    length = float(np.linalg.norm(request.data, axis=1).max(initial=0.0)) or 1.0
    reach = TOP_OUTPUT * 2.0 ** (oja_shift(given["norm"], signed=signed) - given["norm"])
    return min(scale, reach / length), signed


def oja_shift(norm: int, *, signed: bool) -> int:
    """Return the shift at which both products of Oja's rule balance at the norm n = 2^norm.

    With v = n e.p, y = v / 2^s, e the direction of w, and e.x1 = c e.p, c = 1, or 1/2 for payloads
    without a sign,

        2^(eta - 3) c (e.p) y = 2^(eta + 1 - 12) y^2 n,    so    n^2 = c 2^(8 + s)
    """
    return 2 * norm - 8 + (not signed)


def _shift(request: Request, v: Long, *, signed: bool) -> int:
    """Return the shift of the output: `oja_shift`, or for other rules the one that brings outputs
    on the calibration data nearest to the scale y_0."""
    given = dict(request.rule.constants)
    if "norm" in given:
        return oja_shift(given["norm"], signed=signed)
    return max(1, nearest_shift(v, float(1 << given["goal"])))


def _program(request: Request, weight: Int, shift: int, *, signed: bool) -> Program:
    network, settings, rule = request.network, request.settings, request.rule
    (stage,) = network.stages
    constants = {**dict(rule.constants), "shift": shift, "half": 1 << shift >> 1}
    neuron = NEURONS[UNITS[rule.signal]]
    tensor = f"{stage.synapses}.weight"
    return Program(
        name=network.name,
        target=settings.target,
        schedule=Schedule(
            PERIOD,
            PERIOD,
            (
                (f"fire %{network.input_name}", 1),
                (f"fire %{stage.name}", PERIOD),
                ("learn", PERIOD),
            ),
        ),
        sources=(
            Source(
                network.input_name,
                network.input_size,
                (1, PERIOD) if signed else (1,),
                origin=network.input_origin,
            ),
        ),
        populations=(
            Population(
                stage.name,
                len(weight),
                neuron,
                neuron.chosen(constants),
                origin=stage.origin,
            ),
        ),
        synapses=(Synapses(stage.synapses, network.input_name, stage.name, tensor),),
        plasticity=(
            Plasticity(
                stage.synapses,
                offset_coded(rule.dw, "x1") if signed else rule.dw,
                PERIOD,
                (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN)),
            ),
        ),
        readout=Readout(stage.name, "v", PERIOD),
        widths=request.widths,
        seed=settings.seed,
        tensors={tensor: weight},
    )
