"""A whole program as one Lava Process, many of its steps in one step of Lava.

Lava executes every file of the folder in which a Process is defined, so these stand alone here.
Both processes hold a machine of an ordinary engine and run it inside Lava's runtime, in step with
whatever else is in the network (LoihiProtocol: a phase of every step is theirs, and Lava waits for
it; an AsyncProtocol would give up that order and gain nothing, since a step may be as long as one
likes). Lava has no types, hence the ``ignore[misc]`` of every class derived from one of its own.

    FusedProgram    for a network of your own: samples come in and answers go out by ports
    ServedProgram   for the engine ``lava-fused``: one step answers one request from outside
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.types import IntArray, Program, Source
from hebbite.runtime.engines.base import Machine
from hebbite.runtime.engines.lava.arrays import Array
from hebbite.runtime.engines.lava.fused.answer import DONE, answer, opened
from hebbite.runtime.engines.lava.fused.message import decode, encode
from hebbite.runtime.engines.lava.reporting import Reporting
from hebbite.runtime.engines.registry import load_engine


@dataclass(frozen=True, eq=False)
class FusedJob:
    """A program to run, and how: ``seed`` None is the program's own; ``inside`` names the engine
    whose machine runs it, ``native`` or ``reference``.
    """

    program: Program
    rounding: Rounding
    seed: int | None
    inside: str

    def open(self) -> Machine:
        """Return a machine at step 0."""
        engine = load_engine(self.inside)
        return engine.open(self.program, rounding=self.rounding, seed=self.seed)


@dataclass(frozen=True, eq=False)
class ServedJob:
    """The pipes through which requests come and replies go; ``folder`` hears of errors."""

    folder: Path
    requests: Path
    replies: Path


class FusedProgram(AbstractProcess):  # type: ignore[misc]
    """A program in a network of your own: one step of Lava runs ``samples`` samples of it.

    Ports, int32, row by row a sample (E events of a source of size N take E * N columns, event by
    event, the sources of a role side by side in the order of the program):

        s_in       (samples, columns of the sources of role ``input``), or (samples, 1) unused
        target_in  (samples, columns of the sources of role ``target``), or (samples, 1) unused
        s_out      (samples, outputs): the read-out after each sample, in the same step

    A port that is left open brings zeros: no teacher, for ``target_in``. The Var ``weights`` holds
    all weight tensors, each (post, lines) in C order, one after the other in the order of their
    first use; Lava's ``get`` and ``set`` reach it between two runs.

    Args:
        program: what `hebbite.compile` made, ``model.program``.
        rounding: ``independent`` or ``lava-exact``.
        seed: replaces the program's own.
        samples: samples in a step of Lava, at least 1.
        learn: whether its synapses learn.
        inside: the engine whose machine runs the program, ``native`` or ``reference``.
    """

    def __init__(
        self,
        *,
        program: Program,
        rounding: Rounding = "independent",
        seed: int | None = None,
        samples: int = 1,
        learn: bool = True,
        inside: str = "native",
    ) -> None:
        """Declare ports and weights."""
        job = FusedJob(program, rounding, seed, inside)
        super().__init__(job=job, samples=samples, learn=learn)
        self.s_in = InPort(shape=(samples, max(1, _columns(program, "input"))))
        self.target_in = InPort(shape=(samples, max(1, _columns(program, "target"))))
        answers = program.population(program.readout.population).size
        self.s_out = OutPort(shape=(samples, answers))
        flat = _flat({name: program.tensors[name] for name in _tensors(program)})
        self.weights = Var(shape=flat.shape, init=flat)


@implements(proc=FusedProgram, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FusedProgramModel(PyLoihiProcessModel):  # type: ignore[misc]
    """Hands samples from ports to the machine, and its answers back."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    target_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    weights: Array = LavaPyType(np.ndarray, np.int32)

    def __init__(self, proc_params: Mapping[str, Any]) -> None:
        """Open the machine in the process that runs it."""
        super().__init__(proc_params)
        job = proc_params["job"]
        assert isinstance(job, FusedJob)
        self._program = job.program
        self._samples, self._learn = int(proc_params["samples"]), bool(proc_params["learn"])
        self._machine = job.open()

    def run_spk(self) -> None:
        """Receive, run whole samples, send."""
        given = {"input": self.s_in.recv(), "target": self.target_in.recv()}
        events: dict[str, IntArray] = {}
        for source, part in _parts(self._program):
            shape = (self._samples, len(source.offsets), source.size)
            events[source.name] = given[source.role][:, part].astype(np.int64).reshape(shape)
        found = self._machine.run(events, samples=self._samples, learn=self._learn)
        if self._learn:
            self.weights[:] = _flat({n: self._machine.read(n) for n in _tensors(self._program)})
        self.s_out.send(found.answers.astype(np.int32))

    def on_var_update(self) -> None:
        """Take over weights that somebody set."""
        start = 0
        for name in _tensors(self._program):
            shape = self._program.tensors[name].shape
            size = int(np.prod(shape))
            value = self.weights[start : start + size].reshape(shape)
            self._machine.write(name, value.astype(np.int64))
            start += size


