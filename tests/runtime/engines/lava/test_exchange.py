"""What the caller packs is what the child unpacks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hebbite.compiler.program.text import print_program
from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.lava.engine import start_state
from hebbite.runtime.engines.lava.exchange import Run, pack, unpack
from hebbite.runtime.engines.lava.job import read_json
from hebbite.runtime.engines.lava.layout import Layout


def test_a_run_survives_the_folder(tmp_path: Path, graded: Program) -> None:
    state = start_state(graded)
    state["weight.fc1"] = state["weight.fc1"] + 1
    events = {"image": np.ones((2, 1, 16), np.int64), "target": np.zeros((2, 1, 4), np.int64)}
    pack(tmp_path, Run(graded, state, events, samples=2, learn=True, seed=3))
    run = unpack(tmp_path, read_json(tmp_path, "job.json"))
    assert print_program(run.program) == print_program(graded)
    assert (run.samples, run.steps, run.epochs, run.learn, run.seed) == (2, 10, 2, True, 3)
    np.testing.assert_array_equal(run.program.tensors["fc1"], graded.tensors["fc1"] + 1)
    np.testing.assert_array_equal(run.program.tensors["fb2"], graded.tensors["fb2"])
    for name in events:
        np.testing.assert_array_equal(run.events[name], events[name])
    for name, value in run.state.items():
        np.testing.assert_array_equal(value, state[name])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 4))
def test_registers_written_by_a_layout_are_read_by_it(sizes: list[int], count: int) -> None:
    layout = Layout(tuple((f"r{index}", size) for index, size in enumerate(sizes)))
    rows = np.zeros((count, layout.width), np.int32)
    rng = np.random.default_rng(0)
    values = {name: rng.integers(-9, 9, (count, size)) for name, size in layout.columns}
    for index, row in enumerate(rows):
        layout.put(row, {name: value[index] for name, value in values.items()})
    for name, value in layout.split(rows).items():
        np.testing.assert_array_equal(value, values[name])
