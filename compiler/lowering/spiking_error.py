"""Lowering of a network of leaky integrate-and-fire units that learns from errors sent back.

source --> LIF units (--> themselves, one step late) --> leaky integrators that know the target
LIF units <-- feedback synapses -- error of the integrators, in the last steps of a sample

Convolutions and pools are LIF units too, whose synapses stay as they are.

A sample is a window of spikes and one step more. At step 1 neurons forget the sample before and
the target code arrives; the readout answers from v at the end of the window. In the last K steps
of the window it sends its errors, which reach the LIF units one step later, in the steps up to the
end of the sample; there synapses learn, every step an epoch, where a neuron has a learning event.

The traces x1 cannot be reset on a chip of this class: what is left of the sample before decays with
the time constant of the neuron that the synapses lead to, exp(-T/tau) of it after T steps, in which
nothing is learnt from it. x1 is of the step in which a line spikes, one step before its message
acts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hebbite.compiler.lowering.learning_signal import LocalReadout, Signals, signals_of
from hebbite.compiler.lowering.network import Network, Stage
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
from hebbite.compiler.program.verify import LOWEST_EXPONENT
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import Trace

IMPULSE = 8
"""Of x1. A line that spikes at every other step, the fastest input, stays near 4 tau_mem of 127."""


def lower_spiking_error(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, its coding and its quantisation errors."""
    network, settings, given = request.network, request.settings, rated(request)
    stages = spiking_stages(network, given.spikes, settings, signed=given.signed)
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
        network, settings, window = self._network, self.request.settings, self._window
        output = network.stages[-1].name
        readouts = self.signals.readouts
        return Program(
            name=network.name,
            target=settings.target,
            schedule=Schedule(
                window + 1,
                window,
                (("errors", self._first), ("answer", window), ("learnt", window + 1)),
            ),
            sources=self._sources(),
            populations=(
                *(self._population(index) for index in range(len(self.stages))),
                *(self._local(readout) for readout in readouts),
            ),
            synapses=(*self._forward(), *(group for group, _ in self.signals.groups)),
            wires=tuple(Wire(TEACHER, name) for name in (output, *(r.name for r in readouts))),
            plasticity=self._plasticity(),
            readout=Readout(output, "v", window),
            widths=self.request.widths,
            seed=settings.seed,
            tensors=self._tensors(),
        )

    @property
    def _network(self) -> Network:
        return self.request.network

    @property
    def _window(self) -> int:
        return self.request.settings.window

    @property
    def _outputs(self) -> int:
        return len(self._network.stages[-1].weight)

    @property
    def _first(self) -> int:
        """The step in which the readout sends its first error."""
        return self._window - self.request.rule.steps + 1

    def _tensors(self) -> dict[str, IntArray]:
        tensors: dict[str, IntArray] = {}
        for stage, made in zip(self._network.stages, self.stages, strict=True):
            tensors[f"{stage.synapses}.weight"] = made.weight.astype(np.int16)
            tensors[f"{stage.name}.bias"] = made.bias
            if made.recurrent is not None:
                tensors[f"{recurrent_name(stage)}.weight"] = made.recurrent.astype(np.int16)
        for group, weight in self.signals.groups:
            tensors[group.weight] = weight.astype(np.int16)
        for readout in self.signals.readouts:
            tensors[f"{readout.name}.bias"] = np.zeros(self._outputs, np.int32)
        return tensors

    def _sources(self) -> tuple[Source, ...]:
        network = self._network
        lines = network.input_size * (1 + self.signed)
        steps = tuple(range(1, self._window + 1))
        return (
            Source(network.input_name, lines, steps, origin=network.input_origin),
            Source(TEACHER, self._outputs, (1,), role="target"),
        )

    def _population(self, index: int) -> Population:
        stage, made = self._network.stages[index], self.stages[index]
        output = index == len(self.stages) - 1
        margin = self.request.objective.margin
        constants = {
            "du_keep": DU_KEEP,
            "dv_keep": made.dv_keep,
            "threshold": made.threshold,
            "band": _scaled(made.threshold, self.request.rule.width),
            "feedback_shift": self.signals.shifts.get(stage.name, 0),
            "first": self._first + 1,
            **dict(self.request.rule.constants),
        }
        neuron = NEURONS[_unit_of(self.request.rule)]
        if output:
            neuron = NEURONS["li_error"]
            constants = self._integrator(made.dv_keep, made.shift, margin)
        return Population(
            stage.name,
            made.size,
            neuron,
            neuron.chosen(constants),
            (("bias", f"{stage.name}.bias"),),
            origin=stage.origin,
        )

    def _local(self, readout: LocalReadout) -> Population:
        """Return the integrators of a local readout."""
        neuron = NEURONS["li_error"]
        constants = self._integrator(self.stages[-1].dv_keep, readout.shift, readout.margin)
        return Population(
            readout.name,
            self._outputs,
            neuron,
            neuron.chosen(constants),
            (("bias", f"{readout.name}.bias"),),
        )

    def _integrator(self, dv_keep: int, shift: int, margin: int) -> dict[str, int]:
        return {
            "dv_keep": dv_keep,
            "shift": shift,
            "margin": margin,
            "error_shift": self.request.settings.error_shift,
            "first": self._first,
            "last": self._window,
        }

    def _forward(self) -> tuple[Synapses, ...]:
        groups: list[Synapses] = []
        pre = self._network.input_name
        for stage, made in zip(self._network.stages, self.stages, strict=True):
            forward = _group(stage.synapses, pre, stage.name)
            groups.append(replace(forward, connect=made.connect))
            if stage.recurrent is not None:
                groups.append(_group(recurrent_name(stage), stage.name, stage.name))
            pre = stage.name
        return tuple(groups)

    def _plasticity(self) -> tuple[Plasticity, ...]:
        rule, settings = self.request.rule, self.request.settings
        stages = self._network.stages
        if rule.learns == "none":
            return ()
        hidden = [s for s in stages[:-1] if rule.learns == "all" and not s.is_shared]
        heard = Trace(settings.tau_mem, IMPULSE)
        learning = [(stage.synapses, heard) for stage in hidden]
        learning += [
            (recurrent_name(stage), heard) for stage in hidden if stage.recurrent is not None
        ]
        dw = gated_by_events(rule.dw, rule.steps)
        below = tuple(_plastic(name, dw, trace, dt=rule.dt) for name, trace in learning)
        output = gated_by_events(rule.readout_dw or rule.dw, rule.steps)
        read = Trace(settings.tau_out, IMPULSE)
        return (*below, _plastic(stages[-1].synapses, output, read))


