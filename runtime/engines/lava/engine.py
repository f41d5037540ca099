"""The ``lava`` engine: opens programs on Lava's fixed-point simulator.

In: a program and events. Out: recordings with the keys, values and counts of every other engine.
Why: equality with Lava is the claim that the other engines are measured by.

Each run builds its Lava network anew, in a child process, from the machine's state, so a machine
may run as often as one likes as long as nothing learns. It learns once: the state of Lava's random
generators can be neither read nor set, so a second learning run would draw other numbers.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.neuron import new_registers
from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.types import IntArray, Program
from hebbite.rules.errors import EngineError, Problem
from hebbite.runtime.counters import CounterBook
from hebbite.runtime.engines.base import Inputs, check_inputs, events_of
from hebbite.runtime.engines.lava.collect import (
    answers_of,
    count,
    read_written,
    state_after,
    values_of,
)
from hebbite.runtime.engines.lava.exchange import Run, pack, with_weights
from hebbite.runtime.engines.lava.layout import GROUP_TRACES
from hebbite.runtime.engines.lava.limits import check_limits
from hebbite.runtime.engines.lava.shim import require_lava
from hebbite.runtime.engines.lava.watch import run_job
from hebbite.runtime.recording import Recording, row_shape

Long = NDArray[np.int64]
START_SECONDS = 60.0
STEP_SECONDS = 0.1


@dataclass(frozen=True)
class LavaEngine:
    """Opens programs on Lava. ``timeout`` of a run in seconds; None: 60 s and 0.1 s a step."""

    timeout: float | None = None
    name: str = "lava"

    def open(self, program: Program, *, rounding: Rounding, seed: int | None = None) -> LavaMachine:
        """Return a machine at step 0.

        Raises:
            LavaUnavailable: HB0601, Lava is not installed.
            EngineError: HB0604 for independent rounding, HB0606 for what stock Lava cannot run.
        """
        require_lava()
        check_limits(program, rounding)
        chosen = program.seed if seed is None else seed
        return LavaMachine(program, rounding, chosen, timeout=self.timeout)


class LavaMachine:
    """State of a program between runs; no process lives between them."""

    def __init__(
        self, program: Program, rounding: Rounding, seed: int, *, timeout: float | None
    ) -> None:
        """Take ``program`` at step 0; ``timeout`` is that of a run, in seconds."""
        self._program = program
        self._rounding: Rounding = rounding
        self._seed = seed
        self._timeout = timeout
        self._state = start_state(program)

    def run(
        self, inputs: Inputs, *, samples: int, learn: bool = True, probes: Sequence[str] = ()
    ) -> Recording:
        """Run ``samples`` samples in one Lava network.

        Raises:
            EngineError: HB0602 too late, HB0603 Lava failed, HB0605 a second learning run, HB0606
                weights as they stand cannot learn there.
        """
        began = time.perf_counter()
        check_inputs(self._program, inputs)
        events = {
            s.name: events_of(s, inputs, samples).astype(np.int64) for s in self._program.sources
        }
        run = Run(self._program, self._state, events, samples, learn, self._seed)
        if run.learns:
            check_limits(with_weights(self._program, self._state), self._rounding)
        self._refuse_second(run)
        counters = CounterBook(self._program).take()
        size = self._program.population(self._program.readout.population).size
        values = {p: np.zeros((0, *row_shape(self._program, p)), np.int64) for p in probes}
        answers: Long = np.zeros((0, size), np.int64)
        if samples:
            with tempfile.TemporaryDirectory(prefix="hebbite-lava-") as name:
                pack(Path(name), run)
                run_job(Path(name), timeout=self._limit(run))
                written = read_written(Path(name), run)
                counters, under_way = count(run, written)
                answers, values = answers_of(run, written), values_of(run, written, probes)
                self._state = {**state_after(run, written), **under_way}
        return Recording(
            engine="lava",
            rounding=self._rounding,
            seed=self._seed,
            samples=samples,
            steps=run.steps,
            values=values,
            answers=answers,
            counters=counters,
            wall_s=time.perf_counter() - began,
        )

    def _limit(self, run: Run) -> float:
        if self._timeout is not None:
            return self._timeout
        return START_SECONDS + STEP_SECONDS * run.steps

    def _refuse_second(self, run: Run) -> None:
        if run.learns and self._state["clock"][1]:
            what = "this machine has learnt before; Lava's random state cannot be continued"
            hint = "learn in one run, or use --engine native, which continues bit for bit"
            raise EngineError(Problem("HB0605", what, hint=hint))

    def read(self, tensor: str) -> Long:
        """Return a weight tensor as it stands."""
        return self._state[f"weight.{tensor}"].copy()

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor by integers of the same shape."""
        assert value.shape == self._state[f"weight.{tensor}"].shape
        self._state[f"weight.{tensor}"] = value.astype(np.int64)

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone: the next run
        builds its Lava network from it. What was learnt before it cannot be learnt on (HB0605).
        """
        check_limits(program, self._rounding)
        self._program = program

    def state(self) -> dict[str, Long]:
        """Return step, epoch, weights, tags, registers, messages under way and traces."""
        return {name: value.copy() for name, value in self._state.items()}

    def restore(self, state: Mapping[str, Long]) -> None:
        """Continue from a state of the same program; once it has learnt, only without learning."""
        self._state = {name: np.asarray(value, np.int64) for name, value in state.items()}

    def close(self) -> None:
        """Nothing is held between runs."""


def start_state(program: Program) -> dict[str, Long]:
    """Return the state at step 0: the program's weights, and zeros."""
    state: dict[str, Long] = {"clock": np.zeros(2, np.int64)}
    for group in program.synapses:
        weight = program.tensors[group.weight].astype(np.int64)
        state[f"weight.{group.weight}"] = weight
        post = program.post_size(group)
        for ring in ("due", "arrived"):
            state[f"{ring}.{group.name}"] = np.zeros((group.delay, post), np.int64)
    for population in program.populations:
        registers = new_registers(population.neuron, population.size)
        kept = population.neuron.kept
        state |= {f"neuron.{population.name}.{key}": registers[key] for key in kept}
    for plasticity in program.plasticity:
        learner = program.group(plasticity.synapses)
        post, lines = program.post_size(learner), program.line_count(learner)
        for key in (*GROUP_TRACES, "tx", "ty"):
            size = lines if key.startswith(("x", "tx")) else post
            state[f"trace.{plasticity.synapses}.{key}"] = np.zeros(size, np.int64)
        if plasticity.dt is not None:
            state[f"tag.{plasticity.synapses}"] = np.zeros_like(state[f"weight.{learner.weight}"])
    return state
