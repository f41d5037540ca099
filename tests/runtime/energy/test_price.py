from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.program.connectivity import Connectivity, Conv2d, Dense, Sparse
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.rules.errors import UsageError
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.counters import INDEX, PHASES, Counters, components_of
from hebbite.runtime.energy import (
    Account,
    CostProfile,
    Draws,
    Gains,
    accounts,
    load_profile,
    price,
    ratio,
)

PAIR = Plasticity(
    "s1",
    parse_sum("dw = 2^-2*y0*x1 - 2^-2*x0*y1"),
    4,
    (("x1", Trace(20, 16)), ("y1", Trace(20, 16))),
    factors=2,
)
DELTA = Plasticity(
    "s1",
    parse_sum("dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"),
    4,
    (("x1", Trace(65535)), ("y2", Trace(65535)), ("y3", Trace(65535))),
)
LISTED = Sparse("starts", "targets")
WINDOWS = Conv2d((3, 1, 1), (1, 1))
KEYS = {
    "profile",
    "boundary",
    "total",
    "assumed_share",
    "cross_chip",
    "per_sample_j",
    "learning_per_sample_j",
    "per_visit_j",
    "per_change_j",
    "per_epoch_j",
    "to_accuracy_j",
    "per_decrease_j",
    "training_over_inference",
    "evidence",
    "unpriced",
}
SPIKES = {
    "p.inference": {"steps": 4},
    "p.learning": {"steps": 4},
    "out.inference": {"neuron_steps": 16, "neuron_active": 10},
    "out.learning": {"neuron_steps": 16, "neuron_active": 6},
    "s1.inference": {"spikes_in": 5, "syn_ops": 20},
}
VISITS = {"s1.learning": {"updates_visited": 12, "updates_changed": 3, "rule_terms": 24}}


def a_program(rule: Plasticity | None = PAIR, *, graded: bool = False) -> Program:
    return Program(
        "p",
        "loihi1",
        Schedule(8, 4),
        sources=(Source("in", 3, (1,)),),
        populations=(Population("out", 4, LIF, cores=(0,)),),
        synapses=(Synapses("s1", "in", "out", "w", graded=graded),),
        readout=Readout("out", "v", 4),
        plasticity=() if rule is None else (rule,),
        tensors={"w": np.ones((4, 3), np.int32)},
    )


def a_run(program: Program, *parts: Mapping[str, Mapping[str, int]]) -> Counters:
    names = components_of(program)
    values = np.zeros((len(names), len(PHASES), len(INDEX)), np.int64)
    for part in parts:
        for key, counts in part.items():
            name, phase = key.rsplit(".", 1)
            for counter, count in counts.items():
                values[names.index(name), PHASES.index(phase), INDEX[counter]] += count
    return Counters(names, values)


def certain(name: str = "loihi1-davies2018") -> CostProfile:
    """The profile without its ranges, so that a result can be computed by hand."""
    profile = load_profile(name)
    flat = {
        section: {
            name: replace(constant, low=constant.value, high=constant.value)
            for name, constant in getattr(profile, section).items()
        }
        for section in ("energy", "power", "time")
    }
    return replace(profile, energy=flat["energy"], power=flat["power"], time=flat["time"])


def row(rows: list[dict[str, Any]], boundary: str, total: str) -> dict[str, Any]:
    return next(r for r in rows if (r["boundary"], r["total"]) == (boundary, total))


def all_rows(program: Program, counters: Counters, **options: Any) -> list[dict[str, Any]]:
    profile = options.pop("profile", certain())
    return price(counters, program, profile, samples=2, draws=20, **options)


