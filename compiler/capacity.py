"""What a placed program fills on the chip, and the refusal of one that is too large.

In: a `Program` whose populations have cores. Out: a `Footprint`, or `CapacityError`.

What is counted, a core:

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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import cores_of, reach, shares_of
from hebbite.compiler.program.types import Population, Program
from hebbite.compiler.storage import Stored, stored
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import CapacityError, Problem

LIMITS = {
    "compartments": ("compartments_per_core", "compartments"),
    "synapse_bytes": ("synapse_bytes_per_core", "bytes of synaptic memory"),
    "in_axons": ("in_axons_per_core", "in-axons"),
    "out_axons": ("out_axons_per_core", "out-axons"),
}
"""What a core can run out of: the number of the target, and the words for it."""
SHRINKS = ("compartments", "synapse_bytes", "out_axons")
"""What becomes less on a core when its population is split further."""


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


@dataclass(frozen=True)
class Footprint:
    """What a program takes: chips, cores, bytes by kind, and the share of each limit (1 = full).

    ``shares`` are those of the fullest core, and of the cores of the chips in use; None where there
    is no limit. ``bottleneck`` names the largest; '' if nothing is limited.
    """

    chips: int
    cores: int
    weights: int
    axons: int
    neuron_state: int
    traces: int
    rules: int
    shares: tuple[tuple[str, float | None], ...]
    bottleneck: str

    @property
    def bytes(self) -> int:
        """All bytes."""
        return self.weights + self.axons + self.neuron_state + self.traces + self.rules

    def to_json(self) -> dict[str, object]:
        """Return chips, cores and bytes, then the parts."""
        kinds = ("weights", "axons", "neuron_state", "traces", "rules")
        return {
            "chips": self.chips,
            "cores": self.cores,
            "bytes": self.bytes,
            "bytes_by_kind": {kind: getattr(self, kind) for kind in kinds},
            "percent_of_limit": {
                name: None if share is None else 100 * share for name, share in self.shares
            },
            "bottleneck": self.bottleneck,
        }


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


def footprint(program: Program) -> Footprint:
    """Return what a program takes of its chip, whether it fits or not."""
    target = load_target(program.target)
    uses = core_uses(program)
    chips = len({use.core // int(target.cores_per_chip) for use in uses})
    shares: dict[str, float | None] = {}
    for name, (field, _) in LIMITS.items():
        limit = target.numbers[field].value
        shares[name] = None if limit is None else max(use.of(name) for use in uses) / limit
    free = target.chips.value is None
    shares["cores"] = None if free else len(uses) / (chips * int(target.cores_per_chip))
    known = {name: share for name, share in shares.items() if share is not None}
    return Footprint(
        chips=chips,
        cores=len(uses),
        weights=_bytes(use.weights for use in uses),
        axons=_bytes(use.axons for use in uses),
        neuron_state=_bytes(use.neuron_state for use in uses),
        traces=_bytes(use.pre_traces + use.post_traces for use in uses),
        rules=_bytes(use.rules for use in uses),
        shares=tuple(shares.items()),
        bottleneck=max(known, key=lambda name: known[name], default=""),
    )


def _bytes(bits: Iterable[int]) -> int:
    return -(-sum(bits) // 8)


def check_capacity(program: Program, *, chips: int | None = None) -> None:
    """Refuse a placed program that does not fit on ``chips`` chips (None: the largest system).

    Raises:
        CapacityError: HB0520, a core holds more than it can; HB0521, there are too few chips.
    """
    target = load_target(program.target)
    uses = {use.core: use for use in core_uses(program)}
    problems = [
        problem
        for population in program.populations
        for name in LIMITS
        for problem in _overfull(target, population, uses, name)
    ]
    problems += _too_few_chips(program, target, chips)
    if problems:
        raise CapacityError(*problems)


def _overfull(
    target: Target, population: Population, uses: Mapping[int, CoreUse], name: str
) -> list[Problem]:
    field, words = LIMITS[name]
    number = target.numbers[field]
    cores = cores_of(population)
    use = max((uses[core] for core in cores), key=lambda use: use.of(name))
    if number.value is None or use.of(name) <= number.value:
        return []
    where = f" on core {use.core}" if len(cores) > 1 else ""
    sure = " (assumed)" if number.kind == "assumed" else ""
    return [
        Problem(
            "HB0520",
            f"'{population.name}' needs {use.of(name)} {words}{where}, "
            f"a {target.name} core holds {number.value}{sure}",
            at=_printed(population),
            origin=population.origin,
            hint=_mend(population, name),
        )
    ]


def _mend(population: Population, name: str) -> str:
    share = -(-population.size // len(cores_of(population)))
    if name in SHRINKS and share > 1:
        return "let the placement split it: remove --no-split"
    return "use fewer inputs a neuron, or a chip without this limit: add --target ideal"


def _printed(population: Population) -> str:
    return f"%{population.name} = neurons[{population.size}] {population.neuron.name}"


def _too_few_chips(program: Program, target: Target, chips: int | None) -> list[Problem]:
    if target.chips.value is None:
        return []
    most = target.chips.value if chips is None else chips
    each = int(target.cores_per_chip)
    last = max(program.populations, key=lambda population: max(cores_of(population)))
    cores = max(cores_of(last)) + 1
    need = -(-cores // each)
    if need <= most:
        return []
    return [
        Problem(
            "HB0521",
            f"the program needs {cores} cores, {most} {target.name} "
            f"chip{'s' if most > 1 else ''} hold{'' if most > 1 else 's'} {most * each}",
            at=_printed(last),
            origin=last.origin,
            hint=f"add --chips {need}" if need <= target.chips.value else "add --target ideal",
        )
    ]
