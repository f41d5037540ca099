"""The engine without counts, beside which counting is measured, differs in its counts alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.speed import uncounted
from benchmarks.speed.counting import row_of

ROOT = Path(__file__).parents[2]
KINDS = ("A", "B", "C1", "C2")
RUN = """
import sys
from pathlib import Path
import numpy as np
from benchmarks.speed.uncounted import install
from benchmarks.speed.workloads import Workload
folder = Path(sys.argv[1])
if sys.argv[2] == "without":
    install(folder / "sources")
from benchmarks.peers.native import Native
for kind in sys.argv[3:]:
    workload, native = Workload(kind, 0.02, steps=50), Native()
    native.setup(kind, workload.arrays(folder), 50, "native,lava-exact")
    counters = native._machine.run(native._inputs, samples=1).counters
    counts = [counters.total(n) for n in ("neuron_active", "syn_ops", "updates_visited", "steps")]
    np.savez(folder / f"{kind}-{sys.argv[2]}.npz", counts=counts, **native.check())
"""


def test_what_is_cut_stands_in_the_engine_once() -> None:
    for module in uncounted.CUTS:
        compile(uncounted.without_counts(module), module, "exec")


def test_a_cut_that_the_engine_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(uncounted.CUTS, "run", (("count_what_is_not_there(m)\n", ""),))
    with pytest.raises(AssertionError, match="has 0 of"):
        uncounted.without_counts("run")


def test_without_counts_the_engine_computes_the_same(tmp_path: Path) -> None:
    own = {"HEBBITE_CACHE": str(tmp_path / "code")}
    for counts in ("with", "without"):
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(tmp_path), counts, *KINDS],
            cwd=ROOT,
            env={**os.environ, **(own if counts == "without" else {})},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    for kind in KINDS:
        with np.load(tmp_path / f"{kind}-with.npz") as one, \
                np.load(tmp_path / f"{kind}-without.npz") as other:  # fmt: skip
            for name in set(one) - {"counts"}:
                assert np.array_equal(one[name], other[name]), (kind, name)
                assert one[name].any(), (kind, name)
            assert one["counts"][0] > 0
            assert one["counts"][1] > 0
            assert other["counts"][:3].tolist() == [0, 0, 0]
            assert one["counts"][3] == other["counts"][3] == 50


def test_a_cost_is_a_ratio_of_two_times_of_a_round() -> None:
    times = np.array([[1.1, 1.0], [2.2, 2.0], [4.0, 4.0], [1.05, 1.0], [3.3, 3.0]])
    row = row_of(times)
    assert row["cost"] == "10.0% (5.0% to 10.0%)"
    assert (row["us_a_step"], row["without_counts"]) == (2.2, 2.0)
