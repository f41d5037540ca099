"""`hebbite.load`: any file that hebbite reads."""

from __future__ import annotations

from pathlib import Path

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import load_compiled


def load(path: str | Path) -> Graph | Compiled:
    """Return the graph of a model (``.onnx``, graph text) or the compiled model of a ``.hbt`` file.

    Raises:
        UsageError: HB0103 for any other suffix.
        InputFileError: HB02xx or HB07xx for a file that is missing, damaged or dangerous.
    """
    if Path(path).suffix.lower() == ".hbt":
        return load_compiled(path).compiled
    return load_model(path)
