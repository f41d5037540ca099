"""Puts every population on cores of its own, split evenly where one core is too small.

A population starts a fresh core: neurons of one core share its tables and rules, and whether a chip
lets unlike populations share them is not public. Cores are numbered in topological order of the
forward groups, so that neighbours in the network are neighbours on the mesh (linear placement);
order ``hops`` then moves them where messages take fewer hops, if there are such places.
The number of cores of a population is the smallest that keeps compartments, synaptic memory and
out-axons within the target; in-axons become fewer by splitting only where not every line reaches
every neuron.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from hebbite.compiler.capacity import (
    LIMITS,
    CoreUse,
    check_capacity,
    check_chips,
    core_uses,
    shrinks,
)
from hebbite.compiler.layout.linear import topological
from hebbite.compiler.layout.traffic import Messages
from hebbite.compiler.passes.arrange import Arrange
from hebbite.compiler.placement import cores_of
from hebbite.compiler.program.types import Population, Program
from hebbite.compiler.storage import stored
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import Problem, UsageError, near

ORDERS = ("hops", "linear")


@dataclass(frozen=True)
class Place:
    """``chips`` is how many there are, ``split`` whether a population may have several cores.

    ``order`` says how cores are numbered: ``linear`` or ``hops``; ``seed`` is that of its search.
    """

    name: ClassVar[str] = "place"

    chips: int = 1
    split: bool = True
    order: str = "hops"
    seed: int = 0

    def apply(self, program: Program, *, messages: Messages | None = None) -> Program:
        """Return the program with cores for every population; earlier cores are forgotten.

        ``messages``: how often lines send, for order ``hops``; without them all send alike.

        Raises:
            UsageError: HB0503, fewer than one chip; HB0504, an unknown order; HB0505, measured
                messages that do not fit.
            CapacityError: HB0520 or HB0521, it does not fit.
        """
        check_chips(self.chips)
        if self.order not in ORDERS:
            what = f"unknown order of cores '{self.order}'"
            raise UsageError(Problem("HB0504", what, hint=near(self.order, ORDERS)))
        counts = {population.name: 1 for population in program.populations}
        placed = _placed(program, counts)
        if self.split:
            placed = _split(placed, counts)
        check_capacity(placed, chips=self.chips)
        if self.order == "linear":
            return placed
        return Arrange(self.seed).apply(placed, messages=messages)


def _split(program: Program, counts: dict[str, int]) -> Program:
    """Give cores to what overflows until nothing does, or nothing can be split further.

    Splitting a receiver costs its senders out-axons, hence the repetition; counts only grow.
    """
    target, memory = load_target(program.target), stored(program)
    while True:
        uses = {use.core: use for use in core_uses(program, memory=memory)}
        grown = {
            p.name: _more_cores(target, p, uses, shrinks(program, p)) for p in program.populations
        }
        if grown == counts:
            return program
        counts = grown
        program = _placed(program, counts)


def _more_cores(
    target: Target, population: Population, uses: Mapping[int, CoreUse], names: tuple[str, ...]
) -> int:
    """Return the next number of cores to try; the same number if it fits or cannot help."""
    cores = cores_of(population)
    share = -(-population.size // len(cores))
    need = 0
    for name in names:
        limit = target.numbers[LIMITS[name][0]].value
        used = [uses[core].of(name) for core in cores]
        if limit is not None and max(used) > limit:
            need = max(need, len(cores) + 1, -(-sum(used) // limit))
    if not need or share == 1:
        return len(cores)
    smaller = max(1, min(share - 1, -(-population.size // need)))
    return -(-population.size // smaller)


def _placed(program: Program, counts: Mapping[str, int]) -> Program:
    first, cores = 0, {}
    for name in topological(program):
        cores[name] = tuple(range(first, first + counts[name]))
        first += counts[name]
    populations = tuple(replace(p, cores=cores[p.name]) for p in program.populations)
    return replace(program, populations=populations)
