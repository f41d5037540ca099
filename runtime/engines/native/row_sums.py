"""Steps added to rows of weights, four at a time; whether a sum leaves the range is asked once.

Where none does, every step that is not 0 has changed a weight. The others are settled, row by row:
a sum less its step is the weight that was there.
"""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.counts import filled
from hebbite.runtime.engines.native.language import Narrow, address, apart, call_printed, kernel
from hebbite.runtime.engines.native.plan import (
    G_SIZE,
    G_STORE,
    G_WEIGHT,
    H_BITS,
    L_GROUP,
    L_SETTLE,
    SHORTS,
    Short,
    Word,
)
from hebbite.runtime.engines.native.rule_tables import (
    COLUMN,
    ROW,
    SETTLE_CHANGES,
    SETTLE_STEP,
    SETTLE_W,
)
from hebbite.runtime.engines.native.synapses import column_at, weight_at
from hebbite.runtime.engines.native.tallies import TALLIED, take_tallies


@kernel
def add_rows_of_steps(m: int, q: int, sent: int, moving: int) -> int:
    """Add the steps in the column to the rows of the ``sent`` lines; return how many weights
    changed. ``moving`` steps are not 0.
    """
    g, bits, lines = at.plastic(m)[q, L_GROUP], at.head(m)[H_BITS], at.lines(m)
    size, base = at.groups(m)[g, G_SIZE], at.groups(m)[g, G_WEIGHT]
    if at.groups(m)[g, G_STORE] == SHORTS:
        rows, steps = at.shorts(m)[base:], at.short_column(m)
        left = add_steps(rows, steps, at.tallies(m), lines, sent, size, bits)
    else:
        words, word_steps = at.words(m)[base:], at.column(m)
        left = add_steps(words, word_steps, at.place_sums(m), lines, sent, size, bits)
    if left:
        return settle_rows(m, q, sent)
    return sent * moving


@apart
def add_steps(
    weights: Short | Word,
    steps: Short | Word,
    sums: Short | Word,
    lines: Word,
    count: int,
    size: int,
    bits: int,
) -> int:
    """Add ``steps`` (neurons,) to the rows of ``count`` lines; return at how many neurons a sum
    left -2^bits..2^bits - 1. ``sums`` is room for bits of them.

    The range of a step is one wider at either side, so that bit bits + 1 of sum + 2^bits tells.
    """
    top, mask, done = 1 << bits, 2 << bits, 0
    sums[:size] = 0
    while done + 4 <= count:
        a, b = weights[lines[done] * size :], weights[lines[done + 1] * size :]
        c, d = weights[lines[done + 2] * size :], weights[lines[done + 3] * size :]
        add_to_four(a, b, c, d, steps, sums, size, top)
        done += 4
    while done < count:
        add_to_one(weights[lines[done] * size :], steps, sums, size, top)
        done += 1
    for j in range(size):
        sums[j] &= mask
    return filled(sums, size)


@apart
def add_to_four(
    a: Short | Word,
    b: Short | Word,
    c: Short | Word,
    d: Short | Word,
    steps: Short | Word,
    sums: Short | Word,
    size: int,
    top: Narrow,
) -> None:
    """Add steps to the first ``size`` weights of four rows, and to ``sums`` the bits of what comes
    of it, plus ``top``.
    """
    for j in range(size):
        step = steps[j]
        a[j] += step
        b[j] += step
        c[j] += step
        d[j] += step
        sums[j] |= (a[j] + top) | (b[j] + top) | (c[j] + top) | (d[j] + top)


@apart
def add_to_one(
    row: Short | Word, steps: Short | Word, sums: Short | Word, size: int, top: Narrow
) -> None:
    """Add steps to one row; see `add_to_four`."""
    for j in range(size):
        row[j] += steps[j]
        sums[j] |= row[j] + top


@kernel
def settle_rows(m: int, q: int, sent: int) -> int:
    """Bring the weights of the ``sent`` lines listed into their range, to which steps were added;
    return how many changed by that.
    """
    table, g, changed = at.tables(m)[ROW + COLUMN :], at.plastic(m)[q, L_GROUP], 0
    size, short = at.groups(m)[g, G_SIZE], at.groups(m)[g, G_STORE] == SHORTS
    weights, lines, tallies = weight_at(m, g, 0), at.lines(m), at.tallies(m)
    table[SETTLE_STEP], table[SETTLE_CHANGES] = column_at(m, g), address(tallies)
    tallies[:size] = 0
    for k in range(sent):
        table[SETTLE_W] = weights + (2 if short else 4) * lines[k] * size
        call_printed(at.plastic(m)[q, L_SETTLE], address(table), size)
        if k % TALLIED == TALLIED - 1:
            changed += take_tallies(tallies, size)
    return changed + take_tallies(tallies, size)
