"""Kernels written in a small part of Python, translated to LLVM.

A kernel is a function of whole numbers and arrays that another kernel, or a machine, calls. It is
never executed by Python: its source is read, and what it reaches is compiled in one module. The
part of Python is what loops over integers need, with these meanings:

* a number is 64 bits, signed; ``//`` and ``%`` are of numbers that are not negative, and ``>>``
  rounds down; ``logical(x, n)`` shifts zeros in from above; shifts are 0..63;
* `marked` looks at 64 bytes at once, `lowest` and `ones` at the bits of a number;
* an element of an array is widened when read and cut when written; ``a[i:j]`` is a view, ``t[i]`` a
  row of a table, ``a.shape[0]`` a size; nothing is checked, and no index is negative;
* ``at.name(m)`` is the array ``name`` of the machine ``m`` (`views`); ``call_printed`` calls code
  at an address, `address` is where an array starts;
* a name stands for a number or for one type of array in the whole function, which is compiled for
  the types of the arrays it is given.

Everything else is refused with the function and the line (`subset`).

Why not a library: Numba reads such source too, but for this much of it takes most of a minute where
this takes seconds; a user waits for that before the first step. Nothing else here needs a compiler
on the user's machine, and no library that needs none takes less.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from hebbite.runtime.engines.native.subset import BINARY, RELATIONS, Source
from hebbite.runtime.engines.native.views import ENTRY, FIELDS, Field

F = TypeVar("F", bound=Callable[..., object])
I1, I64 = ir.IntType(1), ir.IntType(64)
ZERO, ONE = ir.Constant(I64, 0), ir.Constant(I64, 1)
Number: TypeAlias = Any
"""A number at hand; llvmlite declares no types."""
Value: TypeAlias = Any
"""A number or a `View`."""


@dataclass(frozen=True)
class Kind:
    """Type of an array: bits of an element, whether it has a sign, and the dimensions."""

    bits: int
    signed: bool = True
    dimensions: int = 1


@dataclass(frozen=True)
class View:
    """An array at hand: where it starts, its size or the columns of a table, a table's rows."""

    kind: Kind
    start: Number
    size: Number
    rows: Number = ONE


Types = tuple[Kind | None, ...]
"""Types of arguments; None is a number."""


@dataclass(frozen=True)
class Kernel:
    """A function that is compiled; calling it from Python is a mistake.

    ``inlined``: it becomes a part of whatever calls it.
    """

    function: Callable[..., object]
    inlined: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return self.function.__name__

    def __call__(self, *arguments: object) -> NoReturn:
        """Refuse to run in Python."""
        raise TypeError(f"{self.name} is a kernel: compiled code alone calls it")


def kernel(function: F) -> F:
    """Mark a function that is compiled; to the type checker it stays the function that it is."""
    return cast(F, Kernel(function))


def part(function: F) -> F:
    """Mark a function that becomes a part of the kernels that call it."""
    return cast(F, Kernel(function, inlined=True))


def logical(value: int, shift: int) -> int:
    """Return ``value`` shifted down as if it had no sign. Known to the translator by name."""
    return (value & (1 << 64) - 1) >> shift


def marked(values: NDArray[np.uint8], number: int) -> int:
    """Return which of the bytes 64 ``number`` .. 64 ``number`` + 63 are not 0, the first one as the
    lowest bit. Known by name."""
    raise TypeError("marked is for kernels")


def lowest(value: int) -> int:
    """Return the number of the lowest bit that is set, 64 if none is. Known by name."""
    return (value & -value).bit_length() - 1 if value else 64


def ones(value: int) -> int:
    """Return how many bits of a number are set. Known by name."""
    return (value & (1 << 64) - 1).bit_count()


def fetch(values: NDArray[np.generic], index: int) -> None:
    """Ask for the memory around an element that will be read soon. Known by name."""


def address(values: NDArray[np.generic]) -> int:
    """Return where an array starts, for the table of a printed kernel. Known by name."""
    raise TypeError("address is for kernels")


def call_printed(address: int, table: int, size: int) -> None:
    """Call the printed kernel at an address. Known to the translator by name."""
    raise TypeError("call_printed is for kernels")


def kind_of(dtype: np.dtype[Any], dimensions: int = 1) -> Kind:
    """Return the type of arrays of a whole number."""
    if dtype.kind not in "iu" or dtype == np.uint64:
        raise TypeError(
            f"{dtype} elements are no numbers of a kernel: signed 64 bits hold them all"
        )
    return Kind(8 * dtype.itemsize, dtype.kind == "i", dimensions)


def results_of(kernel: Kernel) -> int:
    """Return how many numbers a kernel returns."""
    return _source(kernel).results()


