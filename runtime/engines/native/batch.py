"""Samples of an independent program, split over threads: the bits and the counts of one thread.

In: a machine whose program leaves nothing of earlier samples behind a sample
(`hebbite.compiler.program.independence`), and inputs. Out: one `Recording`; the machine stands
where it would stand after running them in order.

Every thread but the first gets a machine of its own that shares the weights, and runs the sample
before its share uncounted. Since the state after a sample depends on that sample and its step
alone, the share then begins just as it does in order, with the messages under way and the
registers that counters look at. The last machine's state becomes the state of the machine.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

from hebbite.runtime.engines.base import Given
from hebbite.runtime.recording import Recording, joined

if TYPE_CHECKING:
    from hebbite.runtime.engines.native.machine import NativeMachine


def run_batch(
    machine: NativeMachine, given: Given, *, samples: int, each: int, threads: int
) -> Recording:
    """Run samples that do not learn on up to ``threads`` threads; nothing is probed.

    ``given``: called in any thread with (first, last + 1) for the inputs of these samples, of which
    each is ``each`` samples of the program.
    """
    began = time.perf_counter()
    shares = shares_of(samples, threads)
    machines = [machine, *(machine.beside((first - 1) * each) for first, _ in shares[1:])]

    def share(number: int) -> Recording:
        (first, last), own = shares[number], machines[number]
        if number:
            own.run(given(first - 1, first), samples=each, learn=False)
        return own.run(given(first, last), samples=(last - first) * each, learn=False)

    with ThreadPoolExecutor(max(len(shares) - 1, 1)) as pool:
        others = [pool.submit(share, number) for number in range(1, len(shares))]
        parts = [share(0), *(other.result() for other in others)]
    if len(machines) > 1:
        machine.adopt(machines[-1])
    return joined(parts, wall_s=time.perf_counter() - began)


def shares_of(samples: int, threads: int) -> list[tuple[int, int]]:
    """Return (first, last + 1) of every share: as even as can be, none empty but the only one."""
    count = max(min(threads, samples), 1)
    ends = [samples * number // count for number in range(count + 1)]
    return list(pairwise(ends))
