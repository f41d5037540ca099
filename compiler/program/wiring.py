"""The law of a program's wiring: what is named exists, once, and what is joined fits.

* Names are unique, that of the program and those of neuron programs too; every name that is used
  stands for something.
* Sources and populations are not empty; a source sends on ``s`` only; ports and outputs are known.
* A wire has as many lines as its receiver has neurons, and stands once.
* A group learns by one rule or mirrors another one, not both; a mirror has the transposed shape,
  and a magnitude of signs belongs to a mirror.
* The answer is read from a register that the population has, in a step that the sample has.

Nothing is looked up before it is known to exist: whatever is wrong is a problem, never a crash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from hebbite.compiler.program.types import Population, Program, Synapses
from hebbite.rules.errors import Problem, near


def wiring_problems(program: Program) -> Iterator[Problem]:
    """Yield everything that is wired wrongly (HB0430, HB0431, HB0461..HB0464)."""
    yield from _names(program)
    yield from _sizes(program)
    yield from _wires(program)
    for group in program.synapses:
        yield from _ends(program, group)
    yield from _learning(program)
    yield from _readout(program)


def _names(program: Program) -> Iterator[Problem]:
    for name, count in Counter(program.part_names).items():
        if count > 1:
            yield Problem("HB0430", f"the name '%{name}' is used {count} times")
    if program.name in program.part_names:
        what = f"the program is called '{program.name}', as is one of its parts"
        yield Problem("HB0430", what, hint="give it another name: its costs are counted by it")
    for name, count in Counter(n.name for n in {p.neuron for p in program.populations}).items():
        if count > 1:
            yield Problem("HB0430", f"{count} different neuron programs are called '{name}'")
    sources = {s.name for s in program.sources}
    populations = {p.name for p in program.populations}
    groups = {g.name for g in program.synapses}
    used = [(f"%{g.name}", g.pre, sources | populations) for g in program.synapses]
    used += [(f"%{g.name}", g.post, populations) for g in program.synapses]
    used += [(f"%{g.name}", g.mirror, groups) for g in program.synapses if g.mirror]
    used += [("wire", w.source, sources) for w in program.wires]
    used += [("wire", w.post, populations) for w in program.wires]
    used += [("plastic", p.synapses, groups) for p in program.plasticity]
    used += [("readout", program.readout.population, populations)]
    for at, name, known in used:
        if name not in known:
            yield Problem("HB0431", f"nothing is called '%{name}'", at=at)


def _sizes(program: Program) -> Iterator[Problem]:
    schedule = program.schedule
    if schedule.period < 1 or not 0 <= schedule.inference_end <= schedule.period:
        what = f"a period of {schedule.period} steps, inference until {schedule.inference_end}"
        yield Problem("HB0463", what)
    if not 1 <= schedule.inference_start <= max(schedule.inference_end, 1):
        what = f"inference from step {schedule.inference_start} until {schedule.inference_end}"
        yield Problem("HB0463", what)
    for name, size in _widths(program).items():
        if size < 1:
            yield Problem("HB0463", f"%{name} has the size {size}; wanted at least 1")


def _widths(program: Program) -> dict[str, int]:
    """Return name -> size of every source and population."""
    sources = {source.name: source.size for source in program.sources}
    return sources | {population.name: population.size for population in program.populations}


def _wires(program: Program) -> Iterator[Problem]:
    sources = {s.name: s.lines for s in program.sources}
    sizes = {p.name: p.size for p in program.populations}
    for wire, count in Counter(program.wires).items():
        at = f"wire(%{wire.source} -> %{wire.post})"
        if count > 1:
            yield Problem("HB0461", f"the wire stands {count} times", at)
        lines, size = sources.get(wire.source), sizes.get(wire.post)
        if lines is not None and size is not None and lines != size:
            yield Problem("HB0464", f"{lines} lines cannot reach {size} neurons one to one", at)


def _ends(program: Program, group: Synapses) -> Iterator[Problem]:
    at = f"%{group.name} = synapses(%{group.pre}.{group.output} -> %{group.post}.{group.port})"
    if group.port not in ("a", "third") or group.output not in ("s", "e"):
        yield Problem("HB0464", "synapses lead from s or e to a or third", at)
    if group.output != "s" and group.pre in {s.name for s in program.sources}:
        yield Problem("HB0464", "a source sends on s only", at)
    parts = _widths(program)
    followed = {g.name: g for g in program.synapses}.get(group.mirror)
    if followed is None or not {group.pre, group.post, followed.pre, followed.post} <= parts.keys():
        return
    ours = (parts[group.post], program.lines(group.pre, group.output))
    theirs = (parts[followed.pre], parts[followed.post])
    if ours != theirs:
        what = f"it mirrors %{followed.name} and must be {theirs}, not {ours}"
        yield Problem("HB0464", what, at)


def _learning(program: Program) -> Iterator[Problem]:
    for group in program.synapses:
        if group.magnitude and not group.mirror:
            what = f"%{group.name} has the magnitude {group.magnitude}, yet mirrors nothing"
            yield Problem("HB0461", what, hint="mirror=GROUP, or magnitude=0")
    mirrors = {group.name: group.mirror for group in program.synapses if group.mirror}
    for name, count in Counter(p.synapses for p in program.plasticity).items():
        if count > 1:
            yield Problem("HB0461", f"%{name} learns by {count} rules", f"plastic %{name}")
        if name in mirrors:
            yield Problem("HB0461", f"%{name} learns, yet mirrors %{mirrors[name]}")
    for name, followed in mirrors.items():
        if followed in mirrors:
            yield Problem(
                "HB0461", f"%{name} mirrors %{followed}, which mirrors %{mirrors[followed]}"
            )


def _readout(program: Program) -> Iterator[Problem]:
    readout, period = program.readout, program.schedule.period
    at = f"readout %{readout.population} {readout.register} at {readout.offset}"
    if not 1 <= readout.offset <= period:
        yield Problem("HB0462", f"the period has the steps 1..{period}", at)
    populations: Mapping[str, Population] = {p.name: p for p in program.populations}
    population = populations.get(readout.population)
    if population is not None and readout.register not in population.neuron.registers:
        known = population.neuron.registers
        what = f"{population.neuron.name} has no register '{readout.register}'"
        yield Problem("HB0462", what, at, population.origin, near(readout.register, known))
