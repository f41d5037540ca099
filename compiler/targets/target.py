"""What a chip can hold and do, and the loader that refuses a number without its source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from hebbite.compiler.targets.number import KINDS, Number
from hebbite.rules.errors import InputFileError, Problem, UsageError, near

HERE = Path(__file__).parent
LIMITS = (
    "epoch_steps",
    "compartments_per_core",
    "synapse_bytes_per_core",
    "in_axons_per_core",
    "out_axons_per_core",
    "chips",
)
"""The numbers that may be None: no limit."""
FLAGS = ("graded_messages", "neuron_traces", "binary_only")
NEEDED = ("value", "unit", "source", "kind")


@dataclass(frozen=True)
class Target:
    """A chip. Words are in bits, without sign where the unit says so; memory is in bytes.

    ``payload_bits`` is 0 where a message is a bare spike. ``axon_bits`` are held for every axon,
    ``rule_product_bits`` for every product of a learning rule on a core. ``tile_rows`` and
    ``tile_columns`` are the mesh of one chip, ``chips`` those of the largest system. The last three
    are 0 or 1: can messages carry integers, can a neuron program write y1..y3 itself, are
    messages nothing but spikes.
    """

    name: str
    title: str
    weight_bits: Number
    trace_bits: Number
    tag_bits: Number
    delay_bits: Number
    payload_bits: Number
    state_bits: Number
    epoch_steps: Number
    compartments_per_core: Number
    synapse_bytes_per_core: Number
    in_axons_per_core: Number
    out_axons_per_core: Number
    axon_bits: Number
    rule_product_bits: Number
    cores_per_chip: Number
    cores_per_tile: Number
    tile_rows: Number
    tile_columns: Number
    chips: Number
    graded_messages: Number
    neuron_traces: Number
    binary_only: Number

    @property
    def numbers(self) -> Mapping[str, Number]:
        """Every number by its name."""
        return {name: getattr(self, name) for name in _NUMBERS}

    def can(self, ability: str) -> bool:
        """Whether the chip has an ability: graded_messages, neuron_traces or binary_only."""
        assert ability in FLAGS, f"{ability} is no ability; there are {FLAGS}"
        return self.numbers[ability].value == 1


_NUMBERS = tuple(field.name for field in fields(Target) if field.name not in ("name", "title"))


def list_targets() -> tuple[str, ...]:
    """Return the names of all targets, sorted."""
    return tuple(sorted(path.stem for path in HERE.glob("*.json")))


@cache
def load_target(name: str) -> Target:
    """Return the target called ``name``.

    Raises:
        UsageError: HB0501, there is no such target; the hint offers the nearest name.
        InputFileError: HB0502, its file leaves out what a number must say.
    """
    if name not in list_targets():
        raise UsageError(
            Problem("HB0501", f"unknown target '{name}'", hint=near(name, list_targets()))
        )
    return parse_target((HERE / f"{name}.json").read_text(encoding="utf-8"), at=f"{name}.json")


def parse_target(text: str, *, at: str = "") -> Target:
    """Return the target that a JSON text describes; ``at`` names the text in an error.

    Raises:
        InputFileError: HB0502, with every number that lacks value, unit, source or kind.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputFileError(Problem("HB0502", f"a target is JSON: {error}", at)) from error
    numbers = data.get("numbers") if isinstance(data, dict) else None
    if not isinstance(numbers, dict) or not {"name", "title"} <= data.keys():
        raise InputFileError(Problem("HB0502", "a target has a name, a title and numbers", at))
    problems = [
        Problem("HB0502", f"a target has no number '{name}'", at, hint=near(name, _NUMBERS))
        for name in numbers
        if name not in _NUMBERS
    ]
    for name in _NUMBERS:
        problems += [
            Problem("HB0502", f"{name}: {what}", at) for what in _wrong(name, numbers.get(name))
        ]
    if problems:
        raise InputFileError(*problems)
    found = {name: Number(**numbers[name]) for name in _NUMBERS}
    return Target(name=str(data["name"]), title=str(data["title"]), **found)


def _wrong(name: str, number: object) -> list[str]:
    if not isinstance(number, dict):
        return ["is missing; it takes value, unit, source and kind"]
    wrong = [f"says no {key}" for key in NEEDED if key not in number]
    wrong += [f"'{key}' means nothing here" for key in number if key not in (*NEEDED, "note")]
    wrong += [
        f"{key} must be a text"
        for key in ("unit", "source", "note")
        if key in number and not (isinstance(number[key], str) and number[key].strip())
    ]
    if "kind" in number and number["kind"] not in KINDS:
        wrong.append(f"kind '{number['kind']}'; known: {', '.join(KINDS)}")
    if "value" in number and not _fits(name, number["value"]):
        wrong.append(f"value {number['value']!r} cannot be")
    return wrong


def _fits(name: str, value: object) -> bool:
    if value is None:
        return name in LIMITS
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return value in (0, 1) if name in FLAGS else value >= int(name != "payload_bits")
