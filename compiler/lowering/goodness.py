"""Lowering of a network whose layers learn each by its own goodness.

source (label on its first lines) --synapses--> lively units --synapses--> lively units ...
lively units --ones--> the same layer, and the judge;   label source --ones--> every layer

A layer fires at an even offset and has its goodness one step later, when it sends on its activity
with the length taken out; a sample takes 2 L + 1 steps for L hidden populations. The judge has one
unit, whose v is the goodness of all layers: the host asks it about every label. The network's last
stage, its linear readout, tells how many labels there are and is no part of the program.

Scales are taken from the calibration data with labels drawn by number: shifts as elsewhere; the
threshold theta 2^gain times the mean goodness before learning, the temperature T = theta / SHARP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hebbite.compiler.coding import Coding
from hebbite.compiler.lowering.feedback import ONE
from hebbite.compiler.lowering.network import Long
from hebbite.compiler.lowering.quantise import (
    TABLE_SIZE,
    TOP_PAYLOAD,
    Int,
    IntegerStage,
    nearest_shift,
    quantise,
)
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.written import HELD, TEACHER, WRITTEN
from hebbite.compiler.neurons.lively import JUDGE, LIVELY
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
from hebbite.rules.errors import Problem, UnsupportedError

JUDGE_NAME = "goodness"
SQUARE = 4
"""Bits by which a squared payload is cut."""
AT_THRESHOLD = 48
"""Table index that theta comes near, of 256: goodness up to five times theta is told apart."""
SHARP = 2.0
"""theta over the temperature: what a layer without goodness doubts, 1 / (1 + exp(-2))."""
LENGTH_BITS = 7


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer in integers: weight (out, in + 1), shift of v, step of its tables, the tables; and
    its threshold theta, in units of h^2 / 2^SQUARE."""

    name: str
    weight: Int
    shift: int
    step: int
    doubt: Int
    length: IntArray
    theta: float


