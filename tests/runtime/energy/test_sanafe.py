"""A chip and a placed network as the files of SANA-FE: their text, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Wire,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.compiler.targets import load_target
from hebbite.rules.errors import UsageError
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.energy import load_profile, sanafe_architecture, sanafe_network

LIF = (("du_keep", 0), ("dv_keep", 3072), ("threshold", 640))


def a_program() -> Program:
    """Two host lines, three neurons on two cores, two neurons; a matrix and a list."""
    program = Program(
        "net",
        "loihi1",
        Schedule(3, 3),
        sources=(Source("in", 2, (1, 3)),),
        populations=(
            Population("a", 3, NEURONS["lif"], LIF, (("bias", "drive"),), cores=(0, 5)),
            Population("b", 2, NEURONS["lif"], LIF, (("bias", "still"),), cores=(1,)),
        ),
        synapses=(
            Synapses("w", "in", "a", "w", graded=False, exponent=1),
            Synapses("v", "a", "b", "v", graded=False, connect=Sparse("v.starts", "v.targets")),
        ),
        readout=Readout("b", "s", 3, count=True),
        tensors={
            "w": np.array([[1, 2], [3, 4], [5, -6]], np.int16),
            "v": np.array([7, 8, 1, 9], np.int16),
            "v.starts": np.array([0, 2, 3, 4]),
            "v.targets": np.array([0, 1, 1, 0], np.int32),
            "drive": np.array([0, 64, 96]),
            "still": np.zeros(2, np.int64),
        },
    )
    verify_program(program)
    return program


def test_a_chip_at_the_values_of_a_profile(golden: Callable[[str], str]) -> None:
    text = sanafe_architecture(load_target("loihi1"), load_profile("loihi1-sanafe2025"))
    assert text.rstrip("\n") == golden("sanafe/architecture")


def test_a_table_without_finer_events_charges_what_an_active_neuron_costs_on_top() -> None:
    text = sanafe_architecture(load_target("loihi1"), load_profile("loihi1-davies2018"))
    found = dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)
    assert "latency_sync: {1: 2.29e-07}" in text
    assert float(found["energy_message_in"]) == pytest.approx(1.7e-12)
    assert float(found["energy_message_out"]) == 0
    soma = text.split("loihi_lif")[1].split("loihi_inputs")[0]
    prices = dict(line.strip().split(": ", 1) for line in soma.splitlines() if "neuron: " in line)
    assert float(prices["energy_access_neuron"]) == pytest.approx(52e-12)
    assert float(prices["energy_update_neuron"]) == pytest.approx((81 - 52) * 1e-12)
    assert float(prices["latency_update_neuron"]) == pytest.approx((8.4 - 5.3) * 1e-9)


def test_a_profile_without_times_is_refused_with_their_names() -> None:
    profile = load_profile("loihi1-davies2018")
    with pytest.raises(UsageError, match="HB0551") as refused:
        sanafe_architecture(load_target("loihi1"), replace(profile, time={}))
    assert refused.value.problems[0].what == (
        "profile 'loihi1-davies2018' has no time.hop_ew, time.hop_ns, time.neuron_active, "
        "time.synaptic_op, time.barrier"
    )


def test_a_placed_network_and_the_spikes_of_its_host(golden: Callable[[str], str]) -> None:
    data = {"in": np.array([[[1, 0], [1, 1]], [[0, 0], [0, 9]]])}
    text = sanafe_network(a_program(), data, samples=2)
    assert text.rstrip("\n") == golden("sanafe/network")


def test_the_hosts_lines_stand_where_they_are_told() -> None:
    assert "in.1: [core: 7.2, " in sanafe_network(a_program(), samples=1, host=30)


def with_first(program: Program, **changes: object) -> Program:
    first, *others = program.populations
    return replace(program, populations=(replace(first, **changes), *others))  # type: ignore[arg-type]


def with_group(program: Program, number: int, **changes: object) -> Program:
    groups = list(program.synapses)
    groups[number] = replace(groups[number], **changes)  # type: ignore[arg-type]
    return replace(program, synapses=tuple(groups))


def learning(program: Program) -> Program:
    rule = parse_sum("dw = 2^-2*y0*x1")
    return replace(program, plasticity=(Plasticity("w", rule, 3, (("x1", Trace(9, 16)),), 2),))


def silent(program: Program) -> Program:
    return replace(program, tensors={**program.tensors, "v": np.array([7, 8, 0, 9], np.int16)})


def doubled(program: Program) -> Program:
    twin = replace(program.synapses[1], name="u")
    return replace(program, synapses=(*program.synapses, twin))


def two_kinds(program: Program) -> Program:
    tensors = {**program.tensors, "k": np.array([[1]], np.int16)}
    conv = Conv2d((1, 1, 2), (1, 1))
    more = Synapses("k", "b", "b", "k", graded=False, connect=conv)
    return replace(program, synapses=(*program.synapses, more), tensors=tensors)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (learning, "SANA-FE knows neither learning nor wires"),
        (lambda p: replace(p, wires=(Wire("in", "b"),)), "SANA-FE knows neither"),
        (lambda p: with_first(p, neuron=NEURONS["cuba_lif"]), "SANA-FE's neuron is `lif`"),
        (lambda p: with_first(p, constants=(("du_keep", 9), *LIF[1:])), "with du_keep = 0"),
        (lambda p: with_first(p, bias=((1, 3),)), "a line of bias is no neuron of SANA-FE"),
        (lambda p: with_first(p, cores=(0, 128)), "SANA-FE simulates one chip"),
        (lambda p: replace(p, sources=(Source("in", 1, (1,), ((1, 2),)),)), "a line of bias"),
        (lambda p: with_group(p, 0, graded=True), "messages are spikes"),
        (lambda p: with_group(p, 1, output="e"), "from output s to input a"),
        (lambda p: with_group(p, 1, port="third"), "from output s to input a"),
        (lambda p: with_group(p, 1, delay=2), "have delay 1, and no negative exponent"),
        (lambda p: with_group(p, 1, exponent=-1), "have delay 1, and no negative exponent"),
        (silent, "no message to a core where all weights of a line are 0"),
        (doubled, "one message for all groups between two populations"),
        (two_kinds, "SANA-FE's file names one kind of synapse a neuron"),
    ],
)
def test_what_sanafe_would_simulate_otherwise_is_refused(
    change: Callable[[Program], Program], what: str
) -> None:
    with pytest.raises(UsageError, match="HB0552") as refused:
        sanafe_network(change(a_program()), samples=1)
    assert any(what in problem.what for problem in refused.value.problems)