def translate(kernel: Kernel, types: Types) -> str:
    """Return the module of a kernel and of all that it calls, the kernel under the name ``entry``.

    An array is three arguments: address, size (columns of a table), rows.
    """
    module = ir.Module(kernel.name)
    inner, results = _Module(module).function(kernel, types)
    kinds = [I64] * len(inner.args)
    outer = ir.Function(module, ir.FunctionType(inner.function_type.return_type, kinds), "entry")
    builder = ir.IRBuilder(outer.append_basic_block("entry"))
    given = [
        builder.inttoptr(value, wanted.type) if isinstance(wanted.type, ir.PointerType) else value
        for value, wanted in zip(outer.args, inner.args, strict=True)
    ]
    result = builder.call(inner, given)
    if results:
        builder.ret(result)
    else:
        builder.ret_void()
    return str(module)


class _Module:
    """Functions compiled so far, by kernel and types."""

    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self._functions: dict[tuple[Callable[..., object], Types], tuple[ir.Function, int]] = {}

    def function(self, kernel: Kernel, types: Types) -> tuple[ir.Function, int]:
        """Return the compiled function, and how many numbers it returns."""
        key = (kernel.function, types)
        if key not in self._functions:
            number = sum(known.__name__ == kernel.name for known, _ in self._functions)
            name = f"kernel.{kernel.name}" if number == 0 else f"kernel.{kernel.name}.{number}"
            self._functions[key] = _Function(self, kernel, types, name).compile(
                self._functions, key
            )
        return self._functions[key]


def _llvm_types(types: Types) -> list[ir.Type]:
    found: list[ir.Type] = []
    for kind in types:
        found += [I64] if kind is None else [ir.IntType(kind.bits).as_pointer(), I64, I64]
    return found


def _source(kernel: Kernel) -> Source:
    """Return the source of a kernel, read and checked."""
    function = kernel.function
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"{kernel.name} is no plain function: 'def' makes a kernel")
    source = Source(tree, function.__code__.co_firstlineno)
    source.check()
    return source