def _unit_of(rule: LearningRule) -> str:
    """Return the neuron of hidden units: rules with a tag want a derivative in every step, and
    those that say how a threshold ``keep``s its ``rise`` want one that adapts."""
    if rule.dt is None:
        return "lif_error"
    return "lif_adaptive" if "rise" in dict(rule.constants) else "lif_eligible"


def _plastic(
    name: str, dw: SumOfProducts, heard: Trace, *, dt: SumOfProducts | None = None
) -> Plasticity:
    """Return a group that hears filtered spikes and an error, or keeps a tag of what it heard."""
    written = ("y2", "y3") if dt is None else ("y1", "y2", "y3")
    traces = (("x1", heard), *((name, WRITTEN) for name in written))
    return Plasticity(name, dw, 1, traces, dt=dt)


def _scaled(value: int, exponent: int) -> int:
    return value << exponent if exponent >= 0 else value >> -exponent


def recurrent_name(stage: Stage) -> str:
    """Return the name of the synapses by which a stage hears itself."""
    return f"again_{stage.name}"


def _group(name: str, pre: str, post: str) -> Synapses:
    role = "forward" if pre != post else "recurrent"
    return Synapses(name, pre, post, f"{name}.weight", graded=False, role=role)


def gated_by_events(dw: SumOfProducts, steps: int) -> SumOfProducts:
    """Return a rule of payloads for filtered spikes: gated by the neuron's learning event alone.

    A payload is there in the step in which it is sent, so that graded rules ask for x0; the filter
    of a line's spikes is there in every step. A factor y0 becomes the gate, its bit of scale is
    given back, and log2(steps) more, for the update is made that many times a sample.
    """

    def gated(product: Product) -> Product:
        if product.dependency != "x0":
            return product
        factors = tuple(f for f in product.factors if f != Factor("y0"))
        bits = len(product.factors) - len(factors) + steps.bit_length() - 1
        exponent = max(product.exponent - bits, LOWEST_EXPONENT)
        return Product(product.mantissa, exponent, "y0", factors)

    return SumOfProducts(dw.target, tuple(gated(product) for product in dw.products))
