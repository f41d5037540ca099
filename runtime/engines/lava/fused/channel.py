"""The caller's end of the two pipes to the process inside Lava.

In: a request. Out: its reply, or a coded error: within the limit, whatever Lava does, and at once
if the process or the child that watches it has died. After an error nothing is left of either.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from hebbite.rules.errors import EngineError, Problem
from hebbite.runtime.engines.lava.fused.message import Message, decode, encode
from hebbite.runtime.engines.lava.job import JOB, write_json
from hebbite.runtime.engines.lava.watch import end_child, failure, start_child, too_late

TASK = "fused"
REQUESTS = "requests"
REPLIES = "replies"
LOOK = 0.1
"""Seconds between two looks at the child while nothing comes."""


class Channel:
    """A watched child in which Lava serves programs, one after the other.

    ``turn`` counts them: whoever opens one adds 1 and is served until the next one does.
    """

    def __init__(self) -> None:
        """Start the child; it holds no program yet.

        Raises:
            LavaUnavailable: HB0601, Lava is not installed.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="hebbite-lava-"))
        self._pipes: list[int] = []
        self._child: subprocess.Popen[bytes] | None = None
        self._heard = False
        self.turn = 0
        started = False
        try:
            self._start()
            started = True
        finally:
            if not started:
                self.close()

    def _start(self) -> None:
        write_json(self._folder, JOB, {"task": TASK, "steps": 0})
        for name in (REQUESTS, REPLIES):
            os.mkfifo(self._folder / name, 0o600)
        # Open for both ways: a pipe that nobody reads yet could not be opened for writing alone.
        self._pipes.append(os.open(self._folder / REQUESTS, os.O_RDWR | os.O_NONBLOCK))
        self._pipes.append(os.open(self._folder / REPLIES, os.O_RDONLY | os.O_NONBLOCK))
        self._child = start_child(self._folder)

    def __enter__(self) -> Channel:
        """Use it as a context that ends Lava."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End Lava."""
        self.close()

    def ask(self, request: Message, *, turn: int, timeout: float, steps: int = 0) -> Message:
        """Send a request and return the reply; ``steps`` of the program are named if it is late.

        Raises:
            EngineError: HB0602 after ``timeout`` seconds, HB0603 or the code that the process
                reported if it failed, HB0608 if it was closed or had failed before, or if it serves
                another program by now.
        """
        if self._child is None or turn != self.turn:
            why = "it was closed, or has failed" if turn == self.turn else "it runs another program"
            what = f"the Lava process of this machine is gone: {why}"
            raise EngineError(Problem("HB0608", what, hint="open a new machine or session"))
        until = time.monotonic() + timeout
        done = False
        try:
            self._check(until)
            for piece in encode(request):
                self._give(memoryview(piece), until)
            reply = decode(lambda count: self._take(count, until))
            done = True
            return reply
        except TimeoutError:
            raise self._failure(lambda _: too_late(steps, TASK, timeout)) from None
        except EOFError:
            raise self._failure(lambda code: failure(self._folder, code)) from None
        finally:
            if not done:  # even if the user interrupts: half a reply would be left in the pipe
                self.close()

    def _failure(self, error: Callable[[int], EngineError]) -> EngineError:
        """End the child, so that all that it has to say is written, and return the error."""
        assert self._child is not None, "something was asked for"
        end_child(self._child)
        return error(self._child.returncode)

    def _give(self, piece: memoryview, until: float) -> None:
        pipe = self._pipes[0]
        while piece:
            self._wait([], [pipe], until)
            with contextlib.suppress(BlockingIOError):
                piece = piece[os.write(pipe, piece) :]

    def _take(self, count: int, until: float) -> bytearray:
        pipe, data = self._pipes[1], bytearray(count)
        view = memoryview(data)
        while view:
            self._wait([pipe], [], until)
            with contextlib.suppress(BlockingIOError):
                got = os.readv(pipe, [view])
                if not got and self._heard:
                    raise EOFError
                if not got:  # nobody has opened the other end yet, or somebody died before a word
                    time.sleep(LOOK)
                    self._check(until)
                self._heard = self._heard or bool(got)
                view = view[got:]
        return data

    def _wait(self, read: list[int], write: list[int], until: float) -> None:
        """Return when a pipe may be ready."""
        if not any(select.select(read, write, [], LOOK)):
            self._check(until)

    def _check(self, until: float) -> None:
        """Look whether the child is there, and the time not over."""
        assert self._child is not None, "something was asked for"
        if self._child.poll() is not None:
            raise EOFError
        if time.monotonic() > until:
            raise TimeoutError

    def close(self) -> None:
        """End Lava and remove every trace of it. May be called again."""
        while self._pipes:
            os.close(self._pipes.pop())
        if self._child is not None:
            end_child(self._child)
            self._child = None
        shutil.rmtree(self._folder, ignore_errors=True)