def test_a_run_of_pairwise_stdp_costs_what_the_table_says() -> None:
    program = a_program()
    rows = all_rows(program, a_run(program, SPIKES, VISITS), samples_per_epoch=100)
    inference = 5 * 1.7 + 20 * 23.6 + 10 * 81 + 6 * 52
    learning = 6 * 81 + 10 * 52 + 12 * 120
    for total in ("sourced", "assumed"):
        found = row(rows, "dynamic", total)
        assert found["per_sample_j"]["median"] == pytest.approx((inference + learning) * 1e-12 / 2)
        assert found["per_sample_j"]["low"] == pytest.approx(found["per_sample_j"]["high"])
        assert found["learning_per_sample_j"]["median"] == pytest.approx(learning * 1e-12 / 2)
        assert found["per_visit_j"]["median"] == pytest.approx(learning * 1e-12 / 12)
        assert found["per_change_j"]["median"] == pytest.approx(learning * 1e-12 / 3)
        assert found["per_epoch_j"]["median"] == pytest.approx((inference + learning) * 1e-12 * 50)
        assert (found["assumed_share"], found["unpriced"]) == (0.0, [])
        times = found["training_over_inference"]["median"]
        assert times == pytest.approx((inference + learning) / inference)
        assert (found["evidence"], found["cross_chip"]) == ("simulated", False)


def test_a_fitted_table_pays_visits_updates_spikes_and_messages_that_leave() -> None:
    program = a_program(None)
    sent = {
        "out.inference": {"neuron_steps": 16, "neuron_active": 10, "spikes_out": 7},
        "s1.inference": {"spikes_in": 9, "axon_out": 5, "syn_ops": 20, "hops_ew": 2, "hops_ns": 3},
    }
    profile = certain("loihi1-sanafe2025")
    found = row(all_rows(program, a_run(program, sent), profile=profile), "dynamic", "sourced")
    joules = 51.2 * 16 + 21.6 * 10 + 69.3 * 7 + 35.5 * 20 + 111 * 5 + 3.0 * 2 + 4.2 * 3
    assert found["per_sample_j"]["median"] == pytest.approx(joules * 1e-12 / 2, rel=1e-12)
    assert (found["evidence"], found["unpriced"]) == ("fitted", [])


@pytest.mark.parametrize(
    ("connect", "weight", "each"),
    [(Dense(), (4, 3), 35.5), (LISTED, (12,), 33.6), (WINDOWS, (4, 3), 24.0)],
)
def test_a_fitted_table_prices_matrices_lists_and_convolutions(
    connect: Connectivity, weight: tuple[int, ...], each: float
) -> None:
    program = a_program(None)
    group = replace(program.synapses[0], connect=connect)
    program = replace(program, synapses=(group,), tensors={"w": np.ones(weight, np.int32)})
    counters = a_run(program, {"s1.inference": {"syn_ops": 20}})
    found = row(
        all_rows(program, counters, profile=certain("loihi1-sanafe2025")), "dynamic", "sourced"
    )
    assert found["per_sample_j"]["median"] == pytest.approx(each * 20e-12 / 2, rel=1e-12)


def test_what_is_inside_another_price_is_priced_once() -> None:
    program = a_program(None)
    counters = a_run(program, SPIKES, {"s1.inference": {"axon_out": 5, "hops_ew": 8}})
    rows = all_rows(program, counters, profile=certain("loihi2-derived"))
    found = row(rows, "dynamic", "assumed")
    assert found["per_sample_j"]["median"] == pytest.approx((26.5 * 20 + 52 * 32) * 1e-12 / 2)
    unknown = row(rows, "dynamic", "sourced")
    assert (unknown["per_sample_j"], unknown["unpriced"]) == (None, ["neuron_steps"])


def test_a_floor_of_arithmetic_has_no_time_and_no_chip() -> None:
    program = a_program(None)
    rows = all_rows(program, a_run(program, SPIKES), profile=load_profile("ideal-45nm"))
    assert row(rows, "dynamic", "sourced")["per_sample_j"]["median"] > 0
    chip = row(rows, "chip", "assumed")
    assert chip["per_sample_j"] is None
    assert chip["reasons"]["per_sample_j"].startswith("profile 'ideal-45nm' has no time")


