"""Our Lava Process, and stock ProcessModels that write down what they see.

Lava executes every file of the folder in which a Process is defined, so this one stands alone here.
`NeuronGroup` runs any neuron program by the function that the reference engine uses. The recorded
models are Lava's own, unchanged in what they compute; Lava looks for models beside the Process
only, so it is told of them by `RECORDED`. Lava has no types, hence the ``ignore[misc]`` of every
class derived from one of its own.

What a model needs beside Lava's own parameters stands in ``proc_params`` under ``job``.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.models import (
    PyDelayDenseModelBitAcc,
    PyDenseModelBitAcc,
    PyLearningDenseModelBitApproximate,
)
from lava.proc.dense.process import DelayDense, Dense, LearningDense
from lava.proc.io.source import PySendModelFixed, RingBuffer
from lava.proc.lif.models import PyLifModelBitAcc
from lava.proc.lif.process import LIF
from lava.proc.sparse.models import (
    PyDelaySparseModelBitAcc,
    PyLearningSparseModelBitApproximate,
    PySparseModelBitAcc,
)
from lava.proc.sparse.process import DelaySparse, LearningSparse, Sparse

from hebbite.compiler.arithmetic.neuron import Long, Registers, execute
from hebbite.compiler.arithmetic.philox import words
from hebbite.compiler.arithmetic.randomness import stream_of
from hebbite.compiler.arithmetic.synapse import mirrored
from hebbite.compiler.program.connectivity import Ends
from hebbite.compiler.program.neuron import TRACES, NeuronProgram
from hebbite.runtime.engines.lava.arrays import Array
from hebbite.runtime.engines.lava.reporting import Reporting
from hebbite.runtime.engines.lava.rows import Rows


@dataclass(frozen=True, eq=False)
class SourceJob:
    """A source: its lines go to ``rows``, one row a step."""

    folder: Path
    rows: Rows


@dataclass(frozen=True, eq=False)
class NeuronJob:
    """A population: its registers at the start; all of them go to ``rows``, one row a step.

    ``neuron`` is bound. ``bias`` maps an offset to the payload of the bias line, None: no such
    line. ``index`` of the population, ``seed`` and ``first_step`` (0 for a new machine) say which
    random numbers it draws.
    """

    folder: Path
    neuron: NeuronProgram
    registers: Mapping[str, Long]
    tables: Mapping[str, Array]
    bias: Mapping[int, int] | None
    period: int
    index: int
    seed: int
    first_step: int
    rows: Rows


@dataclass(frozen=True, eq=False)
class MirrorJob:
    """The weights to copy: those that the followed group wrote, (post, lines) a learning epoch.

    With a ``magnitude`` above 0 their signs, times it.
    """

    weights: Rows
    shape: tuple[int, int]
    epoch: int
    magnitude: int


@dataclass(frozen=True, eq=False)
class SynapsesJob:
    """A group: what is under way after the last step goes to ``due``, one row a step of delay.

    ``ends``: line and neuron of each stored weight, in the order in which they are written; None
    for a matrix.
    """

    folder: Path
    due: Rows
    steps: int
    mirror: MirrorJob | None = None
    epoch: int = 0
    weights: Rows | None = None
    tags: Rows | None = None
    traces: Rows | None = None
    ends: Ends | None = None


class NeuronGroup(AbstractProcess):  # type: ignore[misc]
    """``size`` neurons that execute one neuron program; ``lines`` with the bias line."""

    def __init__(self, *, size: int, lines: int, job: NeuronJob) -> None:
        """Declare the ports: two inputs, two outputs, and what plastic synapses listen to."""
        super().__init__(size=size, lines=lines, job=job)
        self.a_in = InPort(shape=(size,))
        self.third_in = InPort(shape=(size,))
        self.s_out = OutPort(shape=(lines,))
        self.e_out = OutPort(shape=(size,))
        self.bap_out = OutPort(shape=(size,))
        self.y1_out = OutPort(shape=(size,))
        self.y2_out = OutPort(shape=(size,))
        self.y3_out = OutPort(shape=(size,))


@implements(proc=NeuronGroup, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class NeuronGroupModel(Reporting, PyLoihiProcessModel):  # type: ignore[misc]
    """Interprets the neuron program, one step at a time."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    third_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    e_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    bap_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, bool, precision=1)
    y1_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    y2_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    y3_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Mapping[str, object]) -> None:
        """Take the registers over: from here on they are this model's own."""
        super().__init__(proc_params)
        job = proc_params["job"]
        assert isinstance(job, NeuronJob)
        self._job = job
        self._registers: Registers = dict(job.registers)

    def run_spk(self) -> None:
        """Receive, execute, send, write down."""
        job, registers = self._job, self._registers
        offset = (self.time_step - 1) % job.period + 1
        registers["a"] = self.a_in.recv().astype(np.int64)
        registers["third"] = self.third_in.recv().astype(np.int64)
        execute(job.neuron, registers, offset=offset, tables=job.tables, random=self._random)
        line = registers["s"]
        if job.bias is not None:
            line = np.append(line, np.int64(job.bias.get(offset, 0)))
        self.s_out.send(line.astype(np.int32))
        self.e_out.send(registers["e"].astype(np.int32))
        self.bap_out.send(registers["bap"] != 0)
        for name in TRACES:
            getattr(self, f"{name}_out").send(registers[name].astype(np.int32))
        job.rows.put(self.time_step - 1, {**registers, "s": line})

    def _random(self, instruction: int, bits: int) -> Long:
        job = self._job
        stream = stream_of("neuron", job.index << 8 | instruction)
        step = job.first_step + self.time_step - 1
        drawn = words(job.registers["a"].size, seed=job.seed, stream=stream, time=step)
        return drawn >> np.int64(32 - bits)


