"""The law of a group of synapses: its weights, and how they join lines to neurons.

* Weights are integers of the shape that the connectivity asks for; weights and magnitudes fit the
  chip's word; delays are 1..63, exponents -8..7.
* A list is sorted by line, then by neuron, within range, and holds no pair twice; its indices are
  constants, not weights.
* A convolution fits its image and its receiver. Its weights are shared, so they do not change:
  neither it nor any group with the same tensor learns or mirrors.
* A mirror and what it follows are dense.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hebbite.compiler.program.connectivity import Conv2d, Dense, Sparse
from hebbite.compiler.program.types import IntArray, Program, Synapses
from hebbite.rules.errors import Problem

LONGEST_DELAY = 63


def group_problems(program: Program, group: Synapses) -> Iterator[Problem]:
    """Yield what breaks the law (HB0434, HB0435, HB0465..HB0467) in a group with known ends."""
    at = f"%{group.name} = synapses(%{group.pre}.{group.output} -> %{group.post}.{group.port})"
    shapes = tuple(_shapes(program, group, at))
    yield from shapes
    if not shapes:
        yield from _values(program, group, at)
        yield from _changes(program, group, at)


def _shapes(program: Program, group: Synapses, at: str) -> Iterator[Problem]:
    """What must hold before anything can be unrolled."""
    connect, post = group.connect, program.post_size(group)
    if isinstance(connect, Sparse):
        found = tuple(_index_types(program, group, connect, at))
        yield from found or _listed(program, group, connect, at)
        return
    wanted: tuple[int, ...] = (post, program.line_count(group))
    if isinstance(connect, Conv2d):
        if what := _misfit(program, group, connect):
            yield Problem("HB0466", what, at)
            return
        places = connect.places[0] * connect.places[1]
        biased = program.line_count(group) > connect.lines
        wanted = (post // places, connect.taps + biased)
    yield from _weight(program, group, wanted, at)


def _weight(
    program: Program, group: Synapses, wanted: tuple[int, ...], at: str
) -> Iterator[Problem]:
    weight = program.tensors.get(group.weight)
    if weight is None or weight.shape != wanted or weight.dtype.kind != "i":
        yield Problem("HB0434", f"@{group.weight} must be integers {wanted}, not {_is(weight)}", at)


def _is(tensor: IntArray | None) -> str:
    return "nothing" if tensor is None else f"{tensor.dtype} {tensor.shape}"


def _index_types(program: Program, group: Synapses, connect: Sparse, at: str) -> Iterator[Problem]:
    lines = program.line_count(group)
    starts, targets = (program.tensors.get(name) for name in (connect.starts, connect.targets))
    if starts is None or starts.shape != (lines + 1,) or starts.dtype != np.int64:
        what = f"@{connect.starts} must be int64 ({lines + 1},), not {_is(starts)}"
        yield Problem("HB0465", what, at)
    if targets is None or targets.ndim != 1 or targets.dtype != np.int32:
        what = f"@{connect.targets} must be int32 (synapses,), not {_is(targets)}"
        yield Problem("HB0465", what, at)
    else:
        yield from _weight(program, group, targets.shape, at)
    weights = {other.weight for other in program.synapses}
    for name in sorted({connect.starts, connect.targets} & weights):
        yield Problem("HB0465", f"@{name} holds indices, and is a weight too", at)


def _listed(program: Program, group: Synapses, connect: Sparse, at: str) -> Iterator[Problem]:
    """Starts that ascend over all synapses, targets that ascend within every line."""
    starts = program.tensors[connect.starts]
    targets = program.tensors[connect.targets]
    if starts[0] != 0 or starts[-1] != targets.size or (starts[1:] < starts[:-1]).any():
        what = f"@{connect.starts} must ascend from 0 to the {targets.size} synapses"
        yield Problem("HB0465", what, at)
        return
    post = program.post_size(group)
    outside = (targets < 0) | (targets >= post)
    if outside.any():
        what = f"@{connect.targets} holds {targets[outside][0]}, beyond the neurons 0..{post - 1}"
        yield Problem("HB0465", what, at)
        return
    unsorted = targets[1:] <= targets[:-1]
    borders = starts[1:-1]
    unsorted[borders[(borders > 0) & (borders < targets.size)] - 1] = False
    if unsorted.any():
        line = int(np.searchsorted(starts, np.argmax(unsorted), side="right")) - 1
        what = f"the neurons of line {line} must ascend, each once"
        yield Problem("HB0465", what, at, hint="sort synapses by line, then by neuron")


def _misfit(program: Program, group: Synapses, conv: Conv2d) -> str:
    """Say why a convolution fits neither its image nor its receiver; '' if it does."""
    numbers = (*conv.shape, *conv.kernel, *conv.stride, *conv.dilation, conv.groups)
    if min(numbers) < 1 or min(conv.padding) < 0:
        return f"{conv}: sizes are at least 1, padding at least 0"
    sources = {source.name: source.size for source in program.sources}
    size = sources.get(group.pre) or program.population(group.pre).size
    if size != conv.lines:
        return f"an image of {list(conv.shape)} has {conv.lines} lines, %{group.pre} {size}"
    if conv.shape[0] % conv.groups:
        return f"{conv.shape[0]} channels do not fall into {conv.groups} groups"
    if min(conv.places) < 1:
        return f"a kernel of {list(conv.kernel)} does not fit an image of {list(conv.shape)}"
    post, places = program.post_size(group), conv.places[0] * conv.places[1]
    if post % places or (post // places) % conv.groups:
        height, width = conv.places
        return f"{post} neurons are no {conv.groups} x n channels of {height} x {width}"
    return ""


def _values(program: Program, group: Synapses, at: str) -> Iterator[Problem]:
    weight, post = program.tensors[group.weight], program.population(group.post)
    low, high = program.widths.weight_low, program.widths.weight_high
    if weight.size and (weight.min() < low or weight.max() > high):
        yield Problem("HB0435", f"@{group.weight} leaves {low}..{high}", at, post.origin)
    if not 0 <= group.magnitude <= high:
        yield Problem("HB0435", f"a magnitude of {group.magnitude} leaves 0..{high}", at)
    if not 1 <= group.delay <= LONGEST_DELAY or not -8 <= group.exponent <= 7:
        what = f"delay {group.delay} (1..{LONGEST_DELAY}) or exponent {group.exponent} (-8..7)"
        yield Problem("HB0435", f"{what} is out of range", at)


def _changes(program: Program, group: Synapses, at: str) -> Iterator[Problem]:
    """Refuse what only dense groups can do, and the learning of shared weights."""
    if isinstance(group.connect, Dense):
        return
    followed = [other.mirror for other in program.synapses if other.mirror]
    if group.mirror or group.name in followed:
        what = "a list or a convolution neither mirrors nor is mirrored: transposing needs a matrix"
        yield Problem("HB0467", what, at)
    if isinstance(group.connect, Conv2d) and group.weight in changing(program):
        what = f"@{group.weight} is shared by the places of an image: shared synapses cannot learn"
        yield Problem("HB0467", what, at, hint="connect it as sparse, each synapse on its own")


def changing(program: Program) -> set[str]:
    """Return the names of the weights that learning changes, copies included."""
    learns = {plasticity.synapses for plasticity in program.plasticity}
    return {group.weight for group in program.synapses if group.mirror or group.name in learns}
