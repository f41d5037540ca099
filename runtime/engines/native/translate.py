"""Kernels written in a small part of Python, translated to LLVM.

A kernel is a function of whole numbers and arrays that another kernel, or a machine, calls. It is
never executed by Python: its source is read, and what it reaches is compiled in one module. The
part of Python is what loops over integers need, with these meanings:

* a number is 64 bits, signed, and an argument that is `Narrow` is cut to 32, a name that is `Half`
  to 16; ``//`` and ``%`` are of numbers that are not negative, and ``>>`` rounds down;
  ``logical(x, n)`` shifts zeros in from above; shifts are 0..63;
* a kernel that is `apart` is given arrays that share no memory;
* `marked` and `matching` look at 64 elements at once, `lowest` and `ones` at the bits of a number,
  `turn` transposes 4 x 4 elements;
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from hebbite.runtime.engines.native.calls import Calls, fitted
from hebbite.runtime.engines.native.expressions import I16, I32, I64, ONE, ZERO, Number, Value, View
from hebbite.runtime.engines.native.language import Kernel, Types
from hebbite.runtime.engines.native.subset import Source


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
        builder.inttoptr(value, wanted.type)
        if isinstance(wanted.type, ir.PointerType)
        else fitted(builder, value, wanted)
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


def _llvm_types(types: Types, arguments: Sequence[ast.arg]) -> list[ir.Type]:
    found: list[ir.Type] = []
    for kind, argument in zip(types, arguments, strict=False):
        number = I32 if _is_narrow(argument) else I64
        found += [number] if kind is None else [ir.IntType(kind.bits).as_pointer(), I64, I64]
    return found


def _is_narrow(argument: ast.arg) -> bool:
    return isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Narrow"


def _source(kernel: Kernel) -> Source:
    """Return the source of a kernel, read and checked."""
    function = kernel.function
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"{kernel.name} is no plain function: 'def' makes a kernel")
    source = Source(tree, function.__code__.co_firstlineno)
    source.check()
    return source


class _Function(Calls):
    """One function while it is translated."""

    def __init__(self, owner: _Module, kernel: Kernel, types: Types, name: str) -> None:
        source = _source(kernel)
        self._tree, self._types, self._count = source.tree, types, source.results()
        result: ir.Type = ir.VoidType()
        if self._count:
            result = I64 if self._count == 1 else ir.LiteralStructType([I64] * self._count)
        kind = ir.FunctionType(result, _llvm_types(types, source.tree.args.args))
        function = ir.Function(owner.module, kind, name)
        function.linkage = "internal"
        function.attributes.add("alwaysinline" if kernel.inlined else "noinline")
        for argument in function.args:
            if kernel.apart and isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        self._entry = ir.IRBuilder(function.append_basic_block("entry"))
        body = ir.IRBuilder(function.append_basic_block("body"))
        super().__init__(owner, source, kernel.function.__globals__, function, body)
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
                self._assign(name, self._builder.sext(next(given), I64), self._tree)
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

    def _block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if self._builder.block.is_terminated:
                return
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            self._assignment(node)
        elif isinstance(node, ast.AnnAssign):
            self._declare(node)
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

    def _declare(self, node: ast.AnnAssign) -> None:
        """Give a name 16 bits."""
        assert isinstance(node.target, ast.Name)
        assert node.value is not None
        name = node.target.id
        if name in self._numbers or name in self._views:
            self._refuse(node, f"'{name}' is known before it is declared")
        self._numbers[name] = self._entry.alloca(I16)
        self._assign(name, self._number(node.value), node)

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
        place, number = self._numbers[name], self._wide(value)
        cut = place.type.pointee != I64
        self._builder.store(self._builder.trunc(number, I16) if cut else number, place)

    def _fill(self, target: ast.Subscript, value: Number) -> None:
        """Set all elements of a view to one number."""
        view = self._view(self._value(target), target)
        with self._loop(ZERO, view.size) as index:
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
        with self._loop(start, stop) as index:
            self._assign(node.target.id, index, node)
            self._block(node.body)

    @contextmanager
    def _loop(self, start: Number, stop: Number) -> Iterator[Number]:
        """Print a loop from start to before stop; within stands the body, which gets the index."""
        builder, counter = self._builder, self._entry.alloca(I64)
        test, following, body, end = map(self._new, ("test", "next", "body", "end"))
        builder.store(start, counter)
        builder.branch(test)
        builder.position_at_end(test)
        builder.cbranch(builder.icmp_signed("<", builder.load(counter), stop), body, end)
        builder.position_at_end(body)
        self._again.append(following)
        yield builder.load(counter)
        self._again.pop()
        if not builder.block.is_terminated:
            builder.branch(following)
        builder.position_at_end(following)
        builder.store(builder.add(builder.load(counter), ONE), counter)
        builder.branch(test)
        builder.position_at_end(end)

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