class RecordedSource(Reporting, PySendModelFixed):  # type: ignore[misc]
    """Lava's ring buffer; writes the lines that it sends."""

    def run_spk(self) -> None:
        """Send, write down."""
        super().run_spk()
        index = self.time_step - 1
        self.proc_params["job"].rows.put(index, {"s": self.data[..., index % self.data.shape[-1]]})


class RecordedLif(Reporting, PyLifModelBitAcc):  # type: ignore[misc]
    """Lava's LIF; writes the registers of the neuron program ``lif``."""

    def subthr_dynamics(self, activation_in: Array) -> None:
        """Note the input, go on."""
        self._input = activation_in
        super().subthr_dynamics(activation_in)

    def run_spk(self) -> None:
        """Receive, compute, send, write down."""
        super().run_spk()
        registers = {
            "a": self._input,
            "current": np.left_shift(self._input, self.act_shift),
            "drive": self.effective_bias,
            "s": self.s_out_buff,
            "bap": self.s_out_buff,
            "u": self.u,
            "v": self.v,
        }
        self.proc_params["job"].rows.put(self.time_step - 1, registers)


def refreshed(job: SynapsesJob, time_step: int, weight: Array) -> Array:
    """Return the weights of a step: in the first step after a learning epoch a mirror's new ones.

    By then the followed group has written them: Lava ends the learning phase of a step in every
    process before the next step begins in any.
    """
    mirror = job.mirror
    if mirror is None or time_step == 1 or (time_step - 1) % mirror.epoch:
        return weight
    learned = mirror.weights.get((time_step - 1) // mirror.epoch - 1).reshape(mirror.shape)
    copied = mirrored(learned, size=weight.shape[0], magnitude=mirror.magnitude)
    return copied.astype(np.int32)


def record_due(model: Any) -> None:
    """Write what a group has under way, once its last step is done."""
    job = model.proc_params["job"]
    if model.time_step == job.steps:
        post = model.a_buff.shape[0]
        for delay, row in enumerate(model.a_buff.reshape(post, -1).T):
            job.due.put(delay, {"due": row})


def record_epoch(model: Any) -> None:
    """Write what a group has learnt in the epoch that ends: weights, tags and traces."""
    job = model.proc_params["job"]
    index = model.time_step // job.epoch - 1
    job.weights.put(index, {"weight": flat(model.weights, job.ends)})
    if job.tags is not None:
        job.tags.put(index, {"tag": flat(model.tag_1, job.ends)})
    job.traces.put(index, {name: getattr(model, name) for name in ("x1", "x2", *TRACES)})


def flat(values: Any, ends: Ends | None) -> Array:
    """Return the weights or tags of a model in the program's order."""
    found = values if ends is None else values[ends.post, ends.line]
    return np.asarray(found).ravel()


class Due(Reporting):
    """A group of synapses that writes what is under way after the last step."""

    def run_spk(self) -> None:
        """Deliver, receive, note what traces need, write down."""
        super().run_spk()  # type: ignore[misc]
        record_due(self)


class Mirroring(Due):
    """One that may mirror another group."""

    def run_spk(self) -> None:
        """Mirror if it is time, then as ever."""
        job = self.proc_params["job"]  # type: ignore[attr-defined]
        time = self.time_step  # type: ignore[attr-defined]
        self.weights: Array = refreshed(job, time, self.weights)
        super().run_spk()


class Learnt(Due):
    """One that learns: it writes weights, tags and traces after every learning epoch."""

    def run_lrn(self) -> None:
        """Learn, write down."""
        super().run_lrn()  # type: ignore[misc]
        record_epoch(self)


class RecordedDense(Mirroring, PyDenseModelBitAcc):  # type: ignore[misc]
    """Lava's Dense."""


class RecordedDelayDense(Mirroring, PyDelayDenseModelBitAcc):  # type: ignore[misc]
    """Lava's DelayDense."""


class RecordedSparse(Due, PySparseModelBitAcc):  # type: ignore[misc]
    """Lava's Sparse."""


class RecordedDelaySparse(Due, PyDelaySparseModelBitAcc):  # type: ignore[misc]
    """Lava's DelaySparse."""


class RecordedLearningDense(Learnt, PyLearningDenseModelBitApproximate):  # type: ignore[misc]
    """Lava's LearningDense."""


class RecordedLearningSparse(Learnt, PyLearningSparseModelBitApproximate):  # type: ignore[misc]
    """Lava's LearningSparse."""


RECORDED = {
    RingBuffer: RecordedSource,
    LIF: RecordedLif,
    Dense: RecordedDense,
    DelayDense: RecordedDelayDense,
    LearningDense: RecordedLearningDense,
    Sparse: RecordedSparse,
    DelaySparse: RecordedDelaySparse,
    LearningSparse: RecordedLearningSparse,
}
"""Stock Process -> the model that Lava is told to use for it."""
