"""What events cost, as data: profiles of one JSON file, every constant with where it comes from.

In: the name of a profile, or the path of a user's own. Out: a frozen `CostProfile`. A constant
without value, low, high, unit, source, page, kind, condition, semantics and band is refused.

Tables of different makers cut the same work differently: one has a price of an inactive neuron, the
other of every neuron's visit and one more of an update. ``inside`` of a profile says which event is
paid by which other constant, and is then priced by nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from hebbite.compiler.targets import list_targets
from hebbite.rules.errors import InputFileError, Problem, UsageError, near

HERE = Path(__file__).parent / "profiles"
KINDS = ("measured", "derived", "fitted", "simulated", "assumed")
UNITS = {
    "energy": {"pJ": 1e-12, "nJ": 1e-9, "uJ": 1e-6, "J": 1.0},
    "power": {"uW": 1e-6, "mW": 1e-3, "W": 1.0},
    "time": {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0},
}
"""The three sections of a profile, and the units that each takes, in J, W and s."""
ENERGY = (
    "message",
    "hop_ew",
    "hop_ns",
    "neuron_active",
    "neuron_inactive",
    "synaptic_op",
    "synaptic_update",
    "graded_payload",
    "trace_update",
    "random_draw",
    "reset",
    "interchip",
    "weight_write",
)
FINER = ("axon_out", "spike_out", "neuron_step", "synaptic_op_sparse", "synaptic_op_conv")
"""Events that a table may price by themselves; where it does not, the others hold their share."""
TIME = (*ENERGY[:7], "barrier", "barrier_chips")
BARRIERS = ("barrier_from_2", "barrier_from_4", "barrier_from_29")
"""Barriers of one chip by its mapped tiles: the one with the largest number that is not above."""
NAMES = {
    "energy": (*ENERGY, *FINER),
    "power": ("static",),
    "time": (*TIME, *FINER, *BARRIERS),
}


@dataclass(frozen=True)
class Constant:
    """The cost of one event: ``value`` in [``low``, ``high``], in ``unit``.

    ``semantics`` says what one event is, ``condition`` under which it holds (a supply voltage),
    ``band`` why the range is what it is, ``kind`` how the value is known.
    """

    value: float
    low: float
    high: float
    unit: str
    source: str
    page: str
    kind: str
    condition: str
    semantics: str
    band: str

    @property
    def scale(self) -> float:
        """Factor from the unit to J, W or s."""
        return next(units[self.unit] for units in UNITS.values() if self.unit in units)


@dataclass(frozen=True)
class CostProfile:
    """The prices of one chip. A constant that a profile leaves out has no price at all, unless the
    event is ``inside`` another: (event, constant).
    """

    name: str
    target: str
    title: str
    note: str
    energy: Mapping[str, Constant]
    power: Mapping[str, Constant]
    time: Mapping[str, Constant]
    inside: Mapping[str, str] = field(default_factory=dict)


def list_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with hebbite, sorted."""
    return tuple(sorted(path.stem for path in HERE.glob("*.json")))


def load_profile(name_or_path: str | Path) -> CostProfile:
    """Return a profile by its name, or by the path of a file that ends in ``.json``.

    Raises:
        UsageError: HB0510, there is no such profile; the hint offers the nearest name.
        InputFileError: HB0511, the file cannot be read or leaves out what a constant must say.
    """
    name = str(name_or_path)
    known = list_profiles()
    if name not in known and not name.endswith(".json"):
        raise UsageError(Problem("HB0510", f"unknown profile '{name}'", hint=near(name, known)))
    path = HERE / f"{name}.json" if name in known else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(Problem("HB0511", f"cannot read a profile: {error}", name)) from error
    return parse_profile(text, at=path.name)


