"""A kernel does what Python would do with the same function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import (
    Half,
    Narrow,
    address,
    apart,
    fetch,
    kernel,
    kind_of,
    logical,
    lowest,
    marked,
    matching,
    ones,
    part,
    turn,
)

Both = Callable[..., int | None]
DTYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64)
BASE, ON = 3, True
UNKNOWN = 2.5
small = st.integers(-(2**20), 2**20)
natural = st.integers(0, 2**40)
word = st.integers(-(2**63), 2**63 - 1)
shift = st.integers(0, 63)
repeated = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


# Numbers.


@kernel
def sums(a: int, b: int) -> int:
    return a + b * 3 - (b - a) * BASE + ON


@kernel
def bits(a: int, b: int) -> int:
    return (a & b) ^ (a | 12345) ^ -b


@kernel
def divided(a: int, b: int) -> int:
    return a // b + 7 * (a % b)


@kernel
def divided_by_powers(a: int) -> int:
    return a // 64 + 5 * (a % 64) + a // 1 + a % 1


@kernel
def shifted(a: int, n: int) -> int:
    return a >> n


@kernel
def shifted_up(a: int, n: int) -> int:
    return a << n


@kernel
def shifted_in(a: int, n: int) -> int:
    return logical(a, n)


@kernel
def numbers_of_bits(a: int) -> int:
    return lowest(a) * 100 + ones(a)


@kernel
def compared(a: int, b: int) -> int:
    found = (a == b) + 2 * (a != b) + 4 * (a < b) + 8 * (a <= b) + 16 * (a > b)
    return found + 32 * (a >= b) + 64 * (a < b < 9) + 128 * (0 <= a <= b != 3)


@kernel
def extremes(a: int, b: int) -> int:
    return min(a, b) - 2 * max(a, b)


@kernel
def opposites(a: int, b: int) -> int:
    return (not a) + 2 * (not b > a) + 4 * (not (a and b)) - -a


@kernel
def chosen(a: int, b: int, c: int) -> int:
    return (a and b) + 1000 * (a or b) + 7 * (a > 3 and b < 2 and c) + 11 * (c or a == b or b)


@kernel
def ternary(a: int, b: int) -> int:
    return a if a > b else b if b > 3 else a > 2


@repeated
@given(a=small, b=small)
def test_sums_products_and_bits_are_those_of_python(both: Both, a: int, b: int) -> None:
    for each in (sums, bits, compared, extremes, opposites, ternary):
        both(each, a, b)


@repeated
@given(a=natural, b=st.integers(1, 2**33))
def test_quotients_of_numbers_that_are_not_negative(both: Both, a: int, b: int) -> None:
    both(divided, a, b)
    both(divided_by_powers, a)


@repeated
@given(a=word, n=shift)
def test_a_shift_down_rounds_down_and_a_logical_one_shifts_zeros_in(
    both: Both, a: int, n: int
) -> None:
    both(shifted, a, n)
    if n:
        both(shifted_in, a, n)


@repeated
@given(a=st.integers(-(2**31), 2**31), n=st.integers(0, 31))
def test_a_shift_up_multiplies(both: Both, a: int, n: int) -> None:
    both(shifted_up, a, n)


@repeated
@given(a=word)
def test_bits_are_found_and_counted(both: Both, a: int) -> None:
    both(numbers_of_bits, a)


def test_zero_has_no_lowest_bit(both: Both) -> None:
    assert both(numbers_of_bits, 0) == 6400


@repeated
@given(a=st.integers(-2, 5), b=st.integers(-2, 5), c=st.integers(-2, 5))
def test_and_and_or_give_the_operand_that_decides(both: Both, a: int, b: int, c: int) -> None:
    both(chosen, a, b, c)
    both(ternary, a, b)
    both(opposites, a, b)
    both(compared, a, b)


# Arrays.


@kernel
def spread_out(to: Any, values: Any, scale: int) -> int:
    total = 0
    for k in range(values.shape[0]):
        to[k] = values[k] * scale
        to[k] += 3
        to[k] ^= k
        total += to[k] - values[k]
    return total


@pytest.mark.parametrize("held", DTYPES)
@pytest.mark.parametrize("given_", DTYPES)
def test_elements_are_widened_when_read_and_cut_when_written(
    both: Both, held: type[Any], given_: type[Any]
) -> None:
    for dtype in (held, given_):
        assert kind_of(np.dtype(dtype)).bits == 8 * np.dtype(dtype).itemsize
    info = np.iinfo(given_)
    rng = np.random.default_rng(3)
    values = rng.integers(info.min // 2**12, info.max // 2**12 + 1, 40).astype(given_)
    values[:4] = info.min >> 10, info.max >> 10, 0, 1
    if info.bits < 64:
        values[:2] = info.min, info.max
    both(spread_out, np.zeros(40, held), values, 5)


@kernel
def windows(values: Any, first: int, last: int) -> Any:
    inner = values[first:last]
    start, rest = values[:first], values[last:]
    inner[:] = 7
    start[1:] = first
    if rest.shape[0] > 2:
        rest[1:2][0] = 9
    whole = values[:]
    return inner.shape[0] + 100 * start.shape[0] + 10000 * rest.shape[0] + whole[0]


@repeated
@given(first=st.integers(1, 8), more=st.integers(0, 8))
def test_a_slice_is_a_view(both: Both, first: int, more: int) -> None:
    both(windows, np.arange(20, dtype=np.int16), first, first + more)


@kernel
def rows(table: Any, row: int) -> Any:
    line = table[row]
    line[0] = line[1] - 1
    table[row, 2] += table.shape[0] * 10 + table.shape[1]
    total = 0
    for r in range(table.shape[0]):
        total += table[r][3] * (r + 1) + table[r, 0]
    table[row][1:3] = 4
    return total + line.shape[0]


@pytest.mark.parametrize("dtype", [np.int8, np.int64])
def test_a_table_has_rows_and_elements(both: Both, dtype: type[Any]) -> None:
    for row in range(3):
        both(rows, np.arange(12, dtype=dtype).reshape(3, 4), row)


@kernel
def either_table(one: Any, other: Any, which: int) -> Any:
    table = one if which else other
    array = one[1] if which else other[0]
    return table.shape[0] * 1000 + table.shape[1] * 100 + table[1, 1] + array[0] + array.shape[0]


def test_a_choice_between_arrays_keeps_their_sizes(both: Both) -> None:
    one, other = np.arange(6).reshape(2, 3), np.arange(20).reshape(4, 5)
    assert both(either_table, one, other, 1) == 2310
    assert both(either_table, one, other, 0) == 4000 + 500 + 6 + 5


@kernel
def marks(values: Any, number: int) -> int:
    fetch(values, number)
    return marked(values, number)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32])
@repeated
@given(values=st.lists(st.integers(0, 2), min_size=192, max_size=192), number=st.integers(0, 2))
def test_64_elements_are_looked_at_at_once(
    both: Both, dtype: type[Any], values: list[int], number: int
) -> None:
    high = 1 << 8 * np.dtype(dtype).itemsize - 2
    both(marks, np.array(values, np.int64).astype(dtype) * dtype(high), number)


@kernel
def matches(values: Any, first: int, wanted: int) -> int:
    return matching(values[1:], first, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32])
@repeated
@given(seed=st.integers(0, 999), first=st.integers(0, 63))
def test_64_elements_are_compared_at_once_wherever_they_start(
    both: Both, dtype: type[Any], seed: int, first: int
) -> None:
    least, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = np.random.default_rng(seed).choice(np.array([least, 0, 1, high], dtype), 128)
    for wanted in (least, 0, 1, high):
        both(matches, values, first, int(wanted))


# Control.


@kernel
def turned(held: Any, along: int, goal: Any, across: int) -> int:
    turn(goal[1:], across, held[2:], along)
    return 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize(("along", "across"), [(4, 4), (5, 9), (11, 4)])
def test_rows_of_four_become_columns_of_four(
    both: Both, dtype: type[Any], along: int, across: int
) -> None:
    both(turned, np.arange(50).astype(dtype), along, np.zeros(50, dtype), across)


@kernel
def scaled(values: Any, times: Narrow, down: Narrow) -> int:
    for i in range(values.shape[0]):
        values[i] = (values[i] * times) >> (down & 15)
    return times + down


@kernel
def scaled_so(values: Any, a: int) -> int:
    return scaled(values, -a, a % 9) + a


@pytest.mark.parametrize("a", [0, 1, 3, 40, 77, 1000])
def test_a_narrow_argument_is_a_number_like_any_other(both: Both, a: int) -> None:
    both(scaled, np.arange(-50, 53, dtype=np.int32), -a, a % 16)
    both(scaled_so, np.arange(-50, 53, dtype=np.int16), a)


@kernel
def summed_by_halves(values: Any, first: int) -> int:
    total: Half = first
    for i in range(values.shape[0]):
        total += values[i] * (values[i] > 0)
    return total


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32])
@pytest.mark.parametrize("length", [0, 1, 31, 64, 200])
def test_a_half_is_a_number_like_any_other(both: Both, dtype: type[Any], length: int) -> None:
    both(summed_by_halves, (np.arange(length) % 60 - 20).astype(dtype), 5)


def test_a_half_is_cut_to_16_bits() -> None:
    found = compiled(summed_by_halves, kind_of(np.dtype(np.int32)), None)
    assert found(np.full(3, 2**14, np.int32), 7) == 3 * 2**14 + 7 - 2**16
    assert found(np.zeros(0, np.int32), 2**16 + 5) == 5


@kernel
def searched(values: Any, wanted: int) -> int:
    count, k = 0, 0
    while k < values.shape[0] and values[k] != wanted:
        k += 1
        if values[k - 1] < 0:
            continue
        elif values[k - 1] == 5:
            count += 10
        else:
            count += 1
    return count * 100 + k


@repeated
@given(st.lists(st.integers(-3, 9), min_size=1, max_size=12), st.integers(-3, 12))
def test_a_while_loop_stops_before_it_reads_too_far(
    both: Both, values: list[int], wanted: int
) -> None:
    both(searched, np.array(values, np.int32), wanted)


@kernel
def counted(first: int, last: int) -> int:
    total, k, steps = 0, 77, 0
    for k in range(first, last):
        for j in range(k):
            if j % 2:
                continue
            if j > 6:
                return -total - k
            total += j * k
        steps += 1
        k += 100
    return total + 1000 * k + 10000000 * steps


@repeated
@given(st.integers(-3, 12), st.integers(-3, 12))
def test_a_range_is_counted_once_whatever_the_loop_does_to_its_variable(
    both: Both, first: int, last: int
) -> None:
    both(counted, first, last)


@kernel
def bounded_by_what_changes(stop: int) -> int:
    total = 0
    for k in range(stop):
        stop -= 2
        total += stop + k
    return total


def test_a_bound_is_read_once(both: Both) -> None:
    both(bounded_by_what_changes, 7)


@kernel
def ends_in_both_branches(a: int) -> int:
    if a > 3:
        return 1
    elif a > 1:
        return 2
    else:
        return 3


@repeated
@given(st.integers(0, 5))
def test_a_function_may_end_in_every_branch(both: Both, a: int) -> None:
    both(ends_in_both_branches, a)


@kernel
def swapped(a: int, b: int, values: Any) -> int:
    a, b = b, a
    values[a], values[b] = values[b], values[a]
    return a * 10 + b


def test_values_are_taken_before_targets_are_set(both: Both) -> None:
    both(swapped, 1, 3, np.arange(5, dtype=np.int8))


@kernel
def returns_nothing(values: Any, a: int) -> None:
    """Write if there is something to write."""
    if a == 0:
        return
    values[:a] = -1


def test_a_kernel_may_return_nothing(both: Both) -> None:
    for a in range(3):
        assert both(returns_nothing, np.zeros(4, np.uint16), a) is None


# Kernels that call kernels.


@kernel
def pair(a: int, b: int) -> tuple[int, int, bool]:
    return a + b, a - b, a > b


@part
def total_of(values: Any, weight: int) -> int:
    found = 0
    for k in range(values.shape[0]):
        found += values[k] * weight
    return found


@kernel
def total_outside(values: Any, weight: int) -> int:
    return total_of(values, weight) + 1


@kernel
def faculty(n: int) -> int:
    return 1 if n < 2 else n * faculty(n - 1)


@kernel
def bump(values: Any) -> int:
    values[0] += 100
    return 1


@kernel
def calls(small: Any, large: Any, table: Any, a: int) -> int:
    plus, minus, larger = pair(a, 3)
    returns_nothing(small, 1)
    total = total_of(small, 2) + total_of(large, 3) + total_outside(table[1], plus)
    total += total_outside(large[1:3], minus) + pair(a, 9)[1] * 7
    large[0] += bump(large)
    return total * 2 + larger + faculty(a)


@repeated
@given(st.integers(0, 12))
def test_a_kernel_calls_kernels_with_arrays_of_several_types(both: Both, a: int) -> None:
    table = np.arange(8, dtype=np.int32).reshape(2, 4)
    both(calls, np.arange(-2, 4, dtype=np.int8), np.arange(5, dtype=np.int64), table, a)


@apart
def products_added(goal: Any, one: Any, other: Any) -> None:
    for j in range(goal.shape[0]):
        goal[j] += one[j] * other[j]


@repeated
@given(st.integers(1, 70))
def test_a_kernel_whose_arrays_are_apart_does_what_others_do(both: Both, size: int) -> None:
    goal, one = np.arange(size, dtype=np.int32), np.arange(-3, size - 3, dtype=np.int32)
    both(products_added, goal, one, np.arange(size, 0, -1, dtype=np.int8))


@kernel
def entry(a: int) -> int:
    return a + 1


@kernel
def memset(a: int) -> int:
    return entry(a) * 2


def test_a_name_that_the_compiler_knows_is_a_name_like_any_other(both: Both) -> None:
    both(memset, 4)


def test_python_cannot_call_a_kernel() -> None:
    with pytest.raises(TypeError, match="sums is a kernel"):
        sums(1, 2)


@kernel
def bytes_between(values: Any, k: int) -> int:
    return address(values[k:]) - address(values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_address_counts_bytes(dtype: type[Any]) -> None:
    values = np.zeros(9, dtype)
    assert compiled(bytes_between, kind_of(values.dtype), None)(values, 5) == 5 * values.itemsize
