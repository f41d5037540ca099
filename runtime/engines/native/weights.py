"""Weights as the kernels hold them: which store, in what order, and how many are not 0.

A matrix is held pre-major, the weights of a line contiguous; a list as it stands; a convolution by
tap, (channel, ky, kx from the last to the first, output of its group of channels), then its bias,
so that what one message adds to one place, and often to its neighbours, is contiguous. A store
holds weight / 2^shift: a static weight of both signs is even on a chip, so that a byte is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.arithmetic.blocks import flat_blocks, parts, row_blocks
from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.types import IntArray, Program, Synapses
from hebbite.runtime.engines.native.plan import BYTES, SHORTS, WORDS, Long

SHORT_BITS = 13
"""Bits of weights that change in 16-bit elements, which hold the sum of a weight and a step too."""
MISSES = 64
"""Bits of a line that say whom it may miss."""
ANYBODY = -1
"""All of them: of a line whose weights change."""
Form = tuple[str, Conv2d | None]
"""A tensor, and the convolution as which it is held."""


@dataclass(frozen=True)
class Held:
    """Where a tensor stands: store, start, shift; whether it ``varies``; its first line in
    ``nonzero``, and in ``misses``, -1 if nobody reads those of it; a group of it.
    """

    store: int
    start: int
    shift: int
    varies: bool
    lines: int
    misses: int
    group: Synapses


def form_of(group: Synapses) -> Form:
    """Return what a group's weights share with those of another."""
    return group.weight, group.connect if isinstance(group.connect, Conv2d) else None


def changing(program: Program) -> set[str]:
    """Return the tensors that change in a run, and those that are copied: one store for all."""
    names = {plasticity.synapses for plasticity in program.plasticity}
    for group in program.synapses:
        if group.mirror:
            names |= {group.name, group.mirror}
    return {group.weight for group in program.synapses if group.name in names}


def store_of(weight: IntArray, *, changes: bool, bits: int) -> tuple[int, int]:
    """Return (store, shift) of a tensor: the narrowest that holds weight / 2^shift exactly."""
    if changes:
        return (SHORTS if bits <= SHORT_BITS else WORDS), 0
    low, high = int(weight.min(initial=0)), int(weight.max(initial=0))
    if low >= -256 and high <= 254 and not any((block & 1).any() for block in flat_blocks(weight)):
        return BYTES, 1
    if low >= -128 and high <= 127:
        return BYTES, 0
    return (SHORTS, 0) if low >= -(2**15) and high < 2**15 else (WORDS, 0)


def fill_store(flat: IntArray, weight: IntArray, held: Held) -> None:
    """Write a tensor into its part of a store, ``flat``, block by block."""
    connect = held.group.connect
    if isinstance(connect, Conv2d):
        taps = weight[:, : connect.taps].reshape(_by_output(weight, connect))
        by_tap, bias = taps[..., ::-1].transpose(0, 2, 3, 4, 1), weight[:, connect.taps :]
        flat[:] = np.concatenate([by_tap.reshape(-1), bias.reshape(-1)]) >> held.shift
    elif isinstance(connect, Sparse):
        for part in parts(weight.size):
            flat[part] = weight[part] >> held.shift
    else:
        post, lines = weight.shape
        rows = flat.reshape(lines, post)
        for part in parts(lines, post):
            rows[part] = (weight[:, part] >> held.shift).T


def from_store(flat: IntArray, like: IntArray, held: Held) -> Long:
    """Return a tensor of the shape of ``like`` from its part of a store."""
    group, values = held.group, np.empty(like.shape, np.int64)
    if not isinstance(group.connect, Conv2d):
        values[:] = flat.reshape(like.shape[::-1]).T
        values <<= held.shift
        return values
    values = flat.astype(np.int64) << held.shift
    count = like.shape[0] * group.connect.taps
    groups, outputs, *tap = _by_output(like, group.connect)
    by_tap = values[:count].reshape(groups, *tap, outputs).transpose(0, 4, 1, 2, 3)[..., ::-1]
    return np.hstack([by_tap.reshape(like.shape[0], -1), values[count:].reshape(like.shape[0], -1)])


def _by_output(weight: IntArray, conv: Conv2d) -> tuple[int, ...]:
    """Return the shape (group of channels, output of it, channel of it, ky, kx)."""
    outputs, inner = weight.shape[0] // conv.groups, conv.shape[0] // conv.groups
    return conv.groups, outputs, inner, *conv.kernel


def nonzero_of(weight: IntArray, program: Program, group: Synapses) -> Long:
    """Return how many synapses of every line have a weight that is not 0."""
    if isinstance(group.connect, Sparse):
        starts = program.tensors[group.connect.starts].astype(np.int64)
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(weight != 0, dtype=np.int64)])
        return np.asarray(before[starts[1:]] - before[starts[:-1]], np.int64)
    if not isinstance(group.connect, Conv2d):
        counts = np.zeros(weight.shape[1], np.int64)
        for rows in row_blocks(weight):
            counts += np.count_nonzero(rows, axis=0)
        return counts
    return _reached_by_place(weight, program.line_count(group), group.connect)


def misses_of(weight: IntArray) -> Long:
    """Return of every line of a matrix (post, lines) in bit b, 0..63, whether one of the neurons b,
    b + 64, b + 128 .. has a weight that is 0.

    Lines that have no bit in common reach every neuron: mostly that tells it, by a word a line.
    """
    found = np.zeros(weight.shape[1], np.uint64)
    for b in range(min(MISSES, len(weight))):
        missed = np.zeros(weight.shape[1], np.bool_)
        for rows in row_blocks(weight[b::MISSES]):
            missed |= (rows == 0).any(axis=0)
        found |= missed.astype(np.uint64) << np.uint64(b)
    return found.view(np.int64)


def _reached_by_place(weight: IntArray, lines: int, conv: Conv2d) -> Long:
    """Count the weights that a message of every line of an image meets, place by place."""
    by_output = weight[:, : conv.taps].reshape(_by_output(weight, conv))
    reached = np.count_nonzero(by_output, axis=1).reshape(conv.shape[0], *conv.kernel)
    (_, height, width), (top, left, _, _) = conv.shape, conv.padding
    counts = np.zeros(conv.shape, np.int64)
    for i in range(conv.kernel[0]):
        y = np.arange(conv.places[0]) * conv.stride[0] - top + i * conv.dilation[0]
        y = y[(y >= 0) & (y < height)]
        for j in range(conv.kernel[1]):
            x = np.arange(conv.places[1]) * conv.stride[1] - left + j * conv.dilation[1]
            x = x[(x >= 0) & (x < width)]
            counts[:, y[:, None], x[None, :]] += reached[:, i, j][:, None, None]
    bias = np.count_nonzero(weight[:, conv.taps :]) * conv.places[0] * conv.places[1]
    return np.append(counts.reshape(-1), [bias] * (lines - conv.lines)).astype(np.int64)
