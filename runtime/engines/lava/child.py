"""The watched child process: ``python -m hebbite.runtime.engines.lava.child FOLDER``.

In: a job folder. Out: that folder with its results. Why: Lava hangs in known ways, and its own
processes outlive whoever started them. So this first process imports nothing heavy, forks the
worker that does, and watches two things: standard input, whose end says that the caller is gone,
and the worker's standard error, whose end says that every process of Lava is gone, its resource
tracker (which frees shared memory) included. There is one way out, the same for success, failure,
time-out and a dead caller: SIGTERM to the group, a moment to tidy up, SIGKILL to what is left.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from hebbite.runtime.engines.lava.job import ERROR

POLL = 0.02
"""Seconds between two looks at the caller and the worker."""
GRACE = 1.0
"""Seconds from SIGTERM to SIGKILL."""


def main() -> NoReturn:
    """Fork the worker, watch it, and leave with its exit code."""
    folder, caller = Path(sys.argv[1]), os.getppid()
    scratch = tempfile.mkdtemp(prefix="hebbite-")
    tempfile.tempdir = scratch  # for Lava's sockets; not in ``folder``: a socket's name is short
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.dup2(writer, 2)
        os.close(reader)
        os.close(writer)
        _work(folder)
    os.close(writer)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = _watch(worker, reader, caller, folder)
    ended = _end_group(reader)
    shutil.rmtree(scratch, ignore_errors=True)
    if os.getppid() != caller:
        shutil.rmtree(folder, ignore_errors=True)
    if not ended:
        os.killpg(0, signal.SIGKILL)
    os._exit(code)


def _work(folder: Path) -> NoReturn:
    """Do the job. Leaves without the interpreter's own farewell, which would wait for Lava."""
    sys.excepthook = _report_and_leave
    from hebbite.runtime.engines.lava.worker import work

    _held = work(folder)
    os._exit(0)


def _report_and_leave(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    traceback.print_exception(kind, error, trace)
    sys.stderr.flush()
    os._exit(1)


def _watch(worker: int, reader: int, caller: int, folder: Path) -> int:
    """Pass on messages until the worker ends, a process fails or the caller goes; return a code."""
    while True:
        done, status = os.waitpid(worker, os.WNOHANG)
        if done:
            return max(os.waitstatus_to_exitcode(status), -1) & 0xFF
        ready = _relay(reader, [0], POLL)
        if (0 in ready and not os.read(0, 1)) or os.getppid() != caller:
            return 1
        if (folder / ERROR).exists():
            return 1


def _end_group(reader: int) -> bool:
    """Ask every other process to end; return whether their shared pipe has ended with them."""
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        if reader in _relay(reader, [], POLL):
            return True
    return False


def _relay(reader: int, others: list[int], seconds: float) -> list[int]:
    """Copy messages to our standard error; return what else is ready, ``reader`` if it ended."""
    ready, _, _ = select.select([reader, *others], [], [], seconds)
    if reader not in ready:
        return ready
    data = os.read(reader, 65536)
    if data:
        os.write(2, data)
        ready.remove(reader)
    elif others:
        time.sleep(seconds)  # ended before the worker itself: do not spin
    return ready


if __name__ == "__main__":
    main()
