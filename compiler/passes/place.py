"""Puts every population on cores of its own, split evenly where one core is too small.

A population starts a fresh core: neurons of one core share its tables and rules, and whether a chip
lets unlike populations share them is not public. Cores are numbered in topological order of the
forward groups, so that neighbours in the network are neighbours on the mesh (linear placement).
The number of cores of a population is the smallest that keeps compartments, synaptic memory and
out-axons within the target; in-axons do not become fewer by splitting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from hebbite.compiler.capacity import (
    LIMITS,
    SHRINKS,
    CoreUse,
    check_capacity,
    core_uses,
)
from hebbite.compiler.placement import cores_of
from hebbite.compiler.program.types import Population, Program
from hebbite.compiler.storage import stored
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import Problem, UsageError


@dataclass(frozen=True)
class Place:
    """``chips`` is how many there are, ``split`` whether a population may have several cores."""

    name: ClassVar[str] = "place"

    chips: int = 1
    split: bool = True

    def apply(self, program: Program) -> Program:
        """Return the program with cores for every population; earlier cores are forgotten.

        Raises:
            UsageError: HB0503, fewer than one chip.
            CapacityError: HB0520 or HB0521, it does not fit.
        """
        if self.chips < 1:
            what = f"a program needs a chip, not {self.chips}"
            raise UsageError(Problem("HB0503", what, hint="add --chips 1"))
        counts = {population.name: 1 for population in program.populations}
        placed = _placed(program, counts)
        if self.split:
            placed = _split(placed, counts)
        check_capacity(placed, chips=self.chips)
        return placed


def _split(program: Program, counts: dict[str, int]) -> Program:
    """Give cores to what overflows until nothing does, or nothing can be split further.

    Splitting a receiver costs its senders out-axons, hence the repetition; counts only grow.
    """
    target, memory = load_target(program.target), stored(program)
    while True:
        uses = {use.core: use for use in core_uses(program, memory=memory)}
        grown = {p.name: _more_cores(target, p, uses) for p in program.populations}
        if grown == counts:
            return program
        counts = grown
        program = _placed(program, counts)


def _more_cores(target: Target, population: Population, uses: Mapping[int, CoreUse]) -> int:
    """Return the next number of cores to try; the same number if it fits or cannot help."""
    cores = cores_of(population)
    share = -(-population.size // len(cores))
    need = 0
    for name in SHRINKS:
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
    for name in _topological(program):
        cores[name] = tuple(range(first, first + counts[name]))
        first += counts[name]
    populations = tuple(replace(p, cores=cores[p.name]) for p in program.populations)
    return replace(program, populations=populations)


def _topological(program: Program) -> list[str]:
    """Return the names of all populations, senders first; a cycle is cut in program order."""
    left = [population.name for population in program.populations]
    forward = [
        (group.pre, group.post)
        for group in program.synapses
        if group.role == "forward" and group.pre != group.post
    ]
    order: list[str] = []
    while left:
        waiting = {post for pre, post in forward if pre in left and post in left}
        name = next((name for name in left if name not in waiting), left[0])
        left.remove(name)
        order.append(name)
    return order
