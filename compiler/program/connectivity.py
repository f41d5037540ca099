"""How a group of synapses joins the lines of its sender to the neurons of its receiver.

Dense    every line reaches every neuron: weight (post, lines).
Sparse   a list: weight (synapses,), sorted by line, then by neuron, no pair twice. The synapses
         of line i are the elements starts[i] .. starts[i + 1] - 1; k ends at neuron targets[k].
         A stored weight of 0 is a synapse: it may learn.
Conv2d   a convolution with shared weights, static. The lines of the sender are an image
         (channel, y, x) in C order, and perhaps a bias line; weight (K, C / groups * kh * kw), and
         one last column for the bias line, which reaches every place of its channel. Neuron
         (k, oy, ox) receives, as a cross-correlation,

             sum_(c, i, j) w[k, c, i, j] p[c, oy sy - top + i dy, ox sx - left + j dx]

         over the c of its group of channels and all places inside of the image. A convolution in
         one dimension is an image of height 1.

`synapses_of` is the one place that unrolls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hebbite.compiler.program.types import Program, Synapses

Long = NDArray[np.int64]


@dataclass(frozen=True)
class Dense:
    """Every line reaches every neuron."""


@dataclass(frozen=True)
class Sparse:
    """A list of synapses. Names of two tensors: ``starts`` int64 (lines + 1,), ``targets`` int32
    (synapses,)."""

    starts: str
    targets: str


@dataclass(frozen=True)
class Conv2d:
    """A convolution with shared weights.

    ``shape`` of the image (C, H, W), ``kernel`` (kh, kw), ``stride`` (sy, sx), ``padding`` (top,
    left, bottom, right), ``dilation`` (dy, dx), ``groups`` of channels.
    """

    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    @property
    def lines(self) -> int:
        """Number of lines of the image."""
        channels, height, width = self.shape
        return channels * height * width

    @property
    def places(self) -> tuple[int, int]:
        """Height and width of what one output channel computes; below 1 where nothing fits."""
        (_, height, width), (top, left, bottom, right) = self.shape, self.padding
        free_y = height + top + bottom - self.dilation[0] * (self.kernel[0] - 1) - 1
        free_x = width + left + right - self.dilation[1] * (self.kernel[1] - 1) - 1
        return free_y // self.stride[0] + 1, free_x // self.stride[1] + 1

    @property
    def taps(self) -> int:
        """Number of weights of one output channel, the bias apart."""
        return self.shape[0] // self.groups * self.kernel[0] * self.kernel[1]


Connectivity = Dense | Sparse | Conv2d


class Unrolled(NamedTuple):
    """Synapses one by one, sorted by line, then by neuron; int64 (synapses,) each.

    ``line`` it starts from, ``post`` neuron it ends at, ``element`` of the flat weight tensor.
    """

    line: Long
    post: Long
    element: Long


class Ends(NamedTuple):
    """Line and neuron of every stored weight, as indices that broadcast to the weight's shape."""

    line: Long
    post: Long


def synapses_of(program: Program, group: Synapses) -> Unrolled:
    """Return the synapses of a group whose names and shapes are sound."""
    connect = group.connect
    if isinstance(connect, Sparse):
        return _listed(program, connect)
    post, lines = program.post_size(group), program.line_count(group)
    if isinstance(connect, Conv2d):
        return _convolved(connect, post, biased=lines > connect.lines)
    line, neuron = np.divmod(np.arange(lines * post, dtype=np.int64), np.int64(max(post, 1)))
    return Unrolled(line, neuron, neuron * lines + line)


def ends_of(program: Program, group: Synapses) -> Ends:
    """Return where the stored weights of a group that may learn begin and end."""
    if isinstance(group.connect, Dense):
        return grid(program.post_size(group), program.line_count(group))
    assert isinstance(group.connect, Sparse), "shared weights do not learn"
    line, post, _ = synapses_of(program, group)
    return Ends(line, post)


def grid(post: int, lines: int) -> Ends:
    """Return the ends of a dense group."""
    return Ends(np.arange(lines, dtype=np.int64)[None, :], np.arange(post, dtype=np.int64)[:, None])


def _listed(program: Program, connect: Sparse) -> Unrolled:
    starts = program.tensors[connect.starts].astype(np.int64)
    targets = program.tensors[connect.targets].astype(np.int64)
    line = np.repeat(np.arange(starts.size - 1, dtype=np.int64), np.diff(starts))
    return Unrolled(line, targets, np.arange(targets.size, dtype=np.int64))


def _convolved(conv: Conv2d, post: int, *, biased: bool) -> Unrolled:
    """Unroll a convolution; axes (k, c, ky, kx, oy, ox), c counted within its group."""
    (channels, height, width), (kh, kw), places = conv.shape, conv.kernel, conv.places
    outputs, inner = post // (places[0] * places[1]), channels // conv.groups
    shape = (outputs, inner, kh, kw, *places)
    k, c, ky, kx, oy, ox = np.ogrid[tuple(slice(size) for size in shape)]
    y = oy * conv.stride[0] - conv.padding[0] + ky * conv.dilation[0]
    x = ox * conv.stride[1] - conv.padding[1] + kx * conv.dilation[1]
    channel = k // (outputs // conv.groups) * inner + c
    columns = conv.taps + biased
    inside = np.broadcast_to((y >= 0) & (y < height) & (x >= 0) & (x < width), shape)
    found = (
        (channel * height + y) * width + x,
        (k * places[0] + oy) * places[1] + ox,
        k * columns + (c * kh + ky) * kw + kx,
    )
    line, neuron, element = (np.broadcast_to(each, shape)[inside] for each in found)
    if biased:
        every = np.arange(post, dtype=np.int64)
        last = every // (places[0] * places[1]) * columns + conv.taps
        line = np.append(line, np.full(post, conv.lines, np.int64))
        neuron, element = np.append(neuron, every), np.append(element, last)
    order = np.lexsort((neuron, line))
    return Unrolled(*(each[order].astype(np.int64) for each in (line, neuron, element)))
