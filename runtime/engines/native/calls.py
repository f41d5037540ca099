"""Calls of a kernel, printed: other kernels, the words of the language, the arrays of a machine."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from llvmlite import ir

from hebbite.runtime.engines.native.expressions import I1, I32, I64, Expressions, Number, View
from hebbite.runtime.engines.native.language import (
    Kernel,
    Kind,
    Types,
    address,
    call_printed,
    fetch,
    kind_of,
    logical,
    lowest,
    marked,
    matching,
    ones,
    turn,
)
from hebbite.runtime.engines.native.subset import Source
from hebbite.runtime.engines.native.views import ENTRY, FIELDS, Field

_MASK = ir.VectorType(I32, 4)


class Owner(Protocol):
    """The module that a function is printed into."""

    module: ir.Module

    def function(self, kernel: Kernel, types: Types) -> tuple[ir.Function, int]:
        """Return the compiled function, and how many numbers it returns."""


def fitted(builder: ir.IRBuilder, value: Number, wanted: ir.Argument) -> Number:
    """Return an argument as a kernel wants it: a number cut to 32 bits where it is `Narrow`."""
    return builder.trunc(value, I32) if wanted.type == I32 else value


class Calls(Expressions):
    """Prints calls too."""

    def __init__(
        self,
        owner: Owner,
        source: Source,
        known: Mapping[str, Any],
        function: ir.Function,
        body: ir.IRBuilder,
    ) -> None:
        super().__init__(source, known, function, body)
        self._owner = owner

    def _call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            return self._machine_array(node)
        name = ast.unparse(node.func)
        known = self._globals.get(name)
        if isinstance(known, Kernel):
            return self._call_kernel(known, node)
        if known is None and name in ("min", "max"):
            one, other = (self._number(each) for each in self._given(node, 2))
            test = self._builder.icmp_signed("<" if name == "min" else ">", one, other)
            return self._builder.select(test, one, other)
        if known is call_printed:
            return self._call_address(node)
        if known is logical:
            value, shift = (self._number(each) for each in self._given(node, 2))
            return self._builder.lshr(value, shift)
        if known is lowest:
            (value,) = self._given(node, 1)
            return self._builder.cttz(self._number(value), ir.Constant(I1, 0))
        if known is ones:
            (value,) = self._given(node, 1)
            return self._builder.ctpop(self._number(value))
        if known is address:
            (array,) = self._given(node, 1)
            return self._builder.ptrtoint(self._view(self._value(array), array).start, I64)
        if known is fetch:
            return self._fetch(node)
        if known is marked:
            return self._marked(node)
        if known is matching:
            return self._matching(node)
        if known is turn:
            return self._turn(node)
        self._refuse(node, f"'{name}' is no kernel")

    def _given(self, node: ast.Call, count: int) -> list[ast.expr]:
        if len(node.args) != count:
            self._refuse(node, f"'{ast.unparse(node)}' needs {count} arguments")
        return node.args

    def _call_kernel(self, kernel: Kernel, node: ast.Call) -> Any:
        wanted = kernel.function.__code__.co_argcount
        arguments: list[Number] = []
        types: list[Kind | None] = []
        for each in self._given(node, wanted):
            value = self._value(each)
            if isinstance(value, View):
                arguments += [value.start, value.size, value.rows]
                types.append(value.kind)
            else:
                arguments.append(self._wide(value))
                types.append(None)
        function, _ = self._owner.function(kernel, tuple(types))
        pairs = zip(arguments, function.args, strict=True)
        return self._builder.call(function, [fitted(self._builder, *pair) for pair in pairs])

    def _call_address(self, node: ast.Call) -> None:
        address, *given = (self._number(each) for each in self._given(node, 3))
        kind = ir.FunctionType(ir.VoidType(), [I64, I64]).as_pointer()
        self._builder.call(self._builder.inttoptr(address, kind), given)

    def _marked(self, node: ast.Call) -> Number:
        array, number = self._given(node, 2)
        first = self._builder.mul(self._number(number), ir.Constant(I64, 64))
        values = self._word(array, first)
        found = self._builder.icmp_unsigned("!=", values, ir.Constant(values.type, [0] * 64))
        return self._builder.bitcast(found, I64)

    def _matching(self, node: ast.Call) -> Number:
        array, first, wanted = self._given(node, 3)
        values = self._word(array, self._number(first))
        element = self._builder.trunc(self._number(wanted), values.type.element)
        one = self._builder.insert_element(
            ir.Constant(values.type, ir.Undefined), element, ir.Constant(I32, 0)
        )
        same = ir.Constant(ir.VectorType(I32, 64), [0] * 64)
        every = self._builder.shuffle_vector(one, one, same)
        return self._builder.bitcast(self._builder.icmp_unsigned("==", values, every), I64)

    def _word(self, array: ast.expr, first: Number) -> Number:
        """Return 64 elements of an array, as one vector."""
        view = self._view(self._value(array), array)
        if view.kind.dimensions != 1:
            dimensions = view.kind.dimensions
            self._refuse(array, f"'{ast.unparse(array)}' has {dimensions} dimensions, not 1")
        lanes, width = ir.VectorType(ir.IntType(view.kind.bits), 64), view.kind.bits // 8
        place = self._builder.bitcast(self._builder.gep(view.start, [first]), lanes.as_pointer())
        return self._builder.load(place, align=width)

    def _fetch(self, node: ast.Call) -> None:
        array, index = self._given(node, 2)
        view = self._view(self._value(array), array)
        place = self._builder.gep(view.start, [self._number(index)])
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        prefetch = self._owner.module.declare_intrinsic(
            "llvm.prefetch",
            [pointer],
            ir.FunctionType(ir.VoidType(), [pointer, number, number, number]),
        )
        how = [ir.Constant(number, value) for value in (0, 3, 1)]  # to read, often, as data
        self._builder.call(prefetch, [self._builder.bitcast(place, pointer), *how])

    def _turn(self, node: ast.Call) -> None:
        """Print the transpose of 4 x 4 elements: every round shuffles all of them as one pack of
        cards, and moves the bits of an element's number, of which there are four, by one.
        """
        arrays, steps = self._given(node, 4)[::2], self._given(node, 4)[1::2]
        goal, source = (self._view(self._value(each), each) for each in arrays)
        if goal.kind != source.kind or goal.kind.dimensions != 1:
            self._refuse(node, f"'{ast.unparse(node)}' needs two arrays of one type")
        across, along = (self._number(each) for each in steps)
        width = goal.kind.bits // 8
        rows = [self._builder.load(place, align=width) for place in self._lanes(source, along)]
        for _ in range(2):
            rows = [
                self._builder.shuffle_vector(one, other, ir.Constant(_MASK, mask))
                for one, other in (rows[0::2], rows[1::2])
                for mask in ([0, 4, 1, 5], [2, 6, 3, 7])
            ]
        for row, place in zip(rows, self._lanes(goal, across), strict=True):
            self._builder.store(row, place, align=width)

    def _lanes(self, view: View, step: Number) -> list[Number]:
        """Return where four times four elements stand, ``step`` apart."""
        lanes = ir.VectorType(ir.IntType(view.kind.bits), 4).as_pointer()
        starts = [self._builder.mul(step, ir.Constant(I64, row)) for row in range(4)]
        places = [self._builder.gep(view.start, [start]) for start in starts]
        return [self._builder.bitcast(place, lanes) for place in places]

    def _machine_array(self, node: ast.Call) -> View:
        """Print ``at.name(m)``."""
        assert isinstance(node.func, ast.Attribute)
        module = self._globals.get(ast.unparse(node.func.value))
        field = getattr(module, node.func.attr, None)
        if not isinstance(field, Field):
            self._refuse(node, f"'{ast.unparse(node.func)}' is no array of a machine")
        (machine,) = self._given(node, 1)
        listed = self._builder.inttoptr(self._number(machine), I64.as_pointer())
        first = ENTRY * FIELDS.index(field.name)

        def entry(number: int) -> Number:
            place = self._builder.gep(listed, [ir.Constant(I64, first + number)])
            return self._builder.load(place)

        kind = kind_of(np.dtype(field.dtype), field.dimensions)
        start = self._builder.inttoptr(entry(0), ir.IntType(kind.bits).as_pointer())
        return View(kind, start, entry(field.dimensions), entry(1))
