"""Expressions of a kernel, printed: numbers are 64 bits wide, arrays are `View`s."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from llvmlite import ir

from hebbite.runtime.engines.native.language import Kind
from hebbite.runtime.engines.native.subset import BINARY, RELATIONS, Source

I1, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 16, 32, 64))
ZERO, ONE = ir.Constant(I64, 0), ir.Constant(I64, 1)
Number: TypeAlias = Any
"""A number at hand; llvmlite declares no types."""
Value: TypeAlias = Any
"""A number or a `View`."""


@dataclass(frozen=True)
class View:
    """An array at hand: where it starts, its size or the columns of a table, a table's rows."""

    kind: Kind
    start: Number
    size: Number
    rows: Number = ONE


class Expressions:
    """Prints expressions into one function; `_call` is what a call means."""

    def __init__(
        self, source: Source, known: Mapping[str, Any], function: ir.Function, body: ir.IRBuilder
    ) -> None:
        self._source = source
        self._globals = known
        self._function = function
        self._builder = body
        self._numbers: dict[str, Number] = {}
        self._views: dict[str, tuple[Kind, tuple[Number, ...]]] = {}

    def _call(self, node: ast.Call) -> Any:
        """Print a call; return its number, its view, or several numbers together."""
        raise NotImplementedError

    def _refuse(self, node: ast.AST, why: str) -> NoReturn:
        self._source.refuse(node, why)

    def _new(self, label: str) -> ir.Block:
        return self._function.append_basic_block(label)

    def _number(self, node: ast.expr) -> Number:
        value = self._value(node)
        if isinstance(value, View):
            self._refuse(node, f"'{ast.unparse(node)}' is an array")
        return self._wide(value)

    def _view(self, value: Value, node: ast.expr) -> View:
        if not isinstance(value, View):
            self._refuse(node, f"'{ast.unparse(node)}' is no array")
        return value

    def _wide(self, value: Number) -> Number:
        return self._builder.zext(value, I64) if value.type == I1 else value

    def _truth(self, node: ast.expr) -> Number:
        if isinstance(node, ast.BoolOp):
            return self._settled(node, number=False)
        value = self._value(node)
        if isinstance(value, View):
            self._refuse(node, f"'{ast.unparse(node)}' is an array")
        return value if value.type == I1 else self._builder.icmp_signed("!=", value, ZERO)

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, int)
            return ir.Constant(I64, int(node.value))
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.BinOp):
            return self._operate(node.op, self._number(node.left), self._number(node.right))
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BoolOp):
            return self._settled(node, number=True)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.IfExp):
            return self._either(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Call):
            result = self._result(node)
            if not isinstance(result, View) and isinstance(result.type, ir.LiteralStructType):
                self._refuse(node, f"'{ast.unparse(node)}' is several numbers")
            return result
        self._refuse(node, f"'{ast.unparse(node)}' is no number and no array")

    def _result(self, node: ast.expr) -> Any:
        """Return what a call gives; refuse one that gives nothing."""
        assert isinstance(node, ast.Call)
        result = self._call(node)
        if not isinstance(result, View) and (result is None or result.type == ir.VoidType()):
            self._refuse(node, f"'{ast.unparse(node)}' returns nothing")
        return result

    def _unpacked(self, packed: Any, node: ast.expr) -> list[Number]:
        """Return the numbers that a kernel returned together."""
        if isinstance(packed, View) or not isinstance(packed.type, ir.LiteralStructType):
            self._refuse(node, f"'{ast.unparse(node)}' gives no values to take apart")
        return [self._builder.extract_value(packed, k) for k in range(len(packed.type.elements))]

    def _name(self, node: ast.Name) -> Value:
        if node.id in self._numbers:
            number = self._builder.load(self._numbers[node.id])
            return number if number.type == I64 else self._builder.sext(number, I64)
        if node.id in self._views:
            kind, places = self._views[node.id]
            return View(kind, *map(self._builder.load, places))
        if isinstance(self._globals.get(node.id), int):
            return ir.Constant(I64, int(self._globals[node.id]))
        self._refuse(node, f"'{node.id}' is not known here")

    def _operate(self, op: ast.operator, left: Number, right: Number) -> Number:
        power = _power_of_two(right)
        if isinstance(op, ast.FloorDiv) and power is not None:
            return self._builder.ashr(left, ir.Constant(I64, power))
        if isinstance(op, ast.Mod) and power is not None:
            return self._builder.and_(left, ir.Constant(I64, (1 << power) - 1))
        return getattr(self._builder, BINARY[type(op)])(left, right)

    def _unary(self, node: ast.UnaryOp) -> Number:
        if isinstance(node.op, ast.Not):
            return self._builder.not_(self._truth(node.operand))
        return self._builder.sub(ZERO, self._number(node.operand))

    def _compare(self, node: ast.Compare) -> Number:
        late = [child for each in node.comparators[1:] for child in ast.walk(each)]
        if any(isinstance(child, ast.Call) for child in late):
            self._refuse(node, "a call late in a chain of comparisons: write 'and'")
        values = [self._number(each) for each in (node.left, *node.comparators)]
        found = [
            self._builder.icmp_signed(RELATIONS[type(op)], one, other)
            for op, one, other in zip(node.ops, values, values[1:], strict=False)
        ]
        result = found[0]
        for each in found[1:]:
            result = self._builder.and_(result, each)
        return result

    def _settled(self, node: ast.BoolOp, *, number: bool) -> Number:
        """Print ``and`` or ``or``: the right side only where it decides.

        ``number``: the first operand that decides, or the last; else whether it holds.
        """
        either, end = isinstance(node.op, ast.Or), self._new("settled")
        ways: list[tuple[Number, ir.Block]] = []
        for each in node.values[:-1]:
            following = self._new("next")
            if number:
                value = self._number(each)
                test = self._builder.icmp_signed("!=", value, ZERO)
            else:
                value, test = ir.Constant(I1, either), self._truth(each)
            ways.append((value, self._builder.block))
            self._builder.cbranch(test, *((end, following) if either else (following, end)))
            self._builder.position_at_end(following)
        last = node.values[-1]
        value = self._number(last) if number else self._truth(last)
        ways.append((value, self._builder.block))
        self._builder.branch(end)
        self._builder.position_at_end(end)
        return self._joined(I64 if number else I1, ways)

    def _either(self, node: ast.IfExp) -> Value:
        then, other, end = self._new("then"), self._new("else"), self._new("end")
        self._builder.cbranch(self._truth(node.test), then, other)
        ways: list[tuple[Value, ir.Block]] = []
        for block, each in ((then, node.body), (other, node.orelse)):
            self._builder.position_at_end(block)
            value = self._value(each)
            ways.append(
                (value if isinstance(value, View) else self._wide(value), self._builder.block)
            )
            self._builder.branch(end)
        self._builder.position_at_end(end)
        kinds = [value.kind if isinstance(value, View) else None for value, _ in ways]
        if kinds[0] != kinds[1]:
            self._refuse(node, f"'{ast.unparse(node)}' is of two types")
        if kinds[0] is None:
            return self._joined(I64, ways)
        start, size, rows = (
            self._joined(kind, [(getattr(view, name), block) for view, block in ways])
            for name, kind in (("start", ways[0][0].start.type), ("size", I64), ("rows", I64))
        )
        return View(kinds[0], start, size, rows)

    def _joined(self, kind: ir.Type, ways: Sequence[tuple[Any, ir.Block]]) -> Number:
        phi = self._builder.phi(kind)
        for value, block in ways:
            phi.add_incoming(value, block)
        return phi

    def _subscript(self, node: ast.Subscript) -> Value:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            view, axis = self._view(self._value(node.value.value), node), self._fixed(node)
            if axis >= view.kind.dimensions:
                self._refuse(node, f"'{ast.unparse(node)}' is not one of its dimensions")
            return view.size if axis == view.kind.dimensions - 1 else view.rows
        if isinstance(node.value, ast.Call) and not isinstance(node.slice, ast.Slice | ast.Tuple):
            packed = self._result(node.value)
            if not isinstance(packed, View):
                values, index = self._unpacked(packed, node.value), self._fixed(node)
                if index >= len(values):
                    self._refuse(node, f"'{ast.unparse(node)}' is not one of its results")
                return values[index]
        if isinstance(node.slice, ast.Slice):
            return self._slice(node, node.slice)
        view = self._view(self._value(node.value), node)
        if view.kind.dimensions == 2 and not isinstance(node.slice, ast.Tuple):
            row = self._builder.mul(self._number(node.slice), view.size)
            kind = Kind(view.kind.bits, view.kind.signed)
            return View(kind, self._builder.gep(view.start, [row]), view.size)
        view, place = self._element(node)
        return self._widen(view.kind, self._builder.load(place))

    def _fixed(self, node: ast.Subscript) -> int:
        """Return an index that is a constant."""
        if not isinstance(node.slice, ast.Constant):
            self._refuse(node, f"'{ast.unparse(node)}' needs a constant")
        assert isinstance(node.slice.value, int)
        return node.slice.value

    def _slice(self, node: ast.Subscript, part: ast.Slice) -> View:
        view, start = self._view(self._value(node.value), node), ZERO
        if view.kind.dimensions == 2:
            self._refuse(node, f"'{ast.unparse(node)}' is a part of a table: take a row")
        if part.lower is not None:
            start = self._number(part.lower)
        stop = self._number(part.upper) if part.upper is not None else view.size
        place = self._builder.gep(view.start, [start])
        return View(view.kind, place, self._builder.sub(stop, start))

    def _element(self, node: ast.Subscript) -> tuple[View, Number]:
        """Return the array of an element, and its address."""
        view = self._view(self._value(node.value), node)
        indices = len(node.slice.elts) if isinstance(node.slice, ast.Tuple) else 1
        if indices != view.kind.dimensions:
            what = f"{view.kind.dimensions} dimensions, not {indices}"
            self._refuse(node, f"'{ast.unparse(node.value)}' has {what}")
        if isinstance(node.slice, ast.Tuple):
            row, column = node.slice.elts
            index = self._builder.mul(self._number(row), view.size)
            index = self._builder.add(index, self._number(column))
        else:
            index = self._number(node.slice)
        return view, self._builder.gep(view.start, [index])

    def _widen(self, kind: Kind, value: Number) -> Number:
        if kind.bits == 64:
            return value
        return self._builder.sext(value, I64) if kind.signed else self._builder.zext(value, I64)

    def _cut(self, kind: Kind, value: Number) -> Number:
        value = self._wide(value)
        return value if kind.bits == 64 else self._builder.trunc(value, ir.IntType(kind.bits))


def _power_of_two(value: Number) -> int | None:
    """Return k of a constant 2^k."""
    if not isinstance(value, ir.Constant) or not isinstance(value.constant, int):
        return None
    number = int(value.constant)
    return number.bit_length() - 1 if number > 0 and number & (number - 1) == 0 else None
