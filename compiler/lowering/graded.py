"""Lowering of a network of graded units that learns from errors sent back.

source --synapses--> hidden units --synapses--> output unit (compares itself with the target)
hidden units <--feedback synapses-- output's error, or the error of the units above

One sample is one pass of payloads, one error, one learning epoch; every weight is up to date for
the next sample. Every population has a bias line, and units whose payload has a sign send a
learning payload at the end of the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from hebbite.compiler.coding import Coding
from hebbite.compiler.lowering.feedback import LABEL, FeedbackPath
from hebbite.compiler.lowering.graded_neuron import graded_neuron
from hebbite.compiler.lowering.network import Long, Network, Stage
from hebbite.compiler.lowering.quantise import (
    TOP_SIGNED,
    IntegerNetwork,
    IntegerStage,
    bias_payload_of,
    quantise,
)
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.schedule import TimeTable, time_table
from hebbite.compiler.lowering.written import HELD, TEACHER, WRITTEN
from hebbite.compiler.program.neuron import NeuronProgram
from hebbite.compiler.program.types import (
    IntArray,
    OffsetPayload,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Wire,
)
from hebbite.rules.sums import Factor, SumOfProducts

TOP_AMPLITUDE = 22
"""Of a perturbation, so that it stays within the 24 bits of v."""


def lower_graded(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, its coding and its quantisation errors."""
    network, settings = request.network, request.settings
    integers = quantise(network, request.data, settings)
    program = _Lowering(request, integers).program()
    coding = Coding(
        kind="payload",
        passes=len(program.source(TEACHER).offsets),
        source=network.input_name,
        teacher=TEACHER,
        label=next((source.name for source in program.sources if source.name == LABEL), ""),
        scale=integers.input_scale,
        signed=integers.signed_input,
        window=0,
        seed=settings.seed,
        outputs=len(network.stages[-1].weight),
        target_rate=request.objective.target_rate,
    )
    return Lowered(program, coding, _report(network, integers))


def _report(network: Network, integers: IntegerNetwork) -> dict[str, float]:
    """Return the quantisation error of every group, the step of every activation table, and the
    number of weights that convolutions keep."""
    pairs = list(zip(network.stages, integers.stages, strict=True))
    errors = {f"weight_error.{stage.synapses}": made.weight_error for stage, made in pairs}
    steps = {f"table_step.{stage.name}": made.table_step for stage, made in pairs if made.tables}
    kept = {
        f"kept_weights.{stage.synapses}": float(made.weight.size)
        for stage, made in pairs
        if stage.kind == "conv2d"
    }
    return errors | steps | kept


