"""A `.hbt` file gives back what was saved, bit for bit, and refuses everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.container import read_container, tensors_to_bytes, write_container
from hebbite.compiler.graph_text import parse
from hebbite.compiler.hbt import Golden, Training, load_compiled, save_compiled
from hebbite.compiler.program.connectivity import Sparse
from hebbite.compiler.program.types import IntArray
from hebbite.rules.errors import InputFileError, UsageError

TEXT = """graph @tiny {
  %image  = input {shape=[4], kind=real}           : real[4]
  %fc1    = linear(%image) {weight=@w1, bias=@b1}  : real[3]
  %hidden = relu(%fc1)                             : real[3]
  %fc2    = linear(%hidden) {weight=@w2, bias=@b2} : real[2]
  return %fc2
}"""
TRAINING = Training("digits", 0, 10, 2, "reference", "independent", 0, "ab", (0.1, 1 / 3))


@pytest.fixture(scope="module")
def model() -> Compiled:
    rng = np.random.default_rng(0)
    shapes = {"w1": (3, 4), "b1": (3,), "w2": (2, 3), "b2": (2,)}
    tensors = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return compile(parse(TEXT, tensors), rule="dfa")


def test_everything_saved_comes_back_bit_for_bit(model: Compiled, tmp_path: Path) -> None:
    path = tmp_path / "m.hbt"
    inputs = model.coding.inputs(np.random.default_rng(1).random((5, 4)), np.arange(5) % 2)
    golden = Golden(np.arange(10, dtype=np.int64).reshape(5, 2), "cd")
    state = {"clock": np.array([2**40, -1])}
    save_compiled(path, model, slice_inputs=inputs, golden=golden, training=TRAINING, state=state)
    saved = load_compiled(path)
    found = saved.compiled
    assert found.sha256 == model.sha256
    assert (found.settings, found.coding, found.rule) == (model.settings, model.coding, model.rule)
    assert (found.objective, dict(found.report)) == (model.objective, dict(model.report))
    assert saved.training == TRAINING
    assert saved.golden is not None
    assert np.array_equal(saved.golden.answers, golden.answers)
    assert saved.state is not None
    assert np.array_equal(saved.state["clock"], state["clock"])
    assert all(np.array_equal(saved.slice_inputs[name], inputs[name]) for name in inputs)


def test_the_same_content_gives_the_same_bytes(model: Compiled, tmp_path: Path) -> None:
    one, two = tmp_path / "a.hbt", tmp_path / "b.hbt"
    save_compiled(one, model)
    save_compiled(two, load_compiled(one).compiled)
    assert one.read_bytes() == two.read_bytes()


def test_floats_round_trip_exactly(model: Compiled, tmp_path: Path) -> None:
    coding = replace(model.coding, scale=0.1 + 0.2)
    save_compiled(tmp_path / "m.hbt", replace(model, coding=coding, report={"e": 5e-324}))
    found = load_compiled(tmp_path / "m.hbt").compiled
    assert (found.coding.scale, found.report["e"]) == (0.1 + 0.2, 5e-324)


def test_a_checkpoint_of_lava_is_refused(model: Compiled, tmp_path: Path) -> None:
    training = replace(TRAINING, engine="lava")
    with pytest.raises(UsageError, match="HB0714"):
        save_compiled(tmp_path / "m.hbt", model, training=training, state={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"program_sha256": "0"}, "HB0712"),
        ({"rule": "unheard"}, "HB0711"),
        ({"rule": 7}, "HB0711"),
        ({"settings": {"seed": "0"}}, "HB0711"),
        ({"settings": {"colour": 1}}, "HB0711"),
        ({"coding": {}}, "HB0711"),
        ({"training": {"epochs": 1}}, "HB0711"),
        ({"report": 3}, "HB0711"),
    ],
)
def test_a_manifest_that_makes_no_model_is_refused(
    model: Compiled, tmp_path: Path, change: dict[str, object], code: str
) -> None:
    path = tmp_path / "m.hbt"
    save_compiled(path, model)
    whole = read_container(path)
    manifest = {**whole.manifest, **change}
    write_container(path, manifest=manifest, members=whole.members)  # type: ignore[arg-type]
    with pytest.raises(InputFileError, match=code):
        load_compiled(path)


@pytest.mark.parametrize("passes", [0, 99])
def test_more_passes_than_a_sample_has_steps_are_refused(
    model: Compiled, tmp_path: Path, passes: int
) -> None:
    coding = replace(model.coding, passes=passes)
    save_compiled(tmp_path / "m.hbt", replace(model, coding=coding))
    with pytest.raises(InputFileError, match="HB0711"):
        load_compiled(tmp_path / "m.hbt")


@pytest.mark.parametrize("member", ["program.txt", "tensors.safetensors"])
def test_a_missing_member_is_refused(model: Compiled, tmp_path: Path, member: str) -> None:
    path = tmp_path / "m.hbt"
    save_compiled(path, model)
    whole = read_container(path)
    members = {name: data for name, data in whole.members.items() if name != member}
    write_container(path, manifest=whole.manifest, members=members)
    with pytest.raises(InputFileError):
        load_compiled(path)


def test_every_line_left_out_of_the_program_is_refused(model: Compiled, tmp_path: Path) -> None:
    path = tmp_path / "m.hbt"
    save_compiled(path, model)
    whole = read_container(path)
    lines = whole.members["program.txt"].decode().splitlines()
    for index in range(len(lines)):
        text = "\n".join(lines[:index] + lines[index + 1 :]).encode()
        members = {**whole.members, "program.txt": text}
        write_container(path, manifest=whole.manifest, members=members)
        with pytest.raises(InputFileError):
            load_compiled(path)


def as_list(model: Compiled) -> Compiled:
    """Return the model with the first synapses as a list of all of them."""
    program = model.program
    group = program.synapses[0]
    weight = program.tensors[group.weight]
    post, lines = weight.shape
    made = replace(group, connect=Sparse("starts", "targets"))
    tensors = {
        **program.tensors,
        group.weight: weight.T.ravel(),
        "starts": np.arange(lines + 1, dtype=np.int64) * post,
        "targets": np.tile(np.arange(post, dtype=np.int32), lines),
    }
    groups = (made, *program.synapses[1:])
    return replace(model, program=replace(program, synapses=groups, tensors=tensors))


def test_a_list_of_synapses_comes_back_bit_for_bit(model: Compiled, tmp_path: Path) -> None:
    made = as_list(model)
    save_compiled(tmp_path / "m.hbt", made)
    found = load_compiled(tmp_path / "m.hbt").compiled
    assert found.sha256 == made.sha256
    assert found.program.synapses == made.program.synapses
    for name, values in made.program.tensors.items():
        assert found.program.tensors[name].dtype == values.dtype
        np.testing.assert_array_equal(found.program.tensors[name], values)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("starts", lambda v: v[::-1]),
        ("starts", lambda v: v[:-1]),
        ("starts", lambda v: v.astype(np.int32)),
        ("targets", lambda v: v[::-1]),
        ("targets", lambda v: v + 1),
        ("targets", lambda v: v * 0),
        ("targets", lambda v: v[1:]),
    ],
)
def test_a_list_that_breaks_the_law_is_refused_by_name(
    model: Compiled, tmp_path: Path, name: str, damage: Callable[[IntArray], IntArray]
) -> None:
    path, made = tmp_path / "m.hbt", as_list(model)
    save_compiled(path, made)
    whole = read_container(path)
    tensors = {**made.program.tensors, name: damage(made.program.tensors[name])}
    members = {**whole.members, "tensors.safetensors": tensors_to_bytes(tensors)}
    write_container(path, manifest=whole.manifest, members=members)
    with pytest.raises(InputFileError, match=r"HB0711: HB04[36]\d"):
        load_compiled(path)