def parse_profile(text: str, *, at: str = "") -> CostProfile:
    """Return the profile that a JSON text describes; ``at`` names the text in an error.

    Raises:
        InputFileError: HB0511, with everything that is wrong.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputFileError(Problem("HB0511", f"a profile is JSON: {error}", at)) from error
    wrong = _wrong_head(data) if isinstance(data, dict) else [("a profile is a JSON object", "")]
    if not wrong:
        for section in UNITS:
            for name, constant in data[section].items():
                found = _wrong_constant(section, name, constant)
                wrong += [(f"{section}.{name}: {what}", hint) for what, hint in found]
        wrong += _wrong_inside(data)
    if wrong:
        raise InputFileError(*(Problem("HB0511", what, at, hint=hint) for what, hint in wrong))
    sections = {
        section: {name: Constant(**constant) for name, constant in data[section].items()}
        for section in UNITS
    }
    return CostProfile(
        data["name"],
        data["target"],
        data["title"],
        data["note"],
        sections["energy"],
        sections["power"],
        sections["time"],
        data.get("inside", {}),
    )


def by_closeness(profiles: Iterable[CostProfile], target: str) -> tuple[CostProfile, ...]:
    """Return profiles of the target's own chip first, then of other chips, floors at the end."""

    def distance(profile: CostProfile) -> int:
        return 0 if profile.target == target else 1 + (profile.target == "ideal")

    return tuple(sorted(profiles, key=distance))


_KEYS = tuple(one.name for one in fields(Constant))
_TEXTS = tuple(key for key in _KEYS if key not in ("value", "low", "high"))


def _wrong_head(data: Mapping[str, object]) -> list[tuple[str, str]]:
    texts, known = ("name", "target", "title", "note"), [f.name for f in fields(CostProfile)]
    wrong = [(f"'{key}' means nothing here", near(key, known)) for key in data if key not in known]
    wrong += [(f"'{key}' must be a text", "") for key in texts if not _is_text(data.get(key))]
    wrong += [(f"'{s}' must be an object", "") for s in UNITS if not isinstance(data.get(s), dict)]
    if not isinstance(data.get("inside", {}), dict):
        wrong.append(("'inside' must be an object", ""))
    if not wrong and data["target"] not in list_targets():
        target = str(data["target"])
        wrong.append((f"unknown target '{target}'", near(target, list_targets())))
    return wrong


def _wrong_inside(data: Mapping[str, Mapping[str, object]]) -> list[tuple[str, str]]:
    """Return what is wrong with events that another constant pays."""
    wrong = []
    for event, constant in data.get("inside", {}).items():
        if event not in ENERGY:
            wrong.append((f"inside.{event}: nothing has such a price", near(event, ENERGY)))
        elif event in data["energy"]:
            wrong.append((f"inside.{event}: it has a price of its own", "remove one of the two"))
        elif constant not in data["energy"]:
            names = tuple(data["energy"])
            wrong.append((f"inside.{event}: no price '{constant}'", near(str(constant), names)))
    return wrong


def _wrong_constant(section: str, name: str, constant: object) -> list[tuple[str, str]]:
    if name not in NAMES[section]:
        return [("nothing has such a price", near(name, NAMES[section]))]
    if not isinstance(constant, dict):
        return [(f"must say {', '.join(_KEYS)}", "")]
    wrong = [(f"says no {key}", "") for key in _KEYS if key not in constant]
    wrong += [(f"'{k}' means nothing here", near(k, _KEYS)) for k in constant if k not in _KEYS]
    if wrong:
        return wrong
    wrong = [(f"{key} must be a text", "") for key in _TEXTS if not _is_text(constant[key])]
    if constant["kind"] not in KINDS:
        wrong.append((f"unknown kind '{constant['kind']}'", near(str(constant["kind"]), KINDS)))
    if constant["unit"] not in UNITS[section]:
        wrong.append((f"unknown unit '{constant['unit']}'", near("", UNITS[section])))
    numbers = [constant[key] for key in ("low", "value", "high")]
    if not all(_is_number(number) for number in numbers):
        wrong.append(("low, value and high must be positive numbers", ""))
    elif numbers != sorted(numbers):
        wrong.append((f"low <= value <= high does not hold for {numbers}", ""))
    return wrong


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value > 0
