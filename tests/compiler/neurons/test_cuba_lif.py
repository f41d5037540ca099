"""The two-current unit beside the equations that it solves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.neuron import execute, new_registers
from hebbite.compiler.neurons.cuba_lif import CUBA_LIF, cuba_constants
from hebbite.compiler.program.ranges import ranges_of
from hebbite.compiler.program.types import (
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.errors import VerifyError

Long = NDArray[np.int64]
SCALE = 10
TAU_E, TAU_I, TAU_M = 5, 10, 20
HIGH, RESET = 100 << SCALE, -(50 << SCALE)


def constants(*, threshold: int = HIGH, refractory: int = 4) -> tuple[tuple[str, int], ...]:
    return cuba_constants(
        tau_excite=TAU_E,
        tau_inhibit=TAU_I,
        tau_mem=TAU_M,
        scale=SCALE,
        threshold=threshold,
        v_reset=RESET,
        refractory=refractory,
    )


def run(
    chosen: tuple[tuple[str, int], ...], *, a: Long, third: Long, bias: int = 0
) -> dict[str, Long]:
    """Return v, s and bap of one unit in every step."""
    bound = CUBA_LIF.bind(dict(chosen), period=1)
    registers = new_registers(bound, 1)
    seen: dict[str, list[int]] = {"v": [], "s": [], "bap": [], "ge": []}

    def nothing(instruction: int, bits: int) -> Long:
        raise AssertionError("the unit draws nothing")

    for excite, inhibit in zip(a, third, strict=True):
        registers |= {"a": np.array([excite]), "third": np.array([inhibit])}
        tables = {"bias": np.array([bias])}
        execute(bound, registers, offset=1, tables=tables, random=nothing)
        for name, values in seen.items():
            values.append(int(registers[name][0]))
    return {name: np.array(values) for name, values in seen.items()}


def pulses(steps: int, **at: int) -> Long:
    """Return zeros but for ``t3=7``: 7 at step 3."""
    out = np.zeros(steps, np.int64)
    for name, value in at.items():
        out[int(name[1:])] = value
    return out


@pytest.mark.parametrize(("port", "tau"), [("a", TAU_E), ("third", TAU_I)])
@pytest.mark.parametrize("weight", [90, -90])
def test_a_message_moves_the_membrane_along_the_exact_solution(
    port: str, tau: int, weight: int
) -> None:
    steps = 60
    given = {"a": pulses(steps), "third": pulses(steps), port: pulses(steps, t0=weight)}
    found = run(constants(), a=given["a"], third=given["third"])["v"] / 2**SCALE
    t = np.arange(1, steps + 1)
    exact = weight * tau / (TAU_M - tau) * (np.exp(-t / TAU_M) - np.exp(-t / tau))
    assert np.abs(exact).max() > 10
    # A factor of 12 bits is off by at most 2^-13: a step of v by at most that of v, ge and gi.
    assert np.abs(found - exact).max() < 0.01 * np.abs(exact).max()
    assert np.array_equal(np.sign(found[:40]), np.full(40, np.sign(weight)))


@pytest.mark.parametrize("refractory", [0, 1, 4, 9])
def test_the_membrane_is_held_for_the_refractory_steps_and_the_current_goes_on(
    refractory: int,
) -> None:
    steps = 80
    driven = np.full(steps, 400, np.int64)
    found = run(constants(refractory=refractory), a=driven, third=pulses(steps))
    spikes = np.flatnonzero(found["s"])
    assert len(spikes) >= 5
    for spike in spikes[:-1]:
        after = spike + refractory + 1
        assert np.all(found["v"][spike:after] == RESET)
        assert (found["v"][after] == RESET) == (after in spikes)
    assert np.diff(spikes).min() >= refractory + 1
    strong = run(constants(refractory=refractory), a=20 * driven, third=pulses(steps))
    assert set(np.diff(np.flatnonzero(strong["s"]))[3:]) == {refractory + 1}
    assert np.all(np.diff(found["ge"][:10]) > 0)
    assert np.array_equal(found["bap"], found["s"])


def test_a_steady_drive_settles_where_the_leak_balances_it() -> None:
    """v = bias / (1 - exp(-1 / tau_m)), the threshold being above it."""
    steps, bias = 400, 3 << SCALE
    found = run(constants(), a=pulses(steps), third=pulses(steps), bias=bias)
    assert not found["s"].any()
    assert found["v"][-1] / 2**SCALE == pytest.approx(3 / (1 - np.exp(-1 / TAU_M)), rel=0.005)


def test_currents_and_membrane_saturate_and_do_not_wrap() -> None:
    steps = 200
    top = 2**23 - 1
    chosen = constants(threshold=2**23)
    up = run(chosen, a=np.full(steps, 10**6), third=np.full(steps, 10**6))
    down = run(chosen, a=np.full(steps, -(10**6)), third=np.full(steps, -(10**6)))
    assert up["v"].max() == up["ge"].max() == top
    assert down["v"].min() == down["ge"].min() == -top


def program(lines: int, weight: int, scale: int = SCALE) -> Program:
    offsets = tuple(range(1, 11))
    chosen = {**dict(constants()), "scale": scale}
    made = Program(
        name="cuba",
        target="loihi2",
        schedule=Schedule(10, 10),
        sources=(Source("input", lines, offsets),),
        populations=(
            Population("cells", 4, CUBA_LIF, CUBA_LIF.chosen(chosen), (("bias", "bias"),)),
        ),
        synapses=(
            Synapses("excite", "input", "cells", "w", graded=False),
            Synapses("inhibit", "input", "cells", "w_i", port="third", graded=False),
        ),
        readout=Readout("cells", "s", 10, count=True),
        tensors={
            "w": np.full((4, lines), weight, np.int16),
            "w_i": np.full((4, lines), -weight, np.int16),
            "bias": np.zeros(4, np.int32),
        },
    )
    return made


def test_ranges_are_proven_up_to_what_the_shift_of_the_input_allows() -> None:
    verify_program(program(8000, 250))
    ranges = ranges_of(program(8000, 250))
    assert not ranges.left
    assert ranges.register["cells", "v"] == (-(2**23) + 1, 2**23 - 1)
    assert ranges.register["cells", "rest"] == (0, 4)
    with pytest.raises(VerifyError, match="HB0460"):
        verify_program(program(9000, 250))
