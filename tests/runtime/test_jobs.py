"""Finished jobs: kept one by one, done once, and never in the place of another result."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbite.compiler.settings import Settings
from hebbite.rules.errors import InputFileError, Problem
from hebbite.runtime import trial, workers
from hebbite.runtime.compare import Comparison, Plan, compare
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL, run_demo
from hebbite.runtime.jobs import NAME, JobStore, default_path, default_store


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan of four short jobs."""
    path = tmp_path_factory.mktemp("data") / "few.npz"
    save_data(path)
    common = {"seeds": (0, 1), "epochs": 1, "train_samples": 10, "engine": "reference"}
    return Plan(("dfa", "frozen"), data=str(path), **common)  # type: ignore[arg-type]


def save_data(path: Path, *, add: float = 0.0) -> None:
    whole = load_dataset("digits", seed=0)
    x, y = whole.x_train[:200] + np.float32(add), whole.y_train[:200]
    np.savez(path, x_train=x, y_train=y, x_test=whole.x_test[:20], y_test=whole.y_test[:20])


class Heard(list[str]):
    """Remarks, and how many jobs were really done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.done = 0
        real = trial.run_trial

        def run(work: trial.Trial) -> trial.Outcome:
            self.done += 1
            return real(work)

        monkeypatch.setattr(workers, "run_trial", run)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    return Heard(monkeypatch)


def run(plan: Plan, path: Path, heard: Heard, **options: Any) -> Comparison:
    with JobStore(path, note=heard.append) as store:
        return compare(MODEL, plan, store=store, note=heard.append, **options)


def results(found: Comparison) -> list[dict[str, object]]:
    """Return the rows without the seconds, which differ between two trainings."""
    rows = [row.to_json() for row in found.rows]
    return [{key: value for key, value in row.items() if key != "wall_s"} for row in rows]


def test_results_with_and_without_a_store_are_equal(
    plan: Plan, tmp_path: Path, heard: Heard
) -> None:
    path = tmp_path / "jobs.sqlite"
    plain, first = compare(MODEL, plan), run(plan, path, heard)
    assert (heard.done, list(heard)) == (8, [])
    again = run(plan, path, heard)
    assert (heard.done, list(heard)) == (8, ["4 of 4 jobs were finished before"])
    assert results(plain) == results(first) == results(again)
    for one, two in zip(first.rows, again.rows, strict=True):
        assert [o.counters for o in one.outcomes] == [o.counters for o in two.outcomes]
        assert [o.wall_s for o in one.outcomes] == [o.wall_s for o in two.outcomes]
        assert one.to_json() == two.to_json()


def test_processes_and_the_parent_use_one_store(plan: Plan, tmp_path: Path, heard: Heard) -> None:
    path = tmp_path / "jobs.sqlite"
    side_by_side = compare_in(plan, path, jobs=2)
    again = run(plan, path, heard)
    assert (heard.done, list(heard)) == (0, ["4 of 4 jobs were finished before"])
    assert results(side_by_side) == results(again)


def compare_in(plan: Plan, path: Path, *, jobs: int) -> Comparison:
    undone = pytest.MonkeyPatch()
    with undone.context() as patch, JobStore(path) as store:
        patch.setattr(workers, "run_trial", trial.run_trial)
        return compare(MODEL, plan, store=store, jobs=jobs)


def test_fresh_does_every_job_again_and_keeps_it(plan: Plan, tmp_path: Path, heard: Heard) -> None:
    path = tmp_path / "jobs.sqlite"
    run(plan, path, heard)
    run(plan, path, heard, fresh=True)
    assert (heard.done, list(heard)) == (8, [])
    run(plan, path, heard)
    assert heard.done == 8


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "seeds": lambda p: replace(p, seeds=(2, 3)),
    "rules": lambda p: replace(p, rules=("fa", "dfa(rate=-5)")),
    "epochs": lambda p: replace(p, epochs=2),
    "samples": lambda p: replace(p, train_samples=11),
    "rounding": lambda p: replace(p, rounding="lava-exact"),
    "engine": lambda p: replace(p, engine="native"),
    "settings": lambda p: replace(p, settings=Settings(error_shift=2)),
    "target": lambda p: replace(p, targets=("ideal",)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_a_result_is_another_job(plan: Plan, name: str) -> None:
    short = replace(plan, rules=("dfa",), seeds=(0,))
    changed = CHANGES[name](short)
    assert not keys(short) & keys(changed)
    assert keys(short) == keys(replace(short, profiles=("loihi1-davies2018",)))


def keys(plan: Plan) -> set[str]:
    """Return the keys of the jobs of a plan; none is done."""
    found: list[str] = []
    known = trial.key_of

    def keep(work: trial.Trial) -> trial.Outcome:
        found.append(known(work))
        raise InputFileError(Problem("HB0000", "enough"))

    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(workers, "run_trial", keep)
        with pytest.raises(InputFileError, match="enough"):
            compare(MODEL, plan)
    return set(found)


def test_other_data_or_other_code_is_another_job(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    save_data(one)
    save_data(two, add=0.25)
    assert keys(replace(plan, data=str(one))) == keys(plan)
    assert not keys(replace(plan, data=str(two))) & keys(plan)
    known = keys(plan)
    monkeypatch.setattr(trial, "sources_sha256", lambda: "another")
    assert not keys(plan) & known


def test_an_interrupted_run_goes_on_after_its_first_job(
    plan: Plan, tmp_path: Path, heard: Heard
) -> None:
    path = tmp_path / "jobs.sqlite"
    code = f"""
