"""Every engine is the reference: each probe, answer, count and state, of programs by hand and by
chance.

A case that an engine does not take is refused with a reason, and the reason is what is tested.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hebbite.compiler.arithmetic.randomness import ROUNDINGS, Rounding
from hebbite.compiler.program.types import IntArray, Program
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.errors import EngineError
from hebbite.rules.sums import parse_sum
from hebbite.runtime.engines.base import Engine, Machine
from hebbite.runtime.engines.lava.fused.engine import FusedEngine
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import Recording, all_probes

Data = Mapping[str, IntArray]
Cases = Callable[[str], tuple[Program, Data]]
Programs = st.SearchStrategy[tuple[Program, Data, int]]
SAMPLES = 12
NAMES = (
    "relu",
    "tanh",
    "sigmoid",
    "relu, copied signs",
    "relu, learned feedback",
    "tanh, learned feedback",
    "perturbed",
    "stdp, epoch 1",
    "stdp, epoch 4",
    "x2, y2, u2, w",
    "u0, sgn(w-3), (x1-64)",
    "saturation",
    "ideal, 16 bits",
    "seed above 2^32",
    "instructions",
    "instructions, seed above 2^32",
    "three factors, epoch 3",
    "three factors, epoch 6",
    "sparse",
    "tags, epoch 1",
    "tags, epoch 4",
    "tags at their ends",
    "tags of neurons that write",
    "lists, delays",
    "lists that learn, epoch 1",
    "lists that learn, epoch 4",
    "lists that read w",
    "lists with tags",
    "lists of neurons that write",
    "lists, three factors",
    "convolutions",
    "convolutions in one dimension",
    "no learning",
    "no synapses",
)
CONNECTED = tuple(name for name in NAMES if name.startswith(("list", "conv")))
"""The cases whose synapses are no matrix."""
LEARNING = tuple(
    name
    for name in NAMES
    if not name.startswith(("instructions", "lists, delays", "no learning", "no synapses"))
)
EXCHANGED = (
    *("relu", "tanh", "perturbed", "stdp, epoch 4", "instructions", "three factors, epoch 3"),
    *("tags, epoch 4", "tags at their ends"),
)
REFUSED_BY_LAVA = {
    "ideal, 16 bits": "Lava's weights have 8 bits",
    "three factors, epoch 3": "Lava's plastic synapses have delay 1",
    "three factors, epoch 6": "Lava's plastic synapses have delay 1",
    "sparse": "Lava's plastic synapses have delay 1",
    "tags of neurons that write": "Lava's plastic synapses have delay 1",
    "lists that read w": "fails where a rule reads w or t",
    "lists with tags": "drops synapses of weight 0",
    "lists of neurons that write": "Lava's plastic synapses have delay 1",
}
TAKEN_BY_LAVA = (
    "tanh",
    "relu, copied signs",
    "tanh, learned feedback",
    "u0, sgn(w-3), (x1-64)",
    "tags, epoch 1",
    "tags at their ends",
    "instructions",
    "lists, delays",
    "lists that learn, epoch 4",
    "lists, three factors",
    "convolutions",
    "convolutions in one dimension",
)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)


def opened(engine: str | Engine, program: Program, rounding: Rounding) -> Machine:
    known = load_engine(engine) if isinstance(engine, str) else engine
    return known.open(program, rounding=rounding)


def assert_same(found: Recording, wanted: Recording) -> None:
    assert found.values.keys() == wanted.values.keys()
    for probe, value in wanted.values.items():
        np.testing.assert_array_equal(found.values[probe], value, err_msg=probe)
    np.testing.assert_array_equal(found.answers, wanted.answers)
    assert found.counters.components == wanted.counters.components
    np.testing.assert_array_equal(found.counters.values, wanted.counters.values)
    assert (found.samples, found.steps, found.seed) == (wanted.samples, wanted.steps, wanted.seed)


def assert_same_state(found: Machine, wanted: Machine) -> None:
    one, other = found.state(), wanted.state()
    assert one.keys() == other.keys()
    for name, value in other.items():
        np.testing.assert_array_equal(one[name], value, err_msg=name)


def assert_conforms(
    engine: str | Engine,
    program: Program,
    data: Data,
    *,
    samples: int,
    rounding: Rounding,
    learn: bool = True,
) -> Recording:
    """Assert that an engine does what the reference does, and return what that is."""
    reference = opened("reference", program, rounding)
    data, probes = cut(data, 0, samples), all_probes(program)
    wanted = reference.run(data, samples=samples, learn=learn, probes=probes)
    machine = opened(engine, program, rounding)
    try:
        assert_same(machine.run(data, samples=samples, learn=learn, probes=probes), wanted)
        assert_same_state(machine, reference)
    finally:
        machine.close()
    return wanted


def cut(data: Data, first: int, last: int) -> Data:
    return {name: values[first:last] for name, values in data.items()}


def joined(parts: list[Recording]) -> dict[str, IntArray]:
    """Return the values of runs in a row as if they were one run."""
    return {
        probe: np.concatenate([part.values[probe] for part in parts]) for probe in parts[0].values
    }


def test_every_case_is_named_and_lawful(case: Cases, case_names: tuple[str, ...]) -> None:
    assert case_names == NAMES
    for name in NAMES:
        verify_program(case(name)[0])


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_native_is_the_reference(case: Cases, name: str, rounding: Rounding) -> None:
    program, data = case(name)
    assert_conforms("native", program, data, samples=SAMPLES, rounding=rounding)


@pytest.mark.parametrize("name", LEARNING)
def test_every_case_of_learning_learns(case: Cases, name: str) -> None:
    program, data = case(name)
    machine = opened("reference", program, "independent")
    machine.run(data, samples=SAMPLES)
    for plasticity in program.plasticity:
        tensor = program.group(plasticity.synapses).weight
        assert (machine.read(tensor) != program.tensors[tensor]).mean() > 0.2, tensor


def test_saturation_is_reached(case: Cases) -> None:
    program, data = case("saturation")
    machine = opened("reference", program, "independent")
    found = machine.run(data, samples=SAMPLES, probes=all_probes(program)).values
    assert found["first.weight"].max() == 255
    assert found["second.weight"].min() == -256
    assert found["first.x1"].max() == 127


def ends(case: Cases) -> tuple[Program, Data]:
    """Return 480 epochs that push tags against their ends, some of them 1 below their word."""
    program, data = case("tags at their ends")
    rules = tuple(dataclasses.replace(p, epoch=1) for p in program.plasticity)
    program = dataclasses.replace(program, plasticity=rules)
    return program, {name: np.tile(values, (5, 1, 1)) for name, values in data.items()}


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_tags_end_at_255_and_one_below_their_word(case: Cases, rounding: Rounding) -> None:
    program, data = ends(case)
    found = assert_conforms("native", program, data, samples=60, rounding=rounding).values
    assert found["first.t"].max() == 255
    assert found["first.t"].min() == -257


@needs_lava
def test_tags_of_lava_end_at_255_and_one_below_their_word(case: Cases) -> None:
    program, data = ends(case)
    found = assert_conforms("lava", program, data, samples=60, rounding="lava-exact").values
    assert found["first.t"].min() == -257


def test_a_tag_below_its_word_rises_where_nothing_happens(case: Cases) -> None:
    program, _ = case("tags at their ends")
    machines = [opened(name, program, "independent") for name in ("native", "reference")]
    for machine in machines:
        state = machine.state()
        state["tag.first"][:] = -257
        machine.restore(state)
        machine.run({}, samples=1)
    assert_same_state(*machines)
    tags = machines[0].state()["tag.first"]
    assert (tags == -256).mean() > 0.8


@pytest.mark.parametrize("name", ["relu", "stdp, epoch 4"])
def test_native_is_the_reference_where_nothing_may_learn(case: Cases, name: str) -> None:
    program, data = case(name)
    wanted = assert_conforms(
        "native", program, data, samples=4, rounding="independent", learn=False
    )
    assert wanted.counters.total("updates_visited") == 0


@needs_lava
@pytest.mark.parametrize("name", TAKEN_BY_LAVA)
def test_lava_is_the_reference(case: Cases, name: str) -> None:
    program, data = case(name)
    assert_conforms("lava", program, data, samples=SAMPLES, rounding="lava-exact")


@needs_lava
@pytest.mark.long
@pytest.mark.parametrize("name", [n for n in NAMES if n not in REFUSED_BY_LAVA])
def test_lava_is_the_reference_in_every_case(case: Cases, name: str) -> None:
    program, data = case(name)
    assert_conforms("lava", program, data, samples=SAMPLES, rounding="lava-exact")


@needs_lava
@pytest.mark.parametrize("name", REFUSED_BY_LAVA)
def test_lava_says_why_it_does_not_take_a_program(case: Cases, name: str) -> None:
    program, _ = case(name)
    with pytest.raises(EngineError, match=REFUSED_BY_LAVA[name]):
        opened("lava", program, "lava-exact")


@needs_lava
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_fused_lava_is_the_reference(
    case: Cases, fused: FusedEngine, name: str, rounding: Rounding
) -> None:
    program, data = case(name)
    assert_conforms(fused, program, data, samples=SAMPLES, rounding=rounding)


@needs_lava
@pytest.mark.parametrize("name", ["relu", "stdp, epoch 4"])
def test_fused_lava_is_the_reference_where_nothing_may_learn(
    case: Cases, fused: FusedEngine, name: str
) -> None:
    program, data = case(name)
    assert_conforms(fused, program, data, samples=4, rounding="independent", learn=False)


@needs_lava
@pytest.mark.parametrize("inside", ["native", "reference"])
def test_fused_lava_computes_with_either_engine(
    case: Cases, fused: FusedEngine, inside: str
) -> None:
    program, data = case("relu")
    engine = dataclasses.replace(fused, inside=inside)
    assert_conforms(engine, program, data, samples=SAMPLES, rounding="lava-exact")


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("one", "other"), [("native", "reference"), ("reference", "native")])
@pytest.mark.parametrize("name", EXCHANGED)
def test_a_state_of_one_engine_continues_in_the_other(
    case: Cases, name: str, one: str, other: str, rounding: Rounding
) -> None:
    check_exchange(*case(name), one, other, rounding)


@needs_lava
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", EXCHANGED)
def test_a_state_of_fused_lava_continues_in_native_and_back(
    case: Cases, fused: FusedEngine, name: str, first: bool, rounding: Rounding
) -> None:
    pair: tuple[str | Engine, str | Engine] = (fused, "native") if first else ("native", fused)
    check_exchange(*case(name), *pair, rounding)


def check_exchange(
    program: Program, data: Data, one: str | Engine, other: str | Engine, rounding: Rounding
) -> None:
    """Assert that nine samples are the same in one run and in two, on one engine each."""
    probes = all_probes(program)
    whole = opened("reference", program, rounding)
    wanted = whole.run(cut(data, 0, 9), samples=9, probes=probes)
    first, second = opened(one, program, rounding), opened(other, program, rounding)
    before = first.run(cut(data, 0, 4), samples=4, probes=probes)
    second.restore(first.state())
    after = second.run(cut(data, 4, 9), samples=5, probes=probes)
    for probe, values in joined([before, after]).items():
        np.testing.assert_array_equal(values, wanted.values[probe], err_msg=probe)
    assert before.counters + after.counters == wanted.counters
    assert_same_state(second, whole)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", CONNECTED)
def test_a_state_of_the_reference_continues_in_another_machine(
    case: Cases, name: str, rounding: Rounding
) -> None:
    program, data = case(name)
    whole, first, second = (opened("reference", program, rounding) for _ in range(3))
    wanted = whole.run(data, samples=SAMPLES, probes=all_probes(program))
    before = first.run(cut(data, 0, 5), samples=5, probes=all_probes(program))
    second.restore(first.state())
    after = second.run(cut(data, 5, SAMPLES), samples=SAMPLES - 5, probes=all_probes(program))
    for probe, values in joined([before, after]).items():
        np.testing.assert_array_equal(values, wanted.values[probe], err_msg=probe)
    assert before.counters + after.counters == wanted.counters
    assert_same_state(second, whole)


def test_a_list_keeps_one_weight_and_one_tag_a_synapse(case: Cases) -> None:
    program, data = case("lists with tags")
    machine = opened("reference", program, "independent")
    found = machine.run(cut(data, 0, 1), samples=1, probes=("first.weight", "first.t", "first.x1"))
    synapses = program.tensors["first.targets"].size
    assert found.values["first.weight"].shape == found.values["first.t"].shape == (2, synapses)
    assert found.values["first.x1"].shape == (2, 7)
    state = machine.state()
    assert state["weight.first"].shape == state["tag.first"].shape == (synapses,)


def test_engines_agree_after_a_run_that_did_not_learn(case: Cases) -> None:
    program, data = case("stdp, epoch 4")
    machines = [opened(name, program, "lava-exact") for name in ("native", "reference")]
    for first, learn in ((0, True), (3, False), (6, True)):
        part = cut(data, first, first + 3)
        runs = [m.run(part, samples=3, learn=learn, probes=all_probes(program)) for m in machines]
        assert_same(*runs)
        assert_same_state(*machines)


def test_a_written_weight_is_used_by_both(case: Cases) -> None:
    program, data = case("relu")
    check_written(program, data, "native")


@needs_lava
def test_a_written_weight_is_used_by_fused_lava(case: Cases, fused: FusedEngine) -> None:
    check_written(*case("relu"), fused)


def check_written(program: Program, data: Data, engine: str | Engine) -> None:
    machines = [opened(each, program, "independent") for each in (engine, "reference")]
    for machine in machines:
        machine.write("fc1", -program.tensors["fc1"])
    part = cut(data, 0, 3)
    assert_same(*[m.run(part, samples=3, probes=all_probes(program)) for m in machines])
    np.testing.assert_array_equal(machines[0].read("fc1"), machines[1].read("fc1"))
    assert (machines[0].read("fc1") != program.tensors["fc1"]).any()


@needs_lava
def test_fused_lava_goes_on_with_other_constants_of_its_rules(
    case: Cases, fused: FusedEngine
) -> None:
    program, data = case("relu")
    dw = parse_sum("dw = 2^-3*x0*x1*y2 - 2^-3*x0*x1*y3")
    changed = dataclasses.replace(
        program, plasticity=tuple(dataclasses.replace(p, dw=dw) for p in program.plasticity)
    )
    machines = [opened(each, program, "independent") for each in (fused, "reference")]
    for first in (0, 4):
        part = cut(data, first, first + 4)
        assert_same(*[m.run(part, samples=4, probes=all_probes(program)) for m in machines])
        for machine in machines:
            machine.relearn(changed)
    assert_same_state(*machines)


@needs_lava
@settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
@given(data=st.data(), rounding=st.sampled_from(ROUNDINGS))
def test_programs_by_chance_run_alike_in_fused_lava(
    programs: Programs, fused: FusedEngine, data: st.DataObject, rounding: Rounding
) -> None:
    program, inputs, samples = data.draw(programs)
    assert_conforms(fused, program, inputs, samples=samples, rounding=rounding)


def test_a_copy_of_weights_that_do_not_learn_costs_the_same_on_both(case: Cases) -> None:
    program, data = case("relu")
    kept = tuple(p for p in program.plasticity if p.synapses != "fc3")
    program = dataclasses.replace(program, plasticity=kept)
    assert_conforms("native", program, data, samples=3, rounding="independent")


def check_by_chance(program: Program, data: Data, samples: int, rounding: Rounding) -> None:
    """Compare one run, then the same run in two pieces that change the engine half-way."""
    wanted = assert_conforms("native", program, data, samples=samples, rounding=rounding)
    if samples < 2:
        return
    probes, half = all_probes(program), samples // 2
    first, second = opened("native", program, rounding), opened("native", program, rounding)
    before = first.run(cut(data, 0, half), samples=half, probes=probes)
    second.restore(first.state())
    after = second.run(cut(data, half, samples), samples=samples - half, probes=probes)
    for probe, values in joined([before, after]).items():
        np.testing.assert_array_equal(values, wanted.values[probe], err_msg=probe)
    assert before.counters + after.counters == wanted.counters


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(data=st.data(), rounding=st.sampled_from(ROUNDINGS))
def test_programs_by_chance_run_alike(
    programs: Programs, data: st.DataObject, rounding: Rounding
) -> None:
    check_by_chance(*data.draw(programs), rounding)


@needs_lava
@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(data=st.data())
def test_programs_by_chance_run_alike_on_lava(
    joined_programs: Programs, data: st.DataObject
) -> None:
    program, inputs, samples = data.draw(joined_programs)
    try:
        opened("lava", program, "lava-exact")
    except EngineError:
        event("refused by Lava, for a reason that has its own test")
        return
    assert_conforms("lava", program, inputs, samples=samples, rounding="lava-exact")


@pytest.mark.long
@settings(max_examples=2000, deadline=None, suppress_health_check=QUIET)
@given(data=st.data(), rounding=st.sampled_from(ROUNDINGS))
def test_many_programs_by_chance_run_alike(
    programs: Programs, data: st.DataObject, rounding: Rounding
) -> None:
    check_by_chance(*data.draw(programs), rounding)