def test_the_chip_adds_its_static_power_and_learning_pays_for_its_own_steps() -> None:
    program = a_program()
    rows = all_rows(program, a_run(program, SPIKES, VISITS))
    inner, outer = row(rows, "dynamic", "sourced"), row(rows, "chip", "sourced")
    busy = 16 * 8.4 + 16 * 5.3 + 5 * 2.1 + 20 * 3.5 + 12 * 6.1
    static = 0.056 * (busy + 8 * 229) * 1e-9
    more = outer["per_sample_j"]["median"] - inner["per_sample_j"]["median"]
    late = outer["learning_per_sample_j"]["median"] - inner["learning_per_sample_j"]["median"]
    assert more == pytest.approx(static / 2)
    assert late == pytest.approx(static / 4)
    assert outer["evidence"] == "simulated"


def test_rows_have_the_keys_of_the_contract_and_a_reason_for_every_null() -> None:
    program = a_program()
    rows = all_rows(program, a_run(program, SPIKES, VISITS))
    assert [(r["boundary"], r["total"]) for r in rows] == [
        (boundary, total)
        for boundary in ("dynamic", "chip", "board")
        for total in ("sourced", "assumed")
    ]
    for found in rows:
        assert found.keys() == KEYS | {"reasons"}
        assert {key for key in found if found[key] is None} == found["reasons"].keys()
        assert all(found["reasons"].values())


def test_a_board_is_priced_only_where_its_power_is_given() -> None:
    program = a_program()
    counters = a_run(program, SPIKES)
    silent = row(all_rows(program, counters), "board", "assumed")
    assert silent["per_sample_j"] is None
    assert "--watts" in silent["reasons"]["per_sample_j"]
    rows = all_rows(program, counters, board_watts=2.0)
    given = row(rows, "board", "assumed")
    chip = row(rows, "chip", "assumed")
    assert given["per_sample_j"]["median"] > chip["per_sample_j"]["median"]
    assert given["evidence"] == "assumed"
    assert 0.9 < given["assumed_share"] < 1.0
    assert row(rows, "board", "sourced")["per_sample_j"] is None


def test_graded_payloads_and_third_factors_have_no_published_price() -> None:
    program = a_program(DELTA, graded=True)
    traces = {"s1.learning": {"trace_updates": 7}}
    rows = all_rows(program, a_run(program, SPIKES, VISITS, traces))
    sourced = row(rows, "dynamic", "sourced")
    assert sourced["per_sample_j"] is None
    assert sourced["learning_per_sample_j"] is None
    assert sourced["unpriced"] == [
        "syn_ops (graded payload)",
        "trace_updates (not pairwise STDP)",
        "updates_visited (not pairwise STDP)",
    ]
    assert "no published price" in sourced["reasons"]["per_sample_j"]
    assert (sourced["evidence"], sourced["assumed_share"]) == ("none", 0.0)
    assumed = row(rows, "dynamic", "assumed")
    assert assumed["per_sample_j"] is not None
    assert assumed["evidence"] == "assumed"
    assert 0.0 < assumed["assumed_share"] < 1.0


def test_only_the_assumed_part_of_the_time_makes_static_energy_assumed() -> None:
    program = a_program(DELTA)
    rows = all_rows(program, a_run(program, SPIKES, VISITS))
    assert row(rows, "chip", "sourced")["per_sample_j"] is None
    assert 0.0 < row(rows, "chip", "assumed")["assumed_share"] < 0.2


def test_a_rule_with_two_products_a_visit_costs_once_to_twice_pairwise_stdp() -> None:
    program = a_program(DELTA)
    found = row(all_rows(program, a_run(program, VISITS)), "dynamic", "assumed")["per_visit_j"]
    assert 120e-12 <= found["low"] < found["high"] <= 240e-12


def test_a_rule_with_six_products_a_visit_costs_up_to_six_times_pairwise_stdp() -> None:
    program = a_program(DELTA)
    more = {"s1.learning": {"updates_visited": 12, "rule_terms": 72}}
    found = row(all_rows(program, a_run(program, more)), "dynamic", "assumed")["per_visit_j"]
    assert 120e-12 <= found["low"] < 240e-12 < found["high"] <= 720e-12


def test_inference_of_a_graded_net_is_unpriced_but_its_learning_may_be_priced() -> None:
    program = a_program(graded=True)
    found = row(all_rows(program, a_run(program, SPIKES, VISITS)), "dynamic", "sourced")
    assert found["per_sample_j"] is None
    assert found["learning_per_sample_j"] is not None