import os
from dataclasses import replace
from pathlib import Path
from hebbite.runtime.compare import Plan, compare
from hebbite.runtime.demo import MODEL
from hebbite.runtime.jobs import JobStore
plan = Plan(("dfa", "frozen"), data={plan.data!r}, seeds=(0, 1), epochs=1, train_samples=10,
            engine="reference")
store = JobStore(Path({str(path)!r}))
compare(MODEL, plan, store=store, progress=lambda text: os._exit(9))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    whole = compare(MODEL, plan)
    before = heard.done
    resumed = run(plan, path, heard)
    assert list(heard) == ["1 of 4 jobs were finished before"]
    assert heard.done - before == 3
    assert results(resumed) == results(whole)


def test_two_stores_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    with JobStore(path) as one, JobStore(path) as two:
        one.put("a", "1")
        two.put("b", "2")
        two.put("a", "3")
        assert (one.get("a"), one.get("b"), two.get("c")) == ("3", "2", None)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE mine (x)")


def newer(path: Path) -> None:
    JobStore(path).__exit__(None, None, None)
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 2")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def cut(path: Path) -> None:
    with JobStore(path) as store:
        for number in range(300):
            store.put(f"{number}", "x" * 100)
    path.write_bytes(path.read_bytes()[:5000])


def overwritten(path: Path) -> None:
    cut(path)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 12_000)


BAD: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("a letter to a friend"),
    "short": lambda path: path.write_bytes(b"SQLite format 3\0"),
    "foreign": foreign,
    "newer": newer,
    "cut": cut,
    "overwritten": overwritten,
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_or_foreign_file_is_refused_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "jobs.sqlite"
    BAD[name](path)
    before = path.read_bytes()
    with pytest.raises(InputFileError, match="HB0716"):
        JobStore(path)
    assert path.read_bytes() == before


OLD = (
    '{"after": 0.5, "before": 0.5, "counters": {"components": [], "values": []}, '
    '"validation": [0.5], "wall_s": 1.0}'
)
"""A training without its curve."""


@pytest.mark.parametrize("value", ["{}", "[]", "nonsense", '{"before": 1}', OLD])
def test_a_job_that_was_not_stored_so_is_refused(
    plan: Plan, tmp_path: Path, heard: Heard, value: str
) -> None:
    path = tmp_path / "jobs.sqlite"
    short = replace(plan, rules=("frozen",), seeds=(0,))
    run(short, path, heard)
    with JobStore(path) as store:
        (key,) = store._base.execute("SELECT key FROM jobs").fetchone()
        store.put(key, value)
    with pytest.raises(InputFileError, match="HB0716"):
        run(short, path, heard)
    with JobStore(path) as store:
        store._base.execute("UPDATE jobs SET value = ?", ("other",))
        with pytest.raises(InputFileError, match="HB0716"):
            store.get(key)


