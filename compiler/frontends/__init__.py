"""Front ends: each reads one kind of file and gives a graph."""

from __future__ import annotations

from pathlib import Path

from hebbite.compiler.graph import Graph
from hebbite.compiler.passes import CLEAN_UP, run_passes
from hebbite.rules.errors import Problem, UnsupportedError, UsageError

_TEXTS = (".graph", ".txt")
_KNOWN = (".onnx", *_TEXTS)
_LATER = (".nir", ".net")


def load_model(path: str | Path) -> Graph:
    """Return the verified graph of a model file, cleaned up and with its head separated.

    The suffix decides: ``.onnx``, or ``.graph`` and ``.txt`` for a graph text with its arrays in an
    ``.npz`` of the same name.

    Raises:
        UsageError: HB0103 for any other suffix.
        UnsupportedError: HB0325 for ``.nir`` and ``.net``; HB032x for what a model holds.
        InputFileError: HB02xx for a file that is missing, damaged or dangerous.
        VerifyError: HB030x for a graph text that breaks the law of graphs.
    """
    suffix = Path(path).suffix.lower()
    if suffix in _LATER:
        what = f"'{suffix}' files are not read by this version"
        hint = f"convert the model to {_KNOWN[0]}"
        raise UnsupportedError(Problem("HB0325", what, origin=str(path), hint=hint))
    if suffix not in _KNOWN:
        what = f"a model file ends in {', '.join(_KNOWN)}, not in '{suffix}'"
        raise UsageError(Problem("HB0103", what, origin=str(path)))
    return run_passes(_read(path, suffix), CLEAN_UP)


def _read(path: str | Path, suffix: str) -> Graph:
    if suffix in _TEXTS:
        from hebbite.compiler.frontends.text import import_text

        return import_text(path)
    from hebbite.compiler.frontends.onnx import import_onnx  # 0.4 s that a graph text need not pay

    return import_onnx(path)