def test_a_frozen_network_learns_for_nothing_and_has_no_price_a_visit() -> None:
    program = a_program(None)
    only = {key: value for key, value in SPIKES.items() if not key.endswith("learning")}
    found = row(all_rows(program, a_run(program, only)), "dynamic", "sourced")
    assert found["learning_per_sample_j"]["median"] == 0.0
    assert found["per_visit_j"] is None
    assert found["reasons"]["per_visit_j"] == "no synapse was visited"
    assert found["reasons"]["per_change_j"] == "no weight changed"


def test_weights_that_the_host_copies_are_paid_for_and_input_is_the_boards_share() -> None:
    program = a_program(None)
    mirror = Synapses("m", "in", "out", "w", graded=False, mirror="s1", role="feedback")
    program = replace(program, synapses=(*program.synapses, mirror))
    counters = a_run(program, {"m.learning": {"host_words": 5}, "in.inference": {"host_words": 9}})
    rows = all_rows(program, counters)
    found = row(rows, "dynamic", "assumed")
    assert found["per_sample_j"]["median"] == pytest.approx(5 * 100e-12 / 2)
    assert found["assumed_share"] == 1.0
    unpriced = row(rows, "dynamic", "sourced")["unpriced"]
    assert unpriced == ["host_words (weights copied by the host)"]


def test_another_chips_program_is_called_cross_chip() -> None:
    program = replace(a_program(), target="loihi2")
    found = row(all_rows(program, a_run(program, SPIKES, VISITS)), "dynamic", "sourced")
    assert found["cross_chip"]
    assert found["evidence"] == "simulated, cross-chip"


def test_a_constant_that_a_profile_leaves_out_makes_both_totals_null() -> None:
    program, profile = a_program(), certain()
    energy = {name: c for name, c in profile.energy.items() if name != "synaptic_op"}
    rows = all_rows(program, a_run(program, SPIKES), profile=replace(profile, energy=energy))
    for total in ("sourced", "assumed"):
        found = row(rows, "dynamic", total)
        assert found["per_sample_j"] is None
        assert found["unpriced"] == ["syn_ops"]


