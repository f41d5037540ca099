"""Answers of a network that does not learn: a copy of it runs samples in pieces, over threads.

In: a machine at step 0 and real samples. Out: the read-out register after each. Every ``CHUNK``
samples begin at step 0 anew, so answers do not depend on how many were asked for before them, and
chunks may run in any thread. What is left over, fewer chunks than threads, is split within a chunk
if the program allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Coding, Samples
from hebbite.runtime.engines.base import Inputs, Machine, Splitting
from hebbite.runtime.pieces import CHUNK, Pace, run_apart

Long = NDArray[np.int64]
Tick = Callable[[int], None]
"""Called between pieces with the number of samples that are done; what it raises stops the run."""


def answers_of(
    machine: Machine, coding: Coding, x: Samples, *, threads: int, pace: Pace, tick: Tick | None
) -> Long:
    """Return the answers to samples x (samples, features...), (samples, outputs)."""
    work = _Work(coding, x, pace)
    starts = range(0, len(x), CHUNK)
    spread = len(starts) // threads * threads if threads > 1 else 0
    parts: list[Long] = []
    if spread and isinstance(machine, Splitting):
        for part in _spread(work, machine, starts[:spread], threads):
            parts.append(part)
            if tick is not None:
                tick(len(parts) * CHUNK)
    fresh = machine.state() if len(starts) > len(parts) + 1 else {}
    for number, start in enumerate(starts[len(parts) :]):
        if number:
            machine.restore(fresh)
        for last, part in work.run(machine, start, threads):
            parts.append(part)
            if tick is not None:
                tick(last)
    return np.concatenate(parts)


def _spread(work: _Work, machine: Splitting, starts: range, threads: int) -> Iterator[Long]:
    """Yield the answers of whole chunks, in order, each run by any of the threads."""
    fresh, stop = machine.beside(0), Event()
    free: SimpleQueue[Splitting] = SimpleQueue()
    for _ in range(threads):
        free.put(machine.beside(0))

    def chunk(start: int) -> Long:
        own = free.get()
        own.adopt(fresh)
        parts = []
        for _, part in work.run(own, start, 1):
            parts.append(part)
            if stop.is_set():
                break
        free.put(own)
        return np.concatenate(parts)

    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(chunk, start) for start in starts]
        try:
            for each in waiting:
                yield each.result()
        finally:
            stop.set()
            for each in waiting:
                each.cancel()


@dataclass(frozen=True, eq=False)
class _Work:
    """Samples, and how they are coded and cut."""

    coding: Coding
    x: Samples
    pace: Pace

    def run(self, machine: Machine, start: int, threads: int) -> Iterator[tuple[int, Long]]:
        """Run the chunk from ``start`` on a machine at step 0; yield (samples done, answers)."""
        coding, each = self.coding, self.coding.shown(1, taught=False)
        for first, last in self.pace.pieces(len(self.x[start : start + CHUNK])):

            def given(one: int, two: int, base: int = start + first) -> Inputs:
                return coding.inputs(self.x[base + one : base + two], first=base + one)

            count = last - first
            found = run_apart(machine, given, samples=count, each=each, threads=threads)
            self.pace.took(count, found.wall_s)
            yield start + last, np.asarray(coding.answers(found.answers, count), np.int64)
