"""Lowering of a spiking network whose synapses keep tags and learn when a reward comes.

source --synapses--> LIF units --synapses--> LIF output units --e--> critic --s--> every unit

The network is the one of `spiking`. A teacher's code reaches the output in a sample's first step;
spikes of the right class then earn, others cost. The critic, one neuron, sums them up and sends the
reward, less its running mean, so that it reaches every unit in the sample's last step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hebbite.compiler.lowering.request import Lowered, Request
from hebbite.compiler.lowering.spiking import lower_spiking
from hebbite.compiler.lowering.spiking_stage import KEEP_BITS
from hebbite.compiler.lowering.written import TEACHER, WRITTEN
from hebbite.compiler.neurons.rewarded import (
    CRITIC,
    TRACE_SHIFT,
    earning_reward,
    told_of_reward,
)
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Source,
    Synapses,
    Wire,
)
from hebbite.rules.traces import kept

NAME = "critic"
SPIKE_SHIFT = 3
"""A spike earns 2^3 units of reward, unless the rule's gain says otherwise."""
SMOOTH = 4
"""The mean reward follows with a time constant of 2^4 samples."""


def lower_rewarded(request: Request) -> Lowered:
    """Return the program, not yet placed on cores, and its coding."""
    lowered = lower_spiking(request)
    program = _rewarded(lowered.program, request)
    return replace(lowered, program=program, coding=replace(lowered.coding, teacher=TEACHER))


def _rewarded(program: Program, request: Request) -> Program:
    output = program.readout.population
    units = tuple(_unit(p, request, earns=p.name == output) for p in program.populations)
    size, lines = program.population(output).size, [p.name for p in units]
    ones: dict[str, IntArray] = {
        f"{NAME}.{TEACHER}": np.ones((1, size), np.int16),
        f"{NAME}.{output}": np.ones((1, size), np.int16),
        **{
            f"{name}.{NAME}": np.ones((program.population(name).size, 1), np.int16)
            for name in lines
        },
    }
    synapses = (
        *program.synapses,
        _link(TEACHER, NAME, port="third"),
        _link(output, NAME, output="e"),
        *(_link(NAME, name, port="third") for name in lines),
    )
    return replace(
        program,
        sources=(*program.sources, Source(TEACHER, size, (1,), role="target")),
        populations=(*units, _critic(program, request)),
        synapses=synapses,
        wires=(Wire(TEACHER, output),),
        plasticity=tuple(_plasticity(p.synapses, request) for p in program.plasticity),
        tensors={**program.tensors, **ones},
    )


def _unit(population: Population, request: Request, *, earns: bool) -> Population:
    trace = dict(request.rule.traces)["y1"]
    neuron = told_of_reward(population.neuron)
    constants = (
        ("keep", kept(trace.tau, KEEP_BITS)),
        ("impulse", trace.impulse << TRACE_SHIFT),
    )
    return replace(
        population,
        neuron=earning_reward(neuron) if earns else neuron,
        constants=(*population.constants, *constants),
    )


def _critic(program: Program, request: Request) -> Population:
    shift = SPIKE_SHIFT + request.rule.feedback.gain
    constants = (
        ("reward", program.schedule.period - 1),
        ("raise", max(shift, 0)),
        ("lower", max(-shift, 0)),
        ("smooth", SMOOTH),
    )
    return Population(NAME, 1, CRITIC, constants)


def _link(pre: str, post: str, *, output: str = "s", port: str = "a") -> Synapses:
    name = f"{pre}_to_{post}"
    return Synapses(name, pre, post, f"{post}.{pre}", output=output, port=port, role="feedback")


def _plasticity(synapses: str, request: Request) -> Plasticity:
    rule = request.rule
    traces = (("x1", dict(rule.traces)["x1"]), *((name, WRITTEN) for name in ("y1", "y2", "y3")))
    return Plasticity(synapses, rule.dw, 1, traces, dt=rule.dt)
