import numpy as np

from hebbite.compiler.neurons.relu import RELU
from hebbite.compiler.placement import (
    core_of_lines,
    hops,
    longest_way,
    shares_of,
    tile,
    ways,
)
from hebbite.compiler.program.types import Population, Program, Readout, Schedule, Source, Synapses
from hebbite.compiler.targets import load_target


def a_program(cores: tuple[int, ...], more: tuple[int, ...]) -> Program:
    return Program(
        "p",
        "loihi2",
        Schedule(4, 3),
        sources=(Source("image", 2, (1,)),),
        populations=(
            Population("hidden", 5, RELU, bias=((1, 1),), cores=cores),
            Population("out", 3, RELU, cores=more),
        ),
        synapses=(
            Synapses("s1", "image", "hidden", "w1"),
            Synapses("s2", "hidden", "out", "w2"),
        ),
        readout=Readout("out", "v", 3),
        tensors={"w1": np.ones((5, 2), np.int32), "w2": np.ones((3, 6), np.int32)},
    )


def test_tiles_are_numbered_column_by_column_and_chips_one_after_the_other() -> None:
    target = load_target("loihi1")
    cores = (0, 3, 4, 15, 16, 127, 128)
    assert [tile(target, core) for core in cores] == [
        (0, 0, 0),
        (0, 0, 0),
        (0, 0, 1),
        (0, 0, 3),
        (0, 1, 0),
        (0, 7, 3),
        (1, 0, 0),
    ]


def test_neurons_are_split_evenly_and_the_bias_line_stands_with_the_last() -> None:
    assert core_of_lines(Population("p", 5, RELU, cores=(7, 9)), 6).tolist() == [7, 7, 7, 9, 9, 9]
    assert shares_of(Population("p", 5, RELU, cores=(7, 9))) == ((7, 0, 3), (9, 3, 5))
    assert shares_of(Population("p", 5, RELU)) == ((0, 0, 5),)


def test_a_message_costs_one_axon_and_the_way_to_every_core_of_its_receiver() -> None:
    program = a_program(cores=(0, 5), more=(4, 16))
    found = hops(program, program.group("s2"))
    assert found["spikes_in"].tolist() == found["axon_out"].tolist() == [2] * 6
    assert found["hops_ns"].tolist() == [1, 1, 1, 1, 1, 1]
    assert found["hops_ew"].tolist() == [1, 1, 1, 1, 1, 1]
    assert found["interchip"].tolist() == [0] * 6
    assert {name: count.dtype for name, count in found.items()} == dict.fromkeys(found, np.int64)


def test_a_message_to_another_chip_is_counted_as_such() -> None:
    program = a_program(cores=(0,), more=(128,))
    assert hops(program, program.group("s2"))["interchip"].tolist() == [1] * 6


def test_a_way_to_another_chip_is_the_hops_inside_of_both_and_one_crossing() -> None:
    target = load_target("loihi2")
    # column 7 of chip 0 faces column 0 of chip 1: cores 112..127 and 128..143
    assert ways(target, 112, [128, 0]).tolist() == [[0, 0, 1], [7, 0, 0]]
    # from column 1, row 0: six hops to the edge, in by column 0 and on to column 2, three rows down
    assert ways(target, 16, [128 + 32 + 12]).tolist() == [[6 + 2, 3, 1]]
    # westwards it leaves by column 0 and enters by column 7; chips in between are not counted
    assert ways(target, 256 + 16, [32]).tolist() == [[1 + 5, 0, 1]]


def test_a_way_back_is_as_long_as_the_way_there() -> None:
    target, cores = load_target("loihi2"), np.arange(0, 400, 7)
    found = ways(target, cores, cores)
    assert found.shape == (58, 58, 3)
    np.testing.assert_array_equal(found, found.transpose(1, 0, 2))


def test_a_line_of_the_host_has_no_axon_of_its_own() -> None:
    program = a_program(cores=(0, 1), more=(2,))
    found = hops(program, program.group("s1"))
    assert list(found) == ["spikes_in"]
    assert found["spikes_in"].tolist() == [2, 2]


def test_the_longest_way_is_that_of_the_farthest_pair_of_cores() -> None:
    assert longest_way(a_program(cores=(0, 5), more=(4, 33))) == (2, 1)
    assert longest_way(a_program(cores=(), more=())) == (0, 0)
