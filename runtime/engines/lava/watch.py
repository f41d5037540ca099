"""The caller's side of the watched child: start it, wait with a limit, leave nothing behind.

In: a job folder (see `job`). Out: the content of ``done.json``; results are beside it. Why:
whatever Lava does, the caller gets its answer or a coded error within the limit.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from hebbite.rules.errors import EngineError, Problem
from hebbite.runtime.engines.lava.job import DONE, ERROR, JOB, STDERR, Json, read_json
from hebbite.runtime.engines.lava.shim import LavaUnavailable, require_lava

CHILD = "hebbite.runtime.engines.lava.child"
ENVIRONMENT = {
    # One thread a process: Lava forks, and a fork copies no helper threads.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # A warning turned into an error inside one of Lava's processes would hang all the others.
    "PYTHONWARNINGS": "ignore",
}
FAREWELL = 5.0
"""Seconds that the child may take to end its group once its standard input is closed."""
LAST_LINES = 12


def run_job(folder: Path, *, timeout: float) -> Json:
    """Run the job in ``folder`` in a child process and return its ``done.json``.

    ``timeout`` is in seconds and covers everything: starting Python, Lava and the run.

    Raises:
        LavaUnavailable: HB0601, Lava is not installed.
        EngineError: HB0602 after ``timeout``; HB0603 if the child failed, with its last lines;
            any other code as the child reported it.
    """
    child = start_child(folder)
    late = False
    try:
        child.wait(timeout=timeout)
    except subprocess.TimeoutExpired:
        late = True
    finally:
        end_child(child)
    if (folder / DONE).exists():
        return read_json(folder, DONE)
    if late and not (folder / ERROR).exists():
        job = read_json(folder, JOB)
        raise too_late(int(job["steps"]), str(job["task"]), timeout)
    raise failure(folder, child.returncode)


def start_child(folder: Path) -> subprocess.Popen[bytes]:
    """Start the child on the job in ``folder``, in a process group of its own.

    Raises:
        LavaUnavailable: HB0601, Lava is not installed.
    """
    require_lava()
    with (folder / STDERR).open("wb") as sink:  # a file: a process left over would hold a pipe open
        return subprocess.Popen(
            [sys.executable, "-m", CHILD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=sink,
            start_new_session=True,
            env={**os.environ, **ENVIRONMENT},
        )


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Close the life line; the child then ends its group. Kill the group if it does not."""
    assert child.stdin is not None, "standard input is a pipe"
    child.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=FAREWELL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def failure(folder: Path, code: int) -> EngineError:
    """Return why a child that has ended failed: as it reported, or its last lines (HB0603)."""
    if (folder / ERROR).exists():
        problem = Problem(**read_json(folder, ERROR))
        return (LavaUnavailable if problem.code == "HB0601" else EngineError)(problem)
    lines = (folder / STDERR).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return EngineError(
        Problem(
            "HB0603",
            f"the Lava process failed (exit code {code}):\n" + "\n".join(lines[-LAST_LINES:]),
            at=str(read_json(folder, JOB)["task"]),
            hint="'hebbite doctor' shows whether Lava itself runs here",
        )
    )


def too_late(steps: int, task: str, timeout: float) -> EngineError:
    """Return the error of a task that did not end in time (HB0602)."""
    return EngineError(
        Problem(
            "HB0602",
            f"Lava did not finish {steps} steps within {timeout:g} s; it was stopped",
            at=task,
            hint="raise the time-out, or run fewer steps: Lava takes about 0.5 to 20 ms a step",
        )
    )
