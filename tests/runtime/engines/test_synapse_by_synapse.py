"""What groups of synapses do, worked out one synapse at a time: sums, counts, what is visited.

The programs are by chance; messages and weights are those that the reference engine recorded.
Convolutions are unrolled here by their equation alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.types import IntArray, Plasticity, Program, Synapses
from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import Recording

Data = Mapping[str, IntArray]
Programs = st.SearchStrategy[tuple[Program, Data, int]]
Long = NDArray[np.int64]
Synapse = tuple[int, int, int]
"""Line, neuron, element of the flat weights."""
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def one_by_one(program: Program, group: Synapses) -> Iterator[Synapse]:
    """Yield the synapses of a group by the words of its equation."""
    connect, lines = group.connect, program.lines(group.pre, group.output)
    post = program.population(group.post).size
    if isinstance(connect, Sparse):
        starts, targets = program.tensors[connect.starts], program.tensors[connect.targets]
        for line in range(lines):
            for k in range(int(starts[line]), int(starts[line + 1])):
                yield line, int(targets[k]), k
    elif isinstance(connect, Conv2d):
        yield from convolved(connect, program.tensors[group.weight].shape, lines)
    else:
        for j in range(post):
            for i in range(lines):
                yield i, j, j * lines + i


def convolved(conv: Conv2d, shape: tuple[int, ...], lines: int) -> Iterator[Synapse]:
    (channels, height, width), (kh, kw), (top, left, bottom, right) = (
        conv.shape,
        conv.kernel,
        conv.padding,
    )
    out_h = (height + top + bottom - conv.dilation[0] * (kh - 1) - 1) // conv.stride[0] + 1
    out_w = (width + left + right - conv.dilation[1] * (kw - 1) - 1) // conv.stride[1] + 1
    inner = channels // conv.groups
    for k in range(shape[0]):
        for oy in range(out_h):
            for ox in range(out_w):
                neuron = k * out_h * out_w + oy * out_w + ox
                for c in range(inner):
                    image = k // (shape[0] // conv.groups) * inner + c
                    for i in range(kh):
                        for j in range(kw):
                            y = oy * conv.stride[0] - top + i * conv.dilation[0]
                            x = ox * conv.stride[1] - left + j * conv.dilation[1]
                            if 0 <= y < height and 0 <= x < width:
                                line = (image * height + y) * width + x
                                yield line, neuron, k * shape[1] + (c * kh + i) * kw + j
                if lines > channels * height * width:
                    yield lines - 1, neuron, (k + 1) * shape[1] - 1


def weights_at(program: Program, group: Synapses, found: Recording, step: int) -> Long:
    """Return the flat weights of a group in a step, counted from 0."""
    start = program.tensors[group.weight].astype(np.int64)
    done = step // program.epoch if program.epoch else 0
    if not done:
        return start.ravel()
    if not group.mirror:
        learned = found.values.get(f"{group.name}.weight")
        return (start if learned is None else learned[done - 1]).ravel()
    copied = found.values[f"{group.mirror}.weight"][done - 1].T[: start.shape[0]]
    signs = np.where(copied >= 0, group.magnitude, -group.magnitude)
    return (signs if group.magnitude else copied).ravel()


def visits(
    plasticity: Plasticity, pairs: list[Synapse], x0: Long, y0: Long, number: int
) -> Counter[str]:
    """Count what an epoch does to every synapse; x0 and y0: which lines and neurons had events."""
    counted: Counter[str] = Counter()
    for line, neuron, _ in pairs:
        met = []
        for update in plasticity.sums:
            held = 0
            for term in update.products:
                names = {term.dependency} | {f.variable for f in term.factors if f.is_event}
                events = {"x0": x0[line], "y0": y0[neuron]}
                held += all(
                    events[n] if n in events else number % 2 ** int(n[1:]) == 0 for n in names
                )
            counted["rule_terms"] += held
            counted["rng_draws"] += held > 0
            met.append(held > 0)
        counted["updates_visited"] += any(met)
    return counted


def assert_one_by_one(program: Program, data: Data, samples: int) -> None:
    groups = program.synapses
    sent = {f"{group.pre}.{group.output}" for group in groups}
    bap = {f"{group.post}.bap" for group in groups}
    inputs = {f"{p.name}.{port}" for p in program.populations for port in ("a", "third")}
    learns = [f"{p.synapses}.weight" for p in program.plasticity]
    sent |= {f"{wire.source}.s" for wire in program.wires}
    machine = load_engine("reference").open(program, rounding="independent")
    found = machine.run(data, samples=samples, probes=(*sorted(sent | bap | inputs), *learns))
    wanted = {name: np.zeros_like(found.values[name]) for name in inputs}
    for wire in program.wires:
        wanted[f"{wire.post}.third"] += found.values[f"{wire.source}.s"]
    for group in groups:
        pairs = list(one_by_one(program, group))
        assert len({(line, neuron) for line, neuron, _ in pairs}) == len(pairs)
        check_group(program, group, pairs, found, wanted[f"{group.post}.{group.port}"])
    for name, values in wanted.items():
        np.testing.assert_array_equal(found.values[name], values, err_msg=name)


def check_group(
    program: Program, group: Synapses, pairs: list[Synapse], found: Recording, arrived: Long
) -> None:
    """Add what a group delivers to ``arrived``; compare its counts."""
    rules = {p.synapses: p for p in program.plasticity}
    message, counted = found.values[f"{group.pre}.{group.output}"], Counter[str]()
    for step in range(found.steps):
        weight, sums = weights_at(program, group, found, step), np.zeros(arrived.shape[1], np.int64)
        for line, neuron, element in pairs:
            payload = int(message[step, line])
            sums[neuron] += weight[element] * (payload if group.graded else payload != 0)
            counted["syn_ops"] += payload != 0 and weight[element] != 0
        up, down = max(group.exponent, 0), max(-group.exponent, 0)
        if step + group.delay < found.steps:
            arrived[step + group.delay] += (sums << up) >> down
    if group.name in rules:
        epoch, rule = program.epoch, rules[group.name]
        bap = found.values[f"{group.post}.bap"]
        for number in range(1, found.steps // epoch + 1):
            steps = slice((number - 1) * epoch, number * epoch)
            x0, y0 = ((values[steps] != 0).any(axis=0) for values in (message, bap))
            counted += visits(rule, pairs, x0, y0, number)
    place = found.counters.components.index(group.name)
    for name in ("syn_ops", "rule_terms", "rng_draws", "updates_visited"):
        assert found.counters.values[place, :, INDEX[name]].sum() == counted[name], (name, group)


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(data=st.data())
def test_sums_and_counts_are_those_of_single_synapses(
    joined_programs: Programs, data: st.DataObject
) -> None:
    assert_one_by_one(*data.draw(joined_programs))
