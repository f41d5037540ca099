"""The graph-text front end: ``mlp.graph`` (or .txt) with its arrays in ``mlp.npz`` beside it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from hebbite.compiler.graph import Array, Graph
from hebbite.compiler.graph_text import parse
from hebbite.rules.errors import CapacityError, InputFileError, Problem

_LONGEST_TEXT = 2**20
_LARGEST_ARRAYS = 2**31
_LARGEST_VALUE = 2**28
"""Elements of one value, the shapes of which need no arrays."""


def import_text(path: str | Path) -> Graph:
    """Return the graph of a text file, not yet verified.

    Raises:
        InputFileError: HB0201 if a file cannot be read, HB0205 if the arrays are damaged, HB0210
            if the text is.
        CapacityError: HB0203 if text, arrays or a value are too large.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LONGEST_TEXT:
            what = f"a graph text is at most {_LONGEST_TEXT} bytes long"
            raise CapacityError(Problem("HB0203", what, origin=path.name))
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("HB0201", f"the file cannot be read: {error}", origin=str(path))
        raise InputFileError(problem) from error
    arrays = path.with_suffix(".npz")
    graph = parse(text, _read_arrays(arrays) if arrays.exists() else {}, origin=path.name)
    for node in graph.nodes:
        for value in node.outputs:
            if value.size > _LARGEST_VALUE:
                what = f"a value of {value.size} elements; the limit is {_LARGEST_VALUE}"
                raise CapacityError(Problem("HB0203", what, str(node), path.name))
    return graph


def _read_arrays(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST_ARRAYS:
            what = f"arrays of {size} bytes; the limit is {_LARGEST_ARRAYS}"
            raise CapacityError(Problem("HB0203", what, origin=path.name))
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, SyntaxError, zipfile.BadZipFile) as error:
        what = "the arrays beside the graph text are damaged"
        raise InputFileError(Problem("HB0205", what, origin=path.name)) from error
