"""The chip program: what every engine runs, integers only.

A sample takes ``period`` steps; step t = 1, 2, ... has offset k = (t - 1) mod period + 1. In a step

1. every group of synapses delivers what it computed ``delay`` steps before;
2. sources send, wires deliver in the same step, and every population executes its neuron program;
3. every group receives the messages of its source and computes a_j = (sum_i w_ji p_i) 2^exponent
   (p_i = 1 for a message that is not graded; floor for a negative exponent); plastic groups note
   which lines sent (x0, and x1 by their trace mode) and which neurons had a learning event (y0);
4. every ``epoch`` steps the traces advance, and weights and tags learn;
5. mirrors take the transposed weights, or their signs, from the group that they follow.

Dense weights are held post-major: row j is the neuron that receives, column i the line that sends.
Groups may also be lists or convolutions: see `connectivity`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Connectivity, Dense
from hebbite.compiler.program.neuron import NeuronProgram
from hebbite.rules.sums import SumOfProducts
from hebbite.rules.traces import Trace

IntArray = NDArray[np.integer]
"""Any integer array; every place that computes names its own dtype."""

OffsetPayload = tuple[int, int]


@dataclass(frozen=True)
class Source:
    """Lines that the host feeds.

    For each sample the host gives integers of shape (events, size); event m is sent at offset
    ``offsets[m]``. ``bias`` lists (offset, payload) of one more line, the last one; () means none.
    ``role`` says what the lines carry: ``input``, or ``target`` (codes; 0 means no teacher).
    """

    name: str
    size: int
    offsets: tuple[int, ...]
    bias: tuple[OffsetPayload, ...] = ()
    role: str = "input"
    origin: str = ""

    @property
    def lines(self) -> int:
        """Number of lines that synapses see."""
        return self.size + bool(self.bias)


@dataclass(frozen=True)
class Population:
    """``size`` neurons that execute one neuron program.

    ``constants`` and ``tables`` (names of tensors) fill the program's parameters. ``bias`` lists
    (offset, payload) of one extra line on output s. ``cores`` are the cores that hold it, neurons
    split evenly in order; () before placement.
    """

    name: str
    size: int
    neuron: NeuronProgram
    constants: tuple[tuple[str, int], ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    bias: tuple[OffsetPayload, ...] = ()
    cores: tuple[int, ...] = ()
    origin: str = ""

    @property
    def lines(self) -> int:
        """Number of lines of output s."""
        return self.size + bool(self.bias)


@dataclass(frozen=True)
class Synapses:
    """A group of synapses from one output of ``pre`` to one input of ``post``.

    ``weight`` names a tensor, of shape (post size, lines of pre) where every line reaches every
    neuron; ``connect`` says whether it does. ``exponent`` in [-8, 7], ``delay`` in [1, 63] steps.
    ``role`` is ``forward``, ``feedback``, whose cost is all learning, or ``lateral``: within a
    layer or down to one, wherever inference needs it too.
    ``mirror`` names the group whose transposed weights, without its bias line, are copied here
    by the host at every learning-epoch boundary; both are dense. With a ``magnitude`` m > 0 only
    signs are copied: m for a weight of 0 or more, -m for one below 0.
    """

    name: str
    pre: str
    post: str
    weight: str
    output: str = "s"
    port: str = "a"
    exponent: int = 0
    delay: int = 1
    graded: bool = True
    role: str = "forward"
    mirror: str = ""
    magnitude: int = 0
    connect: Connectivity = field(default_factory=Dense)


@dataclass(frozen=True)
class Wire:
    """Host messages of ``source`` that reach input ``third`` of ``post`` in the same step."""

    source: str
    post: str


@dataclass(frozen=True)
class Plasticity:
    """How a group of synapses learns, every ``epoch`` steps.

    ``factors`` is 2 where y1 is a trace of the learning events of the neuron, and 3 where the
    neuron writes y1..y3 itself. ``traces`` gives x1, x2 (and y1.. for two factors) their tau
    and impulse. With ``dt`` every synapse keeps a tag t, 0 at first, that dt updates and both
    sums may read: a memory of its own past, such as an eligibility for reward.
    """

    synapses: str
    dw: SumOfProducts
    epoch: int
    traces: tuple[tuple[str, Trace], ...]
    factors: int = 3
    dt: SumOfProducts | None = None

    @property
    def sums(self) -> tuple[SumOfProducts, ...]:
        """What the engine evaluates together: dw, and dt where there is one."""
        return (self.dw,) if self.dt is None else (self.dw, self.dt)

    def trace(self, name: str) -> Trace | None:
        """The trace called ``name``, if the rule keeps it."""
        return dict(self.traces).get(name)


@dataclass(frozen=True)
class Schedule:
    """The time table of one sample.

    ``inference_start`` and ``inference_end`` are the first and the last offset that inference
    needs; what happens outside, and all that feedback does, is counted as learning. ``events``
    name offsets for a reader ("fire %out", 3).
    """

    period: int
    inference_end: int
    events: tuple[tuple[str, int], ...] = ()
    inference_start: int = 1

    def learns_at(self, offset: int) -> bool:
        """Whether a step serves learning alone."""
        return not self.inference_start <= offset <= self.inference_end


@dataclass(frozen=True)
class Readout:
    """Where the answer of a sample is read: the neuron with the largest value wins.

    ``register`` is read after step ``offset``; with ``count`` the outputs s are summed over the
    sample instead (a spike count).
    """

    population: str
    register: str
    offset: int
    count: bool = False


@dataclass(frozen=True)
class Widths:
    """Word widths of the chip, in bits without sign: stored weight 8 on Loihi, 16 if ideal."""

    weight: int = 8

    @property
    def weight_low(self) -> int:
        """Smallest stored weight."""
        return -(1 << self.weight)

    @property
    def weight_high(self) -> int:
        """Largest stored weight."""
        return (1 << self.weight) - 1

    @property
    def accumulator(self) -> int:
        """Bits of the learning accumulator: 7 fractional bits below the weight."""
        return self.weight + 7


TAG = Widths(weight=8)
"""Width of a tag: 8 bits and a sign on every chip."""

_Part = TypeVar("_Part", Source, Population, Synapses)


def _named(parts: Sequence[_Part], name: str, kind: str) -> _Part:
    """Return a part by name; a name that is not there is a fault of ours, for programs are lawful.

    Raises:
        LookupError: if no part has that name.
    """
    for part in parts:
        if part.name == name:
            return part
    raise LookupError(f"the program has no {kind} '{name}': was it verified?")


@dataclass(frozen=True, eq=False)
class Program:
    """A network, its learning and its time table for one chip. See the module for the semantics."""

    name: str
    target: str
    schedule: Schedule
    sources: tuple[Source, ...]
    populations: tuple[Population, ...]
    synapses: tuple[Synapses, ...]
    readout: Readout
    wires: tuple[Wire, ...] = ()
    plasticity: tuple[Plasticity, ...] = ()
    probes: tuple[str, ...] = ()
    widths: Widths = Widths()
    seed: int = 0
    tensors: Mapping[str, IntArray] = field(default_factory=dict)

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of sources, populations and groups of synapses, in this order."""
        sources = [source.name for source in self.sources]
        populations = [population.name for population in self.populations]
        return (*sources, *populations, *(group.name for group in self.synapses))

    def source(self, name: str) -> Source:
        """The source called ``name``."""
        return _named(self.sources, name, "source")

    def population(self, name: str) -> Population:
        """The population called ``name``."""
        return _named(self.populations, name, "population")

    def group(self, name: str) -> Synapses:
        """The group of synapses called ``name``."""
        return _named(self.synapses, name, "group of synapses")

    def lines(self, name: str, output: str = "s") -> int:
        """Number of lines of an output of a source or population."""
        for source in self.sources:
            if source.name == name:
                return source.lines
        population = self.population(name)
        return population.lines if output == "s" else population.size

    def post_size(self, group: Synapses) -> int:
        """Number of neurons that a group may reach."""
        return self.population(group.post).size

    def line_count(self, group: Synapses) -> int:
        """Number of lines that a group may start from."""
        return self.lines(group.pre, group.output)

    @property
    def epoch(self) -> int:
        """Steps of a learning epoch, one for the whole program; 0 if nothing learns."""
        return self.plasticity[0].epoch if self.plasticity else 0
