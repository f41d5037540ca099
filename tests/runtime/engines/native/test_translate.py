"""A kernel does what Python would do with the same function, or is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import (
    Kernel,
    Kind,
    fetch,
    kernel,
    kind_of,
    logical,
    lowest,
    marked,
    ones,
    part,
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


@repeated
@given(st.lists(st.integers(0, 2), min_size=192, max_size=192), st.integers(0, 2))
def test_64_bytes_are_looked_at_at_once(both: Both, values: list[int], number: int) -> None:
    both(marks, np.array(values, np.uint8) * 127, number)


# Control.


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


# What is refused: each function with the number of its line that is at fault, and why.


@kernel
def breaks(a: Any, n: int) -> Any:
    while n:
        break
    return n


@kernel
def for_else(a: Any, n: int) -> Any:
    for k in range(n):
        n += k
    else:
        n = 0
    return n


@kernel
def while_else(a: Any, n: int) -> Any:
    while n > 3:
        n -= 1
    else:
        n = 0
    return n


@kernel
def annotated(a: Any, n: int) -> Any:
    k: int = 1
    return k


@kernel
def unknown_name(a: Any, n: int) -> Any:
    return n + nothing  # type: ignore[name-defined]  # noqa: F821


@kernel
def global_float(a: Any, n: int) -> Any:
    return n + UNKNOWN


@kernel
def negative_index(a: Any, n: int) -> Any:
    return a[-1]


@kernel
def negative_slice(a: Any, n: int) -> Any:
    return a[:-n][0]


@kernel
def float_constant(a: Any, n: int) -> Any:
    return n * 1.5


@kernel
def text_constant(a: Any, n: int) -> Any:
    return n + "5"  # type: ignore[operator]


@kernel
def none_constant(a: Any, n: int) -> Any:
    n = None  # type: ignore[assignment]
    return n


@kernel
def wide_constant(a: Any, n: int) -> Any:
    return n & 0xFFFFFFFFFFFFFFFF


@kernel
def keywords(a: Any, n: int) -> Any:
    return total_of(a, weight=n)


@kernel
def starred(a: Any, n: int) -> Any:
    return max(*(n, 3))


@kernel
def starred_target(a: Any, n: int) -> Any:
    k, *_ = n, 3
    return k


@kernel
def chained(a: Any, n: int) -> Any:
    k = j = n
    return k + j


@kernel
def stepped(a: Any, n: int) -> Any:
    return a[0:n:2][0]


@kernel
def range_with_step(a: Any, n: int) -> Any:
    for k in range(0, n, 2):
        n += k
    return n


@kernel
def over_an_array(a: Any, n: int) -> Any:
    for k in a:
        n += k
    return n


@kernel
def over_pairs(a: Any, n: int) -> Any:
    for j, k in enumerate(a):
        n += j * k
    return n


@kernel
def quotient(a: Any, n: int) -> Any:
    return n / 2


@kernel
def power(a: Any, n: int) -> Any:
    n **= 2
    return n


@kernel
def inverted(a: Any, n: int) -> Any:
    return ~n


@kernel
def contained(a: Any, n: int) -> Any:
    return n in (1, 2)


@kernel
def no_effect(a: Any, n: int) -> Any:
    n + 1
    return n


@kernel
def several_text(a: Any, n: int) -> Any:
    n = 1
    """Not a docstring."""
    return n


@kernel
def raises(a: Any, n: int) -> Any:
    raise ValueError


@kernel
def asserts(a: Any, n: int) -> Any:
    assert n
    return n


@kernel
def nested(a: Any, n: int) -> Any:
    def inner() -> int:
        return 1

    return n


@kernel
def comprehended(a: Any, n: int) -> Any:
    return [n][0]


@kernel
def anonymous(a: Any, n: int) -> Any:
    return (lambda: n)()


@kernel
def walrus(a: Any, n: int) -> Any:
    return (k := n) + k


@kernel
def attribute(a: Any, n: int) -> Any:
    return a.size


@kernel
def shape_alone(a: Any, n: int) -> Any:
    return a.shape


@kernel
def shape_of_a_number(a: Any, n: int) -> Any:
    return n.shape[0]  # type: ignore[attr-defined]


@kernel
def shape_beyond(a: Any, n: int) -> Any:
    return a.shape[1]


@kernel
def shape_at_a_variable(a: Any, n: int) -> Any:
    return a.shape[n]


@kernel
def two_indices(a: Any, n: int) -> Any:
    return a[n, 1]


@kernel
def three_indices(a: Any, n: int) -> Any:
    return a[n, 1, 1]


@kernel
def array_as_a_number(a: Any, n: int) -> Any:
    return a + n


@kernel
def array_as_a_truth(a: Any, n: int) -> Any:
    return 1 if a else 0


@kernel
def array_returned(a: Any, n: int) -> Any:
    return a


@kernel
def array_into_an_element(a: Any, n: int) -> Any:
    a[0] = a
    return n


@kernel
def array_into_a_view(a: Any, n: int) -> Any:
    a[0:2] = a[2:4]
    return n


@kernel
def view_changed_in_place(a: Any, n: int) -> Any:
    a[0:2] += 1
    return n


@kernel
def array_changed_in_place(a: Any, n: int) -> Any:
    a += 1
    return n


@kernel
def number_indexed(a: Any, n: int) -> Any:
    return n[0]  # type: ignore[index]


@kernel
def name_of_both(a: Any, n: int) -> Any:
    n = a
    return n


@kernel
def name_of_both_reversed(a: Any, n: int) -> Any:
    a = n
    return a


@kernel
def loop_over_the_name_of_an_array(a: Any, n: int) -> Any:
    for a in range(n):
        n += a
    return n


@kernel
def choice_of_both(a: Any, n: int) -> Any:
    k = a if n else n
    return k


@kernel
def unknown_function(a: Any, n: int) -> Any:
    return abs(n)


@kernel
def three_to_min(a: Any, n: int) -> Any:
    return min(n, 1, 2)


@kernel
def too_few_arguments(a: Any, n: int) -> Any:
    return total_of(a)  # type: ignore[call-arg]


@kernel
def logical_of_one(a: Any, n: int) -> Any:
    return logical(n)  # type: ignore[call-arg]


@kernel
def nothing_as_a_value(a: Any, n: int) -> Any:
    k = returns_nothing(a, n)
    return k


@kernel
def several_as_one(a: Any, n: int) -> Any:
    k = pair(n, 1)
    return k


@kernel
def too_many_targets(a: Any, n: int) -> Any:
    j, _, _, _ = pair(n, 1)  # type: ignore[misc]
    return j


@kernel
def one_taken_apart(a: Any, n: int) -> Any:
    j, _ = total_of(a, n)  # type: ignore[misc]
    return j  # type: ignore[has-type]


@kernel
def values_missing(a: Any, n: int) -> Any:
    j, _ = n, 1, 2  # type: ignore[misc]
    return j  # type: ignore[has-type]


@kernel
def name_taken_apart(a: Any, n: int) -> Any:
    j, _ = a
    return j


@kernel
def result_beyond(a: Any, n: int) -> Any:
    return pair(n, 1)[3]  # type: ignore[misc]


@kernel
def result_at_a_variable(a: Any, n: int) -> Any:
    return pair(n, 1)[n]


@kernel
def tuple_held(a: Any, n: int) -> Any:
    k = (n, 1)
    return k[0]


@kernel
def no_result_at_the_end(a: Any, n: int) -> Any:
    if n:
        return 1


@kernel
def results_of_two_counts(a: Any, n: int) -> Any:
    if n:
        return 1, 2
    return 1


@kernel
def result_and_none(a: Any, n: int) -> Any:
    if n:
        return
    return 1


@kernel
def no_such_array(a: Any, n: int) -> Any:
    return at.nobody(n)[0]  # type: ignore[attr-defined]


@kernel
def no_module(a: Any, n: int) -> Any:
    return a.head(n)[0]


@kernel
def marks_of_words(a: Any, n: int) -> Any:
    return marked(a, n)


@kernel
def call_late_in_a_chain(a: Any, n: int) -> Any:
    return 0 < n < bump(a)


@kernel
def with_a_default(a: Any, n: int = 3) -> int:
    return n


@kernel
def with_many(a: Any, *n: int) -> int:
    return 1


REFUSED: list[tuple[Any, int, str]] = [
    (breaks, 3, "'break' is not for kernels"),
    (for_else, 2, "no 'else'"),
    (while_else, 2, "no 'else'"),
    (annotated, 2, "'k: int = 1' is not for kernels"),
    (unknown_name, 2, "'nothing' is not known"),
    (global_float, 2, "'UNKNOWN' is not known"),
    (negative_index, 2, "no index is negative"),
    (negative_slice, 2, "no index is negative"),
    (float_constant, 2, "1.5 is no whole number"),
    (text_constant, 2, "'5' is no whole number"),
    (none_constant, 2, "None is no whole number"),
    (wide_constant, 2, "does not fit 64 bits"),
    (keywords, 2, "no keywords"),
    (starred, 2, "is not for kernels"),
    (starred_target, 2, "is not for kernels"),
    (chained, 2, "one target"),
    (stepped, 2, "no step"),
    (range_with_step, 2, "no step"),
    (over_an_array, 2, "range"),
    (over_pairs, 2, "range"),
    (quotient, 2, "the operators are"),
    (power, 2, "the operators are"),
    (inverted, 2, "unary"),
    (contained, 2, "numbers are compared"),
    (no_effect, 2, "does nothing"),
    (several_text, 3, "does nothing"),
    (raises, 2, "not for kernels"),
    (asserts, 2, "not for kernels"),
    (nested, 2, "not for kernels"),
    (comprehended, 2, "not for kernels"),
    (anonymous, 2, "not for kernels"),
    (walrus, 2, "not for kernels"),
    (attribute, 2, "no number and no array"),
    (shape_alone, 2, "no number and no array"),
    (shape_of_a_number, 2, "no array"),
    (shape_beyond, 2, "not one of its dimensions"),
    (shape_at_a_variable, 2, "needs a constant"),
    (two_indices, 2, "has 1 dimensions, not 2"),
    (three_indices, 2, "has 1 dimensions, not 3"),
    (array_as_a_number, 2, "'a' is an array"),
    (array_as_a_truth, 2, "'a' is an array"),
    (array_returned, 2, "'a' is an array"),
    (array_into_an_element, 2, "arrays are not copied"),
    (array_into_a_view, 2, "arrays are not copied"),
    (view_changed_in_place, 2, "write a loop"),
    (array_changed_in_place, 2, "'a' is an array"),
    (number_indexed, 2, "is no array"),
    (name_of_both, 2, "'n' is a number and an array"),
    (name_of_both_reversed, 2, "'a' is a number and an array"),
    (loop_over_the_name_of_an_array, 2, "'a' is a number and an array"),
    (choice_of_both, 2, "of two types"),
    (unknown_function, 2, "'abs' is no kernel"),
    (three_to_min, 2, "needs 2 arguments"),
    (too_few_arguments, 2, "needs 2 arguments"),
    (logical_of_one, 2, "needs 2 arguments"),
    (nothing_as_a_value, 2, "returns nothing"),
    (several_as_one, 2, "several numbers"),
    (too_many_targets, 2, "3 values for 4 targets"),
    (one_taken_apart, 2, "no values to take apart"),
    (values_missing, 2, "3 values for 2 targets"),
    (name_taken_apart, 2, "gives no 2 values"),
    (result_beyond, 2, "not one of its results"),
    (result_at_a_variable, 2, "needs a constant"),
    (tuple_held, 2, "no number and no array"),
    (no_result_at_the_end, 2, "may end without a result"),
    (results_of_two_counts, 4, "1 results here, 2 elsewhere"),
    (result_and_none, 3, "0 results here, 1 elsewhere"),
    (no_such_array, 2, "'at.nobody' is no array of a machine"),
    (no_module, 2, "'a.head' is no array of a machine"),
    (marks_of_words, 2, "no array of bytes"),
    (call_late_in_a_chain, 2, "write 'and'"),
    (with_a_default, 1, "without defaults"),
    (with_many, 1, "plain arguments"),
]


@pytest.mark.parametrize(("function", "line", "why"), REFUSED, ids=[f.name for f, _, _ in REFUSED])
def test_what_is_no_part_of_the_language_is_refused_with_its_line(
    function: Kernel, line: int, why: str
) -> None:
    with pytest.raises(TypeError) as caught:
        compiled(function, Kind(32), None)
    first = function.function.__code__.co_firstlineno
    assert str(caught.value).startswith(f"{function.name}, line {first + line}: ")
    assert why in str(caught.value)


def test_every_function_that_must_be_refused_is_looked_at() -> None:
    here = [each for each in globals().values() if isinstance(each, Kernel)]
    refused: list[Kernel] = [each for each, _, _ in REFUSED]
    first, last = here.index(refused[0]), here.index(refused[-1])
    assert here[first : last + 1] == refused


@kernel
def table_in_parts(table: Any) -> Any:
    return table[1:2][0]


@kernel
def row_set(table: Any) -> None:
    table[1] = 0


@kernel
def array_of_two_types(table: Any) -> Any:
    row = table[0]
    row = table
    return row.shape[0]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (table_in_parts, "take a row"),
        (row_set, "has 2 dimensions, not 1"),
        (array_of_two_types, "'row' is of two types"),
        (sums, "2 arguments, not 1"),
    ],
)
def test_what_a_table_is_not_is_refused(function: Kernel, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        compiled(function, Kind(32, dimensions=2))


@pytest.mark.parametrize("dtype", [np.float32, np.bool_, np.uint64])
def test_elements_that_no_number_holds_are_refused(dtype: type[Any]) -> None:
    with pytest.raises(TypeError, match="are no numbers of a kernel"):
        kind_of(np.dtype(dtype))


def test_a_kernel_is_a_function() -> None:
    with pytest.raises(TypeError, match="no plain function"):
        compiled(kernel(lambda a: a), None)
