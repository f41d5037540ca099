"""Lowering of a population of prototypes that compete, with or without a readout of classes.

input --plastic--> prototypes --plastic--> readout (compares itself with the target)
prototypes <--lateral, all to all--> prototypes, prototypes <--verdict-- readout

Every weight that learns starts at 0: a prototype is made of the first sample that it takes. The
bias line sends one step after the input: its synapse says whether a prototype is in use, and adds
nothing to the potential. Samples have one Euclidean norm, of ``Coding.norm`` in real numbers. See
`compiler.neurons.prototype` for the time table of a sample, `compiler.neurons.label` for the
readout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.coding import Coding, brought_to
from hebbite.compiler.lowering.graded import offset_coded
from hebbite.compiler.lowering.network import Stage
from hebbite.compiler.lowering.quantise import TOP_SIGNED, input_scale
from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.written import HELD, TEACHER, WRITTEN
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
from hebbite.rules.sums import SumOfProducts

USED_AT, MATCH_AT = 2, 4
"""When the bias line sends; when the first bits have been heard."""
MARK = 128
"""What the bias line sends, and what a unit that learns sends to the readout."""
ONE = 2
"""Weight of a synapse that only tells: with the exponent -1 a message arrives as it was sent."""
FULL_RATE = 64
COUNTED = 128
"""Entries of the table of rates: samples that a prototype has learnt."""


def lower_prototypes(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, its coding and what a reader should know."""
    scale, signed = input_scale(brought_to(1.0, request.data))
    parts = _Parts(request, scale, signed)
    taught = parts.readout is not None
    coding = Coding(
        kind="payload",
        source=request.network.input_name,
        teacher=TEACHER if taught else "",
        scale=scale,
        signed=signed,
        window=0,
        seed=request.settings.seed,
        outputs=len(request.network.stages[-1].weight),
        target_rate=request.objective.target_rate,
        norm=1.0,
    )
    report = {"payload_norm": scale, "potential_step": 2.0**parts.shift / parts.largest}
    return Lowered(parts.program(), coding, report)