class ServedProgram(AbstractProcess):  # type: ignore[misc]
    """A program that a request brings, and whose machine answers one more in every step of Lava."""

    def __init__(self, job: ServedJob) -> None:
        """Take the pipes."""
        super().__init__(job=job)


@implements(proc=ServedProgram, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ServedProgramModel(Reporting, PyLoihiProcessModel):  # type: ignore[misc]
    """Reads a request, asks the machine, writes the reply."""

    def __init__(self, proc_params: Mapping[str, Any]) -> None:
        """Open nothing yet: a failure in a step is reported, one in here would not be."""
        super().__init__(proc_params)
        self._pipes: tuple[io.FileIO, io.FileIO] | None = None
        self._machine: Machine | None = None

    def run_spk(self) -> None:
        """Answer one request."""
        requests, replies = self._pipes = self._pipes or _open_pipes(self.proc_params["job"])
        request = decode(lambda count: _take(requests, count))
        reply = DONE
        if request.kind == "open":
            self._machine = opened(request)
        else:
            assert self._machine is not None, f"'{request.kind}' came before 'open'"
            reply = answer(self._machine, request)
        for piece in encode(reply):
            _give(replies, memoryview(piece))


def _open_pipes(job: ServedJob) -> tuple[io.FileIO, io.FileIO]:
    """Open both pipes. One process alone can write replies: its death is seen at once."""
    return io.FileIO(job.requests, "r"), io.FileIO(job.replies, "w")


def _take(pipe: io.FileIO, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = pipe.readinto(view)
        if not got:
            raise EOFError("the caller is gone")
        view = view[got:]
    return data


def _give(pipe: io.FileIO, piece: memoryview) -> None:
    while piece:
        piece = piece[pipe.write(piece) :]


def _columns(program: Program, role: str) -> int:
    return sum(s.size * len(s.offsets) for s in program.sources if s.role == role)


def _parts(program: Program) -> Iterator[tuple[Source, slice]]:
    """Give every source and its columns of the port of its role."""
    start = {"input": 0, "target": 0}
    for source in program.sources:
        width = source.size * len(source.offsets)
        yield source, slice(start[source.role], start[source.role] + width)
        start[source.role] += width


def _tensors(program: Program) -> tuple[str, ...]:
    """Return the names of all weight tensors, in the order of their first use."""
    return tuple(dict.fromkeys(group.weight for group in program.synapses))


def _flat(tensors: Mapping[str, IntArray]) -> Array:
    """Return tensors end to end; one zero if there are none, since Lava knows no empty Var."""
    parts = [np.asarray(value, np.int32).reshape(-1) for value in tensors.values()]
    return np.concatenate(parts) if parts else np.zeros(1, np.int32)