def lower_goodness(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, its coding, and theta of every layer.

    Raises:
        UnsupportedError: HB0419 for units that are no rectifiers, a signed input, no hidden units,
            or fewer inputs than labels.
    """
    _check(request)
    network, labels = request.network, len(request.network.stages[-1].weight)
    coding = Coding(
        kind="labelled",
        source=network.input_name,
        teacher=TEACHER,
        scale=TOP_PAYLOAD / (float(request.data.max(initial=0.0)) or 1.0),
        signed=False,
        window=0,
        seed=request.settings.seed,
        outputs=labels,
        target_rate=request.objective.target_rate,
    )
    drawn = np.arange(len(request.data)) % labels
    payload = coding.inputs(request.data, drawn)[coding.source][:, 0].astype(np.int64)
    layers, report = _layers(request, payload)
    return Lowered(_program(request, layers), coding, report)


def _check(request: Request) -> None:
    *hidden, last = request.network.stages
    if not hidden:
        raise UnsupportedError(
            Problem("HB0419", "without hidden units there is no goodness", hint="--rule delta")
        )
    for stage in hidden:
        if stage.activation != "relu":
            what = f"goodness is that of rectified units; '{stage.name}' is {stage.activation}"
            raise UnsupportedError(Problem("HB0419", what, origin=stage.origin))
    if len(last.weight) > request.network.input_size or len(last.weight) < 2:
        what = f"{request.network.input_size} input lines cannot carry {len(last.weight)} labels"
        raise UnsupportedError(Problem("HB0419", what, origin=last.origin))
    if request.data.min(initial=0.0) < 0:
        what = "inputs below 0 have no payload here"
        raise UnsupportedError(Problem("HB0419", what, hint="shift the inputs to 0 and above"))


def _layers(request: Request, payload: Long) -> tuple[list[Layer], dict[str, float]]:
    """Return the layers, scaled by labelled payloads (samples, inputs), and what to report."""
    settings, gain = request.settings, request.rule.feedback.gain
    integers = quantise(request.network, request.data, settings)
    found, report = [], {}
    for stage, made in zip(request.network.stages[:-1], integers.stages, strict=False):
        lines = np.column_stack([payload, np.full(len(payload), settings.bias_payload, np.int64)])
        layer, payload = _layer(stage.name, made, lines, settings.payload_rms, gain)
        found.append(layer)
        report[f"weight_error.{stage.synapses}"] = made.weight_error
        report[f"threshold.{stage.name}"] = layer.theta
    return found, report


def _layer(
    name: str, made: IntegerStage, lines: Long, wanted: int, gain: int
) -> tuple[Layer, Long]:
    """Return a layer and the payloads that it sends on, for what reaches it (samples, in + 1)."""
    v = lines @ made.weight.T.astype(np.int64)
    shift = nearest_shift(v, wanted)
    h = np.clip(v >> shift, 0, TOP_PAYLOAD)
    goodness = (h * h >> SQUARE).sum(axis=1)
    theta = max(float(goodness.mean()), 1.0) * 2.0**gain
    step = max(0, round(float(np.log2(theta / AT_THRESHOLD))))
    place = (np.arange(TABLE_SIZE) + 0.5) * 2.0**step
    doubt = 127 / (1 + np.exp(np.clip((place - theta) * SHARP / theta, -50, 50)))
    rms = wanted * np.sqrt(made.weight.shape[0] / 2)
    length = np.rint(2**LENGTH_BITS * rms / np.sqrt(place * 2**SQUARE)).astype(np.int32)
    layer = Layer(name, made.weight, shift, step, np.rint(doubt).astype(np.int16), length, theta)
    index = np.minimum(goodness >> step, TABLE_SIZE - 1)
    sent = np.minimum(h * length.astype(np.int64)[index][:, None] >> LENGTH_BITS, TOP_PAYLOAD)
    return layer, sent


def _program(request: Request, layers: list[Layer]) -> Program:
    network, settings = request.network, request.settings
    period = 2 * len(layers) + 1
    fires = {layer.name: 2 * (index + 1) for index, layer in enumerate(layers)}
    names = [network.input_name, *fires]
    bias = settings.bias_payload
    return Program(
        name=network.name,
        target=settings.target,
        schedule=Schedule(
            period,
            period,
            (
                (f"fire %{names[0]}", 1),
                *((f"fire %{name}", at) for name, at in fires.items()),
                ("learn", period),
            ),
        ),
        sources=(
            Source(names[0], network.input_size, (1,), ((1, bias),), origin=network.input_origin),
            Source(TEACHER, 1, (1,), role="target"),
        ),
        populations=(
            *(
                _population(request, layer, fires[layer.name], index)
                for index, layer in enumerate(layers)
            ),
            Population(JUDGE_NAME, 1, JUDGE),
        ),
        synapses=(*_forward(request, names), *_ones(layers)),
        plasticity=tuple(
            Plasticity(
                stage.synapses,
                request.rule.dw,
                period,
                (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN)),
            )
            for stage in network.stages[:-1]
        ),
        readout=Readout(JUDGE_NAME, "v", period),
        widths=request.widths,
        seed=settings.seed,
        tensors=_tensors(request, layers),
    )


def _population(request: Request, layer: Layer, fire: int, index: int) -> Population:
    stage = request.network.stages[index]
    known = {
        "shift": layer.shift,
        "square": SQUARE,
        "step": layer.step,
        "fire": fire,
        "summed": fire + 1,
    }
    last = index == len(request.network.stages) - 2
    return Population(
        layer.name,
        len(layer.weight),
        LIVELY,
        LIVELY.chosen(known),
        tuple((name, f"{layer.name}.{name}") for name in LIVELY.tables),
        () if last else ((fire + 1, request.settings.bias_payload),),
        origin=stage.origin,
    )


def _forward(request: Request, names: list[str]) -> list[Synapses]:
    return [
        Synapses(stage.synapses, pre, stage.name, f"{stage.synapses}.weight")
        for pre, stage in zip(names, request.network.stages[:-1], strict=False)
    ]


def _ones(layers: list[Layer]) -> list[Synapses]:
    """Return the groups of ones: within every layer, to the judge, and from the label."""
    whole = Synapses("", "", "", "", exponent=-1, role="lateral")
    found = []
    for layer in layers:
        name = layer.name
        told, sums, judged = (f"{kind}_{name}" for kind in ("label", "sum", "judge"))
        found += [
            replace(whole, name=told, pre=TEACHER, post=name, weight=f"{told}.weight", port="third",
                    role="feedback"),
            replace(whole, name=sums, pre=name, post=name, weight=f"{sums}.weight", output="e",
                    port="third"),
            replace(whole, name=judged, pre=name, post=JUDGE_NAME, weight=f"{judged}.weight",
                    output="e"),
        ]  # fmt: skip
    return found


def _tensors(request: Request, layers: list[Layer]) -> dict[str, IntArray]:
    found: dict[str, IntArray] = {}
    for stage, layer in zip(request.network.stages, layers, strict=False):
        name, size = layer.name, len(layer.weight)
        found |= {
            f"{stage.synapses}.weight": layer.weight.astype(np.int16),
            f"{name}.doubt": layer.doubt,
            f"{name}.length": layer.length,
            f"label_{name}.weight": np.full((size, 1), ONE, np.int16),
            f"sum_{name}.weight": np.full((size, size), ONE, np.int16),
            f"judge_{name}.weight": np.full((1, size), ONE, np.int16),
        }
    return found
