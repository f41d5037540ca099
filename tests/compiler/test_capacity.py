from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.capacity import check_capacity, core_uses, footprint
from hebbite.compiler.passes.place import Place
from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Wire,
)
from hebbite.rules.errors import CapacityError, UsageError
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace

SIMPLE = parse_neuron("""
neuron simple() {
  state v, p
  at 2
    v = add v, a
    p = add p, third
}
""")
RULE = "dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"


def ones(rows: int, columns: int) -> IntArray:
    return np.broadcast_to(np.ones((), np.int8), (rows, columns))


def a_program(
    target: str = "loihi2",
    hidden: int = 4,
    inputs: int = 3,
    plasticity: tuple[Plasticity, ...] = (),
) -> Program:
    return Program(
        "p",
        target,
        Schedule(4, 3),
        sources=(Source("image", inputs, (1,)), Source("label", 2, (3,), role="target")),
        populations=(
            Population("hidden", hidden, SIMPLE, bias=((1, 1),), cores=(0,), origin="Gemm_3"),
            Population("out", 2, SIMPLE, cores=(1,)),
        ),
        synapses=(
            Synapses("s1", "image", "hidden", "w1"),
            Synapses("s2", "hidden", "out", "w2"),
        ),
        wires=(Wire("label", "out"),),
        readout=Readout("out", "v", 3),
        tensors={"w1": ones(hidden, inputs), "w2": ones(2, hidden + 1)},
        plasticity=plasticity,
    )


def plastic() -> tuple[Plasticity, ...]:
    traces = (("x1", Trace(65535)), ("y2", Trace(65535)), ("y3", Trace(65535)))
    return (Plasticity("s2", parse_sum(RULE), 4, traces),)


def test_axons_and_memory_of_two_small_cores_are_those_counted_by_hand() -> None:
    first, second = core_uses(a_program())
    assert (first.compartments, first.in_axons, first.out_axons) == (4, 3, 5)
    assert (second.compartments, second.in_axons, second.out_axons) == (2, 5 + 2, 0)
    assert first.weights == 4 * 3 * 9
    assert second.weights == 2 * 5 * 9
    assert first.axons == 8 * 20
    # states v and p, inputs a and third
    assert first.neuron_state == 4 * 4 * 24
    assert first.synapse_bytes == 14  # 108 bits


def test_learning_adds_a_pre_trace_a_line_two_traces_a_neuron_and_its_rule() -> None:
    _, second = core_uses(a_program(plasticity=plastic()))
    assert second.pre_traces == 5 * 7
    assert second.post_traces == 2 * 2 * 7
    assert second.rules == 2 * 32


def test_a_rule_that_keeps_a_tag_stores_one_more_word_a_synapse_and_its_products() -> None:
    dw, dt = parse_sum("dw = 2^-2*u0*t*y2"), parse_sum("dt = 2^-2*x0*y2 - 2^-3*u0*t")
    alone = Plasticity("s2", dw, 4, (("y2", Trace(65535)),))
    _, tagged = core_uses(a_program(plasticity=(replace(alone, dt=dt),)))
    _, plain = core_uses(a_program(plasticity=(replace(alone, dw=parse_sum("dw = u0*y2")),)))
    assert tagged.weights == 2 * 5 * (9 + 9)
    assert plain.weights == 2 * 5 * 9
    assert tagged.rules == 3 * plain.rules


def test_a_delay_beyond_one_step_takes_its_bits() -> None:
    program = a_program()
    slow = replace(program.group("s2"), delay=2)
    _, second = core_uses(replace(program, synapses=(program.group("s1"), slow)))
    assert second.weights == 2 * 5 * (9 + 6)


def test_a_static_group_with_many_zeros_is_stored_as_a_list() -> None:
    weight = np.zeros((16, 100), np.int8)
    weight[3, 7] = weight[3, 8] = 5
    program = a_program(hidden=16, inputs=100)
    tensors = {**program.tensors, "w1": weight}
    first, _ = core_uses(replace(program, tensors=tensors))
    assert first.weights == 2 * (9 + 4)


