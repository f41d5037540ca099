"""A window that slides over an image (channel, y, x): what conv2d and the pools share.

With a kernel (kh, kw), a stride (sy, sx), zeros around the image (top, left, bottom, right) and a
dilation (dy, dx), a value of H x W pixels has

    OH = floor((H + top + bottom - dy (kh - 1) - 1) / sy) + 1

positions down, and OW across likewise. ONNX means the same by ``strides``, ``pads`` (top, left,
bottom, right) and ``dilations``; its ``auto_pad`` is turned into numbers here. A value (channel, x)
is an image of height 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from hebbite.compiler.graph import Array, Attribute, Shape
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Refusal
from hebbite.compiler.program.connectivity import Conv2d

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
Attributes = dict[str, Attribute | Array]
NAMES = ("stride", "padding", "dilation")
"""Attributes of an op with a window, beside its kernel."""


@dataclass(frozen=True)
class Window:
    """Kernel, stride, padding (top, left, bottom, right) and dilation of a sliding window."""

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Sides = (0, 0, 0, 0)
    dilation: Pair = (1, 1)

    @property
    def reach(self) -> Pair:
        """Pixels that the kernel spans down and across."""
        (kh, kw), (dy, dx) = self.kernel, self.dilation
        return dy * (kh - 1) + 1, dx * (kw - 1) + 1

    @property
    def attributes(self) -> Attributes:
        """Stride, padding and dilation as attributes, without those that change nothing."""
        plain = Window(self.kernel)
        return {n: getattr(self, n) for n in NAMES if getattr(self, n) != getattr(plain, n)}

    def positions(self, height: int, width: int) -> Pair:
        """Return (OH, OW).

        Raises:
            Refusal: if the kernel is larger than the padded image, or a padding as large as it.
        """
        (top, left, bottom, right), (down, across) = self.padding, self.reach
        if max(top, bottom) >= down or max(left, right) >= across:
            what = f"a padding {list(self.padding)} beyond what a kernel spans, {down}x{across}"
            raise Refusal(what, hint="a padding below that: further positions would see nothing")
        image = (1, height, width)
        places = Conv2d(image, self.kernel, self.stride, self.padding, self.dilation).places
        if min(places) < 1:
            what = f"a kernel that spans {down}x{across} does not fit an image {height}x{width}"
            raise Refusal(what, hint="a smaller kernel, or padding")
        return places

    def patches(self, images: FloatArray) -> FloatArray:
        """Return what every position sees: (n, C, H, W) to (n, C, OH, OW, kh, kw)."""
        top, left, bottom, right = self.padding
        (sy, sx), (dy, dx) = self.stride, self.dilation
        padded = np.pad(images, ((0, 0), (0, 0), (top, bottom), (left, right)))
        down, across = self.reach
        rows = np.lib.stride_tricks.sliding_window_view(padded, down, axis=2)
        views = np.lib.stride_tricks.sliding_window_view(rows, across, axis=3)
        return views[:, :, ::sy, ::sx, ::dy, ::dx]


def image_of(call: Call) -> tuple[int, int, int]:
    """Return channels, height and width of the value that an op reads."""
    shape = call.inputs[0].shape
    if len(shape) != 3:
        hint = "reshape it to [channels, height, width]"
        raise Refusal(f"an image has 3 axes, not those of {call.inputs[0].type}", hint=hint)
    return shape


def window_of(call: Call, kernel: Shape) -> Window:
    """Return the window of a node with this kernel."""
    return Window(
        cast("Pair", kernel),
        cast("Pair", _integers(call, "stride", (1, 1), low=1)),
        cast("Sides", _integers(call, "padding", (0, 0, 0, 0), low=0)),
        cast("Pair", _integers(call, "dilation", (1, 1), low=1)),
    )


def kernel_of(call: Call) -> Pair:
    """Return the attribute ``kernel``."""
    return cast("Pair", _integers(call, "kernel", (), low=1, count=2))


def pooled(call: Call) -> Shape:
    """Return the shape of what a pool gives; its kernel is no larger than the image itself."""
    channels, height, width = image_of(call)
    window = window_of(call, kernel_of(call))
    down, across = window.reach
    if down > height or across > width:
        what = f"a pool that spans {down}x{across} does not fit an image {height}x{width}"
        raise Refusal(what, hint="a smaller kernel")
    return (channels, *window.positions(height, width))


def _integers(call: Call, name: str, default: Shape, *, low: int, count: int = 0) -> Shape:
    value = call.attributes.get(name, default)
    wanted = count or len(default)
    if not isinstance(value, tuple) or len(value) != wanted or min(value) < low:
        raise Refusal(f"'{name}' must be a list of {wanted} integers of at least {low}")
    return value


def emit_window(
    node: OnnxNode, op: str, window: Window, attributes: Attributes, *, channels: int
) -> tuple[Emit, ...]:
    """Return an op with a window; data (channel, x) are images of one row, reshaped for it."""
    value = node.data(0).shape
    whole = {**attributes, **window.attributes}
    if len(value) == 3:
        return (Emit(op, whole),)
    _, across = window.positions(1, value[1])
    return (
        Emit("reshape", {"shape": (value[0], 1, value[1])}),
        Emit(op, whole, operands=(-1,)),
        Emit("reshape", {"shape": (channels, across)}, operands=(-1,)),
    )


def onnx_window(node: OnnxNode, kernel: Shape) -> Window:
    """Return the window of a node of ONNX; a kernel with one axis gets a height of 1 before it."""
    rank, image = len(kernel), node.data(0).shape[1:]
    if rank not in (1, 2) or len(image) != rank:
        what = f"{node.type} with {rank} axes over data {list(node.data(0).shape)}"
        raise Refusal(what, hint="data (channels, length) or (channels, height, width)")
    strides = _list(node, "strides", (1,) * rank, low=1)
    dilations = _list(node, "dilations", (1,) * rank, low=1)
    pads = _pads(node, kernel, image, strides, dilations)
    before, after = pads[:rank], pads[rank:]
    if rank == 1:
        kernel, strides, dilations = (1, *kernel), (1, *strides), (1, *dilations)
        before, after = (0, *before), (0, *after)
    return Window(
        cast("Pair", kernel),
        cast("Pair", strides),
        cast("Sides", (*before, *after)),
        cast("Pair", dilations),
    )


def _pads(
    node: OnnxNode, kernel: Shape, image: Shape, strides: Shape, dilations: Shape
) -> tuple[int, ...]:
    """Return the zeros before each axis, then those behind each."""
    rank, mode = len(kernel), node.word("auto_pad", "NOTSET")
    if mode == "NOTSET":
        return _list(node, "pads", (0,) * (2 * rank), low=0)
    if mode == "VALID":
        return (0,) * (2 * rank)
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise Refusal(f"auto_pad {mode} is unknown", hint="SAME_UPPER, SAME_LOWER, VALID, NOTSET")
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    needs = [
        max((-(-length // stride) - 1) * stride + span - length, 0)
        for length, stride, span in zip(image, strides, spans, strict=True)
    ]
    small, large = tuple(need // 2 for need in needs), tuple(need - need // 2 for need in needs)
    return (*small, *large) if mode == "SAME_UPPER" else (*large, *small)


def _list(node: OnnxNode, name: str, default: Shape, *, low: int) -> Shape:
    value = node.attributes.get(name, default)
    if (
        not isinstance(value, tuple)
        or len(value) != len(default)
        or not all(isinstance(item, int) and item >= low for item in value)
    ):
        what = f"'{name}' of {node.type} must be a list of {len(default)} integers"
        raise Refusal(f"{what} of at least {low}")
    return cast("Shape", value)
