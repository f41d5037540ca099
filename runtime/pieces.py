"""Long runs in pieces of about a fifth of a second, so that whoever waits is heard in between.

In: a machine, inputs of many samples. Out: the same bits as of one call, for a run may be cut
anywhere between two samples. Between the pieces Python looks for signals, and a caller may say how
far it is. Engines whose calls are dear (Lava) are called once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.engines.base import Given, Machine, Splitting
from hebbite.runtime.recording import Recording

PIECE_S = 0.2
CHUNK = 512
"""Samples of the longest piece: what is coded at once stays small."""
FEW, GROWTH = 2, 8
LEAST = 8
"""Samples that are worth a thread."""
CUT = ("native", "reference")
"""Engines whose runs are cut."""


class Pace:
    """How many samples a piece may have; learns it from the pieces before."""

    def __init__(self, engine: str) -> None:
        self._cut = engine in CUT
        self._size = FEW

    def pieces(self, samples: int) -> Iterator[tuple[int, int]]:
        """Yield (first, last + 1) of pieces that cover the samples; each has the size of then."""
        first = 0
        while first < samples:
            last = min(first + self._size, samples) if self._cut else samples
            yield first, last
            first = last

    def chunk(self, left: int) -> int:
        """Return how many of the samples that are left to code and run: all, or an even number."""
        return min(self._size if self._cut else CHUNK, left)

    def took(self, samples: int, seconds: float) -> None:
        """Learn how long a piece took."""
        wanted = int(samples * PIECE_S / max(seconds, 1e-9))
        size = min(wanted, self._size * GROWTH, CHUNK)
        if size > self._size and samples < self._size:
            return
        self._size = max(size // 2 * 2, FEW)


def threads_of(given: int | None) -> int:
    """Return the threads of a session: as given, else $HEBBITE_THREADS, else the processors.

    Raises:
        UsageError: HB0115 for less than one, or for what is no number.
    """
    text = os.environ.get("HEBBITE_THREADS", "") if given is None else str(given)
    if not text:
        return _processors()
    if not text.isdecimal() or not 1 <= int(text) <= 4096:
        what = f"a session has 1 thread or more, not '{text}'"
        raise UsageError(Problem("HB0115", what, hint="threads=2, or HEBBITE_THREADS=2"))
    return int(text)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_apart(
    machine: Machine, given: Given, *, samples: int, each: int = 1, threads: int
) -> Recording:
    """Run samples that do not learn, over threads where the machine can and it is worth it."""
    shares = min(threads, samples // LEAST)
    if shares > 1 and isinstance(machine, Splitting):
        return machine.run_split(given, samples=samples, each=each, threads=shares)
    return machine.run(given(0, samples), samples=samples * each, learn=False)
