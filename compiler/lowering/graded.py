"""Lowering of a network of graded units that learns from errors sent back.

source --synapses--> hidden units --synapses--> output unit (compares itself with the target)
hidden units <--feedback synapses-- output's error, or the error of the units above

One sample is one pass of payloads, one error, one learning epoch; every weight is up to date for
the next sample. Every population has a bias line, and units whose payload has a sign send a
learning payload at the end of the sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hebbite.compiler.lowering.feedback import random_feedback
from hebbite.compiler.lowering.network import Network, Stage
from hebbite.compiler.lowering.quantise import (
    TOP_SIGNED,
    IntegerNetwork,
    IntegerStage,
    Long,
    bias_payload_of,
)
from hebbite.compiler.lowering.schedule import Edge, TimeTable, time_table
from hebbite.compiler.neurons import NEURONS
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
    Widths,
    Wire,
)
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import Target
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import Trace

TEACHER = "target"
HELD = Trace(tau=65535, impulse=0, mode="overwrite")
WRITTEN = Trace(tau=65535, impulse=0)
"""Lava has no trace that stands still; 65535 steps is the slowest that it knows."""


def lower_graded(
    network: Network,
    integers: IntegerNetwork,
    *,
    rule: LearningRule,
    objective: Objective,
    settings: Settings,
    target: Target,
) -> Program:
    """Return the program, not yet placed on cores."""
    return _Lowering(network, integers, rule, objective, settings, target).program()


@dataclass(frozen=True)
class _Lowering:
    network: Network
    integers: IntegerNetwork
    rule: LearningRule
    objective: Objective
    settings: Settings
    target: Target

    def program(self) -> Program:
        """Put all parts together."""
        table = self._table()
        feedback = self._feedback() if self._sends_errors else []
        tensors: dict[str, IntArray] = {}
        for stage, made in self._stages:
            tensors[f"{stage.synapses}.weight"] = made.weight.astype(np.int16)
            tensors |= {f"{stage.name}.{name}": values for name, values in made.tables}
        for group, weight in feedback:
            tensors[group.weight] = weight.astype(np.int16)
        output = self.network.stages[-1].name
        end = table.fire[output]
        return Program(
            name=self.network.name,
            target=self.settings.target,
            schedule=Schedule(table.period, end, self._events(table)),
            sources=self._sources(table),
            populations=tuple(
                self._population(index, table, dict_of(feedback))
                for index in range(len(self.network.stages))
            ),
            synapses=(*self._forward(), *(group for group, _ in feedback)),
            wires=(Wire(TEACHER, output),),
            plasticity=self._plasticity(table),
            readout=Readout(output, "v", end),
            widths=Widths(weight=int(self.target.weight_bits.value or 8)),
            seed=self.settings.seed,
            tensors=tensors,
        )

    @property
    def _stages(self) -> list[tuple[Stage, IntegerStage]]:
        return list(zip(self.network.stages, self.integers.stages, strict=True))

    @property
    def _sends_errors(self) -> bool:
        return self.rule.learns == "all" and len(self.network.stages) > 1

    def _edges(self) -> tuple[list[Edge], list[Edge]]:
        names = [self.network.input_name, *(stage.name for stage in self.network.stages)]
        forward = [(a, b, 1) for a, b in pairwise(names)]
        hidden, output = names[1:-1], names[-1]
        if not self._sends_errors:
            return forward, []
        if self.rule.feedback.delivery == "direct":
            return forward, [(output, name, 1) for name in hidden]
        return forward, [(above, name, 1) for name, above in zip(hidden, names[2:], strict=True)]

    def _table(self) -> TimeTable:
        forward, feedback = self._edges()
        return time_table(
            source=self.network.input_name,
            forward=forward,
            output=self.network.stages[-1].name,
            feedback=feedback,
        )

    def _events(self, table: TimeTable) -> tuple[tuple[str, int], ...]:
        events = [(f"fire %{name}", at) for name, at in table.fire.items()]
        events += [(f"feedback %{name}", at) for name, at in table.feedback.items()]
        return (*events, ("learn", table.period))

    def _signed(self, index: int) -> bool:
        """Whether the payloads that stage ``index`` receives have a sign."""
        if index == 0:
            return self.integers.signed_input
        return self.network.stages[index - 1].activation == "tanh"

    def _bias(self, index: int, fire: int, period: int) -> tuple[OffsetPayload, ...]:
        """Return what the bias line of the lines that stage ``index`` receives sends, and when."""
        signed = self._signed(index)
        pairs = ((fire, bias_payload_of(signed, self.settings)),)
        return (*pairs, (period, 2 * (TOP_SIGNED + 64))) if signed else pairs

    def _sources(self, table: TimeTable) -> tuple[Source, ...]:
        signed = self.integers.signed_input
        image = Source(
            name=self.network.input_name,
            size=self.network.input_size,
            offsets=(1, table.period) if signed else (1,),
            bias=self._bias(0, 1, table.period),
            origin=self.network.input_origin,
        )
        output = self.network.stages[-1]
        fire = table.fire[output.name]
        return image, Source(TEACHER, len(output.weight), (fire,), role="target")

    def _population(
        self, index: int, table: TimeTable, feedback: dict[str, tuple[Synapses, Long]]
    ) -> Population:
        stage, made = self._stages[index]
        fire = table.fire[stage.name]
        if index == len(self.network.stages) - 1:
            constants = {
                "shift": made.shift,
                "margin": self.objective.margin,
                "error_shift": self.settings.error_shift,
                "fire": fire,
            }
            return Population(
                stage.name,
                len(stage.weight),
                NEURONS["error"],
                tuple(constants.items()),
                origin=stage.origin,
            )
        constants = {
            "shift": made.shift,
            "feedback_shift": self._feedback_shift(feedback.get(stage.name)),
            "fire": fire,
            "feedback": table.feedback.get(stage.name, 0),
        }
        return Population(
            stage.name,
            len(stage.weight),
            NEURONS[stage.activation],
            tuple(constants.items()),
            tuple((name, f"{stage.name}.{name}") for name, _ in made.tables),
            self._bias(index + 1, fire, table.period),
            origin=stage.origin,
        )

    def _forward(self) -> tuple[Synapses, ...]:
        names = [self.network.input_name, *(stage.name for stage in self.network.stages)]
        return tuple(
            Synapses(stage.synapses, pre, stage.name, f"{stage.synapses}.weight")
            for pre, stage in zip(names, self.network.stages, strict=False)
        )

    def _feedback(self) -> list[tuple[Synapses, Long]]:
        """Return the feedback groups with their weights, from the top down."""
        stages = self.network.stages
        out: list[tuple[Synapses, Long]] = []
        for index in reversed(range(len(stages) - 1)):
            direct = self.rule.feedback.delivery == "direct"
            above = stages[-1] if direct else stages[index + 1]
            name = f"back_{stages[index].name}"
            copied = self.rule.feedback.weights == "transpose"
            group = Synapses(
                name,
                above.name,
                stages[index].name,
                f"{name}.weight",
                output="e",
                port="third",
                role="feedback",
                mirror=above.synapses if copied and self.rule.follows else "",
            )
            shape = (len(stages[index].weight), len(above.weight))
            weight = self._feedback_weight(index, shape, copied)
            out.append((group, weight.astype(np.int64)))
        return out

    def _feedback_weight(self, index: int, shape: tuple[int, int], copied: bool) -> IntArray:
        if copied:
            return self.integers.stages[index + 1].weight[:, :-1].T
        name = self.network.stages[index].name
        return random_feedback(name, shape, self.settings)

    def _feedback_shift(self, found: tuple[Synapses, Long] | None) -> int:
        """Return the shift that brings a sum of errors to the size of one error, less the gain."""
        if found is None:
            return 0
        group, weight = found
        rms = float(np.sqrt(np.mean(weight.astype(np.float64) ** 2))) or 1.0
        shift = round(float(np.log2(rms * np.sqrt(weight.shape[1]))))
        from_output = group.pre == self.network.stages[-1].name
        extra = 2 if from_output else 0
        return min(max(shift + extra - self.rule.feedback.gain, 0), 24)

    def _plasticity(self, table: TimeTable) -> tuple[Plasticity, ...]:
        if self.rule.learns == "none":
            return ()
        first = 0 if self.rule.learns == "all" else len(self.network.stages) - 1
        return tuple(
            Plasticity(
                stage.synapses,
                offset_coded(self.rule.dw) if self._signed(index) else self.rule.dw,
                table.period,
                (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN)),
            )
            for index, stage in enumerate(self.network.stages)
            if index >= first
        )


def dict_of(feedback: list[tuple[Synapses, Long]]) -> dict[str, tuple[Synapses, Long]]:
    """Return the feedback groups by the population that receives them."""
    return {group.post: (group, weight) for group, weight in feedback}


def offset_coded(dw: SumOfProducts) -> SumOfProducts:
    """Return the rule for lines whose trace holds payload + 64: x1 is read as (x1-64)."""

    def read(factor: Factor) -> Factor:
        return Factor("x1", -64) if factor == Factor("x1") else factor

    products = tuple(
        Product(p.mantissa, p.exponent, p.dependency, tuple(read(f) for f in p.factors))
        for p in dw.products
    )
    return SumOfProducts(dw.target, products)
