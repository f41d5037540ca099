"""What every engine offers: it opens a program and gives a machine that runs samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.ranges import HOST_PAYLOAD, PAYLOAD_TOP
from hebbite.compiler.program.types import IntArray, Program, Source
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.recording import Recording

Inputs = Mapping[str, IntArray]
"""Source name -> integers of shape (samples, events, size). A source left out sends nothing."""

Given = Callable[[int, int], Inputs]
"""(first, last + 1) -> inputs of these samples, in any thread."""


class Machine(Protocol):
    """A program with its state: runs samples, one after the other, and keeps what it learns."""

    def run(
        self, inputs: Inputs, *, samples: int, learn: bool = True, probes: Sequence[str] = ()
    ) -> Recording:
        """Run ``samples`` samples. Counts and probes are those of this call."""

    def read(self, tensor: str) -> NDArray[np.int64]:
        """Return a weight tensor as it stands, in the program's shape."""

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor."""

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone."""

    def state(self) -> dict[str, NDArray[np.int64]]:
        """Return everything that the next step depends on, as named arrays."""

    def restore(self, state: Mapping[str, NDArray[np.int64]]) -> None:
        """Continue from a state of the same program."""

    def close(self) -> None:
        """Give back processes and files."""


@runtime_checkable
class Splitting(Machine, Protocol):
    """A machine that can run samples on several threads, with the bits and counts of one."""

    def beside(self, samples: int) -> Splitting:
        """Return a machine with the weights of this one for another thread, so many samples later,
        without messages under way. It runs, and may not learn.
        """

    def adopt(self, other: Splitting) -> None:
        """Stand where a machine stands that `beside` returned."""

    def run_split(self, given: Given, *, samples: int, each: int, threads: int) -> Recording:
        """Run samples that do not learn, each of them ``each`` samples of the program; one after
        the other where samples depend on each other.
        """


class Engine(Protocol):
    """One way to run a program."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    def open(self, program: Program, *, rounding: Rounding, seed: int | None = None) -> Machine:
        """Return a machine at step 0; ``seed`` replaces the program's own."""


def events_of(source: Source, inputs: Inputs, samples: int) -> IntArray:
    """Return a source's integers, checked, (samples, events, size), in the type in which they were
    given; zeros if it is left out.

    Raises:
        UsageError: HB0110, if the shape or the type is not what the program takes.
    """
    shape = (samples, len(source.offsets), source.size)
    if source.name not in inputs:
        return np.zeros(shape, np.uint8)
    given = np.asarray(inputs[source.name])
    if given.ndim == 2 and shape[1] == 1:
        given = given[:, None, :]
    if given.shape != shape or given.dtype.kind not in "iub":
        what = f"'{source.name}' takes integers {shape}, not {given.dtype} {given.shape}"
        raise UsageError(Problem("HB0110", what, at=f"%{source.name} = source[{source.size}]"))
    low, high = HOST_PAYLOAD
    if given.dtype in (np.bool_, np.uint8, np.int8):
        return given
    if not _is_within(given, low, high):
        what = f"'{source.name}' takes payloads {low}..{high}, not {given.min()}..{given.max()}"
        raise UsageError(Problem("HB0114", what, at=f"%{source.name} = source[{source.size}]"))
    return given


def _is_within(given: IntArray, low: int, high: int) -> bool:
    """Whether all integers are within bounds; ``high`` is 2^k - 1, so that the bits of all of them
    together mostly tell, in one pass.
    """
    together = int(np.bitwise_or.reduce(given, axis=None))
    return 0 <= together <= high or low <= int(given.min()) <= int(given.max()) <= high


def check_events(program: Program, inputs: Inputs, samples: int) -> None:
    """Refuse inputs that a run of ``samples`` samples would refuse (HB0110, HB0111, HB0114)."""
    check_inputs(program, inputs)
    for source in program.sources:
        events_of(source, inputs, samples)


def check_inputs(program: Program, inputs: Inputs) -> None:
    """Refuse inputs for an unknown source (HB0111), or payloads that no trace holds (HB0114)."""
    known = [source.name for source in program.sources]
    traced = _traced(program)
    for name in inputs:
        if name not in known:
            text = f"the program has no source '{name}'"
            raise UsageError(Problem("HB0111", text, hint=f"sources: {', '.join(known)}"))
        if name in traced:
            _check_payloads(name, np.asarray(inputs[name]), last=traced[name])


def _check_payloads(name: str, given: IntArray, *, last: bool) -> None:
    """Refuse payloads whose half no trace holds; ``last``: only the last event counts."""
    kept = given[..., -1, :] if last and given.ndim > 2 else given
    if kept.size and not 0 <= int(kept.min()) <= int(kept.max()) <= PAYLOAD_TOP:
        which = "the last payload" if last else "every payload"
        text = f"{which} of a sample on '{name}' must be 0..{PAYLOAD_TOP}"
        raise UsageError(Problem("HB0114", text, hint="its half is the trace x1, 0..127"))


def _traced(program: Program) -> dict[str, bool]:
    """Return what sends to a trace that a message overwrites, and whether an epoch is a sample."""
    return {
        program.group(plasticity.synapses).pre: plasticity.epoch == program.schedule.period
        for plasticity in program.plasticity
        if any(trace.mode == "overwrite" for _, trace in plasticity.traces)
    }
