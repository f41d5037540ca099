"""What a machine takes: integers of the right shape, within what a message and a trace can hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.rules.errors import UsageError
from hebbite.runtime.engines.registry import load_engine

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"
PROGRAM = compile(MODEL, rule="dfa").program


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("image", np.zeros((2, 1, 63), np.int64), "HB0110"),
        ("image", np.zeros((2, 1, 64)), "HB0110"),
        ("picture", np.zeros((2, 1, 64), np.int64), "HB0111"),
        ("image", np.full((2, 1, 64), 256), "HB0114"),
        ("image", np.full((2, 1, 64), 255), "HB0114"),
        ("image", np.full((2, 1, 64), -1), "HB0114"),
        ("target", np.full((2, 1, 10), 300), "HB0114"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    engine: str, name: str, value: np.ndarray[tuple[int, ...], np.dtype[np.int64]], code: str
) -> None:
    machine = load_engine(engine).open(PROGRAM, rounding="independent")
    with pytest.raises(UsageError, match=code):
        machine.run({name: value}, samples=2)
    assert machine.state()["clock"].tolist() == [0, 0]