@dataclass(frozen=True)
class _Lowering:
    request: Request
    integers: IntegerNetwork

    def program(self) -> Program:
        """Put all parts together."""
        table = self._table()
        feedback = self._path.groups()
        tensors: dict[str, IntArray] = {}
        for index, (stage, made) in enumerate(self._stages):
            tensors[f"{stage.synapses}.weight"] = made.weight.astype(np.int16)
            used = self._tables(index)
            tensors |= {f"{stage.name}.{name}": values for name, values in used.items()}
        for group, weight in feedback:
            tensors[group.weight] = weight.astype(np.int16)
        output = self.request.network.stages[-1].name
        end = table.fire[output]
        return Program(
            name=self.request.network.name,
            target=self.request.settings.target,
            schedule=Schedule(
                table.period,
                end,
                self._events(table),
                inference_start=table.fire[self.request.network.input_name],
            ),
            sources=self._sources(table),
            populations=tuple(
                self._population(index, table, dict_of(feedback))
                for index in range(len(self.request.network.stages))
            ),
            synapses=(*self._forward(), *(group for group, _ in feedback)),
            wires=(Wire(TEACHER, output),),
            plasticity=(*self._plasticity(table), *self._feedback_plasticity(table, feedback)),
            readout=Readout(output, "v", end),
            widths=self.request.widths,
            seed=self.request.settings.seed,
            tensors=tensors,
        )

    @property
    def _stages(self) -> list[tuple[Stage, IntegerStage]]:
        return list(zip(self.request.network.stages, self.integers.stages, strict=True))

    @property
    def _path(self) -> FeedbackPath:
        return FeedbackPath(
            self.request.network, self.integers, self.request.rule, self.request.settings
        )

    @property
    def _names(self) -> list[str]:
        """The input and the populations, in order."""
        network = self.request.network
        return [network.input_name, *(stage.name for stage in network.stages)]

    def _table(self) -> TimeTable:
        names = [
            self.request.network.input_name,
            *(stage.name for stage in self.request.network.stages),
        ]
        return time_table(
            source=names[0],
            forward=[(a, b, 1) for a, b in pairwise(names)],
            output=names[-1],
            feedback=self._path.edges(),
            passes=2 if self._path.perturbs else 1,
            told=self._path.told,
        )

    def _events(self, table: TimeTable) -> tuple[tuple[str, int], ...]:
        events = [
            (f"noisy %{name}", at) for early in table.earlier for name, at in early.fire.items()
        ]
        events += [(f"fire %{name}", at) for name, at in table.fire.items()]
        events += [(f"feedback %{name}", at) for name, at in table.feedback.items()]
        return (*events, ("learn", table.period))

    def _signed(self, index: int) -> bool:
        """Whether the payloads that stage ``index`` receives have a sign."""
        return self.request.network.sign_before(index, self.integers.signed_input)

    def _fires(self, table: TimeTable, name: str) -> tuple[int, ...]:
        """Return the offsets of the forward payloads of a source or population, a pass each."""
        return (*(early.fire[name] for early in table.earlier), table.fire[name])

    def _bias(self, index: int, fires: tuple[int, ...], period: int) -> tuple[OffsetPayload, ...]:
        """Return what the bias line of the lines that stage ``index`` receives sends, and when;
        none where that is a pool."""
        if self.request.network.stages[index].kind == "pool":
            return ()
        signed = self._signed(index)
        pairs = tuple((fire, bias_payload_of(signed, self.request.settings)) for fire in fires)
        return (*pairs, (period, 2 * (TOP_SIGNED + 64))) if signed else pairs

    def _sources(self, table: TimeTable) -> tuple[Source, ...]:
        signed = self.integers.signed_input
        fires = self._fires(table, self.request.network.input_name)
        image = Source(
            name=self.request.network.input_name,
            size=self.request.network.input_size,
            offsets=(*fires, table.period) if signed else fires,
            bias=self._bias(0, fires, table.period),
            origin=self.request.network.input_origin,
        )
        output = self.request.network.stages[-1]
        taught = self._fires(table, output.name)
        teacher = Source(TEACHER, len(output.weight), taught, role="target")
        if not self._path.told:
            return image, teacher
        told = (table.fire[output.name] - 1,)
        return image, teacher, Source(LABEL, len(output.weight), told, role="target")

    def _population(
        self, index: int, table: TimeTable, feedback: dict[str, tuple[Synapses, Long]]
    ) -> Population:
        stage = self.request.network.stages[index]
        output = index == len(self.request.network.stages) - 1
        neuron = self._neuron(index)
        constants = self._constants(index, table, feedback)
        fires = self._fires(table, stage.name)
        return Population(
            stage.name,
            stage.size,
            neuron,
            neuron.chosen(constants),
            tuple((name, f"{stage.name}.{name}") for name in self._tables(index)),
            () if output else self._bias(index + 1, fires, table.period),
            origin=stage.origin,
        )

    def _tables(self, index: int) -> dict[str, IntArray]:
        """Return the tables that the program of a stage reads."""
        asked = self._neuron(index).tables
        return {
            name: values for name, values in self.integers.stages[index].tables if name in asked
        }

    def _constants(
        self, index: int, table: TimeTable, feedback: dict[str, tuple[Synapses, Long]]
    ) -> dict[str, int]:
        """Return whatever the program of a stage may ask for."""
        stage, made = self._stages[index]
        early = table.earlier[0] if table.earlier else None
        sent = feedback.get(stage.name)
        return {
            "shift": made.shift,
            "margin": self.request.objective.margin,
            "error_shift": self.request.settings.error_shift,
            "feedback_shift": self._path.shift(*sent) if sent else 0,
            "amplitude": min(made.shift + self.request.rule.feedback.amplitude, TOP_AMPLITUDE),
            "noisy": early.fire[stage.name] if early else 0,
            "heard": early.feedback.get(stage.name, 0) if early else 0,
            "fire": table.fire[stage.name],
            "feedback": table.feedback.get(stage.name, 0),
        }

    def _forward(self) -> tuple[Synapses, ...]:
        names = [
            self.request.network.input_name,
            *(stage.name for stage in self.request.network.stages),
        ]
        return tuple(
            Synapses(
                stage.synapses,
                pre,
                stage.name,
                f"{stage.synapses}.weight",
                connect=stage.connect,
            )
            for pre, stage in zip(names, self.request.network.stages, strict=False)
        )

    def _plasticity(self, table: TimeTable) -> tuple[Plasticity, ...]:
        rule, stages = self.request.rule, self.request.network.stages
        if rule.learns == "none":
            return ()
        first = 0 if rule.learns == "all" else len(stages) - 1
        return tuple(
            Plasticity(
                stage.synapses,
                self._coded(index, rule.dw),
                table.period,
                (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN)),
                dt=None if rule.dt is None else self._coded(index, rule.dt),
            )
            for index, stage in enumerate(stages)
            if index >= first and not stage.is_shared
        )

    def _coded(self, index: int, update: SumOfProducts) -> SumOfProducts:
        """Return an update as it reads the lines before a stage."""
        return offset_coded(update, "x1") if self._signed(index) else update

    def _feedback_plasticity(
        self, table: TimeTable, feedback: list[tuple[Synapses, Long]]
    ) -> Iterator[Plasticity]:
        """Yield how feedback weights learn, where the rule says so."""
        dw = self.request.rule.feedback_dw
        if dw is None:
            return
        signed = {stage.name: stage.activation == "tanh" for stage in self.request.network.stages}
        traces = (("x1", HELD), ("y1", WRITTEN))
        for group, _ in feedback:
            coded = offset_coded(dw, "y1") if signed[group.post] else dw
            yield Plasticity(group.name, coded, table.period, traces)

    def _neuron(self, index: int) -> NeuronProgram:
        return graded_neuron(self.request, self._path, index, signed=self._signed(index))


def dict_of(feedback: list[tuple[Synapses, Long]]) -> dict[str, tuple[Synapses, Long]]:
    """Return the feedback groups by the population that receives them."""
    return {group.post: (group, weight) for group, weight in feedback}


def offset_coded(dw: SumOfProducts, trace: str) -> SumOfProducts:
    """Return the rule where a trace holds its value + 64: x1 is read as (x1-64), x1+c likewise."""

    def read(factor: Factor) -> Factor:
        if factor.variable != trace or factor.sign:
            return factor
        return replace(factor, constant=factor.constant - 64)

    products = tuple(
        replace(product, factors=tuple(map(read, product.factors))) for product in dw.products
    )
    return SumOfProducts(dw.target, products)
