"""A program as a network of Lava processes.

In: a `Run`. Out: Lava processes, connected; running any of them runs all, and fills the files
``rows.NAME``, ``due.NAME``, ``weight.NAME``, ``tag.NAME`` and ``trace.NAME`` of the job folder.
Stock processes are used where they fit, with every constant explicit (Lava guesses the rest from
the data).

    source                 RingBuffer
    population             LIF where it is exactly that, else NeuronGroup
    synapses, delay 1      Dense; LearningDense where they learn
    synapses, delay > 1    DelayDense with delays - 1
    lists, convolutions    Sparse, LearningSparse, DelaySparse, synapse by synapse
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.learning.constants import GradedSpikeCfg
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import DelayDense, Dense, LearningDense
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import DelaySparse, LearningSparse, Sparse
from lava.utils.weightutils import SignMode

from hebbite.compiler.arithmetic.neuron import new_registers
from hebbite.compiler.program import connectivity
from hebbite.compiler.program.neuron import TRACES
from hebbite.compiler.program.types import IntArray, Plasticity, Population, Source, Synapses
from hebbite.runtime.engines.lava.exchange import Long, Run
from hebbite.runtime.engines.lava.layout import (
    Layout,
    population_layout,
    source_layout,
    trace_layout,
)
from hebbite.runtime.engines.lava.listed import delays_of, matrix_of
from hebbite.runtime.engines.lava.processes import (
    RECORDED,
    MirrorJob,
    NeuronGroup,
    NeuronJob,
    SourceJob,
    SynapsesJob,
)
from hebbite.runtime.engines.lava.rows import Rows
from hebbite.runtime.engines.lava.rule import learning_rule
from hebbite.runtime.engines.lava.stock import StockLif, stock_lif

MESSAGE_BITS = 24
Process = Any
"""Lava is untyped."""


class Network:
    """The Lava processes of one run."""

    def __init__(self, folder: Path, run: Run) -> None:
        """Build and connect everything; nothing runs yet."""
        self._folder, self._run, self._program = folder, run, run.program
        self._plastic = {p.synapses: p for p in self._program.plasticity} if run.learns else {}
        self._weights = {name: self._synaptic_rows("weight", name) for name in self._plastic}
        self._sources = {s.name: self._source(s) for s in self._program.sources}
        self._populations = {
            p.name: self._population(index, p) for index, p in enumerate(self._program.populations)
        }
        self._synapses = {group.name: self._group(group) for group in self._program.synapses}
        for group in self._program.synapses:
            self._connect(group)
        for wire in self._program.wires:
            self._sources[wire.source].s_out.connect(self._populations[wire.post].third_in)

    def simulate(self) -> None:
        """Run every step. Ends when all processes have ended their last one."""
        settings = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=RECORDED)
        first = next(iter(self._populations.values()))
        first.run(condition=RunSteps(num_steps=self._run.steps), run_cfg=settings)

    def _rows(self, kind: str, name: str, count: int, layout: Layout) -> Rows:
        return Rows(self._folder, f"{kind}.{name}", count=count, layout=layout)

    def _synaptic_rows(self, kind: str, name: str) -> Rows:
        """Return the file of a plastic group's weights or tags, one row a learning epoch."""
        size = self._weight(self._program.group(name)).size
        return self._rows(kind, name, self._run.epochs, Layout(((kind, size),)))

    def _weight(self, group: Synapses) -> IntArray:
        return self._program.tensors[group.weight]

    def _source(self, source: Source) -> Process:
        period = self._program.schedule.period
        lines = np.zeros((source.lines, self._run.steps), np.int32)
        for index, offset in enumerate(source.offsets):
            events = self._run.events[source.name][:, index]
            lines[: source.size, offset - 1 :: period] = events.T
        for offset, payload in source.bias:
            lines[-1, offset - 1 :: period] = payload
        process = RingBuffer(data=lines)
        rows = self._rows("rows", source.name, self._run.steps, source_layout(source))
        process.proc_params["job"] = SourceJob(self._folder, rows)
        return process

    def _population(self, index: int, population: Population) -> Process:
        program, run = self._program, self._run
        rows = self._rows("rows", population.name, run.steps, population_layout(population))
        prefix = f"neuron.{population.name}."
        registers = new_registers(population.neuron, population.size) | {
            name: run.state[prefix + name].astype(np.int64) for name in population.neuron.kept
        }
        job = NeuronJob(
            folder=self._folder,
            neuron=population.neuron.bind(
                dict(population.constants), period=program.schedule.period
            ),
            registers=registers,
            tables={name: program.tensors[tensor] for name, tensor in population.tables},
            bias=dict(population.bias) if population.bias else None,
            period=program.schedule.period,
            index=index,
            seed=run.seed,
            first_step=int(run.state["clock"][0]),
            rows=rows,
        )
        stock = stock_lif(program, population)
        if stock is not None:
            return _lif(population, stock, job)
        return NeuronGroup(size=population.size, lines=population.lines, job=job)

    def _group(self, group: Synapses) -> Process:
        weight, due = self._weight(group), self._run.state[f"due.{group.name}"]
        post = self._program.post_size(group)
        rows = self._rows("due", group.name, group.delay, Layout((("due", post),)))
        plasticity = self._plastic.get(group.name)
        if plasticity is not None:
            return self._learning(group, plasticity, due, rows)
        job = SynapsesJob(self._folder, rows, self._run.steps, self._mirror(group))
        bits = {"num_weight_bits": _weight_bits(weight, mirrors=job.mirror is not None)}
        common = {"weight_exp": group.exponent, "sign_mode": SignMode.MIXED, "job": job, **bits}
        common["num_message_bits"] = MESSAGE_BITS if group.graded else 0
        process = self._static(group, common)
        process.a_buff.init = due[0] if group.delay == 1 else np.ascontiguousarray(due.T)
        return process

    def _static(self, group: Synapses, common: dict[str, Any]) -> Process:
        """Return the process of a group that does not learn; all of them take ``common``."""
        if isinstance(group.connect, connectivity.Dense):
            weight = self._weight(group)
            if group.delay == 1:
                return Dense(weights=weight, **common)
            delays = np.full(weight.shape, group.delay - 1, int)
            return DelayDense(weights=weight, delays=delays, **common)
        listed = matrix_of(self._program, group)
        if group.delay == 1:
            return Sparse(weights=listed, **common)
        delays = delays_of(self._program, group)
        return DelaySparse(weights=listed, delays=delays, max_delay=group.delay - 1, **common)

    def _learning(self, group: Synapses, plasticity: Plasticity, due: Long, rows: Rows) -> Process:
        program, weight = self._program, self._weight(group)
        matrix = isinstance(group.connect, connectivity.Dense)
        layout = trace_layout(program.post_size(group), program.line_count(group))
        job = SynapsesJob(
            self._folder,
            rows,
            self._run.steps,
            epoch=plasticity.epoch,
            weights=self._weights[group.name],
            tags=None if plasticity.dt is None else self._synaptic_rows("tag", group.name),
            traces=self._rows("trace", group.name, self._run.epochs, layout),
            ends=None if matrix else connectivity.ends_of(program, group),
        )
        overwrites = any(trace.mode == "overwrite" for _, trace in plasticity.traces)
        process = (LearningDense if matrix else LearningSparse)(
            weights=weight if matrix else matrix_of(program, group),
            weight_exp=group.exponent,
            num_weight_bits=_weight_bits(weight, mirrors=False),
            sign_mode=SignMode.MIXED,
            num_message_bits=MESSAGE_BITS if group.graded else 0,
            learning_rule=learning_rule(plasticity, seed=self._run.seed),
            graded_spike_cfg=(
                GradedSpikeCfg.OVERWRITE if overwrites else GradedSpikeCfg.USE_REGULAR_IMPULSE
            ),
            job=job,
        )
        process.a_buff.init = due[0]
        return process

    def _mirror(self, group: Synapses) -> MirrorJob | None:
        if not (group.mirror and self._run.learns):
            return None
        rows, columns = self._weight(self._program.group(group.mirror)).shape
        followed, epoch = self._weights[group.mirror], self._program.epoch
        return MirrorJob(followed, (rows, columns), epoch, group.magnitude)

    def _connect(self, group: Synapses) -> None:
        process, post = self._synapses[group.name], self._populations[group.post]
        pre = self._sources.get(group.pre) or self._populations[group.pre]
        (pre.s_out if group.output == "s" else pre.e_out).connect(process.s_in)
        process.a_out.connect(post.a_in if group.port == "a" else post.third_in)
        plasticity = self._plastic.get(group.name)
        if plasticity is None:
            return
        stock = isinstance(post, LIF)
        (post.s_out if stock else post.bap_out).connect(process.s_in_bap)
        if plasticity.factors == 3:
            for name in TRACES:
                getattr(post, f"{name}_out").connect(getattr(process, f"s_in_{name}"))


def _weight_bits(weight: IntArray, *, mirrors: bool) -> int:
    """Return Lava's ``num_weight_bits``: at 8 it drops the last bit of a weight, at 9 nothing."""
    return 9 if mirrors or bool((weight & 1).any()) else 8


def _lif(population: Population, stock: StockLif, job: NeuronJob) -> Process:
    return LIF(
        shape=(population.size,),
        u=job.registers["u"],
        v=job.registers["v"],
        du=stock.du,
        dv=stock.dv,
        vth=stock.vth,
        bias_mant=stock.bias_mant,
        bias_exp=stock.bias_exp,
        job=job,
    )
