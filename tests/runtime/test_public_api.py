"""The public names: these and no others, and importing the package is cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hebbite
from hebbite.compiler.graph import Graph
from hebbite.runtime.demo import MODEL


def test_the_public_names_are_these() -> None:
    assert hebbite.__all__ == [
        "HebbiteError",
        "Rule",
        "Session",
        "Settings",
        "__version__",
        "compare",
        "compile",
        "credit",
        "infer",
        "load",
        "verify",
    ]
    assert all(getattr(hebbite, name) for name in hebbite.__all__)
    assert dir(hebbite) == hebbite.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="unheard"):
        hebbite.unheard  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, hebbite; print(sorted({'numpy', 'numba', 'onnx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_load_opens_models_and_compiled_files(tmp_path: Path) -> None:
    from hebbite.compiler.compiled import Compiled
    from hebbite.compiler.hbt import save_compiled

    assert isinstance(hebbite.load(MODEL), Graph)
    model = hebbite.compile(MODEL, rule="dfa")
    save_compiled(tmp_path / "m.hbt", model)
    loaded = hebbite.load(tmp_path / "m.hbt")
    assert isinstance(loaded, Compiled)
    assert loaded.sha256 == model.sha256
    with pytest.raises(hebbite.HebbiteError, match="HB0103"):
        hebbite.load("model.pdf")
