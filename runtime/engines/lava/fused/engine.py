"""The ``lava-fused`` engine: a whole program in one process of Lava.

In: a program and events. Out: recordings with the keys, values and counts of every other engine.
Why: stock Lava takes a message from process to process for every synapse group in every step. Here
Lava's runtime runs one process that holds the whole program, and a call is one step of Lava however
many samples it has. What that process computes is what an ordinary engine computes (``inside``), so
the bits are those of stock Lava in ``lava-exact`` and ``independent`` rounding is there as well.

The process lives from `open` to `close`, in a watched child. Its state can be read and set, so a
training goes on where it stood.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.types import IntArray, Program
from hebbite.runtime.counters import Counters, components_of
from hebbite.runtime.engines.base import Inputs, check_inputs, events_of
from hebbite.runtime.engines.lava.fused.answer import open_message, relearn_message
from hebbite.runtime.engines.lava.fused.channel import Channel
from hebbite.runtime.engines.lava.fused.message import Message
from hebbite.runtime.recording import Recording

Long = NDArray[np.int64]
START_SECONDS = 300.0
"""Limit of a request besides its steps; the first one waits for Python, Lava and kernels."""
STEP_SECONDS = 0.1


@dataclass(frozen=True)
class FusedEngine:
    """Opens programs in one process of Lava.

    ``timeout`` of a request in seconds, the start among them; None: 300 s and 0.1 s a step.
    ``inside`` names the engine whose machine computes, ``native`` or ``reference``. With a
    ``channel`` all machines share its Lava, which takes seconds to start: opening one closes the
    one before.
    """

    timeout: float | None = None
    inside: str = "native"
    channel: Channel | None = None
    name: str = "lava-fused"

    def open(
        self, program: Program, *, rounding: Rounding, seed: int | None = None
    ) -> FusedMachine:
        """Return a machine at step 0.

        Raises:
            LavaUnavailable: HB0601, Lava is not installed.
            EngineError: HB0602 or HB0603 if Lava does not start.
        """
        chosen = program.seed if seed is None else seed
        return FusedMachine(program, rounding, chosen, self)


class FusedMachine:
    """A program inside Lava. Every method raises EngineError HB0602 if the answer takes too long,
    HB0603 if the process failed or died, HB0608 once it is closed or has failed.
    """

    def __init__(
        self,
        program: Program,
        rounding: Rounding,
        seed: int,
        engine: FusedEngine,
    ) -> None:
        """Put ``program`` at step 0 into Lava, as ``engine`` says."""
        self._program = program
        self._rounding: Rounding = rounding
        self._seed = seed
        self._timeout = engine.timeout
        self._channel = engine.channel or Channel()
        if engine.channel is None:
            weakref.finalize(self, self._channel.close)
        self._lent = engine.channel is not None
        self._channel.turn += 1
        self._turn = self._channel.turn
        self._ask(open_message(program, rounding=rounding, seed=seed, inside=engine.inside))

    def _ask(self, request: Message, *, steps: int = 0) -> Message:
        limit = START_SECONDS + STEP_SECONDS * steps if self._timeout is None else self._timeout
        return self._channel.ask(request, turn=self._turn, timeout=limit, steps=steps)

    def run(
        self, inputs: Inputs, *, samples: int, learn: bool = True, probes: Sequence[str] = ()
    ) -> Recording:
        """Run ``samples`` samples in one step of Lava."""
        began = time.perf_counter()
        program = self._program
        check_inputs(program, inputs)
        steps = samples * program.schedule.period
        events = {f"event.{s.name}": events_of(s, inputs, samples) for s in program.sources}
        fields = {"samples": samples, "learn": learn, "probes": list(probes)}
        reply = self._ask(Message("run", fields, events), steps=steps)
        return Recording(
            engine="lava-fused",
            rounding=self._rounding,
            seed=self._seed,
            samples=samples,
            steps=steps,
            values=reply.under("value"),
            answers=reply.arrays["answers"],
            counters=Counters(components_of(program), reply.arrays["counters"]),
            wall_s=time.perf_counter() - began,
        )

    def read(self, tensor: str) -> Long:
        """Return a weight tensor as it stands."""
        return self._ask(Message("read", {"tensor": tensor})).arrays["tensor"]

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor by integers of the same shape."""
        assert value.shape == self._program.tensors[tensor].shape
        self._ask(Message("write", {"tensor": tensor}, {"tensor": value}))

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone."""
        self._ask(relearn_message(program))
        self._program = program

    def state(self) -> dict[str, Long]:
        """Return step, epoch, weights, tags, registers, messages under way and traces."""
        return dict(self._ask(Message("state")).arrays)

    def restore(self, state: Mapping[str, Long]) -> None:
        """Continue from a state of the same program, seed and rounding."""
        self._ask(Message("restore", arrays=state))

    def close(self) -> None:
        """End Lava, unless other machines use it too."""
        if not self._lent:
            self._channel.close()