def test_the_same_seed_gives_the_same_rows_and_another_seed_other_bands() -> None:
    program, profile = a_program(), load_profile("loihi1-davies2018")
    counters = a_run(program, SPIKES, VISITS)
    one, same, other = (
        price(counters, program, profile, samples=2, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same != other


def test_a_ratio_keeps_only_what_two_runs_do_not_share() -> None:
    program, profile = a_program(), load_profile("loihi1-davies2018")
    draws = Draws(0, 1000)
    one, twice = (
        accounts(a_run(program, *[SPIKES, VISITS] * n), program, profile, draws) for n in (1, 2)
    )
    for first, second in zip(one, twice, strict=True):
        if first.boundary != "board":
            found = ratio(first, second)
            assert found is not None
            assert found["low"] == pytest.approx(0.5)
            assert found["high"] == pytest.approx(0.5)


def test_a_run_with_one_more_visit_is_dearer_in_every_draw() -> None:
    program, profile = a_program(), load_profile("loihi1-davies2018")
    more = {"s1.learning": {"updates_visited": 1}}
    one, other = (
        accounts(a_run(program, SPIKES, VISITS, *extra), program, profile, Draws(0, 200))[0]
        for extra in ([], [more])
    )
    found = ratio(one, other)
    assert found is not None
    assert found["high"] < 1.0


def test_there_is_no_ratio_without_two_prices() -> None:
    program, profile = a_program(), certain()
    account = accounts(a_run(program, SPIKES), program, profile, Draws(0, 5))[0]
    missing: Account = replace(account, whole=None)
    assert ratio(account, missing) is None
    assert ratio(missing, account) is None


@pytest.mark.parametrize("watts", [-1.0, float("nan"), float("inf")])
def test_a_power_that_cannot_be_is_refused(watts: float) -> None:
    program = a_program()
    with pytest.raises(UsageError, match="HB0512"):
        all_rows(program, a_run(program, SPIKES), board_watts=watts)


def test_a_run_of_no_sample_is_refused() -> None:
    program = a_program()
    with pytest.raises(UsageError, match="needs samples, not 0"):
        price(a_run(program, SPIKES), program, certain(), samples=0)


def test_several_chips_have_no_published_barrier_nor_price_of_a_way_between_them() -> None:
    program = a_program(None)
    parts = replace(program.populations[0], cores=(112,))  # at the edge that faces the other chip
    program = replace(
        program,
        populations=(parts, replace(parts, name="far", cores=(128,))),
        synapses=(*program.synapses, Synapses("s2", "out", "far", "w2", graded=False)),
        tensors={**program.tensors, "w2": np.ones((4, 4), np.int32)},
    )
    rows = all_rows(program, a_run(program, {"p.inference": {"steps": 4}}))
    assert row(rows, "dynamic", "sourced")["per_sample_j"] is not None
    chip = row(rows, "chip", "sourced")
    assert (chip["per_sample_j"], chip["unpriced"]) == (None, ["static (time is assumed)"])
    assert row(rows, "chip", "assumed")["assumed_share"] == 1.0
    crossing = a_run(program, {"s2.inference": {"interchip": 3}})
    unpriced = row(all_rows(program, crossing), "dynamic", "sourced")["unpriced"]
    assert unpriced == ["interchip (path off the chip)"]


def test_a_decrease_is_paid_for_by_the_learning_phase_and_an_accuracy_by_all_phases() -> None:
    program = a_program()
    whole, part = a_run(program, SPIKES, VISITS, VISITS), a_run(program, SPIKES, VISITS)
    gains = Gains(2, decrease=50.0, until=part)
    rows = all_rows(program, whole, gains=gains)
    found = row(rows, "dynamic", "sourced")
    learning = 6 * 81 + 10 * 52 + 24 * 120
    until = 5 * 1.7 + 20 * 23.6 + 16 * 81 + 16 * 52 + 12 * 120
    assert found["per_decrease_j"]["median"] == pytest.approx(learning * 1e-12 / 50)
    assert found["to_accuracy_j"]["median"] == pytest.approx(until * 1e-12 / 2)
    assert found["reasons"] == {"per_epoch_j": "the samples of an epoch are not known"}
    chip = row(rows, "chip", "sourced")
    busy = 16 * 8.4 + 16 * 5.3 + 5 * 2.1 + 20 * 3.5 + 12 * 6.1
    static = 0.056 * (busy + 8 * 229) * 1e-9
    more = chip["to_accuracy_j"]["median"] - found["to_accuracy_j"]["median"]
    assert more == pytest.approx(static / 2)


def test_an_accuracy_that_was_there_before_training_cost_nothing() -> None:
    program = a_program()
    gains = Gains(1, no_decrease="it rose", until=a_run(program))
    rows = all_rows(program, a_run(program, SPIKES, VISITS), gains=gains)
    nothing = {"median": 0.0, "low": 0.0, "high": 0.0}
    for boundary in ("dynamic", "chip"):
        assert row(rows, boundary, "sourced")["to_accuracy_j"] == nothing
    assert row(rows, "board", "assumed")["to_accuracy_j"] is None
    assert row(rows, "dynamic", "sourced")["per_decrease_j"] is None
    assert row(rows, "dynamic", "sourced")["reasons"]["per_decrease_j"] == "it rose"


def test_a_gain_that_was_not_made_has_its_reason_and_so_has_one_without_a_price() -> None:
    program = a_program(DELTA, graded=True)
    counters = a_run(program, SPIKES, VISITS)
    gains = Gains(3, decrease=2.0, not_reached="1 of 3 seeds reached it")
    rows = all_rows(program, counters, gains=gains)
    assumed, sourced = (row(rows, "dynamic", total) for total in ("assumed", "sourced"))
    assert assumed["per_decrease_j"]["median"] > 0
    assert assumed["to_accuracy_j"] is None
    assert assumed["reasons"]["to_accuracy_j"] == "1 of 3 seeds reached it"
    assert sourced["per_decrease_j"] is None
    assert "no published price" in sourced["reasons"]["per_decrease_j"]