@dataclass(frozen=True)
class _Parts:
    """A request, the payload that 1 stands for, and whether payloads have a sign."""

    request: Request
    scale: float
    signed: bool

    @property
    def units(self) -> Stage:
        """The stage whose units compete."""
        return self.request.network.stages[0]

    @property
    def readout(self) -> Stage | None:
        """The stage that reads the winner's class; None without one."""
        stages = self.request.network.stages
        return stages[1] if len(stages) > 1 else None

    @property
    def size(self) -> int:
        """Number of prototypes."""
        return len(self.units.weight)

    @property
    def given(self) -> dict[str, int]:
        """What the rule gives to its neurons."""
        return dict(self.request.rule.constants)

    @property
    def judged(self) -> bool:
        """Whether prototypes are told if the winner was right."""
        return self.request.rule.signal == "prototype"

    @property
    def largest(self) -> float:
        """The potential of a prototype that equals the sample: weights are payloads, twice those
        that have a sign."""
        return self.scale**2 * (2 if self.signed else 1)

    @property
    def shift(self) -> int:
        """Bits of the potential that the competition leaves out."""
        return max(0, int(np.ceil(np.log2(self.largest))) - self.given["bits"])

    @property
    def places(self) -> int:
        """Bits of the number of a unit."""
        return (self.size - 1).bit_length()

    @property
    def decide(self) -> int:
        """The step in which one unit is left."""
        return MATCH_AT + self.given["bits"] + self.places

    @property
    def period(self) -> int:
        """Steps of a sample: the readout answers, and its verdict takes one more."""
        return self.decide + 1 + self.judged

    def program(self) -> Program:
        """Put all parts together."""
        request, network = self.request, self.request.network
        last = self.readout or self.units
        return Program(
            name=network.name,
            target=request.settings.target,
            schedule=Schedule(self.period, self.decide + bool(self.readout), self._events()),
            sources=self._sources(),
            populations=(self._prototypes(), *self._labels()),
            synapses=self._synapses(),
            wires=(Wire(TEACHER, last.name),) if self.readout else (),
            plasticity=self._plasticity(),
            readout=Readout(last.name, "v", self.decide + 1 if self.readout else self.decide),
            widths=request.widths,
            seed=request.settings.seed,
            tensors=self._tensors(),
        )

    def _events(self) -> tuple[tuple[str, int], ...]:
        events = [(f"fire %{self.request.network.input_name}", 1)]
        events += [(f"fire %{self.units.name}", self.decide)]
        events += [(f"fire %{self.readout.name}", self.decide + 1)] if self.readout else []
        return (*events, ("learn", self.period))

    def _sources(self) -> tuple[Source, ...]:
        network, period = self.request.network, self.period
        top = 2 * (TOP_SIGNED + 64)
        image = Source(
            network.input_name,
            network.input_size,
            (1, period) if self.signed else (1,),
            ((USED_AT, MARK), (period, top)) if self.signed else ((USED_AT, MARK),),
            origin=network.input_origin,
        )
        if self.readout is None:
            return (image,)
        taught = Source(TEACHER, len(self.readout.weight), (self.decide + 1,), role="target")
        return image, taught

    def _prototypes(self) -> Population:
        neuron = NEURONS["prototype" if self.judged else "winner"]
        bits = self.given["bits"] + self.places
        constants = {
            "shift": self.shift,
            "highest": (1 << self.given["bits"]) - 1,
            "places": self.places,
            "top": bits - 1,
            "mask": (1 << bits - 1) - 1,
            "size": self.size,
            "decide": self.decide,
            "judged": self.decide + 1,
            "alpha": self.given.get("alpha", 0),
            "novelty": round(self.given.get("novelty", 0) / 128 * self.largest / 2**self.shift),
        }
        tables = tuple((name, f"{self.units.name}.{name}") for name in neuron.tables)
        known = neuron.chosen(constants)
        name, origin = self.units.name, self.units.origin
        return Population(name, self.size, neuron, known, tables, origin=origin)

    def _labels(self) -> tuple[Population, ...]:
        stage = self.readout
        if stage is None:
            return ()
        neuron = NEURONS["verdict" if self.judged else "label"]
        fire = (("fire", self.decide + 1),)
        return (Population(stage.name, len(stage.weight), neuron, fire, origin=stage.origin),)

    def _synapses(self) -> tuple[Synapses, ...]:
        units, stage = self.units, self.readout
        found = [
            Synapses(units.synapses, self.request.network.input_name, units.name, weight(units)),
            Synapses("lateral", units.name, units.name, "lateral.weight", "e", "third", -1),
        ]
        if stage is not None:
            found.append(Synapses(stage.synapses, units.name, stage.name, weight(stage)))
        if stage is not None and self.judged:
            found.append(
                Synapses(
                    "back", stage.name, units.name, "back.weight", "e", "third", -1, role="feedback"
                )
            )
        return tuple(found)

    def _plasticity(self) -> tuple[Plasticity, ...]:
        rule, stage = self.request.rule, self.readout
        moved = offset_coded(rule.dw, "x1") if self.signed else rule.dw
        found = [Plasticity(self.units.synapses, moved, self.period, TRACES_OF_UNITS)]
        if stage is not None:
            assert rule.readout_dw is not None, "a rule of prototypes has one for its readout"
            learnt: SumOfProducts = rule.readout_dw
            found.append(Plasticity(stage.synapses, learnt, self.period, TRACES_OF_LABELS))
        return tuple(found)

    def _tensors(self) -> dict[str, IntArray]:
        size, stage = self.size, self.readout
        lines = self.request.network.input_size + 1
        tensors: dict[str, IntArray] = {
            weight(self.units): np.zeros((size, lines), np.int16),
            "lateral.weight": np.full((size, size), ONE, np.int16),
            f"{self.units.name}.number": np.arange(size, dtype=np.int32),
        }
        if stage is not None:
            tensors[weight(stage)] = np.zeros((len(stage.weight), size), np.int16)
        if self.judged and stage is not None:
            tensors["back.weight"] = np.full((size, len(stage.weight)), ONE, np.int16)
            tensors[f"{self.units.name}.rate"] = rates(self.given["slowest"])
        return tensors


TRACES_OF_UNITS = (("x1", HELD), ("y1", WRITTEN))
TRACES_OF_LABELS = (("x1", HELD), ("y1", WRITTEN), ("y2", WRITTEN))


def weight(stage: Stage) -> str:
    """Return the name of the tensor of a stage's weights."""
    return f"{stage.synapses}.weight"


def rates(slowest: int) -> IntArray:
    """Return y1 of a prototype that has learnt n samples, n = 0..127: 64 / (n + 1) or ``slowest``.

    With it the prototype is the mean of what it has learnt, until the rate falls no further. n = 0
    is a prototype whose past is not known, of a saved model: it has the last rate.
    """
    wanted = np.rint(FULL_RATE / (np.arange(COUNTED) + 1.0))
    wanted[0] = wanted[-1]
    return np.asarray(np.maximum(wanted, slowest), np.int32)
