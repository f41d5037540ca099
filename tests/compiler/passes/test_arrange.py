import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.compiler.capacity import footprint
from hebbite.compiler.layout import placement_report
from hebbite.compiler.layout.linear import moved, parts_of
from hebbite.compiler.layout.scattered import scattered
from hebbite.compiler.neurons.relu import RELU
from hebbite.compiler.passes.arrange import Arrange
from hebbite.compiler.program.types import Population, Program, Readout, Schedule, Source, Synapses
from hebbite.rules.errors import UsageError


def by_chance(parts: int, *, seed: int, fan: int = 3, target: str = "loihi2") -> Program:
    """Populations on a core each, with 1 to 9 lines, each sending to ``fan`` others."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 10, parts)
    pairs = {(pre, int(post)) for pre in range(parts) for post in rng.integers(0, parts, fan)}
    groups = [Synapses(f"g{a}.{b}", f"p{a}", f"p{b}", f"g{a}.{b}") for a, b in sorted(pairs)]
    return Program(
        "p",
        target,
        Schedule(4, 3),
        sources=(Source("image", 2, (1,)),),
        populations=tuple(
            Population(f"p{n}", int(size), RELU, cores=(n,)) for n, size in enumerate(sizes)
        ),
        synapses=tuple(groups),
        readout=Readout("p0", "v", 3),
        tensors={
            f"g{a}.{b}": np.ones((int(sizes[b]), int(sizes[a])), np.int8) for a, b in sorted(pairs)
        },
    )


def cores(program: Program) -> list[int]:
    return [core for population in program.populations for core in population.cores]


def linear(program: Program) -> list[int]:
    return cores(moved(program, {core: n for n, core in enumerate(parts_of(program))}))


def test_a_graph_of_sixty_populations_takes_less_than_half_of_the_hops() -> None:
    found = placement_report(Arrange().apply(by_chance(60, seed=0)))
    assert found.chosen.hops < 0.5 * min(found.linear.hops, found.random.hops)


def test_two_chips_are_divided_so_that_few_messages_change_chip() -> None:
    found = placement_report(Arrange().apply(by_chance(150, seed=1, fan=2)))
    assert 0 < found.chosen.interchip < 0.6 * found.linear.interchip
    assert found.chosen.hops < 0.6 * found.linear.hops


def test_where_nothing_is_gained_the_linear_order_stays() -> None:
    for parts in (1, 2, 4):
        program = by_chance(parts, seed=0)
        assert cores(Arrange().apply(program)) == linear(program)
    silent = replace(by_chance(20, seed=0), synapses=())
    assert cores(Arrange().apply(silent)) == list(range(20))


def test_measured_messages_decide_which_parts_stand_together() -> None:
    program = by_chance(12, seed=3)
    one, other = program.synapses[0].name, program.synapses[-1].name
    for name in (one, other):
        lines = program.line_count(program.group(name))
        made = Arrange().apply(program, messages={name: np.full(lines, 100)})
        found = placement_report(made, messages={name: np.full(lines, 100)})
        assert found.chosen.hops == 0 < found.messages


def test_messages_that_do_not_fit_are_refused_of_a_small_program_too() -> None:
    with pytest.raises(UsageError, match="no group 'g' sends") as caught:
        Arrange().apply(by_chance(2, seed=0), messages={"g": [1]})
    assert caught.value.code == "HB0505"


def test_more_parts_than_a_table_of_messages_should_hold_stay_in_linear_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = by_chance(20, seed=0)
    assert cores(Arrange().apply(program)) != linear(program)
    monkeypatch.setattr("hebbite.compiler.passes.arrange.MOST_PARTS", 19)
    assert cores(Arrange().apply(program)) == linear(program)


def test_the_cores_are_the_same_on_every_machine() -> None:
    found = [cores(Arrange(seed).apply(by_chance(150, seed=1, fan=2))) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    digest = hashlib.sha256(repr(found[0]).encode()).hexdigest()
    assert digest == DIGEST


DIGEST = "fb40f3968b4cf71ceee5171a7a32978f30de787a8ef7400c788187b44fc5e79a"


@settings(max_examples=25, deadline=None)
@given(parts=st.integers(1, 24), seed=st.integers(0, 999), draw=st.integers(0, 5))
def test_no_placement_is_worse_than_the_linear_one_and_where_it_started_does_not_matter(
    parts: int, seed: int, draw: int
) -> None:
    program = by_chance(parts, seed=seed, fan=1 + seed % 4)
    made = Arrange().apply(program)
    assert len(set(cores(made))) == parts
    assert max(cores(made)) < 128
    found = placement_report(made)
    assert found.chosen.at_most(found.linear)
    assert footprint(made).chips == footprint(program).chips
    start = dict(zip(parts_of(program), scattered(parts, seed=seed, draw=draw), strict=True))
    turned = moved(program, {part: int(core) for part, core in start.items()})
    assert cores(Arrange().apply(turned)) == cores(made)
