"""Long verbs: they show how far they are, answer Ctrl-C within a second and lose nothing."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbite.compiler.hbt import load_compiled
from hebbite.runtime.cli import app
from hebbite.runtime.demo import MODEL

RUN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from hebbite.runtime.cli import app
app()
"""
HEBBITE = (sys.executable, "-c", RUN)
LONG, DEADLINE_S = 2000, 60


def hebbite(*words: str | Path, code: int = 0) -> str:
    found = CliRunner().invoke(app, [str(word) for word in words])
    assert found.exit_code == code, found.output
    return found.stdout


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hbt") / "d.hbt"
    hebbite("compile", MODEL, "--rule", "dfa(rate=-4)", "-o", path)
    return path


RUNNING: list[subprocess.Popen[str]] = []
ANSWER_S = 5.0
"""A second is what is asked for; the rest is the interpreter's end on a busy machine."""


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    yield
    while RUNNING:
        work = RUNNING.pop()
        work.kill()
        work.wait()


def started(*words: str | Path) -> subprocess.Popen[str]:
    command = [*HEBBITE, *map(str, words)]
    work = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    RUNNING.append(work)
    return work


def appears(path: Path) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.02)


def interrupted(work: subprocess.Popen[str]) -> tuple[str, str, float]:
    """Send SIGINT; return what was printed, and after how many seconds the process ended."""
    began = time.monotonic()
    work.send_signal(signal.SIGINT)
    out, err = work.communicate(timeout=DEADLINE_S)
    return out, err, time.monotonic() - began


def test_a_training_that_is_interrupted_goes_on_with_the_same_bits(
    compiled: Path, tmp_path: Path
) -> None:
    stopped, kept = tmp_path / "G.stopped.hbt", tmp_path / "kept"
    work = started("train", compiled, "-o", tmp_path / "G.hbt", "--epochs", str(LONG),
                   "--checkpoint-dir", kept)  # fmt: skip
    appears(kept / "epoch-00001.hbt")
    time.sleep(0.3)
    out, err, seconds = interrupted(work)
    assert (work.returncode, out) == (130, ""), err
    assert seconds < ANSWER_S
    training = load_compiled(stopped).training
    assert training is not None
    assert f"stopped after {training.epochs} epochs and {training.shown} of" in err
    assert not (tmp_path / "G.hbt").exists()
    typed = shlex.split(err.split("the same bits: ")[1].splitlines()[0])
    assert typed[-2:] == ["--resume", str(stopped)]

    epochs = str(training.epochs + 2)
    words = [epochs if word == str(LONG) else word for word in typed[1:]]
    hebbite(*words)
    hebbite("train", compiled, "-o", tmp_path / "whole.hbt", "--epochs", epochs)
    found, wanted = (load_compiled(tmp_path / name) for name in ("G.hbt", "whole.hbt"))
    assert found.training == wanted.training
    assert found.compiled.sha256 == wanted.compiled.sha256


def test_an_interrupted_training_tells_json_where_it_is_kept(
    compiled: Path, tmp_path: Path
) -> None:
    work = started("train", compiled, "-o", tmp_path / "G.hbt", "--epochs", str(LONG), "--json",
                   "--checkpoint-dir", tmp_path)  # fmt: skip
    appears(tmp_path / "epoch-00001.hbt")
    out, _, _ = interrupted(work)
    assert work.returncode == 130
    document = json.loads(out)["stopped"]
    assert document["checkpoint"] == str(tmp_path / "G.stopped.hbt")


def test_the_file_of_a_stopped_training_never_replaces_the_model(tmp_path: Path) -> None:
    model = tmp_path / "G.stopped.hbt"
    hebbite("compile", MODEL, "-o", model)
    hebbite("train", model, "-o", tmp_path / "G.hbt", "--epochs", "1", code=2)


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.long), "2"])
def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path: Path, jobs: str) -> None:
    store = tmp_path / "jobs.sqlite"
    words = ("compare", MODEL, "--rules", "dfa", "--seeds", "0..40", "--epochs", "2",
             "--train-samples", "200", "--store", store, "--jobs", jobs)  # fmt: skip
    work = started(*words)
    end = time.monotonic() + DEADLINE_S
    while not finished(store):
        assert time.monotonic() < end
        time.sleep(0.05)
    out, err, seconds = interrupted(work)
    assert (work.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "the same command goes on" in err
    assert seconds < ANSWER_S
    known = finished(store)
    assert 0 < known < 41
    again = started(*words[:4], "--seeds", f"0..{known}", *words[6:], "--json")
    out, err = again.communicate(timeout=DEADLINE_S)
    assert again.returncode == 0, err
    assert re.search(r"[1-9]\d* of \d+ jobs were finished before", err)


def finished(store: Path) -> int:
    """Return how many jobs a store holds, without waiting for whoever writes."""
    import sqlite3

    if not store.exists():
        return 0
    base = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=5.0)
    try:
        (count,) = base.execute("SELECT count(*) FROM jobs").fetchone()
    except sqlite3.OperationalError:  # the table is not yet made
        return 0
    finally:
        base.close()
    return int(count)


def test_an_interrupted_evaluation_ends_within_a_second(compiled: Path, tmp_path: Path) -> None:
    data = tmp_path / "many.npz"
    rng = np.random.default_rng(0)
    few, many = rng.random((40, 64)), rng.random((200_000, 64)).astype(np.float32)
    labels = np.arange(200_000) % 10
    np.savez(data, x_train=few, y_train=labels[:40], x_test=many, y_test=labels)
    work = started("evaluate", compiled, "--data", data, "--engine", "reference")
    time.sleep(4.0)
    assert work.poll() is None
    out, err, seconds = interrupted(work)
    assert (work.returncode, out, err.strip()) == (130, "", "stopped")
    assert seconds < ANSWER_S


def on_a_terminal(*words: str | Path, seconds: float, until: str = "") -> tuple[str, str]:
    """Run a verb whose standard error is a terminal, stop it after a time, or once it has printed
    ``until``; return what it printed there.
    """
    mine, its = pty.openpty()
    work = subprocess.Popen(
        [*HEBBITE, *map(str, words)], stdout=subprocess.PIPE, stderr=its, text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(its)
    seen, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and not (until and until.encode() in seen):
        if select.select([mine], [], [], 0.1)[0]:
            seen += os.read(mine, 65536)
    work.send_signal(signal.SIGINT)
    try:
        while True:
            seen += os.read(mine, 65536)
    except OSError:  # the terminal of a process that ended
        pass
    os.close(mine)
    out, _ = work.communicate(timeout=DEADLINE_S)
    return out, seen.decode(errors="replace")


def test_a_long_training_shows_a_bar_on_a_terminal_and_nothing_if_quiet(
    compiled: Path, tmp_path: Path
) -> None:
    words = ("train", compiled, "-o", tmp_path / "G.hbt", "--epochs", str(LONG))
    out, seen = on_a_terminal(*words, seconds=DEADLINE_S, until=f"/{LONG * 1293}")
    assert out == ""
    assert re.search(rf"training.*/{LONG * 1293}", seen)
    out, seen = on_a_terminal(*words, "--quiet", seconds=6.0)
    assert out == ""
    assert "training" not in seen.split("stopped after")[0]


@pytest.mark.parametrize("verb", ["train", "evaluate", "compare"])
def test_progress_can_be_silenced(verb: str) -> None:
    assert "--quiet" in hebbite(verb, "--help")
