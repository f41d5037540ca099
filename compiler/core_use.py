"""What every core of a placed program holds.

In: a `Program` whose populations have cores. Out: a `CoreUse` of each core.

compartments     neurons
in_axons         lines of every group that reach a synapse here, and wires; the host's lines too
out_axons        lines of every group that starts here x the cores where they reach a synapse
synaptic memory  the weights that end here, as `storage` says, and, of plastic groups, one word a
                 line that reaches a synapse here for x1 and x2

Neuron state is one word of state_bits for each state of the neuron program, for each input
it reads and for each entry of its tables; y1..y3 are words of trace_bits. No maker has published
these layouts in full: the bits a synapse takes are *assumed*; each limit says in the target what it
is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import reach, shares_of
from hebbite.compiler.program.connectivity import Dense
from hebbite.compiler.program.types import Population, Program
from hebbite.compiler.storage import Stored, stored
from hebbite.compiler.targets import Target, load_target

LIMITS = {
    "compartments": ("compartments_per_core", "compartments"),
    "synapse_bytes": ("synapse_bytes_per_core", "bytes of synaptic memory"),
    "in_axons": ("in_axons_per_core", "in-axons"),
    "out_axons": ("out_axons_per_core", "out-axons"),
}
"""What a core can run out of: the number of the target, and the words for it."""
SHRINKS = ("compartments", "synapse_bytes", "out_axons")
"""What becomes less on a core when its population is split further."""


def shrinks(program: Program, population: Population) -> tuple[str, ...]:
    """Return what becomes less on a core when this population is split further: its in-axons too,
    where not every line reaches every neuron."""
    incoming = (group for group in program.synapses if group.post == population.name)
    spread = any(not isinstance(group.connect, Dense) for group in incoming)
    return (*SHRINKS, "in_axons") if spread else SHRINKS


@dataclass(frozen=True)
class CoreUse:
    """What one core holds: three counts, and the bits of every kind of memory."""

    core: int
    compartments: int
    in_axons: int
    out_axons: int
    weights: int
    axons: int
    neuron_state: int
    pre_traces: int
    post_traces: int
    rules: int

    @property
    def synapse_bytes(self) -> int:
        """Bytes of synaptic memory: weights and pre-synaptic traces."""
        return -(-(self.weights + self.pre_traces) // 8)

    def of(self, limit: str) -> int:
        """Return what is used of one of `LIMITS`."""
        return {
            "compartments": self.compartments,
            "synapse_bytes": self.synapse_bytes,
            "in_axons": self.in_axons,
            "out_axons": self.out_axons,
        }[limit]


def core_uses(
    program: Program, *, memory: Mapping[str, Stored] | None = None
) -> tuple[CoreUse, ...]:
    """Return what every core holds; ``memory`` is that of `stored`, if it is known."""
    target = load_target(program.target)
    memory = stored(program) if memory is None else memory
    groups = {
        group.name: _Group(memory[group.name].bits, reach(program, group, memory[group.name].fan))
        for group in program.synapses
    }
    tally: Counter[tuple[int, str]] = Counter()
    for population in program.populations:
        for number, (core, first, last) in enumerate(shares_of(population)):
            part = _Part(population, number, first, last)
            for name, count in _share(program, target, groups, part).items():
                tally[core, name] += count
    cores = sorted({core for core, _ in tally})
    return tuple(_core_use(tally, target, core) for core in cores)


def _core_use(tally: Counter[tuple[int, str]], target: Target, core: int) -> CoreUse:
    in_axons, out_axons = tally[core, "in_axons"], tally[core, "out_axons"]
    return CoreUse(
        core,
        compartments=tally[core, "compartments"],
        in_axons=in_axons,
        out_axons=out_axons,
        weights=tally[core, "weights"],
        axons=(in_axons + out_axons) * int(target.axon_bits),
        neuron_state=tally[core, "neuron_state"],
        pre_traces=tally[core, "pre_traces"],
        post_traces=tally[core, "post_traces"],
        rules=tally[core, "rules"],
    )


class _Group(NamedTuple):
    """Bits of every receiving neuron, and the cores that a line reaches, (lines, cores)."""

    bits: NDArray[np.int64]
    reach: NDArray[np.bool_]


class _Part(NamedTuple):
    """Neurons first..last-1 of a population, on the core of this ``number`` among its cores."""

    population: Population
    number: int
    first: int
    last: int


def _share(
    program: Program, target: Target, groups: Mapping[str, _Group], part: _Part
) -> Counter[str]:
    """What a part of a population takes."""
    rules = {plasticity.synapses: plasticity for plasticity in program.plasticity}
    population, number, first, last = part
    neurons = last - first
    words = _state_words(program, population, neurons)
    tally = Counter(compartments=neurons, neuron_state=words * int(target.state_bits))
    post_traces: set[str] = set()
    for group in program.synapses:
        if group.post == population.name:
            lines = int(groups[group.name].reach[:, number].sum())
            tally["in_axons"] += lines
            tally["weights"] += int(groups[group.name].bits[first:last].sum())
            if group.name in rules:
                rule = rules[group.name]
                names = [name for name, _ in rule.traces]
                pre = sum(name[0] == "x" for name in names)
                post_traces |= {name for name in names if name[0] == "y"}
                tally["pre_traces"] += lines * pre * int(target.trace_bits)
                products = sum(len(update.products) for update in rule.sums)
                tally["rules"] += products * int(target.rule_product_bits)
        if group.pre == population.name:
            own = groups[group.name].reach
            tally["out_axons"] += int(own[first:last].sum())
            if last == population.size and neurons:  # the bias line stands with the last neuron
                tally["out_axons"] += int(own[last:].sum())
    tally["in_axons"] += neurons * sum(wire.post == population.name for wire in program.wires)
    tally["post_traces"] = neurons * len(post_traces) * int(target.trace_bits)
    return tally


def _state_words(program: Program, population: Population, neurons: int) -> int:
    neuron = population.neuron
    read = {argument for line in neuron.instructions for argument in line.arguments}
    own = {line.arguments[0] for line in neuron.instructions if line.op == "each"}
    words = neurons * (len(neuron.states) + len(read & {"a", "third"}))
    for name, tensor in population.tables:
        words += neurons if name in own else program.tensors[tensor].size
    return words
