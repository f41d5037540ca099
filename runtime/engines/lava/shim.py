"""Make Lava 0.10.0 importable on Python 3.11 and newer.

In: a fresh interpreter. Out: the same interpreter, in which ``import lava...`` works. Why: Lava's
module ``var_model`` takes an instance of the unhashable dataclass ``ByteEncoder`` as the default of
a field, which Python refuses from 3.11 on. While that one module is imported for the first time, a
finder hands it out with ``@dataclass`` of ``ByteEncoder`` read as ``@dataclass(unsafe_hash=True)``.
Nothing else changes, and the finder is gone afterwards.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from hebbite.rules.errors import EngineError, Problem

BROKEN_MODULE = "lava.magma.compiler.var_model"
BROKEN_CLASS = "ByteEncoder"
PIP_LINE = "pip install --no-deps --ignore-requires-python lava-nc==0.10.0 asteval"

_lock = threading.RLock()


class LavaUnavailable(EngineError):
    """Lava is not installed, or was imported in a way that cannot be mended (code HB0601)."""


def lava_installed() -> bool:
    """Return whether a package named ``lava`` can be found, without importing it."""
    return importlib.util.find_spec("lava") is not None


def require_lava() -> None:
    """Raise `LavaUnavailable` with the line that installs Lava, if it is not installed."""
    if not lava_installed():
        raise LavaUnavailable(Problem("HB0601", "Lava is not installed", hint=PIP_LINE))


def ensure_lava() -> None:
    """Make ``import lava...`` work in this process. May be called again, and from any thread.

    Raises `LavaUnavailable` if Lava is absent, or if a part of it was imported before.
    """
    with _lock:
        if BROKEN_MODULE in sys.modules:
            return
        require_lava()
        _refuse_half_imported()
        finder = _Finder()
        sys.meta_path.insert(0, finder)
        try:
            importlib.import_module(BROKEN_MODULE)
        finally:
            sys.meta_path.remove(finder)


def _refuse_half_imported() -> None:
    loaded = sorted(name for name in sys.modules if name.startswith("lava.magma"))
    if not loaded or sys.version_info < (3, 11):
        return
    raise LavaUnavailable(
        Problem(
            "HB0601",
            f"Lava was imported too early and stopped half-way, at '{loaded[-1]}'",
            hint="in a fresh interpreter, call hebbite.runtime.engines.lava.shim.ensure_lava() "
            "before the first 'import lava'",
        )
    )


class _Finder(MetaPathFinder):
    """Answers for the one broken module only."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != BROKEN_MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    """Compiles the mended source; reads and writes no cache, so the mend never outlives us."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), filename=path)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == BROKEN_CLASS:
                node.decorator_list = [_with_hash(each) for each in node.decorator_list]
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


def _with_hash(decorator: ast.expr) -> ast.expr:
    if not (isinstance(decorator, ast.Name) and decorator.id == "dataclass"):
        return decorator
    option = ast.keyword(arg="unsafe_hash", value=ast.Constant(value=True))
    return ast.copy_location(ast.Call(func=decorator, args=[], keywords=[option]), decorator)
