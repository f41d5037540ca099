"""The one loop of the credit report that is compiled: integer updates, synapse by synapse.

In: what every synapse of a group was told, sample by sample, and the products in force. Out: the
sums that `chip` makes moments of. The definition of an update is `compiler.arithmetic.learning`,
which a test holds this loop to. All that it needs stands in this file: Numba looks here to see
whether its cached code is stale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.runtime.credit.activations import Real
from hebbite.runtime.engines.native.jit import kernel

Long = NDArray[np.int64]
Flags = NDArray[np.bool_]

GATES = ("x0", "y0", "always")
KINDS = ("x0", "x1", "y0", "y1", "y2", "y3", "w", "nothing")
LINE_KINDS, NEURON_KINDS, KIND_W = 2, 6, 6
"""Kinds below 2 stand at the line, the next four at the neuron."""
GATE, MANTISSA, SHIFT, EXPONENT, FIRST, LAST = range(6)
KIND, CONSTANT, SIGN, TOP = range(4)
SQUARE, ROUNDING, BETWEEN = range(3)
FRACTION_BITS = 7


@kernel
def add_updates(
    weight: Long,
    still: Real,
    still_variance: Real,
    line: Long,
    neuron: Long,
    rows: Flags,
    columns: Flags,
    products: Long,
    factors: Long,
    bits: int,
    mean: Real,
    sums: Real,
) -> None:
    """Add the update of every sample on the synapses that it reaches.

    Args:
        weight: (post, lines), stored weights.
        still, still_variance: (post, lines), what an epoch does to a synapse that is not reached.
        line: (draws, samples, lines, 2), x0 and x1; neuron: (draws, samples, post, 4), y0..y3.
        rows, columns: (samples, post) and (samples, lines), which a sample reaches.
        products: (products, 6), factors: (factors, 4), as the names above.
        bits: of a stored weight, without sign.
        mean: (post, lines), to which E[dw] - still is added, the mean over draws.
        sums: (samples, 3), to which are added, over the synapses reached: E|dw|^2 and the variance
            of rounding, less those of ``still``; and the variance of E[dw] over the draws.
    """
    draws, samples = line.shape[0], line.shape[1]
    high = (1 << (bits + FRACTION_BITS)) - 1
    low = -high - 2
    least, most = -(1 << bits), (1 << bits) - 1
    for n in range(samples):
        for j in range(weight.shape[0]):
            if not rows[n, j]:
                continue
            for i in range(weight.shape[1]):
                if not columns[n, i]:
                    continue
                w = weight[j, i]
                expected, square, variance = 0.0, 0.0, 0.0
                for draw in range(draws):
                    total = w << FRACTION_BITS
                    for p in range(products.shape[0]):
                        if products[p, GATE] == 0:
                            value = line[draw, n, i, 0]
                        elif products[p, GATE] == 1:
                            value = neuron[draw, n, j, 0]
                        else:
                            value = 1
                        value *= products[p, MANTISSA]
                        for f in range(products[p, FIRST], products[p, LAST]):
                            if value == 0:
                                break
                            kind = factors[f, KIND]
                            factor = 0
                            if kind < LINE_KINDS:
                                factor = line[draw, n, i, kind]
                            elif kind < NEURON_KINDS:
                                factor = neuron[draw, n, j, kind - LINE_KINDS]
                            elif kind == KIND_W:
                                factor = w
                            factor += factors[f, CONSTANT]
                            if factors[f, SIGN]:
                                factor = (factor > 0) - (factor < 0)
                            value *= min(max(factor, -factors[f, TOP]), factors[f, TOP] - 1)
                        value >>= products[p, SHIFT]
                        value <<= products[p, EXPONENT] + FRACTION_BITS
                        total = min(max(total + min(max(value, low), high), low), high)
                    chance = (total & ((1 << FRACTION_BITS) - 1)) / (1 << FRACTION_BITS)
                    down = min(max(total >> FRACTION_BITS, least), most)
                    step = min(max((total >> FRACTION_BITS) + 1, least), most) - down
                    change = (down - w) + chance * step
                    expected += change / draws
                    square += change * change / draws
                    variance += chance * (1.0 - chance) * step / draws
                usual, spread = still[j, i], still_variance[j, i]
                mean[j, i] += expected - usual
                sums[n, SQUARE] += square + variance - usual * usual - spread
                sums[n, ROUNDING] += variance - spread
                sums[n, BETWEEN] += square - expected * expected
