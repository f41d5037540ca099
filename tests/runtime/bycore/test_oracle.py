"""Counts by core, worked out one neuron and one synapse at a time: every step, core and counter.

Where things stand follows from two sentences: neuron j of n on c cores is on core number
j // ceil(n / c) of them, a line of bias with the last neuron; and tiles are numbered column by
column. Messages, weights and registers are those that the reference engine recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.targets import load_target
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.bycore import CORE_COUNTERS, HOST, count_by_core
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import all_probes

Data = Mapping[str, IntArray]
Programs = st.SearchStrategy[tuple[Program, Data, int]]
Long = NDArray[np.int64]
Tally = Counter[tuple[int, int, str]]
"""(step, core, counter) -> count."""
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def home(population: Population, neuron: int) -> int:
    share = -(-population.size // len(population.cores))
    return population.cores[min(neuron, population.size - 1) // share]


def tile(program: Program, core: int) -> tuple[int, int, int]:
    target = load_target(program.target)
    chip, inside = core // int(target.cores_per_chip), core % int(target.cores_per_chip)
    number, rows = inside // int(target.cores_per_tile), int(target.tile_rows)
    return chip, number // rows, number % rows


def hops_between(program: Program, core: int, goal: int) -> tuple[int, int, int]:
    """Return the columns and rows that a message passes, and whether it changes chip; chips stand
    in a row, and it leaves its own by the edge that faces the other."""
    (chip, x, y), (chip_to, x_to, y_to) = tile(program, core), tile(program, goal)
    last = int(load_target(program.target).tile_columns) - 1
    if chip == chip_to:
        columns = abs(x - x_to)
    elif chip < chip_to:
        columns = (last - x) + x_to
    else:
        columns = x + (last - x_to)
    return columns, abs(y - y_to), int(chip != chip_to)


def one_by_one(program: Program, group: Synapses) -> Iterator[tuple[int, int, int]]:
    """Yield line, neuron and element of the flat weights of every synapse."""
    lines, post = program.lines(group.pre, group.output), program.population(group.post).size
    connect = group.connect
    if isinstance(connect, Sparse):
        starts, targets = program.tensors[connect.starts], program.tensors[connect.targets]
        for line in range(lines):
            for k in range(int(starts[line]), int(starts[line + 1])):
                yield line, int(targets[k]), k
    elif isinstance(connect, Conv2d):
        yield from places(connect, post, lines)
    else:
        for line in range(lines):
            for j in range(post):
                yield line, j, j * lines + line


def places(conv: Conv2d, post: int, lines: int) -> Iterator[tuple[int, int, int]]:
    """Yield the synapses of a convolution: which pixel does each tap of each place see?"""
    (channels, height, width), (high, wide), (rows, columns) = conv.shape, conv.kernel, conv.places
    inner, biased = channels // conv.groups, lines > conv.lines
    taps = inner * high * wide
    for neuron in range(post):
        k, place = divmod(neuron, rows * columns)
        top = place // columns * conv.stride[0] - conv.padding[0]
        left = place % columns * conv.stride[1] - conv.padding[1]
        first = k * conv.groups // (post // (rows * columns)) * inner
        for tap in range(taps):
            c, y = tap // (high * wide), top + tap // wide % high * conv.dilation[0]
            x = left + tap % wide * conv.dilation[1]
            if 0 <= y < height and 0 <= x < width:
                yield ((first + c) * height + y) * width + x, neuron, k * (taps + biased) + tap
        if biased:
            yield lines - 1, neuron, k * (taps + 1) + taps


def weights_at(program: Program, group: Synapses, values: Mapping[str, Long], step: int) -> Long:
    """Return the flat weights of a group in a step."""
    learners = {program.group(p.synapses).weight: p.synapses for p in program.plasticity}
    start = program.tensors[group.weight].astype(np.int64)
    done = step // program.epoch if program.epoch else 0
    if not done:
        return start.ravel()
    if group.mirror:
        followed = values[f"{group.mirror}.weight"][done - 1].T[: start.shape[0]]
        signs = np.where(followed >= 0, group.magnitude, -group.magnitude)
        return np.asarray(signs if group.magnitude else followed, np.int64).ravel()
    if group.weight in learners:
        return np.asarray(values[f"{learners[group.weight]}.weight"][done - 1], np.int64).ravel()
    return start.ravel()


def count_group(program: Program, group: Synapses, values: Mapping[str, Long], out: Tally) -> None:
    """Count what a group sends, reaches and costs on its way."""
    post, steps = program.population(group.post), len(values[f"{group.pre}.s"])
    message = values[f"{group.pre}.{group.output}"]
    synapses = list(one_by_one(program, group))
    goals = {(line, home(post, neuron)) for line, neuron, _ in synapses}
    sources = {source.name for source in program.sources}
    for step in range(steps):
        weights = weights_at(program, group, values, step)
        for line, neuron, element in synapses:
            if message[step, line] and weights[element]:
                out[step, home(post, neuron), "syn_ops"] += 1
        for line, goal in goals:
            if not message[step, line]:
                continue
            out[step, goal, "spikes_in"] += 1
            if group.pre not in sources:
                core = home(program.population(group.pre), line)
                columns, rows, crossed = hops_between(program, core, goal)
                out[step, core, "axon_out"] += 1
                out[step, core, "hops_ew"] += columns
                out[step, core, "hops_ns"] += rows
                out[step, core, "interchip"] += crossed


def is_active(
    program: Program, name: str, values: Mapping[str, Long], step: int, neuron: int
) -> bool:
    """Whether v, a bias, a wire, or a message through a weight that is not 0 moves a neuron."""
    population = program.population(name)
    if step and values[f"{name}.v"][step - 1, neuron]:
        return True
    table = dict(population.tables).get("bias")
    if table is not None and program.tensors[table][neuron]:
        return True
    wires = [wire for wire in program.wires if wire.post == name]
    if any(values[f"{wire.source}.s"][step, neuron] for wire in wires):
        return True
    for group in program.synapses:
        then = step - group.delay
        if group.post != name or then < 0:
            continue
        weights = weights_at(program, group, values, then)
        message = values[f"{group.pre}.{group.output}"][then]
        ends = ((line, w) for line, j, w in one_by_one(program, group) if j == neuron)
        if any(message[line] and weights[w] for line, w in ends):
            return True
    return False


def count_neurons(program: Program, name: str, values: Mapping[str, Long], out: Tally) -> None:
    """Count what the neurons of a population do."""
    population, period = program.population(name), program.schedule.period
    bound = population.neuron.bind(dict(population.constants), period=period)
    counted = {"reset": "resets", "random": "rng_draws"}
    code = [i for i in bound.instructions if i.op in counted]
    for step in range(len(values[f"{name}.s"])):
        offset = step % period + 1
        for neuron in range(population.size):
            core = home(population, neuron)
            out[step, core, "neuron_steps"] += 1
            out[step, core, "neuron_active"] += is_active(program, name, values, step, neuron)
            for output in ("s", "e"):
                out[step, core, "spikes_out"] += values[f"{name}.{output}"][step, neuron] != 0
            for i in code:
                if int(i.first) <= offset <= int(i.last):
                    out[step, core, counted[i.op]] += 1
            if name == program.readout.population and offset == program.readout.offset:
                out[step, core, "host_words"] += 1


def count_learning(
    program: Program, rule: Plasticity, values: Mapping[str, Long], out: Tally
) -> None:
    """Count traces and updates of a group, epoch by epoch."""
    group = program.group(rule.synapses)
    post, epoch = program.population(group.post), rule.epoch
    message, bap = values[f"{group.pre}.{group.output}"], values[f"{group.post}.bap"]
    synapses = list(one_by_one(program, group))
    traces = [name for name, _ in rule.traces]
    for step in range(len(message)):
        for line in np.flatnonzero(message[step]):
            cores = [home(post, j) for i, j, _ in synapses if i == line]
            first = min(cores, key=post.cores.index, default=post.cores[0])
            out[step, first, "trace_updates"] += sum(name[0] == "x" for name in traces)
        if rule.factors == 2:
            for neuron in np.flatnonzero(bap[step]):
                kept = sum(name[0] == "y" for name in traces)
                out[step, home(post, int(neuron)), "trace_updates"] += kept
    for number in range(1, len(message) // epoch + 1):
        steps, last = slice((number - 1) * epoch, number * epoch), number * epoch - 1
        x0, y0 = (message[steps] != 0).any(axis=0), (bap[steps] != 0).any(axis=0)
        before = weights_at(program, group, values, last)
        after = values[f"{group.name}.weight"][number - 1].ravel()
        for line, neuron, element in synapses:
            core, visited = home(post, neuron), False
            for update in rule.sums:
                held = 0
                for product in update.products:
                    names = {product.dependency}
                    names |= {f.variable for f in product.factors if f.is_event}
                    events = {"x0": x0[line], "y0": y0[neuron]}
                    held += all(
                        events[n] if n in events else number % 2 ** int(n[1:]) == 0 for n in names
                    )
                out[last, core, "rule_terms"] += held
                out[last, core, "rng_draws"] += held > 0
                visited = visited or held > 0
            out[last, core, "updates_visited"] += visited
            out[last, core, "updates_changed"] += before[element] != after[element]
        if rule.factors == 3:
            for name in (name for name in traces if name[0] == "y"):
                for neuron in np.flatnonzero(values[f"{group.post}.{name}"][last]):
                    out[last, home(post, int(neuron)), "trace_updates"] += 1


def count_host(program: Program, values: Mapping[str, Long], out: Tally) -> None:
    """Count the words that the host sends and copies."""
    for source in program.sources:
        for step, message in enumerate(values[f"{source.name}.s"]):
            out[step, HOST, "host_words"] += int(np.count_nonzero(message))
    epochs = len(values[f"{program.sources[0].name}.s"]) // program.epoch if program.epoch else 0
    for group in (group for group in program.synapses if group.mirror):
        post = program.population(group.post)
        for number in range(1, epochs + 1):
            for neuron in range(post.size):
                words = program.tensors[group.weight].shape[1]
                out[number * program.epoch - 1, home(post, neuron), "host_words"] += words


def assert_one_by_one(program: Program, data: Data, samples: int) -> Tally:
    """Compare every count; return those that are not 0."""
    probes = all_probes(program)
    engine = load_engine("reference")
    recorded = engine.open(program, rounding="independent").run(
        data, samples=samples, probes=probes
    )
    counts = count_by_core(
        engine.open(program, rounding="independent"), program, data, samples=samples
    )
    wanted: Tally = Counter()
    for population in program.populations:
        count_neurons(program, population.name, recorded.values, wanted)
    for group in program.synapses:
        count_group(program, group, recorded.values, wanted)
    for rule in program.plasticity:
        count_learning(program, rule, recorded.values, wanted)
    count_host(program, recorded.values, wanted)
    found = {
        (step, core, counter): int(counts.values[step, column, place])
        for step in range(counts.steps)
        for column, core in enumerate(counts.cores)
        for place, counter in enumerate(CORE_COUNTERS)
    }
    assert {k: int(v) for k, v in wanted.items() if v} == {k: v for k, v in found.items() if v}
    return +wanted


def test_every_count_is_that_of_single_neurons_and_synapses(placed_programs: Programs) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=80, deadline=None, suppress_health_check=QUIET)
    @given(sample=placed_programs)
    def check(sample: tuple[Program, Data, int]) -> None:
        seen.update({counter for _, _, counter in assert_one_by_one(*sample)})
        kinds = {type(group.connect).__name__ for group in sample[0].synapses}
        late = any(group.delay > 1 for group in sample[0].synapses)
        seen.update(kinds | {"delays"} if late else kinds)

    check()
    parts = {*CORE_COUNTERS, "Dense", "Sparse", "Conv2d", "delays"}
    assert not {part for part in parts if not seen[part]}, seen


def test_a_trace_is_counted_on_the_first_core_that_its_line_reaches() -> None:
    lif = (("du_keep", 0), ("dv_keep", 4000), ("threshold", 64))
    program = Program(
        "one each",
        "loihi1",
        Schedule(2, 2),
        sources=(Source("in", 3, (1, 2)),),
        populations=(Population("cells", 3, LIF, lif, (("bias", "bias"),), cores=(9, 0, 4)),),
        synapses=(
            Synapses("s", "in", "cells", "w", graded=False, connect=Sparse("starts", "targets")),
        ),
        readout=Readout("cells", "s", 2, count=True),
        plasticity=(
            Plasticity("s", parse_sum("dw = 2^-2*y0*x1"), 2, (("x1", Trace(9, 16)),), factors=2),
        ),
        tensors={
            "w": np.array([5, 6, 7, 8], np.int16),
            "starts": np.array([0, 1, 3, 4]),
            "targets": np.array([0, 1, 2, 2], np.int32),
            "bias": np.zeros(3, np.int64),
        },
    )
    data = {"in": np.array([[[1, 0, 0], [0, 1, 0]], [[0, 1, 1], [1, 1, 1]]])}
    assert_one_by_one(program, data, 2)
    machine = load_engine("native").open(program, rounding="independent")
    counts = count_by_core(machine, program, data, samples=2)
    traces = counts.of("trace_updates")[:, [counts.cores.index(core) for core in (9, 0, 4)]]
    assert traces.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]]
