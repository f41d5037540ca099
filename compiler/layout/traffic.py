"""How many messages parts send to each other.

A message of a line goes from the part of its neuron to every part where the line has synapses. How
often a line sends is not known before a run: each line of each group counts as one message, or as
often as it was seen to send. The host's lines take no hops and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbite.compiler.arithmetic.synapse import fan_of
from hebbite.compiler.layout.linear import parts_of
from hebbite.compiler.placement import core_of_lines, cores_of, reach
from hebbite.compiler.program.types import Program, Synapses
from hebbite.rules.errors import Problem, UsageError, near

Long = NDArray[np.int64]
Messages = Mapping[str, ArrayLike]
"""Group of synapses -> how often each of its lines sends, integers of shape (lines,)."""
MOST = 2**52
"""Messages in all; so many times any way on a mesh fit int64."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """``messages`` from part to part, int64 (parts, parts); ``cores``: where the parts stand."""

    cores: tuple[int, ...]
    messages: Long


def traffic_of(program: Program, messages: Messages | None = None) -> Traffic:
    """Return what the parts of a program send; ``messages`` measured, else one of every line.

    Raises:
        UsageError: HB0505, the measured messages do not fit the program.
    """
    counts = _counts(program, messages)
    cores = parts_of(program)
    number = {core: part for part, core in enumerate(cores)}
    sent = np.zeros((len(cores), len(cores)), np.int64)
    populations = {population.name: population for population in program.populations}
    for group in program.synapses:
        if group.pre not in populations:
            continue
        pre, post = populations[group.pre], populations[group.post]
        reached = reach(program, group, fan_of(program, group))
        goals = [number[core] for core in cores_of(post)]
        home = core_of_lines(pre, len(reached))
        for core in sorted(set(home.tolist())):
            lines = home == core
            sent[number[int(core)], goals] += counts[group.name][lines] @ reached[lines].astype(
                np.int64
            )
    return Traffic(cores, sent)


def _counts(program: Program, messages: Messages | None) -> Mapping[str, Long]:
    """Return how often every line of every group sends."""
    groups = {group.name: group for group in program.synapses}
    if messages is None:
        return {name: np.ones(program.line_count(g), np.int64) for name, g in groups.items()}
    problems = [
        Problem("HB0505", f"no group '{name}' sends messages", hint=near(name, tuple(groups)))
        for name in messages
        if name not in groups
    ]
    counts: dict[str, Long] = {}
    for name, group in groups.items():
        lines = program.line_count(group)
        found = np.asarray(messages.get(name, np.zeros(lines, np.int64)))
        problems += _wrong(group, found, lines)
        counts[name] = found if problems else found.astype(np.int64)
    if not problems and sum(float(c.astype(np.float64).sum()) for c in counts.values()) > MOST:
        problems.append(Problem("HB0505", "there are more than 2^52 messages"))
    if problems:
        raise UsageError(*problems)
    return counts


def _wrong(group: Synapses, found: NDArray[np.integer], lines: int) -> list[Problem]:
    fits = found.shape == (lines,) and np.issubdtype(found.dtype, np.integer)
    if fits and found.min(initial=0) >= 0:
        return []
    what = f"messages of '{group.name}' are {lines} integers of 0 or more, not {found.dtype}"
    return [Problem("HB0505", f"{what} {found.shape}", origin=group.name)]
