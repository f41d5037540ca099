"""A code of an error means one thing: it is raised in one module, or here stands why in more."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("rules", "compiler", "runtime")
CODE = re.compile(r"HB\d{4}")
FAMILIES = ("01", "02", "03", "04", "05", "06", "07")
BUG = "HB0001"
"""A fault of hebbite itself: the command line says so, no error carries it."""

SHARED = {
    # too few samples for the steps that were asked for
    "HB0106": {"runtime.verify", "runtime.cli.run"},
    # a command without a file to write to
    "HB0157": {"runtime.cli.compile", "runtime.cli.train"},
    # a compiled file without a slice of data
    "HB0159": {"runtime.cli.run", "runtime.cli.verify"},
    # a model file that cannot be read, is damaged, too large, or holds damaged arrays: a front end
    # of each format
    "HB0201": {"compiler.frontends.onnx.file", "compiler.frontends.text"},
    "HB0202": {"compiler.frontends.onnx", "compiler.frontends.onnx.file"},
    "HB0203": {
        "compiler.frontends.onnx.file",
        "compiler.frontends.onnx.importer",
        "compiler.frontends.onnx.tensors",
        "compiler.frontends.text",
    },
    "HB0205": {"compiler.frontends.onnx.tensors", "compiler.frontends.text"},
    # the law of graphs, kept while one is built and checked afterwards
    "HB0301": {"compiler.graph_builder", "compiler.graph_verify"},
    "HB0302": {"compiler.graph_builder", "compiler.graph_verify"},
    "HB0304": {"compiler.graph_builder", "compiler.graph_verify"},
    # an unknown rule
    "HB0401": {"rules.registry", "rules.rule_feedback", "runtime.calibrate"},
    # a rule that does not serve a network: by its units, by its stages
    "HB0403": {"compiler.checks.chip", "compiler.checks.shape"},
    # an objective that does not fit what the model ends in
    "HB0407": {"compiler.checks.objective", "compiler.checks.shape"},
    # an objective out of range: its factories check what the data class cannot
    "HB0411": {
        "rules.objectives.classification",
        "rules.objectives.hidden",
        "rules.objectives.objective",
        "rules.objectives.reward",
    },
    # one parser in two files, tokens and sums
    "HB0440": {"rules.sums", "rules.tokens"},
    "HB0443": {"rules.sums", "rules.tokens"},
    # one parser of a rule's text: its lines, its fields, the words of feedback, the whole of it
    "HB0493": {"rules.rule_lines", "rules.rule_text"},
    "HB0494": {"rules.rule_feedback", "rules.rule_fields"},
    # a number that no price can be made of
    "HB0512": {"runtime.energy.accounts", "runtime.energy.draws", "runtime.energy.price"},
    # Lava's own process failed, as told by itself or seen from outside
    "HB0603": {"runtime.engines.lava.reporting", "runtime.engines.lava.watch"},
    # stock Lava would not run what the program says
    "HB0606": {"runtime.engines.lava.limits", "runtime.engines.lava.rule"},
    # the system refuses to read or to write
    "HB0701": {"compiler.container", "runtime.cli.output", "runtime.cli.train"},
    # one parser in two files, scanner and text
    "HB0710": {"compiler.program.scanner", "compiler.program.text"},
    # nothing, or nothing fitting, to resume from
    "HB0713": {"runtime.cli.train", "runtime.training"},
    # a checkpoint of a training whose state cannot be read
    "HB0714": {"compiler.hbt", "runtime.training"},
}


def test_there_are_codes_to_look_at() -> None:
    assert len(raised()) > 80


def test_a_code_is_raised_in_one_module_or_shared_for_a_reason() -> None:
    assert {code: homes for code, homes in raised().items() if len(homes) > 1} == SHARED


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_codes_is_in_use(family: str) -> None:
    assert any(found.startswith(f"HB{family}") for found in raised())


def test_every_code_belongs_to_a_family() -> None:
    assert not {code for code in raised() if code[2:4] not in FAMILIES} - {BUG}


def test_every_code_that_a_text_of_the_package_names_is_raised() -> None:
    named = {code for _, text in _sources() for code in CODE.findall(text)}
    assert named == set(raised())


@cache
def raised() -> dict[str, set[str]]:
    """Return code -> modules in which it is a literal, comparisons with a code excepted."""
    homes: dict[str, set[str]] = defaultdict(set)
    for module, text in _sources():
        tree = ast.parse(text, module)
        nodes = list(ast.walk(tree))
        compares = [node for node in nodes if isinstance(node, ast.Compare)]
        compared = {id(part) for node in compares for part in ast.walk(node)}
        literals = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in compared]
        for value in (literal.value for literal in literals):
            if isinstance(value, str) and CODE.fullmatch(value):
                homes[value].add(module)
    return dict(homes)


@cache
def _sources() -> tuple[tuple[str, str], ...]:
    """Return (name of the module, text) of every Python file of the package."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return tuple((_module(path), path.read_text("utf-8")) for path in files)


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
