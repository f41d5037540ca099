"""Lowering of a network of graded units that settles twice and learns from the difference.

source --synapses--> hidden units <==couplings==> hidden units <==couplings==> output unit
                                                                 (nudged towards the target)

With T steps a phase: the input sends at 1, all units in every step from 2 on; the free phase ends
at T + 1, the nudged one and the sample at 2 T + 1. The way down has the transposed weights of the
way up, which the host copies at every learning epoch, and as exponent what brings a payload from
above to gamma times its part in the sum of a unit below:

    v_l = W_l p_(l-1) + 2^(shift_l - shift_(l+1)) gamma W_(l+1)^T p_(l+1)

How many steps a phase needs on the calibration data, until no payload moves by more than one, is
measured on the integers and reported; where it is more than the rule gives, that is refused.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hebbite.compiler.arithmetic.synapse import mirrored
from hebbite.compiler.coding import Coding
from hebbite.compiler.lowering.network import Long, Network
from hebbite.compiler.lowering.quantise import TOP_PAYLOAD, IntegerNetwork, encode_input, quantise
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.written import HELD, TEACHER, WRITTEN
from hebbite.compiler.neurons.relaxing import NUDGED, RELAXING, RELAXING_FIRST
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
from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.relaxation import Relaxation

HIDDEN_GAIN = 2
"""Errors of hidden units count 2^2 times what the equation says, as those of other rules do."""
LONGEST = 31
"""Steps of a phase, so that two of them fit a learning epoch."""


def lower_relaxing(request: Request) -> Lowered:
    """Return the program, its coding, and the steps that the free phase needs.

    Raises:
        UnsupportedError: HB0418 for units that are no rectifiers, a signed input, no hidden units,
            couplings beyond the chip's exponents, or a phase too short to settle.
    """
    network = request.network
    integers = quantise(network, request.data, request.settings)
    chosen = request.rule.feedback.relaxation or Relaxation()
    _check(network, integers)
    made = _Settling(request, integers, chosen)
    needed = made.steps_needed()
    if needed > chosen.steps:
        raise UnsupportedError(_unsettled(needed, chosen, f"rule {request.rule}"))
    coding = Coding(
        kind="payload",
        source=network.input_name,
        teacher=TEACHER,
        scale=integers.input_scale,
        signed=False,
        window=0,
        seed=request.settings.seed,
        outputs=len(network.stages[-1].weight),
        target_rate=request.objective.target_rate,
    )
    return Lowered(made.program(), coding, {"settling_steps": float(needed)})


def _unsettled(needed: int, chosen: Relaxation, at: str) -> Problem:
    hint = f"a weaker way down settles sooner: coupling={chosen.coupling + 1}"
    count = str(needed) if needed <= LONGEST else f"more than {LONGEST}"
    if needed <= LONGEST:
        hint = f"steps={needed}, or {hint}"
    what = (
        f"a phase needs {count} steps to settle on the calibration data, {chosen.steps} are given"
    )
    return Problem("HB0418", what, at, hint=hint)


def _check(network: Network, integers: IntegerNetwork) -> None:
    hidden = network.stages[:-1]
    if not hidden:
        raise UnsupportedError(
            Problem("HB0418", "without hidden units nothing settles", hint="--rule delta")
        )
    for stage in hidden:
        if stage.activation != "relu":
            what = f"only rectified units settle here; '{stage.name}' is {stage.activation}"
            raise UnsupportedError(Problem("HB0418", what, origin=stage.origin))
    if integers.signed_input:
        what = "inputs below 0 have no trace that both phases leave alone"
        raise UnsupportedError(Problem("HB0418", what, hint="shift the inputs to 0 and above"))


class _Settling:
    def __init__(self, request: Request, integers: IntegerNetwork, chosen: Relaxation) -> None:
        self._request = request
        self._integers = integers
        self._chosen = chosen
        self._stages = request.network.stages
        self._names = [request.network.input_name, *(stage.name for stage in self._stages)]
        self._free = chosen.steps + 1
        self._period = 2 * chosen.steps + 1

    def program(self) -> Program:
        """Put all parts together."""
        request, output = self._request, self._names[-1]
        couplings = self._couplings()
        tensors: dict[str, IntArray] = {
            f"{stage.synapses}.weight": made.weight.astype(np.int16)
            for stage, made in zip(self._stages, self._integers.stages, strict=True)
        }
        tensors |= {group.weight: weight.astype(np.int16) for group, weight in couplings}
        fires = [(f"fire %{name}", self._free) for name in self._names[1:]]
        return Program(
            name=request.network.name,
            target=request.settings.target,
            schedule=Schedule(
                self._period,
                self._free,
                ((f"fire %{self._names[0]}", 1), *fires, ("learn", self._period)),
            ),
            sources=self._sources(),
            populations=tuple(self._population(i) for i in range(len(self._stages))),
            synapses=(*self._forward(), *(group for group, _ in couplings)),
            wires=(Wire(TEACHER, output),),
            plasticity=self._plasticity(),
            readout=Readout(output, "v", self._free),
            widths=request.widths,
            seed=request.settings.seed,
            tensors=tensors,
        )

    def steps_needed(self) -> int:
        """Return after how many steps no free payload of the calibration data moves by more than
        one; one above LONGEST if that does not happen."""
        x = self._request.data
        payload = encode_input(x, scale=self._integers.input_scale, signed=False)
        drive = self._lines(payload) @ self._weight(0).T
        state: list[Long] = [
            np.zeros((len(x), len(stage.weight)), np.int64) for stage in self._stages
        ]
        for step in range(1, LONGEST + 1):
            new = self._next(state, drive)
            moved = max(int(np.abs(a - b).max()) for a, b in zip(new, state, strict=True))
            if moved <= 1 and step > len(self._stages):
                return step
            state = new
        return LONGEST + 1

    def _next(self, state: list[Long], drive: Long) -> list[Long]:
        found = []
        for index, made in enumerate(self._integers.stages):
            v = self._lines(state[index - 1]) @ self._weight(index).T if index else drive
            if index == len(state) - 1:
                found.append(np.clip(v >> made.shift, -127, 127))
                continue
            back = state[index + 1] @ self._weight(index + 1)[:, :-1]
            exponent = self._exponent(index)
            v = v + (back << exponent if exponent >= 0 else back >> -exponent)
            found.append(np.clip(v >> made.shift, 0, TOP_PAYLOAD))
        return found

    def _weight(self, index: int) -> Long:
        return self._integers.stages[index].weight.astype(np.int64)

    def _lines(self, payload: Long) -> Long:
        bias = np.full(len(payload), self._request.settings.bias_payload, np.int64)
        return np.column_stack([payload, bias])

    def _exponent(self, index: int) -> int:
        """Return the exponent of the couplings that lead down to hidden stage ``index``."""
        below, above = self._integers.stages[index : index + 2]
        exponent = below.shift - above.shift - self._chosen.coupling
        if not -8 <= exponent <= 7:
            what = f"couplings down to '{self._stages[index].name}' need the exponent {exponent}"
            hint = "another coupling, or other payload_rms and output_rms"
            raise UnsupportedError(Problem("HB0418", f"{what}, a chip has -8..7", hint=hint))
        return exponent

    def _couplings(self) -> list[tuple[Synapses, Long]]:
        """Return the groups of the way down with their weights, from the top."""
        found = []
        for index in reversed(range(len(self._stages) - 1)):
            stage, above = self._stages[index : index + 2]
            name = f"down_{stage.name}"
            group = Synapses(
                name,
                above.name,
                stage.name,
                f"{name}.weight",
                output="e",
                port="third",
                exponent=self._exponent(index),
                role="lateral",
                mirror=above.synapses,
            )
            size = len(stage.weight)
            found.append((group, mirrored(self._weight(index + 1), size=size, magnitude=0)))
        return found

    def _forward(self) -> tuple[Synapses, ...]:
        return tuple(
            Synapses(stage.synapses, pre, stage.name, f"{stage.synapses}.weight")
            for (pre, _), stage in zip(pairwise(self._names), self._stages, strict=True)
        )

    def _plasticity(self) -> tuple[Plasticity, ...]:
        traces = (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN))
        return tuple(
            Plasticity(stage.synapses, self._request.rule.dw, self._period, traces)
            for stage in self._stages
        )

    def _sources(self) -> tuple[Source, ...]:
        network, bias = self._request.network, self._request.settings.bias_payload
        image = Source(
            network.input_name,
            network.input_size,
            (1,),
            ((1, bias),),
            origin=network.input_origin,
        )
        return image, Source(TEACHER, len(self._stages[-1].weight), (self._free,), role="target")

    def _population(self, index: int) -> Population:
        stage = self._stages[index]
        last = index == len(self._stages) - 1
        neuron = NUDGED if last else RELAXING if index else RELAXING_FIRST
        constants = self._constants(index)
        bias = self._request.settings.bias_payload
        steps = tuple((step, bias) for step in range(2, self._period + 1))
        return Population(
            stage.name,
            len(stage.weight),
            neuron,
            neuron.chosen(constants),
            bias=() if last else steps,
            origin=stage.origin,
        )

    def _constants(self, index: int) -> dict[str, int]:
        """Return whatever the program of a stage may ask for; lift - drop is the power of two that
        the difference of two payloads counts."""
        settings, chosen = self._request.settings, self._chosen
        above = len(self._stages) - 1 - index
        gain = HIDDEN_GAIN + self._request.rule.feedback.gain if above else 0
        power = chosen.nudge + chosen.coupling * above - settings.error_shift + gain
        return {
            "shift": self._integers.stages[index].shift,
            "margin": self._request.objective.margin,
            "error_shift": settings.error_shift,
            "nudge": chosen.nudge,
            "lift": min(max(power, 0), 20),
            "drop": max(-power, 0),
            "free": self._free,
        }
