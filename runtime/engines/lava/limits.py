"""What stock Lava processes cannot do, each with its reason.

In: a program and a rounding mode. Out: nothing, or an error that lists everything at once. Why:
asked for the impossible, Lava computes something else in silence, or waits for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.connectivity import Dense
from hebbite.compiler.program.types import Plasticity, Program, Synapses
from hebbite.rules.errors import EngineError, Problem
from hebbite.rules.loihi import check_loihi

WEIGHT_BITS = 8
THREE_FACTOR_TAU = 65535
"""The time constant with which Lava decays y1..y3 inside an epoch, whatever one asks for."""


def check_limits(program: Program, rounding: Rounding) -> None:
    """Raise EngineError: HB0604 the rounding mode, HB0606 the program, HB045x a rule."""
    problems = [*_rounding(program, rounding), *_widths(program), *_connected(program)]
    problems += [p for group in program.synapses for p in _group(program, group)]
    problems += [p for plasticity in program.plasticity for p in _plasticity(program, plasticity)]
    if problems:
        raise EngineError(*problems)


def _rounding(program: Program, rounding: Rounding) -> Iterator[Problem]:
    if rounding == "independent" and program.plasticity:
        yield Problem(
            "HB0604",
            "stock Lava cannot round independently: it draws one random number for all synapses",
            hint="--rounding lava-exact, or --engine native",
        )


def _widths(program: Program) -> Iterator[Problem]:
    if program.widths.weight != WEIGHT_BITS:
        what = f"Lava's weights have {WEIGHT_BITS} bits and a sign, not {program.widths.weight}"
        yield Problem("HB0606", what, at=f"program @{program.name} for {program.target}")


def _connected(program: Program) -> Iterator[Problem]:
    """Lava runs what it reaches from one process, and nothing else."""
    parts = {source.name for source in program.sources}
    parts |= {population.name for population in program.populations}
    edges = [(group.pre, group.post) for group in program.synapses]
    edges += [(wire.source, wire.post) for wire in program.wires]
    start = program.populations[0].name
    reached = {start}
    while grown := {x for edge in edges if reached & set(edge) for x in edge} - reached:
        reached |= grown
    for name in sorted(parts - reached):
        what = f"%{name} has no connection to %{start}: Lava runs one connected network"
        yield Problem("HB0606", what, hint="compile the parts as programs of their own")


def _group(program: Program, group: Synapses) -> Iterator[Problem]:
    at = f"%{group.name}"
    plastic = {plasticity.synapses for plasticity in program.plasticity}
    if group.mirror and group.mirror not in plastic:
        yield Problem("HB0606", f"it mirrors %{group.mirror}, which does not learn", at)
    others = [g.name for g in program.synapses if g.weight == group.weight and g != group]
    if group.name in plastic and others:
        what = f"@{group.weight} learns here and is shared with %{others[0]}; Lava copies weights"
        yield Problem("HB0606", what, at)


def _listed(program: Program, plasticity: Plasticity) -> Iterator[Problem]:
    """What Lava's ``LearningSparse`` gets wrong, though it takes it."""
    group = program.group(plasticity.synapses)
    if isinstance(group.connect, Dense):
        return
    at = f"plastic %{plasticity.synapses}"
    hint = "--engine reference, or synapses as a matrix"
    factors = [f for each in plasticity.sums for p in each.products for f in p.factors]
    if plasticity.dt is not None or any(f.variable in ("w", "t") for f in factors):
        what = "Lava's LearningSparse keeps no tag that is 0, and fails where a rule reads w or t"
        yield Problem("HB0606", what, at, hint=hint)
    if not program.tensors[group.weight].all():
        what = f"@{group.weight} holds 0, and Lava's LearningSparse drops synapses of weight 0"
        yield Problem("HB0606", what, at, hint=hint)


def _plasticity(program: Program, plasticity: Plasticity) -> Iterator[Problem]:
    group = program.group(plasticity.synapses)
    at = f"plastic %{plasticity.synapses}"
    yield from check_loihi(*plasticity.sums)
    yield from _listed(program, plasticity)
    if group.delay != 1:
        yield Problem("HB0606", "Lava's plastic synapses have delay 1", at)
    for name, trace in plasticity.traces:
        if trace.mode == "overwrite" and (name != "x1" or trace.impulse or not group.graded):
            what = f"only x1 of a graded group can be overwritten, without impulse; {name} is"
            yield Problem("HB0606", what, at)
        written = plasticity.factors == 3 and name[0] == "y"
        if written and (trace.tau, trace.impulse) != (THREE_FACTOR_TAU, 0):
            what = f"{name} has tau {trace.tau}, impulse {trace.impulse}; with three factors"
            yield Problem("HB0606", f"{what} Lava has {THREE_FACTOR_TAU} and 0", at)
