"""The one loop of the credit report that is compiled: integer updates, synapse by synapse.

In: the two sides of every product, sample by sample. Out: the sums that `chip` makes moments of.
The definition of an update is `compiler.arithmetic.learning`, which a test holds this loop to. All
that it needs stands in this file: Numba looks here to see whether its cached code is stale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.jit import kernel

Long = NDArray[np.int64]
Flags = NDArray[np.bool_]

FRACTION_BITS = 7
SQUARE, ROUNDING, BETWEEN = range(3)


@kernel
def add_updates(
    weight: Long,
    still: Real,
    still_variance: Real,
    line: Long,
    neuron: Long,
    synapse: Long,
    reads_synapse: Flags,
    shift: Long,
    exponent: Long,
    rows: Flags,
    columns: Flags,
    listed: Long,
    bits: int,
    mean: Real,
    sums: Real,
) -> None:
    """Add the update of every sample on the synapses that it reaches.

    Args:
        weight: (post, lines), stored weights.
        still, still_variance: (post, lines), what an epoch does to a synapse that is not reached.
        line: (draws, samples, products, lines), each product's factors at the line;
        neuron: (draws, samples, products, post), those at the neuron, and the mantissa;
        synapse: (products, post, lines), those at the synapse, where ``reads_synapse``.
        shift, exponent: (products,), of `hebbite.rules.sums.Product`.
        rows, columns: (samples, post) and (samples, lines), which a sample reaches.
        listed: (lines,), memory for the numbers of these lines.
        bits: of a stored weight, without sign.
        mean: (post, lines), to which E[dw] - still is added, the mean over draws.
        sums: (samples, 3), to which are added, over the synapses reached: E|dw|^2 and the variance
            of rounding, less those of ``still``; and the variance of E[dw] over the draws.
    """
    draws, samples, products = line.shape[0], line.shape[1], line.shape[2]
    high = (1 << (bits + FRACTION_BITS)) - 1
    low = -high - 2
    least, most = -(1 << bits), (1 << bits) - 1
    part = (1 << FRACTION_BITS) - 1
    unit, each = 1.0 / (1 << FRACTION_BITS), 1.0 / draws
    for n in range(samples):
        count = 0
        for i in range(weight.shape[1]):
            if columns[n, i]:
                listed[count] = i
                count += 1
        whole, rounding, between = 0.0, 0.0, 0.0
        for j in range(weight.shape[0]):
            if not rows[n, j]:
                continue
            for c in range(count):
                i = listed[c]
                w = weight[j, i]
                expected, square, variance = 0.0, 0.0, 0.0
                for draw in range(draws):
                    total = w << FRACTION_BITS
                    for p in range(products):
                        value = line[draw, n, p, i] * neuron[draw, n, p, j]
                        if reads_synapse[p]:
                            value *= synapse[p, j, i]
                        if value == 0:
                            continue
                        value = (value >> shift[p]) << (exponent[p] + FRACTION_BITS)
                        total = min(max(total + min(max(value, low), high), low), high)
                    chance = (total & part) * unit
                    down = min(max(total >> FRACTION_BITS, least), most)
                    step = min(max((total >> FRACTION_BITS) + 1, least), most) - down
                    change = (down - w) + chance * step
                    expected += change
                    square += change * change
                    variance += chance * (1.0 - chance) * step
                expected, square, variance = expected * each, square * each, variance * each
                usual, spread = still[j, i], still_variance[j, i]
                mean[j, i] += expected - usual
                whole += square + variance - usual * usual - spread
                rounding += variance - spread
                between += square - expected * expected
        sums[n, SQUARE] += whole
        sums[n, ROUNDING] += rounding
        sums[n, BETWEEN] += between