PLACES = {
    "epochs": ("counters",),
    "moments": ("credit",),
    "layers": ("credit", "moments", 0, "chip"),
}
"""Where a list stands that is no list of the job itself."""


@pytest.mark.parametrize("name", ["objective", "validation", "epochs", "moments", "layers"])
def test_a_job_with_half_a_curve_is_refused(
    plan: Plan, tmp_path: Path, heard: Heard, name: str
) -> None:
    path = tmp_path / "jobs.sqlite"
    short = replace(plan, rules=("frozen",), seeds=(0,))
    run(short, path, heard)
    with JobStore(path) as store:
        key, text = store._base.execute("SELECT key, value FROM jobs").fetchone()
        stored = json.loads(text)
        part = stored
        for place in PLACES.get(name, ()):
            part = part[place]
        part[name].pop()
        store.put(key, json.dumps(stored))
    with pytest.raises(InputFileError, match="HB0716"):
        run(short, path, heard)


def test_neighbouring_rates_are_jobs_like_any_other(
    plan: Plan, tmp_path: Path, heard: Heard
) -> None:
    path = tmp_path / "jobs.sqlite"
    short = replace(plan, rules=("dfa",), seeds=(0,), sensitivity=True)
    first = run(short, path, heard)
    assert heard.done == 3
    again = run(short, path, heard)
    assert (heard.done, list(heard)) == (3, ["3 of 3 jobs were finished before"])
    assert [row.to_json() for row in again.rows] == [row.to_json() for row in first.rows]
    run(replace(short, rules=("dfa(rate=-6)",), sensitivity=False, to_accuracy=0.5), path, heard)
    assert heard.done == 3
    side_by_side = compare_in(short, tmp_path / "other.sqlite", jobs=2)
    assert unclocked(side_by_side) == unclocked(first)


def unclocked(found: Comparison) -> list[object]:
    """Return the rows without any seconds of this computer."""
    text = json.dumps(results(found))
    assert "wall_s" not in text
    return list(json.loads(text))


def test_a_folder_or_a_missing_folder_is_no_store(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "jobs.sqlite", tmp_path / "a\0b"):
        with pytest.raises(InputFileError, match="HB0715"):
            JobStore(path)


def test_a_store_that_breaks_while_it_is_used_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    with JobStore(tmp_path / "jobs.sqlite", note=said.append) as store:
        store._base.execute("PRAGMA query_only = 1")
        store.put("a", "1")
        store.put("b", "2")
        assert len(said) == 1
        assert "no longer kept" in said[0]


def test_the_default_store_is_private_and_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = default_store(note=pytest.fail)
    assert store is not None
    with store:
        assert store.path == default_path() == tmp_path / "cache" / "hebbite" / NAME
        assert store.path.parent.stat().st_mode & 0o777 == 0o700
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".cache" / "hebbite" / NAME


def test_where_nothing_can_be_written_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert default_store(note=said.append) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("os.access", lambda *_: False)
    assert default_store(note=said.append) is None
    assert all(text.startswith("finished jobs are not kept") for text in said)
    assert len(said) == 2


def test_the_demo_trains_whatever_was_finished_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run_demo(epochs=1, seeds=(0,), engine="native", train_samples=5,
             engines=("reference", "reference"), steps=8)  # fmt: skip
    assert not (tmp_path / "cache").exists()


ONE_PROCESSOR = """
import os
from threadpoolctl import threadpool_info
from hebbite.runtime.pieces import threads_of
from hebbite.runtime.workers import _done

def job(number):
    import numpy, time
    time.sleep(0.3)
    counts = {pool["num_threads"] for pool in threadpool_info()}
    return os.getpid(), threads_of(None), max(counts, default=1)

if __name__ == "__main__":
    found = [result for _, result in _done(job, {0: 0, 1: 1, 2: 2, 3: 3}, 2)]
    assert len({pid for pid, _, _ in found} - {os.getpid()}) == 2, found
    assert {(threads, pools) for _, threads, pools in found} == {(1, 1)}, found
"""


def test_jobs_run_in_processes_that_keep_to_one_processor_each(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ONE_PROCESSOR)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
