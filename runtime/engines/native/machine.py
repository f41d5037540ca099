"""The native engine: any program on one core, in Numba, event-driven, the bits of the reference."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from hebbite.compiler.arithmetic.learning import TAG_LOW
from hebbite.compiler.arithmetic.randomness import LavaStreams, Rounding
from hebbite.compiler.program.connectivity import Dense
from hebbite.compiler.program.types import IntArray, Program
from hebbite.rules.errors import EngineError, Problem
from hebbite.runtime.counters import COUNTERS, PHASES, Counters, components_of
from hebbite.runtime.engines.base import Inputs, check_inputs, events_of
from hebbite.runtime.engines.native.outer import LIMIT
from hebbite.runtime.engines.native.pack import pack
from hebbite.runtime.engines.native.plan import TRACES, Call, Long, Scratch, Word
from hebbite.runtime.engines.native.probes import probe_table, probes_of, values_of
from hebbite.runtime.engines.native.run import RUN
from hebbite.runtime.recording import Recording


class NativeEngine:
    """Opens programs on the compiled kernels."""

    name = "native"

    def open(
        self, program: Program, *, rounding: Rounding, seed: int | None = None
    ) -> NativeMachine:
        """Return a machine at step 0 (HB0608 for groups of synapses that are no matrix)."""
        for group in program.synapses:
            if not isinstance(group.connect, Dense):
                what = f"native runs matrices, %{group.name} is a {type(group.connect).__name__}"
                raise EngineError(Problem("HB0608", what, hint="--engine reference"))
        return NativeMachine(program, rounding, program.seed if seed is None else seed)


class NativeMachine:
    """State of a program between samples, as flat arrays."""

    def __init__(self, program: Program, rounding: Rounding, seed: int) -> None:
        self._program = program
        self._rounding: Rounding = rounding
        self._seed = seed
        self._streams = LavaStreams(seed)
        self._drawn = 0
        self._plan, self._state, self._layout = pack(program, rounding=rounding, seed=seed)
        for group in program.synapses:
            self.write(group.weight, program.tensors[group.weight])
        lines = [program.lines(group.pre, group.output) for group in program.synapses]
        widest = max([*lines, *(population.size for population in program.populations)])
        self._scratch = Scratch(
            block=np.zeros(4, np.int64),
            tag_block=np.zeros(4, np.int64),
            chosen=np.zeros(widest, np.int64),
            busy=np.zeros(widest, np.int64),
            history=np.zeros((len(TRACES), program.epoch + 1, widest), np.int64),
            side=np.zeros(2 * LIMIT, np.int64),
        )

    def run(
        self, inputs: Inputs, *, samples: int, learn: bool = True, probes: Sequence[str] = ()
    ) -> Recording:
        """Run ``samples`` samples in one call of the kernel."""
        program, period = self._program, self._program.schedule.period
        check_inputs(program, inputs)
        epochs = samples * period // program.epoch if learn and program.epoch else 0
        found = probes_of(program, self._layout, probes)
        rows, (step_width, epoch_width) = probe_table(found)
        events, base = self._events(inputs, samples)
        size = program.population(program.readout.population).size
        call = Call(
            events=events,
            event_base=base,
            random=self._random(epochs),
            answers=np.zeros((samples, size), np.int64),
            probes=rows,
            steps=np.zeros((samples * period if step_width else 0, step_width), np.int64),
            epochs=np.zeros((epochs, epoch_width), np.int64),
            counts=np.zeros((len(components_of(program)), len(PHASES), len(COUNTERS)), np.int64),
        )
        began = time.perf_counter()
        RUN(self._plan, self._state, self._scratch, call, samples, learn)
        wall = time.perf_counter() - began
        return Recording(
            engine="native",
            rounding=self._rounding,
            seed=self._seed,
            samples=samples,
            steps=samples * period,
            values=values_of(found, call.steps, call.epochs),
            answers=call.answers,
            counters=Counters(components_of(program), call.counts),
            wall_s=wall,
        )

    def _events(self, inputs: Inputs, samples: int) -> tuple[Long, Long]:
        """Return the events of all sources, end to end, and where each source's start."""
        parts = [events_of(source, inputs, samples).reshape(-1) for source in self._program.sources]
        base = np.cumsum([0, *(part.size for part in parts)])[:-1].astype(np.int64)
        return np.concatenate([*parts, np.zeros(1, np.int64)]), base

    def _random(self, epochs: int) -> Long:
        """Return the shared numbers of the next epochs; zeros where nobody reads them."""
        if self._rounding == "independent" or not epochs:
            return np.zeros((max(epochs, 1), 3), np.int64)
        done = int(self._state.clock[1])
        if self._drawn != done:
            self._streams = LavaStreams(self._seed)
            self._streams.epochs(done, self._program.epoch)
        self._drawn = done + epochs
        return np.ascontiguousarray(self._streams.epochs(epochs, self._program.epoch))

    def read(self, tensor: str) -> Long:
        """Return a weight tensor as it stands, (post, lines)."""
        size, lines = self._program.tensors[tensor].shape
        start = self._layout.weight[tensor]
        flat = self._state.weights[start : start + size * lines]
        return flat.reshape(lines, size).T.astype(np.int64)

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor by integers of the same shape."""
        assert value.shape == self._program.tensors[tensor].shape
        start = self._layout.weight[tensor]
        self._state.weights[start : start + value.size] = value.T.reshape(-1)

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone.

        The tables are made anew; registers, traces and weights stand where they stood.
        """
        self._program = program
        self._plan, _, self._layout = pack(program, rounding=self._rounding, seed=self._seed)

    def state(self) -> dict[str, Long]:
        """Return step, epoch, weights, tags, registers, messages under way and traces."""
        out = {"clock": self._state.clock.copy()}
        out |= {f"weight.{name}": self.read(name) for name in self._layout.weight}
        out |= {f"tag.{name}": view.T.astype(np.int64) for name, view in self._tags().items()}
        out |= {name: view.copy() for name, view in self._views().items()}
        for name, ring in self._rings().items():
            out[name] = np.roll(ring, -self._turn(ring), axis=0)
        return out

    def restore(self, state: Mapping[str, Long]) -> None:
        """Continue from a state of the same program, seed and rounding."""
        self._state.clock[:] = state["clock"]
        for name in self._layout.weight:
            self.write(name, state[f"weight.{name}"])
        for name, tags in self._tags().items():
            tags[:] = state[f"tag.{name}"].T
        for index, plasticity in enumerate(self._program.plasticity):
            low = self._tags().get(plasticity.synapses, np.zeros(0, np.int32)) == TAG_LOW
            self._state.below[index] = np.count_nonzero(low)
        for name, view in self._views().items():
            view[:] = state[name]
        for name, ring in self._rings().items():
            ring[:] = np.roll(state[name], self._turn(ring), axis=0)

    def _tags(self) -> dict[str, Word]:
        """Return the tags of every group that keeps any, (lines, post) each, as views."""
        views: dict[str, Word] = {}
        for name, start in self._layout.tags.items():
            size, lines = self._program.tensors[self._program.group(name).weight].shape
            views[name] = self._state.tags[start : start + size * lines].reshape(lines, size)
        return views

    def _views(self) -> dict[str, Long]:
        """Return every register and trace under its name in a state, as views."""
        views: dict[str, Long] = {}
        for (population, register), start in self._layout.register.items():
            size = self._program.population(population).size
            views[f"neuron.{population}.{register}"] = self._state.memory[start : start + size]
        for name, (x, y) in self._layout.plastic.items():
            size, lines = self._program.tensors[self._program.group(name).weight].shape
            for t, trace in enumerate(TRACES):
                pre = t < 2
                start = 2 * x + t * lines if pre else 3 * y + (t - 2) * size
                array, count = (self._state.x, lines) if pre else (self._state.y, size)
                views[f"trace.{name}.{trace}"] = array[start : start + count]
            views[f"trace.{name}.tx"] = self._state.tx[x : x + lines]
            views[f"trace.{name}.ty"] = self._state.ty[y : y + size]
        return views

    def _rings(self) -> dict[str, Long]:
        """Return the messages under way, (delay, post) each, as views; `_turn` finds the next."""
        rings: dict[str, Long] = {}
        for group in self._program.synapses:
            size, start = self._program.tensors[group.weight].shape[0], self._layout.due[group.name]
            for name, array in (("due", self._state.due), ("arrived", self._state.arrived)):
                part = array[start : start + group.delay * size]
                rings[f"{name}.{group.name}"] = part.reshape(group.delay, size)
        return rings

    def _turn(self, ring: Long) -> int:
        """Return the row of a ring that is delivered next."""
        return int(self._state.clock[0]) % len(ring)

    def close(self) -> None:
        """Nothing is held outside of Python."""