class _Function:
    """One function while it is translated."""

    def __init__(self, owner: _Module, kernel: Kernel, types: Types, name: str) -> None:
        self._source = _source(kernel)
        self._owner, self._tree = owner, self._source.tree
        self._globals: Mapping[str, Any] = kernel.function.__globals__
        self._types = types
        self._count = self._source.results()
        result: ir.Type = ir.VoidType()
        if self._count:
            result = I64 if self._count == 1 else ir.LiteralStructType([I64] * self._count)
        kind = ir.FunctionType(result, _llvm_types(types))
        self._function = ir.Function(owner.module, kind, name)
        self._function.linkage = "internal"
        self._function.attributes.add("alwaysinline" if kernel.inlined else "noinline")
        self._entry = ir.IRBuilder(self._function.append_basic_block("entry"))
        self._builder = ir.IRBuilder(self._function.append_basic_block("body"))
        self._numbers: dict[str, Number] = {}
        self._views: dict[str, tuple[Kind, tuple[Number, ...]]] = {}
        self._again: list[ir.Block] = []

    def compile(
        self, functions: dict[Any, tuple[ir.Function, int]], key: Any
    ) -> tuple[ir.Function, int]:
        """Translate the body; the function is known before, for what it calls."""
        functions[key] = (self._function, self._count)
        names = [argument.arg for argument in self._tree.args.args]
        if len(names) != len(self._types):
            self._refuse(self._tree, f"{len(names)} arguments, not {len(self._types)}")
        given = iter(self._function.args)
        for name, kind in zip(names, self._types, strict=True):
            if kind is None:
                self._assign(name, next(given), self._tree)
            else:
                view = View(kind, next(given), next(given), next(given))
                self._assign(name, view, self._tree)
        self._block(self._tree.body)
        if not self._builder.block.is_terminated:
            if self._count:
                self._refuse(self._tree.body[-1], "the function may end without a result")
            self._builder.ret_void()
        self._entry.branch(self._function.blocks[1])
        return self._function, self._count

    def _refuse(self, node: ast.AST, why: str) -> NoReturn:
        self._source.refuse(node, why)

    # Statements.

    def _block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if self._builder.block.is_terminated:
                return
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            self._assignment(node)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node)
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, ast.For):
            self._for(node)
        elif isinstance(node, ast.While):
            self._while(node)
        elif isinstance(node, ast.Return):
            self._return(node)
        elif isinstance(node, ast.Continue):
            self._builder.branch(self._again[-1])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._call(node.value)

    def _assignment(self, node: ast.Assign) -> None:
        (target,) = node.targets
        if not isinstance(target, ast.Tuple):
            self._store(target, self._value(node.value))
            return
        if isinstance(node.value, ast.Tuple):
            values = [self._value(each) for each in node.value.elts]
        else:
            values = self._unpacked(self._result(node.value), node.value)
            if len(values) != len(target.elts):
                self._refuse(node, f"{len(values)} values for {len(target.elts)} targets")
        for each, value in zip(target.elts, values, strict=True):
            self._store(each, value)

    def _unpacked(self, packed: Any, node: ast.expr) -> list[Number]:
        """Return the numbers that a kernel returned together."""
        if isinstance(packed, View) or not isinstance(packed.type, ir.LiteralStructType):
            self._refuse(node, f"'{ast.unparse(node)}' gives no values to take apart")
        return [self._builder.extract_value(packed, k) for k in range(len(packed.type.elements))]

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._assign(target.id, value, target)
        elif isinstance(target, ast.Subscript):
            if isinstance(value, View):
                self._refuse(target, "an element is a number: arrays are not copied")
            if isinstance(target.slice, ast.Slice):
                self._fill(target, value)
                return
            view, place = self._element(target)
            self._builder.store(self._cut(view.kind, value), place)
        else:
            self._refuse(target, f"nothing is assigned to '{ast.unparse(target)}'")

    def _assign(self, name: str, value: Value, node: ast.AST) -> None:
        if name in (self._numbers if isinstance(value, View) else self._views):
            self._refuse(node, f"'{name}' is a number and an array")
        if isinstance(value, View):
            if name not in self._views:
                types = (value.start.type, I64, I64)
                self._views[name] = value.kind, tuple(map(self._entry.alloca, types))
            kind, places = self._views[name]
            if kind != value.kind:
                self._refuse(node, f"'{name}' is of two types: {kind} and {value.kind}")
            for part, place in zip((value.start, value.size, value.rows), places, strict=True):
                self._builder.store(part, place)
            return
        if name not in self._numbers:
            self._numbers[name] = self._entry.alloca(I64)
        self._builder.store(self._wide(value), self._numbers[name])

    def _fill(self, target: ast.Subscript, value: Number) -> None:
        """Set all elements of a view to one number."""
        view = self._view(self._value(target), target)
        counter = self._entry.alloca(I64)
        with _Loop(self, counter, ZERO, view.size, ONE) as index:
            place = self._builder.gep(view.start, [index])
            self._builder.store(self._cut(view.kind, value), place)

    def _augmented(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            now = self._number(node.target)
            result = self._operate(node.op, now, self._number(node.value))
            self._assign(node.target.id, result, node)
            return
        if not isinstance(node.target, ast.Subscript):
            self._refuse(node, f"nothing is assigned to '{ast.unparse(node.target)}'")
        view, place = self._element(node.target)
        now = self._widen(view.kind, self._builder.load(place))
        value = self._number(node.value)
        self._builder.store(self._cut(view.kind, self._operate(node.op, now, value)), place)

    def _if(self, node: ast.If) -> None:
        then, end = self._new("then"), self._new("end")
        other = self._new("else") if node.orelse else end
        self._builder.cbranch(self._truth(node.test), then, other)
        reached = other is end
        for block, statements in ((then, node.body), (other, node.orelse)):
            if block is not end:
                self._builder.position_at_end(block)
                self._block(statements)
                if not self._builder.block.is_terminated:
                    self._builder.branch(end)
                    reached = True
        self._builder.position_at_end(end)
        if not reached:
            self._builder.unreachable()

    def _for(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        bounds = [self._number(each) for each in node.iter.args]
        start, stop = bounds if len(bounds) == 2 else (ZERO, bounds[0])
        with _Loop(self, self._entry.alloca(I64), start, stop, ONE) as index:
            self._assign(node.target.id, index, node)
            self._block(node.body)

    def _while(self, node: ast.While) -> None:
        test, body, end = self._new("test"), self._new("body"), self._new("end")
        self._builder.branch(test)
        self._builder.position_at_end(test)
        self._builder.cbranch(self._truth(node.test), body, end)
        self._builder.position_at_end(body)
        self._again.append(test)
        self._block(node.body)
        self._again.pop()
        if not self._builder.block.is_terminated:
            self._builder.branch(test)
        self._builder.position_at_end(end)

    def _return(self, node: ast.Return) -> None:
        if node.value is None:
            self._builder.ret_void()
        elif isinstance(node.value, ast.Tuple):
            result = ir.Constant(ir.LiteralStructType([I64] * self._count), ir.Undefined)
            for index, each in enumerate(node.value.elts):
                result = self._builder.insert_value(result, self._number(each), index)
            self._builder.ret(result)
        else:
            self._builder.ret(self._number(node.value))

    def _new(self, label: str) -> ir.Block:
        return self._function.append_basic_block(label)

    # Expressions.

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
            return self._together(node)
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
            return self._first_decisive(node)
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

    def _name(self, node: ast.Name) -> Value:
        if node.id in self._numbers:
            return self._builder.load(self._numbers[node.id])
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

    def _together(self, node: ast.BoolOp) -> Number:
        """Print ``and`` or ``or``: the right side only where it decides."""
        settled = ir.Constant(I1, isinstance(node.op, ast.Or))
        end = self._new("settled")
        ways: list[tuple[Number, ir.Block]] = []
        for each in node.values[:-1]:
            test, following = self._truth(each), self._new("next")
            ways.append((settled, self._builder.block))
            if isinstance(node.op, ast.Or):
                self._builder.cbranch(test, end, following)
            else:
                self._builder.cbranch(test, following, end)
            self._builder.position_at_end(following)
        last = self._truth(node.values[-1])
        ways.append((last, self._builder.block))
        self._builder.branch(end)
        self._builder.position_at_end(end)
        return self._joined(I1, ways)

    def _first_decisive(self, node: ast.BoolOp) -> Number:
        """Print ``and`` or ``or`` as a number: the first operand that decides, or the last."""
        end = self._new("settled")
        ways: list[tuple[Number, ir.Block]] = []
        for each in node.values[:-1]:
            value, following = self._number(each), self._new("next")
            ways.append((value, self._builder.block))
            test = self._builder.icmp_signed("!=", value, ZERO)
            if isinstance(node.op, ast.Or):
                self._builder.cbranch(test, end, following)
            else:
                self._builder.cbranch(test, following, end)
            self._builder.position_at_end(following)
        last = self._number(node.values[-1])
        ways.append((last, self._builder.block))
        self._builder.branch(end)
        self._builder.position_at_end(end)
        return self._joined(I64, ways)

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

    # Arrays.

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

    # Calls.

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
        return self._builder.call(function, arguments)

    def _call_address(self, node: ast.Call) -> None:
        address, *given = (self._number(each) for each in self._given(node, 3))
        kind = ir.FunctionType(ir.VoidType(), [I64, I64]).as_pointer()
        self._builder.call(self._builder.inttoptr(address, kind), given)

    def _marked(self, node: ast.Call) -> Number:
        array, number = self._given(node, 2)
        view, bytes_ = self._view(self._value(array), array), ir.VectorType(ir.IntType(8), 64)
        if view.kind.bits != 8 or view.kind.dimensions != 1:
            self._refuse(node, f"'{ast.unparse(array)}' is no array of bytes")
        first = self._builder.mul(self._number(number), ir.Constant(I64, 64))
        place = self._builder.bitcast(self._builder.gep(view.start, [first]), bytes_.as_pointer())
        found = self._builder.icmp_unsigned(
            "!=", self._builder.load(place, align=1), ir.Constant(bytes_, [0] * 64)
        )
        return self._builder.bitcast(found, I64)

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


class _Loop:
    """A loop over a variable, from start to before stop."""

    def __init__(
        self,
        function: _Function,
        counter: Number,
        start: Number,
        stop: Number,
        step: Number,
    ) -> None:
        self._function, self._counter = function, counter
        self._start, self._stop, self._step = start, stop, step

    def __enter__(self) -> Number:
        """Print the head; return the variable's value in the body."""
        one, builder = self._function, self._function._builder
        self._test, self._next = one._new("test"), one._new("next")
        self._end, body = one._new("end"), one._new("body")
        builder.store(self._start, self._counter)
        builder.branch(self._test)
        builder.position_at_end(self._test)
        test = builder.icmp_signed("<", builder.load(self._counter), self._stop)
        builder.cbranch(test, body, self._end)
        builder.position_at_end(body)
        one._again.append(self._next)
        return builder.load(self._counter)

    def __exit__(self, *error: object) -> None:
        """Print the tail."""
        one, builder = self._function, self._function._builder
        one._again.pop()
        if not builder.block.is_terminated:
            builder.branch(self._next)
        builder.position_at_end(self._next)
        following = builder.add(builder.load(self._counter), self._step)
        builder.store(following, self._counter)
        builder.branch(self._test)
        builder.position_at_end(self._end)


def _power_of_two(value: Number) -> int | None:
    """Return k of a constant 2^k."""
    if not isinstance(value, ir.Constant) or not isinstance(value.constant, int):
        return None
    number = int(value.constant)
    return number.bit_length() - 1 if number > 0 and number & (number - 1) == 0 else None
