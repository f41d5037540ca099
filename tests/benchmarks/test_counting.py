"""The engine without counts, beside which counting is measured, differs in its counts alone."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.peers.counting import Both
from benchmarks.peers.native import Native
from benchmarks.peers.protocol import Run
from benchmarks.speed import uncounted
from benchmarks.speed.counting import row_of
from benchmarks.speed.workloads import Workload

KINDS = ("A", "B", "C1", "C2")


def test_what_is_cut_stands_in_the_engine_once() -> None:
    for module in uncounted.CUTS:
        compile(uncounted.without_counts(module), module, "exec")


def test_a_cut_that_the_engine_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(uncounted.CUTS, "run", (("count_what_is_not_there(m)\n", ""),))
    with pytest.raises(AssertionError, match="has 0 of"):
        uncounted.without_counts("run")


@pytest.mark.parametrize("kind", KINDS)
def test_without_counts_the_engine_computes_the_same(kind: str, tmp_path: Path) -> None:
    workload, both = Workload(kind, 0.02, steps=50), Both()
    both.setup(kind, workload.arrays(tmp_path), 50, "native,lava-exact")
    one, other = both.counted.check(), both.uncounted.check()
    for name in one:
        assert np.array_equal(one[name], other[name]), name
        assert one[name].any(), name
    counts, none = counts_of(both.counted), counts_of(both.uncounted)
    assert counts[0] > 0
    assert counts[1] > 0
    assert none[:3] == [0, 0, 0]
    assert counts[3] == none[3] == 50


def counts_of(native: Native) -> list[int]:
    """Return neurons that were active, synaptic operations, updates and steps of a sample."""
    native.machine.restore(native.start)
    counters = native.machine.run(native.inputs, samples=1).counters
    names = ("neuron_active", "syn_ops", "updates_visited", "steps")
    return [counters.total(name) for name in names]


def test_both_engines_run_on_the_same_arrays_in_either_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload, both, order = Workload("A", 0.02, steps=50), Both(), list[str]()
    both.setup("A", workload.arrays(tmp_path), 50, "native,independent")

    def noted(name: str, run: Callable[[], Run]) -> Callable[[], Run]:
        def noting() -> Run:
            order.append(name)
            return run()

        return noting

    for name in ("counted", "uncounted"):
        native = getattr(both, name)
        monkeypatch.setattr(native, "run", noted(name, native.run))
    both.run()
    both.run()
    assert order == ["counted", "uncounted", "uncounted", "counted"]
    one: Any = both.counted.machine
    other: Any = both.uncounted.machine
    assert (one._listed == other._listed).all(axis=1).sum() > len(one._listed) / 2


def test_the_engine_that_stands_is_the_one_that_counts() -> None:
    before = sys.modules["hebbite.runtime.engines.native.messages"]
    with tempfile.TemporaryDirectory() as folder, uncounted.without_counting(Path(folder)):
        from hebbite.runtime.engines.native import messages

        assert messages is not before
        assert messages.__file__ == str(Path(folder) / "messages.py")
    assert sys.modules["hebbite.runtime.engines.native.messages"] is before


def test_a_cost_is_the_middle_of_the_rounds_each_the_middle_of_its_turns() -> None:
    rounds = [[(1.1, 1.0), (2.2, 2.0), (9.0, 1.0)], [(4.0, 4.0)] * 3, [(3.3, 3.0)] * 3]
    row = row_of(np.array(rounds))
    assert row["cost"] == "10.0% (5.0% to 10.0%)"
    assert (row["us_a_step"], row["without_counts"]) == (3.3, 3.0)
