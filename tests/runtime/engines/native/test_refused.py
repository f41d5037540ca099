"""What is no part of the language of kernels is refused with the function and its line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import (
    Half,
    Kernel,
    Kind,
    kernel,
    kind_of,
    logical,
    marked,
)

ON, UNKNOWN = True, 2.5


@kernel
def sums(a: int, b: int) -> int:
    return a + b


@kernel
def total_of(values: Any, weight: int) -> Any:
    return values[0] * weight


@kernel
def pair(a: int, b: int) -> tuple[int, int, int]:
    return a, b, a + b


@kernel
def bump(values: Any) -> Any:
    values[0] += 1
    return values[0]


@kernel
def returns_nothing(values: Any, n: int) -> None:
    values[0] = n


# Each function stands below with the number of its line that is at fault, and why.


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
def element_declared(a: Any, n: int) -> Any:
    a[0]: Half = n  # type: ignore[misc]
    return n


@kernel
def half_of_nothing(a: Any, n: int) -> Any:
    k: Half  # noqa: F842
    return n


@kernel
def declared_late(a: Any, n: int) -> Any:
    k = n
    k: Half = n  # type: ignore[no-redef]
    return k


@kernel
def declared_twice(a: Any, n: int) -> Any:
    k: Half = n
    k: Half = n  # type: ignore[no-redef]
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
    j, _ = total_of(a, n)
    return j


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
    (annotated, 2, "'k: int = 1': a name is declared as 'name: Half = value'"),
    (element_declared, 2, "a name is declared as"),
    (half_of_nothing, 2, "'k: Half': a name is declared as"),
    (declared_late, 3, "'k' is known before it is declared"),
    (declared_twice, 3, "'k' is known before it is declared"),
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
def table_marked(table: Any) -> Any:
    return marked(table, 0)


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
        (table_marked, "'table' has 2 dimensions, not 1"),
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
