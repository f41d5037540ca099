"""The shape of the package: imports point one way, an optional package comes in by one door."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("rules", "compiler", "runtime")
UPWARDS = (("rules", "compiler"), ("rules", "runtime"), ("compiler", "runtime"))

ENGINES = "hebbite.runtime.engines"
FOR_ENGINES = ("program", "arithmetic", "placement")
"""What an engine may know of the compiler."""
EXCEPTIONS = {
    # Stock Lava has LIF only, so it must know which populations run the LIF program.
    (f"{ENGINES}.lava.stock", "hebbite.compiler.neurons.lif"),
}

DOORS = {
    "onnx": "compiler/frontends/onnx/",
    "lava": "runtime/engines/lava/",
    "numba": "runtime/credit/jit.py",
    "llvmlite": "runtime/engines/native/",
    "platformdirs": "runtime/engines/native/store.py",
    "matplotlib": "runtime/report/credit_plots.py",
    "threadpoolctl": "runtime/credit/threads.py",
}
PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("hebbite", cache_dir=None)


def test_the_graph_of_imports_holds_the_whole_package(graph: grimp.ImportGraph) -> None:
    files = [path for path, _ in sources()]
    names = {path.removesuffix(".py").removesuffix("/__init__") for path in files}
    modules = {f"hebbite.{name.replace('/', '.')}" for name in names}
    assert len(modules) > 100
    assert modules <= graph.modules
    assert graph.count_imports() > len(modules)


@pytest.mark.parametrize(("lower", "upper"), UPWARDS)
def test_no_import_points_upwards(graph: grimp.ImportGraph, lower: str, upper: str) -> None:
    chains = graph.find_shortest_chains(
        f"hebbite.{lower}", f"hebbite.{upper}", as_packages=True
    )  # a chain of one import, or through a module in between
    assert not {" -> ".join(chain) for chain in chains}


def test_engines_know_of_the_compiler_only_the_program_and_its_arithmetic(
    graph: grimp.ImportGraph,
) -> None:
    assert _beyond_the_program(graph) == EXCEPTIONS


def _beyond_the_program(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    allowed = tuple(f"hebbite.compiler.{name}." for name in FOR_ENGINES)
    return {
        (module, found)
        for module in graph.find_descendants(ENGINES)
        for found in graph.find_modules_directly_imported_by(module)
        if found.startswith("hebbite.compiler") and not f"{found}.".startswith(allowed)
    }


@pytest.mark.parametrize("package", DOORS)
def test_an_outer_package_comes_in_by_one_door(package: str) -> None:
    users = {path for path, name in imports() if name.split(".")[0] == package}
    assert users, f"nothing imports {package}: is the door still right?"
    assert not {path for path in users if not path.startswith(DOORS[package])}


def test_the_package_imports_itself_by_its_full_name() -> None:
    bare = {(path, name) for path, name in imports() if name.split(".")[0] in {*ROOMS, ""}}
    assert not bare


def test_nothing_is_unpickled() -> None:
    assert not {(path, name) for path, name in imports() if name.split(".")[0] in PICKLES}
    allowed = [
        (path, node.lineno)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle"
        if not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assert not allowed


def test_nothing_is_evaluated_and_nothing_is_printed_past_the_command_line() -> None:
    found = [
        (path, node.lineno, node.id)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id in {"eval", "exec", "print", "__import__"}
    ]
    assert not found


def test_no_note_to_a_colleague_is_left_in_the_package() -> None:
    assert not [path for path, text in sources() if NOTE.search(text)]


def imports() -> Iterator[tuple[str, str]]:
    """Give (file, full name of a module it imports); a relative import starts with a dot."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                yield path, "." * node.level + (node.module or "")


@cache
def sources() -> tuple[tuple[str, str], ...]:
    """Return (file, text) of every Python file of the package."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return tuple((path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in files)


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """Return (file, syntax tree) of every Python file of the package."""
    return tuple((path, ast.parse(text, path)) for path, text in sources())
