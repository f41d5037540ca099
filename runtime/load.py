"""`hebbite.load`: any file that hebbite reads."""

from __future__ import annotations

from pathlib import Path

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import Saved, load_compiled


def load(path: str | Path) -> Graph | Compiled | Saved:
    """Return the graph of a model (``.onnx``, graph text) or what a ``.hbt`` file holds.

    A ``.hbt`` file gives the compiled model, or of a checkpoint (`Session.save`, ``hebbite train
    --checkpoint-dir``) model and state. `Session` takes either, and goes on from a checkpoint.

    Raises:
        UsageError: HB0103 for any other suffix.
        InputFileError: HB02xx or HB07xx for a file that is missing, damaged or dangerous.
    """
    if Path(path).suffix.lower() == ".hbt":
        saved = load_compiled(path)
        return saved.compiled if saved.state is None else saved
    return load_model(path)
