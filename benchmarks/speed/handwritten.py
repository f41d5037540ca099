"""What a program takes that does one workload and nothing else: the yardstick of a general engine.

Numba, one thread, event-driven; weights line-major in bytes, so that a spike adds one contiguous
row; sums in 16 bits, brought over into 32 before they can overflow. A and C give the bits of the
chip program. B does not: it keeps six fractional bits of every weight instead of rounding by
chance, and its traces decay without chance, which is less work than the chip's rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

I16, I32 = np.int16, np.int32
ROWS = 256
"""Rows of bytes that 16 bits can sum: 256 * 127 < 2^15."""
TOP = 2**23 - 1

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile a function, and keep it on disk."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def inlined(function: F) -> F:
    """Compile a function into those that call it."""
    return cast(F, numba.njit(cache=True, nogil=True, inline="always")(function))


@inlined
def decayed(x: Any, factor: Any) -> Any:
    """Return x * factor / 4096 toward zero, |x| < 2^31, factor <= 4096, in 32 bits throughout."""
    size = abs(x)
    whole = I32(I32(size >> I32(12)) * factor) + I32(I32(I32(size & I32(4095)) * factor) >> I32(12))
    return I32(-whole) if x < 0 else I32(whole)


@jit
def leaky(v: Any, sums: Any, factor: Any, threshold: Any, fired: Any) -> Any:
    """Advance leaky units by one step; write 1 where a unit fires and 0 elsewhere."""
    for j in range(v.size):
        x = I32(decayed(v[j], factor) + I32(sums[j] << I32(6)))
        x = min(max(x, I32(-TOP)), I32(TOP))
        hit = x > threshold
        fired[j] = hit
        v[j] = I32(0) if hit else x


@jit
def listed(fired: Any, out: Any) -> Any:
    """Write the numbers of the flags that are set; return how many. Looks at eight at a time."""
    count, full = 0, fired.size // 8
    eights = fired[: 8 * full].view(np.uint64)
    for block in range(full):
        if eights[block]:
            for j in range(8 * block, 8 * block + 8):
                out[count] = j
                count += fired[j]
    for j in range(8 * full, fired.size):
        if fired[j]:
            out[count] = j
            count += 1
    return count


@jit
def add_rows(weight: Any, lines: Any, count: Any, short: Any, sums: Any) -> Any:
    """Set ``sums`` to the sum of the rows of ``lines[:count]``; ``short`` is room to work in."""
    sums[:] = 0
    first = 0
    while first < count:
        last = min(first + ROWS, count)
        short[:] = 0
        k = first
        while k + 4 <= last:
            a, b = weight[lines[k]], weight[lines[k + 1]]
            c, d = weight[lines[k + 2]], weight[lines[k + 3]]
            for j in range(short.size):
                short[j] += I16(I16(a[j]) + I16(b[j])) + I16(I16(c[j]) + I16(d[j]))
            k += 4
        while k < last:
            a = weight[lines[k]]
            for j in range(short.size):
                short[j] += I16(a[j])
            k += 1
        for j in range(sums.size):
            sums[j] += I32(short[j])
        first = last


@jit
def inference(
    starts: Any,
    lines: Any,
    w0: Any,
    w1: Any,
    w2: Any,
    factor: Any,
    thresholds: Any,
    rasters: Any,
    keep: Any,
) -> Any:
    """Run A; return spikes by layer. Rasters (steps, neurons) are written if ``keep``."""
    n0, n1, n2 = w0.shape[1], w1.shape[1], w2.shape[1]
    v0, v1, v2 = np.zeros(n0, I32), np.zeros(n1, I32), np.zeros(n2, I32)
    a0, a1, a2 = np.zeros(n0, I32), np.zeros(n1, I32), np.zeros(n2, I32)
    f0, f1, f2 = np.zeros(n0, np.uint8), np.zeros(n1, np.uint8), np.zeros(n2, np.uint8)
    s0, s1, s2 = np.zeros(n0 + 8, I32), np.zeros(n1 + 8, I32), np.zeros(n2 + 8, I32)
    b0, b1, b2 = np.zeros(n0, I16), np.zeros(n1, I16), np.zeros(n2, I16)
    total = np.zeros(3, np.int64)
    for step in range(starts.size - 1):
        leaky(v0, a0, factor, thresholds[0], f0)
        leaky(v1, a1, factor, thresholds[1], f1)
        leaky(v2, a2, factor, thresholds[2], f2)
        c0, c1, c2 = listed(f0, s0), listed(f1, s1), listed(f2, s2)
        total[0] += c0
        total[1] += c1
        total[2] += c2
        if keep:
            rasters[0][step], rasters[1][step], rasters[2][step] = f0, f1, f2
        sent = lines[starts[step] : starts[step + 1]]
        add_rows(w0, sent, sent.size, b0, a0)
        add_rows(w1, s0, c0, b1, a1)
        add_rows(w2, s1, c1, b2, a2)
    return total


@jit
def faded(trace: Any, factor: Any, hit: Any, count: Any, whole: Any) -> Any:
    """Let traces of 8 fractional bits decay and rise by 16; write their whole part, at most 127."""
    for i in range(trace.size):
        trace[i] = (trace[i] * factor) >> I32(12)
    for k in range(count):
        trace[hit[k]] += I32(16 << 8)
    for i in range(trace.size):
        whole[i] = I16(min(trace[i] >> I32(8), I32(127)))


@jit
def learning(
    starts: Any, lines: Any, weight: Any, factor: Any, trace_factor: Any, threshold: Any
) -> Any:
    """Run B on ``weight`` (lines, neurons) int16 of six fractional bits; return the spikes."""
    count, neurons = weight.shape
    v, sums, fired = np.zeros(neurons, I32), np.zeros(neurons, I32), np.zeros(neurons, np.uint8)
    out, x, y = np.zeros(neurons + 8, I32), np.zeros(count, I32), np.zeros(neurons, I32)
    x1, y1 = np.zeros(count, I16), np.zeros(neurons, I16)
    total = 0
    for step in range(starts.size - 1):
        leaky(v, sums, factor, threshold, fired)
        spikes = listed(fired, out)
        total += spikes
        sent = lines[starts[step] : starts[step + 1]]
        faded(x, trace_factor, sent, sent.size, x1)
        faded(y, trace_factor, out, spikes, y1)
        sums[:] = 0
        for i in sent:
            row = weight[i]
            for j in range(neurons):
                sums[j] += I32(row[j] >> I16(6))
                row[j] = max(I16(row[j] - y1[j]), I16(-(2**14)))
        if spikes:
            for i in range(count):
                change = x1[i]
                if change:
                    row = weight[i]
                    for k in range(spikes):
                        row[out[k]] = min(I16(row[out[k]] + change), I16(2**14 - 1))
    return total


@jit
def one_current(
    steps: Any,
    starts: Any,
    targets: Any,
    each: Any,
    v: Any,
    u_factor: Any,
    v_factor: Any,
    bias: Any,
    threshold: Any,
    raster: Any,
    keep: Any,
) -> Any:
    """Run C1 from ``v``; ``each`` is the weight of a line. Return the spikes."""
    cells = v.size
    u, sums = np.zeros(cells, I32), np.zeros(cells, I32)
    fired, out = np.zeros(cells, np.uint8), np.zeros(cells + 8, I32)
    total = 0
    for step in range(steps):
        for j in range(cells):
            u[j] = I32(decayed(u[j], u_factor) + I32(sums[j] << I32(6)))
            x = I32(I32(decayed(v[j], v_factor) + u[j]) + bias)
            x = min(max(x, I32(-TOP)), I32(TOP))
            hit = x > threshold
            fired[j] = hit
            v[j] = I32(0) if hit else x
            sums[j] = 0
        count = listed(fired, out)
        total += count
        if keep:
            raster[step] = fired
        for k in range(count):
            i = out[k]
            for s in range(starts[i], starts[i + 1]):
                sums[targets[s]] += each[i]
    return total


@jit
def two_currents(
    steps: Any,
    starts: Any,
    targets: Any,
    each: Any,
    excitatory: Any,
    v: Any,
    unit: Any,
    raster: Any,
    keep: Any,
) -> Any:
    """Run C2 from ``v``; ``unit`` are the nine constants of cuba_lif. Return the spikes."""
    ge_factor, gi_factor, v_factor, ge_gain, gi_gain, scale, threshold, v_reset, refractory = unit
    one = I32(I32(1) << scale)
    cells = v.size
    ge, gi, rest = np.zeros(cells, I32), np.zeros(cells, I32), np.zeros(cells, I32)
    e, i_ = np.zeros(cells, I32), np.zeros(cells, I32)
    fired, out = np.zeros(cells, np.uint8), np.zeros(cells + 8, I32)
    total = 0
    for step in range(steps):
        for j in range(cells):
            ge[j] = min(I32(decayed(ge[j], ge_factor) + I32(e[j] * one)), I32(TOP))
            gi[j] = max(I32(decayed(gi[j], gi_factor) + I32(i_[j] * one)), I32(-TOP))
            e[j] = 0
            i_[j] = 0
        for j in range(cells):
            x = I32(decayed(v[j], v_factor) + decayed(ge[j], ge_gain))
            x = I32(x + decayed(gi[j], gi_gain))
            x = min(max(x, I32(-TOP)), I32(TOP))
            x = v_reset if rest[j] else x
            hit = x > threshold
            fired[j] = hit
            v[j] = v_reset if hit else x
            rest[j] = refractory if hit else max(I32(rest[j] - I32(1)), I32(0))
        count = listed(fired, out)
        total += count
        if keep:
            raster[step] = fired
        for k in range(count):
            line = out[k]
            sums = e if line < excitatory else i_
            for s in range(starts[line], starts[line + 1]):
                sums[targets[s]] += each[line]
    return total
