"""The workloads as chip programs, written by hand: no front end stands between them and an engine.

A sample is a window of `PERIOD` steps; membranes go on from one sample to the next, so that a run
of many samples is one long run, as it is in every other simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.workloads import C1, C2, KEEP, decays_c1, stored_weights
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.cuba_lif import cuba_constants
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.registry import parse_rule

Arrays = Mapping[str, NDArray[Any]]
PERIOD = 50
OFFSETS = tuple(range(1, PERIOD + 1))
RULE = "stdp(up=6, down=6, tau_pre=16, tau_post=16)"
SCALE = 10
"""Bits of a weight's unit in a membrane of C2."""
BIAS = (("bias", "bias"),)


def program_of(kind: str, arrays: Arrays) -> Program:
    """Return the program of a workload, verified."""
    makers = {"A": layers, "B": layers, "C1": one_current, "C2": two_currents}
    program = makers[kind](kind, arrays)
    verify_program(program, running="benchmark")
    return program


def layers(kind: str, arrays: Arrays) -> Program:
    """Return A, layers of leaky units behind each other, or B, one layer that learns."""
    count = sum(key[0] == "w" for key in arrays)
    names = ["input", *(f"layer{index}" for index in range(count))]
    populations, groups = [], []
    tensors: dict[str, IntArray] = {}
    for index in range(count):
        size, name = arrays[f"w{index}"].shape[1], names[index + 1]
        constants = lif(0, KEEP, int(arrays[f"vth{index}"]))
        tables = (("bias", f"bias{index}"),)
        populations.append(Population(name, size, NEURONS["lif"], constants, tables))
        groups.append(Synapses(f"to_{name}", names[index], name, f"w{index}", graded=False))
        tensors[f"w{index}"] = np.ascontiguousarray(arrays[f"w{index}"].T).astype(np.int16)
        tensors[f"bias{index}"] = np.zeros(size, np.int32)
    rule = parse_rule(RULE)
    plastic = Plasticity("to_layer0", rule.dw, 1, rule.traces, factors=2)
    return Program(
        name="inference" if kind == "A" else "learning",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("input", arrays["x"].shape[1], OFFSETS),),
        populations=tuple(populations),
        synapses=tuple(groups),
        plasticity=(plastic,) if kind == "B" else (),
        readout=Readout(names[-1], "s", PERIOD, count=True),
        tensors=tensors,
    )


def lif(du_keep: int, dv_keep: int, vth: int) -> tuple[tuple[str, int], ...]:
    """Return the constants of the unit that is Lava's LIF."""
    return (("du_keep", du_keep), ("dv_keep", dv_keep), ("threshold", 64 * vth))


def one_current(kind: str, arrays: Arrays) -> Program:
    """Return C1."""
    constants = lif(*decays_c1(), int(C1["vth"]))
    cells = len(arrays["v0"])
    group = Synapses("recurrent", "cells", "cells", "w", graded=False)
    return Program(
        name="recurrent_one_current",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(),
        populations=(Population("cells", cells, NEURONS["lif"], constants, BIAS),),
        synapses=(group,),
        readout=Readout("cells", "s", PERIOD, count=True),
        tensors={"w": dense(arrays), "bias": np.full(cells, C1["bias"], np.int32)},
    )


def two_currents(kind: str, arrays: Arrays) -> Program:
    """Return C2."""
    cells = len(arrays["v0"])
    weight = dense(arrays)
    inhibit = stored_weights("C2")[1]
    population = Population("cells", cells, NEURONS["cuba_lif"], constants_c2(), BIAS)
    return Program(
        name="recurrent_two_currents",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(),
        populations=(population,),
        synapses=(
            Synapses("excite", "cells", "cells", "w_excite", graded=False),
            Synapses("inhibit", "cells", "cells", "w_inhibit", port="third", graded=False),
        ),
        readout=Readout("cells", "s", PERIOD, count=True),
        tensors={
            "w_excite": np.where(weight > 0, weight, np.int16(0)),
            "w_inhibit": np.where(weight == inhibit, weight, np.int16(0)),
            "bias": np.zeros(cells, np.int32),
        },
    )


def constants_c2() -> tuple[tuple[str, int], ...]:
    """Return the constants of the two-current unit, potentials from the one at rest."""
    return cuba_constants(
        tau_excite=C2["tau_excite"],
        tau_inhibit=C2["tau_inhibit"],
        tau_mem=C2["tau_mem"],
        scale=SCALE,
        threshold=in_units(C2["v_threshold"]),
        v_reset=in_units(C2["v_reset"]),
        refractory=int(C2["refractory"]) - 1,
    )


def in_units(volts: float) -> int:
    """Return a potential in mV as the membrane of C2 counts it."""
    return round((volts - C2["v_rest"]) / C2["unit"] * 2**SCALE)


def dense(arrays: Arrays) -> NDArray[np.int16]:
    """Return the synapses of C as a matrix (neurons, lines)."""
    cells = len(arrays["v0"])
    weight = np.zeros((cells, cells), np.int16)
    lines = np.repeat(np.arange(cells), np.diff(arrays["starts"]))
    weight[arrays["targets"], lines] = arrays["weights"]
    return weight


def start_potentials(kind: str, arrays: Arrays) -> NDArray[np.int64]:
    """Return where the membranes of C start."""
    low, high = (0, 64 * C1["vth"])
    if kind == "C2":
        low, high = in_units(C2["v_reset"]), in_units(C2["v_threshold"])
    return (low + arrays["v0"] * (high - low)).astype(np.int64)


def events(arrays: Arrays) -> dict[str, IntArray]:
    """Return what the host sends, (samples, steps of a sample, lines); nothing in C."""
    if "x" not in arrays:
        return {}
    steps, lines = arrays["x"].shape
    return {"input": arrays["x"].astype(np.int8).reshape(steps // PERIOD, PERIOD, lines)}
