import json
import re
from pathlib import Path

import pytest

from hebbite.rules.errors import InputFileError, UsageError
from hebbite.runtime.energy import list_profiles, load_profile, parse_profile
from hebbite.runtime.energy.profile import ENERGY, HERE, KINDS, TIME, UNITS

KEYS = (
    "value",
    "low",
    "high",
    "unit",
    "source",
    "page",
    "kind",
    "condition",
    "semantics",
    "band",
)
TABLE_2 = {
    "message": (1.7, 2.1),
    "hop_ew": (3.0, 4.1),
    "hop_ns": (4.0, 6.5),
    "neuron_active": (81.0, 8.4),
    "neuron_inactive": (52.0, 5.3),
    "synaptic_op": (23.6, 3.5),
    "synaptic_update": (120.0, 6.1),
}


def text_with(changes: dict[str, object]) -> str:
    data = json.loads((HERE / "loihi1-davies2018.json").read_text(encoding="utf-8"))
    constant = {**data["energy"]["synaptic_op"], **changes}
    data["energy"]["synaptic_op"] = {key: v for key, v in constant.items() if v != "absent"}
    return json.dumps(data)


def test_the_profile_of_loihi_is_listed() -> None:
    assert "loihi1-davies2018" in list_profiles()


@pytest.mark.parametrize("name", list_profiles())
def test_every_published_constant_has_a_source_and_lies_in_its_band(name: str) -> None:
    profile = load_profile(name)
    for section in UNITS:
        for constant in getattr(profile, section).values():
            assert constant.low <= constant.value <= constant.high
            assert constant.kind in KINDS
            assert constant.unit in UNITS[section]
            assert (constant.source == "no published number") == (constant.kind == "assumed")
            assert constant.kind == "assumed" or re.search("doi|BSD-3", constant.source)


def test_the_prices_are_those_of_table_2_and_called_simulated() -> None:
    profile = load_profile("loihi1-davies2018")
    assert profile.target == "loihi1"
    for name, (picojoule, nanosecond) in TABLE_2.items():
        assert (profile.energy[name].value, profile.energy[name].unit) == (picojoule, "pJ")
        assert (profile.time[name].value, profile.time[name].unit) == (nanosecond, "ns")
        assert profile.energy[name].kind == profile.time[name].kind == "simulated"
    assert profile.energy["synaptic_op"].low == 23.6  # the table calls it a minimum
    assert profile.time["synaptic_op"].high == 3.5  # and this one a maximum
    static = profile.power["static"]
    assert (static.low, static.high, static.unit) == (29.5, 104.0, "mW")


@pytest.mark.parametrize("name", list_profiles())
def test_every_event_has_some_price_or_is_inside_another(name: str) -> None:
    profile = load_profile(name)
    assert set(ENERGY) <= set(profile.energy) | set(profile.inside)
    assert not set(profile.energy) & set(profile.inside)
    assert not profile.time or set(TIME) <= set(profile.time) | set(profile.inside)


def test_the_fitted_prices_are_those_of_sana_fe() -> None:
    profile = load_profile("loihi1-sanafe2025")
    fitted = {n: c.value for n, c in profile.energy.items() if c.kind == "fitted"}
    assert fitted == {
        "axon_out": 111.0,
        "spike_out": 69.3,
        "hop_ew": 3.0,
        "hop_ns": 4.2,
        "neuron_step": 51.2,
        "neuron_active": 21.6,
        "synaptic_op": 35.5,
        "synaptic_op_sparse": 33.6,
        "synaptic_op_conv": 24.0,
        "random_draw": 6.0,
    }


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({"neuron_idle": "synaptic_op"}, "inside.neuron_idle: nothing has such a price"),
        ({"hop_ew": "synaptic_op"}, "inside.hop_ew: it has a price of its own"),
        ({"message": "neuron_step"}, "inside.message: no price 'neuron_step'"),
        (["message"], "'inside' must be an object"),
    ],
)
def test_an_event_is_inside_a_price_that_there_is(inside: object, said: str) -> None:
    data = json.loads(text_with({}))
    del data["energy"]["message"]
    with pytest.raises(InputFileError, match=f"HB0511: {said}"):
        parse_profile(json.dumps({**data, "inside": inside}))
    assert parse_profile(json.dumps({**data, "inside": {"message": "hop_ew"}})).inside


@pytest.mark.parametrize("key", KEYS)
def test_a_constant_that_does_not_say_everything_is_refused(key: str) -> None:
    with pytest.raises(InputFileError, match=f"energy.synaptic_op: says no {key}") as caught:
        parse_profile(text_with({key: "absent"}), at="mine.json")
    assert caught.value.exit_code == 3
    assert caught.value.problems[0].at == "mine.json"


@pytest.mark.parametrize(
    "changes",
    [
        {"value": -1.0},
        {"value": 0},
        {"value": "1"},
        {"value": True},
        {"value": float("nan")},
        {"value": 99.0},
        {"low": 30.0},
        {"unit": "ns"},
        {"unit": "pj"},
        {"kind": "guessed"},
        {"kind": ["measured"]},
        {"source": ""},
        {"page": 96},
        {"sauce": "x"},
    ],
)
def test_a_constant_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputFileError, match=r"HB0511: energy\.synaptic_op: "):
        parse_profile(text_with(changes))


def test_a_price_of_nothing_known_is_offered_the_near_name() -> None:
    data = json.loads(text_with({}))
    data["energy"]["synaptic_ops"] = data["energy"].pop("synaptic_op")
    with pytest.raises(InputFileError, match="did you mean 'synaptic_op'"):
        parse_profile(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"name": 1}'])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(InputFileError, match="HB0511"):
        parse_profile(text)


def test_a_profile_of_an_unknown_chip_is_refused() -> None:
    data = json.loads(text_with({})) | {"target": "loihi3"}
    with pytest.raises(InputFileError, match="unknown target 'loihi3'"):
        parse_profile(json.dumps(data))


def test_a_profile_of_the_users_own_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text_with({"value": 30.0}), encoding="utf-8")
    assert load_profile(path).energy["synaptic_op"].value == 30.0


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot read a profile"):
        load_profile(tmp_path / "none.json")
    folder = tmp_path / "folder.json"
    folder.mkdir()
    with pytest.raises(InputFileError, match="cannot read a profile"):
        load_profile(folder)


def test_a_misspelt_profile_is_offered_the_near_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'loihi1-davies2018'"):
        load_profile("loihi1-davies")