def test_a_wide_chip_stores_wide_weights() -> None:
    program = a_program("ideal")
    first, _ = core_uses(replace(program, widths=replace(program.widths, weight=16)))
    assert first.weights == 4 * 3 * 17


def test_the_footprint_adds_all_cores_and_names_the_bottleneck() -> None:
    found = footprint(a_program(plasticity=plastic()))
    assert (found.chips, found.cores) == (1, 2)
    assert found.weights == -(-(108 + 90) // 8)
    assert found.traces == -(-(35 + 28) // 8)
    assert found.bytes == sum(
        (found.weights, found.axons, found.neuron_state, found.traces, found.rules)
    )
    assert found.bottleneck == "cores"
    assert dict(found.shares)["compartments"] == 4 / 8192
    shown = found.to_json()
    assert {"chips", "cores", "bytes"} <= shown.keys()


def test_nothing_is_a_bottleneck_of_the_ideal_chip() -> None:
    found = footprint(a_program("ideal"))
    assert found.bottleneck == ""
    assert all(share is None for _, share in found.shares)
    check_capacity(a_program("ideal", hidden=5000, inputs=5000))


def test_a_population_too_large_for_a_core_is_refused_with_numbers_origin_and_mend() -> None:
    with pytest.raises(CapacityError) as caught:
        check_capacity(a_program("loihi1", hidden=1200))
    assert caught.value.exit_code == 4
    assert str(caught.value.problems[0]) == (
        "HB0520: 'hidden' needs 1200 compartments, a loihi1 core holds 1024\n"
        "  at    %hidden = neurons[1200] simple\n"
        "  from  Gemm_3\n"
        "  hint: let the placement split it: remove --no-split"
    )


def test_a_neuron_with_too_many_inputs_is_refused_because_splitting_cannot_help() -> None:
    with pytest.raises(CapacityError) as caught:
        Place().apply(a_program("loihi1", inputs=5000))
    (problem,) = caught.value.problems
    assert problem.what == "'hidden' needs 5000 in-axons, a loihi1 core holds 4096"
    assert problem.hint.endswith("add --target ideal")


def test_an_assumed_limit_says_that_it_is_assumed() -> None:
    with pytest.raises(CapacityError, match=r"a loihi2 core holds 4096 \(assumed\)"):
        check_capacity(a_program("loihi2", inputs=5000))


def test_too_few_chips_ask_for_more_chips() -> None:
    program = a_program()
    far = replace(program.population("out"), cores=(300,))
    with pytest.raises(CapacityError) as caught:
        check_capacity(replace(program, populations=(program.population("hidden"), far)), chips=1)
    (problem,) = caught.value.problems
    assert problem.what == "the program needs 301 cores, 1 loihi2 chip holds 128"
    assert (problem.code, problem.hint) == ("HB0521", "add --chips 3")


def test_more_than_the_largest_system_is_refused() -> None:
    program = a_program()
    far = replace(program.population("out"), cores=(128 * 1152,))
    with pytest.raises(CapacityError, match="add --target ideal"):
        check_capacity(replace(program, populations=(program.population("hidden"), far)))


def test_a_program_with_room_needs_no_mend() -> None:
    found = footprint(a_program())
    assert (found.mend, found.fits) == ("", True)
    assert found.to_json()["percent_of_limit"] == {
        "compartments": 100 * 4 / 8192,
        "synapse_bytes": 100 * 14 / 131072,
        "in_axons": 100 * 7 / 4096,
        "out_axons": 100 * 5 / 4096,
        "cores": 100 * 2 / 128,
    }


def test_what_is_over_its_limit_says_which_population_and_what_to_do() -> None:
    found = footprint(a_program("loihi1", hidden=1200))
    assert not found.fits
    assert found.mend == (
        "'hidden' needs 1200 compartments, a loihi1 core holds 1024: "
        "let the placement split it: remove --no-split"
    )
    assert found.to_json()["mend"] == found.mend


def test_everything_over_its_limit_is_mended_at_once() -> None:
    found = footprint(a_program("loihi1", hidden=1200, inputs=5000))
    assert found.mend.split("; ") == [
        "'hidden' needs 1200 compartments, a loihi1 core holds 1024: "
        "let the placement split it: remove --no-split",
        "'hidden' needs 6750000 bytes of synaptic memory, a loihi1 core holds 131072: "
        "let the placement split it: remove --no-split",
        "'hidden' needs 5000 in-axons, a loihi1 core holds 4096: "
        "use fewer inputs a neuron, or a chip without this limit: add --target ideal",
    ]


def test_a_bottleneck_that_is_nearly_full_tells_what_room_is_left() -> None:
    found = footprint(a_program("loihi1", hidden=1000))
    assert (found.bottleneck, found.fits) == ("compartments", True)
    assert found.mend == (
        "'hidden' takes 1000 of 1024 compartments on core 0: "
        "shrink it; it is split further if it grows, and 126 cores are free"
    )


def test_a_bottleneck_that_no_core_widens_asks_for_fewer_inputs() -> None:
    found = footprint(a_program("loihi1", inputs=3900))
    assert found.bottleneck == "in_axons"
    assert found.mend == (
        "'hidden' takes 3900 of 4096 in-axons on core 0: "
        "use fewer inputs a neuron, or a chip without this limit: add --target ideal"
    )


def spread(cores: int) -> Program:
    program = a_program(hidden=256)
    hidden = replace(program.population("hidden"), cores=tuple(range(cores)))
    return replace(program, populations=(hidden, replace(program.population("out"), cores=(200,))))


def test_a_chip_that_is_nearly_full_asks_for_another_one_or_a_smaller_population() -> None:
    found = footprint(spread(123))
    assert (found.chips, found.cores, found.bottleneck) == (2, 124, "cores")
    assert found.mend == ""
    assert footprint(spread(123), chips=1).mend == (
        "124 of 128 cores are taken, 123 of them by 'hidden': shrink it, or add --chips 2"
    )


def test_cores_of_more_chips_than_there_are_do_not_fit() -> None:
    found = footprint(spread(199), chips=1)
    assert not found.fits
    assert found.mend == (
        "200 of 128 cores are taken, 199 of them by 'hidden': shrink it, or add --chips 2"
    )


def test_a_full_core_on_a_full_chip_asks_for_another_chip() -> None:
    program = a_program("loihi1", hidden=127 * 1024)
    hidden = replace(program.population("hidden"), cores=tuple(range(127)))
    out = replace(program.population("out"), cores=(127,))
    made = replace(program, populations=(hidden, out), synapses=program.synapses[:1])
    found = footprint(made)
    assert (found.bottleneck, found.fits) == ("compartments", True)
    assert "'hidden' takes 1024 of 1024 compartments on core 0: shrink it" in found.mend
    assert found.mend.endswith("if it grows, and no core is free: add --chips 2")
    assert footprint(made, chips=2).mend.endswith("and 128 cores are free")


def test_a_footprint_on_no_chip_is_a_mistake_of_usage() -> None:
    with pytest.raises(UsageError, match="add --chips 1") as caught:
        footprint(a_program(), chips=0)
    assert caught.value.code == "HB0503"


def test_where_the_largest_system_is_too_small_only_a_chip_without_limits_helps() -> None:
    program = a_program(hidden=1153 * 128)
    hidden = replace(program.population("hidden"), cores=tuple(range(1153 * 128)))
    made = replace(program, populations=(hidden, *program.populations[1:]), synapses=())
    assert footprint(made).mend.endswith("shrink it, or add --target ideal")
