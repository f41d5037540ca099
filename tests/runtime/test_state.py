"""A state from a file is taken only if a run of the program can have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.program.types import Program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import InputFileError
from hebbite.rules.sums import parse_sum
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.state import State, check_state

DIGITS = Path(__file__).parents[2] / "runtime" / "data" / "digits.onnx"


@pytest.fixture
def program() -> Program:
    """A net whose first synapses keep tags."""
    data = load_dataset("digits", seed=0).x_train[:16]
    settings = Settings(neuron="lif", encode="rate", window=10)
    made = compile(DIGITS, rule="stdp", settings=settings, calibration=data).program
    first, *rest = made.plasticity
    return replace(made, plasticity=(replace(first, dt=parse_sum("dt = 2^0*y0*x1")), *rest))


def new_state(program: Program) -> State:
    state = load_engine("native").open(program, rounding="independent").state()
    return {**state, "session.samples": np.zeros(1, np.int64)}


@pytest.mark.parametrize(("tag", "taken"), [(-257, True), (255, True), (-258, False), (256, False)])
def test_a_tag_lies_within_its_word_or_one_below(program: Program, tag: int, taken: bool) -> None:
    new = new_state(program)
    (name,) = [key for key in new if key.startswith("tag.")]
    state = {**new, name: np.full_like(new[name], tag)}
    if taken:
        check_state(program, state, new)
        return
    with pytest.raises(InputFileError, match="HB0717"):
        check_state(program, state, new)


def test_a_state_without_the_tags_of_its_program_is_refused(program: Program) -> None:
    new = new_state(program)
    with pytest.raises(InputFileError, match="HB0717"):
        check_state(program, {k: v for k, v in new.items() if not k.startswith("tag.")}, new)
