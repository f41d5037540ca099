"""While a verb works: a bar for whoever watches, and Ctrl-C as a wish to stop.

Both are on standard error, the bar on a terminal only and for work of more than a second.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 1.0
STOPPED = 130
"""Exit code of what Ctrl-C stopped: 128 and the number of the signal."""


class Bar:
    """A bar of ``total`` parts of work, seen from the second second on; never if ``quiet``, or
    nobody watches.
    """

    def __init__(self, total: int, what: str, *, quiet: bool) -> None:
        self._total, self._done, self._what = total, 0, what
        self._watched = not quiet and sys.stderr.isatty()
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE_S, self._start)
        self._timer.daemon = True
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        """Use the bar as a context that takes it away at the end."""
        if self._watched:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._timer.cancel()
        with self._lock:
            self._watched = False
            if self._bar is not None:
                self._bar.stop()

    def reach(self, done: int, what: str = "", total: int = 0) -> None:
        """Say how much is done; ``what`` and ``total`` replace those of before."""
        with self._lock:
            self._done, self._what = done, what or self._what
            self._total = total or self._total
            self._show()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if not self._watched:
            return
        from rich.console import Console

        with self._lock:
            console = Console(stderr=True) if self._bar is None else self._bar.console
            console.print(text, style="dim", markup=False, highlight=False)

    def _start(self) -> None:
        with self._lock:
            if self._watched:
                self._bar, self._task = _started(self._total)
                self._show()

    def _show(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=self._done, description=self._what, total=self._total
            )


def _started(total: int) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=total)
    bar.start()
    return bar, task


@contextmanager
def stop_on_interrupt(*, heard: bool) -> Iterator[Callable[[], bool]]:
    """Give a function that says whether Ctrl-C was pressed; pressed again it stops at once, as it
    does the first time if it is not ``heard`` here.
    """
    asked = threading.Event()
    if not heard or threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
