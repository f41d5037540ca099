"""The ONNX front end, and the only door of the onnx package.

A file comes in; a graph that means the same goes out, or every reason why not. What is read: chains
and branches of linear layers and element-wise functions as PyTorch's two exporters, skl2onnx and
people write them. Nothing is written, nothing in the file is executed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hebbite.compiler.frontends.onnx.columns import as_rows
from hebbite.compiler.frontends.onnx.file import read_model
from hebbite.compiler.frontends.onnx.importer import Importer
from hebbite.compiler.frontends.onnx.limits import Limits
from hebbite.compiler.frontends.onnx.view import view
from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_verify import verify
from hebbite.rules.errors import (
    CapacityError,
    HebbiteError,
    InputFileError,
    Problem,
    UnsupportedError,
)

__all__ = ["Limits", "check_onnx", "import_onnx"]


def import_onnx(path: str | Path, *, limits: Limits | None = None) -> Graph:
    """Return the graph of an ONNX file as it stands there, its head still on.

    Raises:
        InputFileError: HB0201, HB0202, HB0204 to HB0207: missing, damaged or dangerous.
        CapacityError: HB0203: larger than ``limits``.
        UnsupportedError: HB0320 to HB0324: ops, shapes, opsets or outputs that are not read.
    """
    graph, problems, _ = _load(Path(path), limits or Limits())
    if graph is None:
        raise _error(problems)
    verify(graph)
    return graph


def check_onnx(
    path: str | Path, *, limits: Limits | None = None
) -> tuple[tuple[Problem, ...], dict[str, int]]:
    """Return every problem of an ONNX file, and how often each op occurs in it.

    A file that cannot be opened at all is a problem as well, with no ops.
    """
    try:
        _, problems, ops = _load(Path(path), limits or Limits())
    except HebbiteError as error:
        return error.problems, {}
    return problems, ops


def _load(path: Path, limits: Limits) -> tuple[Graph | None, tuple[Problem, ...], dict[str, int]]:
    model = read_model(path, limits)
    try:
        ops = Counter(node.type for node in view(model).nodes)
        turned = as_rows(model)
        importer = Importer(turned.model, path, limits, refused=turned.refused)
        graph = importer.run()
    except UnicodeDecodeError as error:
        problem = Problem("HB0202", "a name in this file is no text", origin=path.name)
        raise InputFileError(problem) from error
    return graph, tuple(importer.problems), dict(sorted(ops.items()))


def _error(problems: tuple[Problem, ...]) -> HebbiteError:
    codes = {problem.code for problem in problems}
    if any(code.startswith("HB02") and code != "HB0203" for code in codes):
        return InputFileError(*problems)
    return CapacityError(*problems) if "HB0203" in codes else UnsupportedError(*problems)
