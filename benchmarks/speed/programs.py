"""The workloads as chip programs, written by hand: no front end stands between them and an engine.

A sample is a window of `PERIOD` steps; membranes go on from one sample to the next, so that a run
of many samples is one long run, as it is in every other simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.speed.workloads import C1, C2, KEEP, decays_c1
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.cuba_lif import cuba_constants
from hebbite.compiler.program.connectivity import Dense, Sparse, synapses_of
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
LISTED = Sparse("starts", "targets")


def program_of(kind: str, arrays: Arrays, *, dense: bool = False) -> Program:
    """Return the program of a workload, verified; ``dense``: the synapses of C as matrices."""
    if kind in ("A", "B"):
        program = layers(kind, arrays)
    else:
        program = one_current(arrays) if kind == "C1" else two_currents(arrays)
        program = with_matrices(program) if dense else program
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


def one_current(arrays: Arrays) -> Program:
    """Return C1."""
    constants = lif(*decays_c1(), int(C1["vth"]))
    cells = len(arrays["v0"])
    lists = {"starts": arrays["starts"], "targets": arrays["targets"], "w": arrays["weights"]}
    group = Synapses("loop", "cells", "cells", "w", graded=False, connect=LISTED)
    bias = np.full(cells, C1["bias"], np.int32)
    return recurrent(Population("cells", cells, NEURONS["lif"], constants, BIAS), (group,), lists,
                     bias)  # fmt: skip


def two_currents(arrays: Arrays) -> Program:
    """Return C2: the lines of excitatory cells end on ``a``, those of inhibitory ones on third."""
    cells, starts = len(arrays["v0"]), arrays["starts"]
    border = int(starts[arrays["excitatory"]])
    lists = {
        "e_starts": np.minimum(starts, border),
        "e_targets": arrays["targets"][:border],
        "e_w": arrays["weights"][:border],
        "i_starts": np.maximum(starts - border, 0),
        "i_targets": arrays["targets"][border:],
        "i_w": arrays["weights"][border:],
    }
    groups = tuple(
        Synapses(
            name,
            "cells",
            "cells",
            f"{name[0]}_w",
            port=port,
            graded=False,
            connect=Sparse(f"{name[0]}_starts", f"{name[0]}_targets"),
        )
        for name, port in (("excite", "a"), ("inhibit", "third"))
    )
    population = Population("cells", cells, NEURONS["cuba_lif"], constants_c2(), BIAS)
    return recurrent(population, groups, lists, np.zeros(cells, np.int32))


def recurrent(
    population: Population,
    groups: tuple[Synapses, ...],
    lists: Arrays,
    bias: NDArray[np.int32],
) -> Program:
    """Return a population that hears itself and nobody else."""
    return Program(
        name="recurrent",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(),
        populations=(population,),
        synapses=groups,
        readout=Readout("cells", "s", PERIOD, count=True),
        tensors={**lists, "bias": bias},
    )


def with_matrices(program: Program) -> Program:
    """Return the same program with every list of synapses written out as a matrix."""
    tensors = dict(program.tensors)
    groups = []
    for group in program.synapses:
        line, post, element = synapses_of(program, group)
        matrix = np.zeros((program.post_size(group), program.line_count(group)), np.int16)
        matrix[post, line] = tensors[group.weight][element]
        tensors[group.weight] = matrix
        groups.append(replace(group, connect=Dense()))
    return replace(program, synapses=tuple(groups), tensors=tensors)


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
    units: int = round((volts - C2["v_rest"]) / C2["unit"] * 2**SCALE)
    return units


def start_potentials(kind: str, arrays: Arrays) -> NDArray[np.int64]:
    """Return where the membranes of C start."""
    low, high = 0, int(64 * C1["vth"])
    if kind == "C2":
        low, high = in_units(C2["v_reset"]), in_units(C2["v_threshold"])
    return (low + arrays["v0"] * (high - low)).astype(np.int64)


def events(arrays: Arrays) -> dict[str, IntArray]:
    """Return what the host sends, (samples, steps of a sample, lines); nothing in C."""
    if "x" not in arrays:
        return {}
    steps, lines = arrays["x"].shape
    return {"input": arrays["x"].astype(np.uint8).reshape(steps // PERIOD, PERIOD, lines)}
