import dataclasses
import json

import pytest

from hebbite.compiler.targets import KINDS, Number, list_targets, load_target, parse_target, weakest
from hebbite.compiler.targets.target import HERE, LIMITS
from hebbite.rules.errors import InputFileError, UsageError
from hebbite.rules.listing import CHIPS


def text_with(**changes: object) -> str:
    data = json.loads((HERE / "loihi1.json").read_text(encoding="utf-8"))
    data["numbers"]["weight_bits"].update(changes)
    return json.dumps(data)


def text_without(key: str) -> str:
    data = json.loads((HERE / "loihi1.json").read_text(encoding="utf-8"))
    del data["numbers"]["weight_bits"][key]
    return json.dumps(data)


def test_the_three_targets_are_listed() -> None:
    assert list_targets() == ("ideal", "loihi1", "loihi2")


@pytest.mark.parametrize("name", list_targets())
def test_every_number_of_a_target_says_unit_source_and_kind(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    for number in target.numbers.values():
        assert number.unit
        assert number.source
        assert number.kind in KINDS


@pytest.mark.parametrize("name", list_targets())
def test_what_has_no_public_number_is_called_assumed(name: str) -> None:
    for number in load_target(name).numbers.values():
        assert (number.kind == "assumed") or number.source != "no public number"
        assert number.kind != "assumed" or number.note or name == "ideal"


def test_the_limits_of_a_loihi_core_are_those_of_the_paper() -> None:
    target = load_target("loihi1")
    assert int(target.compartments_per_core) == 1024
    assert int(target.synapse_bytes_per_core) == 128 * 1024
    assert int(target.in_axons_per_core) == int(target.out_axons_per_core) == 4096
    assert int(target.cores_per_chip) == 128
    assert int(target.epoch_steps) == 63


def test_abilities_tell_the_chips_apart() -> None:
    assert load_target("loihi1").can("binary_only")
    assert not load_target("loihi1").can("graded_messages")
    assert load_target("loihi2").can("graded_messages")
    assert load_target("loihi2").can("neuron_traces")
    assert int(load_target("loihi1").payload_bits) == 0


def test_the_ideal_chip_has_wide_weights_and_no_limit() -> None:
    target = load_target("ideal")
    assert int(target.weight_bits) == 16
    assert all(target.numbers[limit].value is None for limit in LIMITS)


def test_tiles_of_every_chip_hold_all_of_its_cores() -> None:
    for target in map(load_target, list_targets()):
        tiles = int(target.tile_rows) * int(target.tile_columns)
        assert tiles * int(target.cores_per_tile) == int(target.cores_per_chip)


def test_a_misspelt_target_is_offered_the_near_name() -> None:
    with pytest.raises(UsageError, match=r"HB0501.*\n.*did you mean 'loihi2'") as caught:
        load_target("loihi-2")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("key", ["value", "unit", "source", "kind"])
def test_a_number_that_does_not_say_everything_is_refused(key: str) -> None:
    with pytest.raises(InputFileError, match=f"weight_bits: says no {key}"):
        parse_target(text_without(key))


@pytest.mark.parametrize(
    "changes",
    [
        {"value": 8.5},
        {"value": True},
        {"value": -1},
        {"value": None},
        {"unit": ""},
        {"source": " "},
        {"kind": "guessed"},
        {"sauce": "x"},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputFileError, match="HB0502: weight_bits"):
        parse_target(text_with(**changes))


def test_an_unknown_and_a_missing_number_are_both_named() -> None:
    data = json.loads(text_with())
    data["numbers"]["weight_bit"] = data["numbers"].pop("weight_bits")
    with pytest.raises(InputFileError) as caught:
        parse_target(json.dumps(data))
    assert len(caught.value.problems) == 2
    assert "did you mean 'weight_bits'?" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x", "title": "y", "numbers": []}'])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(InputFileError, match="HB0502"):
        parse_target(text)


def test_a_target_is_frozen_and_its_numbers_print_with_their_source() -> None:
    target = load_target("loihi1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        target.name = "x"  # type: ignore[misc]
    assert str(Number(None, "chip", "a paper", "assumed")) == "no limit chip (assumed: a paper)"


def test_the_weakest_kind_is_the_last_of_the_table() -> None:
    assert weakest(["measured", "simulated", "derived"]) == "simulated"
    assert weakest([]) == ""


def test_the_chips_that_rules_are_listed_for_are_the_targets() -> None:
    assert set(CHIPS) == set(list_targets())
