"""Random feedback is drawn by seed and name alone: what a program holds can be drawn again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.lowering.feedback import random_feedback
from hebbite.compiler.settings import Settings

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"


@pytest.mark.parametrize("rule", ["fa", "dfa"])
def test_every_feedback_group_of_a_program_can_be_drawn_again(rule: str) -> None:
    settings = Settings(seed=5, feedback_rms=50)
    program = compile(MODEL, rule=rule, settings=settings).program
    groups = [group for group in program.synapses if group.role == "feedback"]
    assert len(groups) == 2
    for group in groups:
        stored = program.tensors[group.weight]
        shape = (stored.shape[0], stored.shape[1])
        assert np.array_equal(random_feedback(group.post, shape, settings), stored)


def test_a_draw_has_the_wanted_size_and_hangs_on_seed_and_name() -> None:
    drawn = random_feedback("a", (200, 50), Settings(seed=1, feedback_rms=64))
    assert abs(float(drawn.std()) - 64) < 1.5
    assert not (drawn % 2).any()
    assert not np.array_equal(drawn, random_feedback("b", (200, 50), Settings(seed=1)))
    assert not np.array_equal(drawn, random_feedback("a", (200, 50), Settings(seed=2)))
