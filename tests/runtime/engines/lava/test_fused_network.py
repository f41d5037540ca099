"""A program as one process of somebody's Lava network: samples by ports, answers by a port.

The network runs in an interpreter of its own, as a user's would.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.program.text import print_program
from hebbite.compiler.program.types import IntArray, Program
from hebbite.runtime.engines.registry import load_engine

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)
NETWORK = """
import json, os, sys
from pathlib import Path
import numpy as np
from hebbite.runtime.engines.lava.shim import ensure_lava
ensure_lava()
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from hebbite.compiler.program.text import parse_program
from hebbite.runtime.engines.lava.fused.process import FusedProgram

folder = Path(sys.argv[1])
arrays = dict(np.load(folder / "arrays.npz"))
image, target = arrays.pop("image"), arrays.pop("target")
program = parse_program((folder / "program.txt").read_text(), arrays)
fused = FusedProgram(program=program, samples=4, rounding="independent")
ports = [Source(data=np.moveaxis(rows.reshape(-1, 4, rows.shape[1]), 0, -1).astype(np.int32))
         for rows in (image, target)]
sink = Sink(shape=fused.s_out.shape, buffer=16)
ports[0].s_out.connect(fused.s_in)
ports[1].s_out.connect(fused.target_in)
fused.s_out.connect(sink.a_in)
config = Loihi2SimCfg(select_tag="fixed_pt")
fused.run(condition=RunSteps(num_steps=8), run_cfg=config)
learnt = fused.weights.get().astype(int).tolist()
fused.weights.set(np.array(learnt[::-1]))
fused.run(condition=RunSteps(num_steps=8), run_cfg=config)
answers = np.moveaxis(sink.data.get(), -1, 0).reshape(64, -1).astype(int).tolist()
(folder / "found.json").write_text(json.dumps({"learnt": learnt, "answers": answers}))
fused.stop()
os._exit(0)
"""


def test_a_program_in_a_network_answers_and_learns_as_in_its_engine(
    graded: Program, graded_data: Mapping[str, IntArray], tmp_path: Path
) -> None:
    (tmp_path / "program.txt").write_text(print_program(graded))
    arrays: dict[str, IntArray] = {**graded.tensors, **graded_data}
    np.savez(tmp_path / "arrays.npz", **arrays)  # type: ignore[arg-type]
    subprocess.run(
        [sys.executable, "-c", NETWORK, str(tmp_path)],
        check=True,
        timeout=200,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"},
    )
    found = json.loads((tmp_path / "found.json").read_text())
    machine = load_engine("native").open(graded, rounding="independent")
    tensors = list(dict.fromkeys(group.weight for group in graded.synapses))

    def half(first: int) -> list[list[int]]:
        part = {name: rows[first : first + 32] for name, rows in graded_data.items()}
        answers: list[list[int]] = machine.run(part, samples=32).answers.tolist()
        return answers

    answers = half(0)
    learnt = np.concatenate([machine.read(name).reshape(-1) for name in tensors])
    assert found["learnt"] == learnt.tolist()
    start = 0
    for name in tensors:
        shape = graded.tensors[name].shape
        size = int(np.prod(shape))
        machine.write(name, learnt[::-1][start : start + size].reshape(shape))
        start += size
    answers += half(32)
    assert found["answers"] == answers
