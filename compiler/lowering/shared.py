"""Convolutions and pools of a network in the integers of a chip: what is delivered, and for inputs
with a sign a second line a feature.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hebbite.compiler.lowering.network import Long, Real, Stage
from hebbite.compiler.ops.conv2d import correlate
from hebbite.compiler.ops.window import Window
from hebbite.compiler.program.connectivity import Conv2d, Dense


def delivered(connect: Dense | Conv2d, weight: Long, lines: Long) -> Long:
    """Return sum_i w_ji p_i exactly, int64 (..., neurons), for integers p (..., lines).

    weight (neurons, lines), or (K, taps) of a convolution. Integers below 2^53.
    """
    flat = lines.reshape(-1, lines.shape[-1])
    if isinstance(connect, Conv2d):
        window = Window(connect.kernel, connect.stride, connect.padding, connect.dilation)
        patches = window.patches(flat.reshape(-1, *connect.shape).astype(np.float64))
        each = weight.reshape(len(weight), -1, *connect.kernel).astype(np.float64)
        sums = correlate(patches, each, groups=connect.groups).reshape(len(flat), -1)
    else:
        sums = flat.astype(np.float64) @ weight.T.astype(np.float64)
    total: Long = sums.astype(np.int64)
    return total.reshape(*lines.shape[:-1], total.shape[-1])


def doubled(stage: Stage) -> Stage:
    """Return a stage whose input has two lines a feature, all above 0, then all below: the second
    line has minus the weight of the first.

    In a convolution the channels double. Its groups, which would not be neighbours, become one,
    whose other weights are 0.
    """
    connect, weight = stage.connect, stage.weight
    if isinstance(connect, Conv2d):
        weight = _ungrouped(connect, weight)
        channels, height, width = connect.shape
        connect = replace(connect, shape=(2 * channels, height, width), groups=1)
    return replace(stage, weight=np.hstack([weight, -weight]), connect=connect)


def _ungrouped(connect: Conv2d, weight: Real) -> Real:
    """Return weights (K, C kh kw) of a convolution of one group."""
    groups, taps = connect.groups, connect.taps
    made = len(weight) // groups
    whole = np.zeros((groups, made, groups, taps))
    for group in range(groups):
        whole[group, :, group] = weight.reshape(groups, made, taps)[group]
    return whole.reshape(len(weight), -1)
