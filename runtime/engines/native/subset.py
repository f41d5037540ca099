"""The part of Python that a kernel is written in, checked before anything is translated.

In: the source of a function, read. Out: nothing, or a TypeError with function and line. What
depends on types is refused where it is translated.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NoReturn

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "sdiv",
    ast.Mod: "srem",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
    ast.LShift: "shl",
    ast.RShift: "ashr",
}
"""Operators, and LLVM's names of them."""
RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
LOWEST, HIGHEST = -(2**63), 2**63 - 1
_STATEMENTS = (
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.If,
    ast.For,
    ast.While,
    ast.Return,
    ast.Continue,
)
_EXPRESSIONS = (
    ast.Constant,
    ast.Name,
    ast.BinOp,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.IfExp,
    ast.Subscript,
    ast.Call,
    ast.Attribute,
    ast.Tuple,
    ast.Slice,
)


class Source:
    """A kernel's source, and where it stands."""

    def __init__(self, tree: ast.FunctionDef, first_line: int) -> None:
        self.tree = tree
        self._first_line = first_line

    def refuse(self, node: ast.AST, why: str) -> NoReturn:
        """Raise TypeError: function, line of its file, and why."""
        line = getattr(node, "lineno", 1) + self._first_line - 1
        raise TypeError(f"{self.tree.name}, line {line}: {why}")

    def check(self) -> None:
        """Refuse what no kernel may hold."""
        arguments = self.tree.args
        plain = [*arguments.args] == [*_arguments(arguments)] and not arguments.defaults
        if not plain:
            self.refuse(self.tree, "a kernel takes plain arguments, without defaults")
        body = self.tree.body
        rest = body[1:] if ast.get_docstring(self.tree, clean=False) is not None else body
        for statement in rest:
            self._statement(statement)
        self._results()

    def results(self) -> int:
        """Return how many numbers the function returns."""
        return max((_count(each) for each in _returns(self.tree)), default=0)

    def _results(self) -> None:
        wanted = self.results()
        for each in _returns(self.tree):
            if _count(each) != wanted:
                self.refuse(each, f"{_count(each)} results here, {wanted} elsewhere")

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            self.refuse(node, f"'{ast.unparse(node)}' does nothing")
        if not isinstance(node, (*_STATEMENTS, ast.Expr)):
            self.refuse(node, f"'{ast.unparse(node)}' is not for kernels")
        if isinstance(node, ast.Assign):
            self._assign(node)
        elif isinstance(node, ast.AnnAssign):
            self._declare(node)
        elif isinstance(node, ast.AugAssign):
            self._operator(node, node.op)
            if isinstance(node.target, ast.Subscript) and isinstance(node.target.slice, ast.Slice):
                self.refuse(node, "a view is set, never changed in place: write a loop")
        elif isinstance(node, ast.For | ast.While):
            self._loop(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child)
            elif isinstance(child, ast.expr):
                self._expression(child)

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            self.refuse(node, "one target an assignment")
        target, value = node.targets[0], node.value
        if not isinstance(target, ast.Tuple):
            return
        if not isinstance(value, ast.Tuple | ast.Call):
            self.refuse(node, f"'{ast.unparse(value)}' gives no {len(target.elts)} values")
        if isinstance(value, ast.Tuple) and len(value.elts) != len(target.elts):
            self.refuse(node, f"{len(value.elts)} values for {len(target.elts)} targets")

    def _declare(self, node: ast.AnnAssign) -> None:
        half = isinstance(node.target, ast.Name) and ast.unparse(node.annotation) == "Half"
        if not half or node.value is None:
            self.refuse(node, f"'{ast.unparse(node)}': a name is declared as 'name: Half = value'")

    def _loop(self, node: ast.For | ast.While) -> None:
        if node.orelse:
            self.refuse(node, "a loop has no 'else'")
        if isinstance(node, ast.While):
            return
        call = node.iter
        ranges = isinstance(call, ast.Call) and ast.unparse(call.func) == "range"
        if not isinstance(node.target, ast.Name) or not ranges:
            self.refuse(node, "a loop goes over 'name in range(stop)' or 'range(start, stop)'")
        assert isinstance(call, ast.Call)
        if len(call.args) not in (1, 2):
            self.refuse(node, "a range has a stop, or a start and a stop: no step")

    def _expression(self, node: ast.expr) -> None:
        if not isinstance(node, _EXPRESSIONS):
            self.refuse(node, f"'{ast.unparse(node)}' is not for kernels")
        if isinstance(node, ast.Constant):
            self._constant(node)
        elif isinstance(node, ast.BinOp):
            self._operator(node, node.op)
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not | ast.USub):
            self.refuse(node, f"'{ast.unparse(node)}': unary '-' and 'not' are known")
        elif isinstance(node, ast.Compare) and not {*map(type, node.ops)} <= {*RELATIONS}:
            self.refuse(node, f"'{ast.unparse(node)}': numbers are compared, nothing else")
        elif isinstance(node, ast.Subscript):
            self._index(node)
        elif isinstance(node, ast.Call) and node.keywords:
            self.refuse(node, "arguments have no keywords")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child)

    def _constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, int):
            self.refuse(node, f"{node.value!r} is no whole number")
        if not LOWEST <= node.value <= HIGHEST:
            self.refuse(node, f"{node.value} does not fit 64 bits")

    def _operator(self, node: ast.AST, op: ast.operator) -> None:
        if type(op) not in BINARY:
            known = "+ - * // % & | ^ << >>"
            self.refuse(node, f"'{ast.unparse(node)}': the operators are {known}")

    def _index(self, node: ast.Subscript) -> None:
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(node.slice, ast.Slice):
            if node.slice.step is not None:
                self.refuse(node, "a view has no step")
            indices = [each for each in (node.slice.lower, node.slice.upper) if each is not None]
        for each in indices:
            if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.USub):
                self.refuse(node, f"'{ast.unparse(node)}': no index is negative")


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (each for each in (arguments.vararg, arguments.kwarg) if each is not None)


def _returns(tree: ast.FunctionDef) -> list[ast.Return]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Return)]


def _count(node: ast.Return) -> int:
    if node.value is None:
        return 0
    return len(node.value.elts) if isinstance(node.value, ast.Tuple) else 1
