"""Equality of engines, bit for bit: one program, one slice of training, every value compared.

What is compared: every message (s, e, bap), every state register, y1..y3 on the wire in every step;
every weight, tag and stored trace after every learning epoch; every counter. Equality says little
about a network that does nothing, so the report also says what was active, and calls a run
conclusive only if every population but the output sent something and, where something learns, at
least a tenth of the plastic weights changed, in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.compiled import program_sha256
from hebbite.compiler.program.neuron import OUTPUTS
from hebbite.compiler.program.types import TAG, IntArray, Program
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.counters import COUNTERS, PHASES
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import Recording, all_probes, is_epoch_probe

Long = NDArray[np.int64]
CHANGED_ENOUGH = 0.1


@dataclass(frozen=True)
class Divergence:
    """The first place where two engines differ. ``step`` counts from 1."""

    engine: str
    against: str
    step: int
    component: str
    register: str
    index: tuple[int, ...]
    value: int
    expected: int


@dataclass(frozen=True)
class Activity:
    """What the compared run did."""

    silent_populations: tuple[str, ...]
    weights_changed_fraction: float
    signs: tuple[int, ...]
    saturations: int


@dataclass(frozen=True)
class Verification:
    """Outcome; `to_json` gives the keys of ``hebbite verify --json``."""

    equal: bool
    conclusive: bool
    engines: tuple[str, ...]
    rounding: Rounding
    seed: int
    steps: int
    program_sha256: str
    compared: Mapping[str, int]
    activity: Activity
    first_divergence: Divergence | None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return asdict(self)


def verify(
    program: Program,
    inputs: Mapping[str, IntArray],
    *,
    engines: Sequence[str] = ("reference", "native", "lava"),
    steps: int = 500,
    rounding: Rounding = "lava-exact",
) -> Verification:
    """Run ``steps`` steps (whole samples) of training on every engine and compare with the first.

    ``inputs`` hold at least as many samples as the steps need; see `engines.base.Inputs`.

    Raises:
        UsageError: HB0113 if there is one engine only, HB0106 if too little data.
        EngineError: HB06xx if an engine is missing or refuses the program.
    """
    samples = -(-steps // program.schedule.period)
    given = {name: _first(name, values, samples) for name, values in inputs.items()}
    if len(engines) < 2:
        raise UsageError(Problem("HB0113", "comparing needs two engines or more"))
    recordings = [_record(name, program, given, samples, rounding) for name in engines]
    return compare(program, recordings)


def _first(name: str, values: IntArray, samples: int) -> IntArray:
    if len(values) < samples:
        what = f"'{name}' holds {len(values)} samples, {samples} are needed"
        raise UsageError(Problem("HB0106", what, hint="ask for fewer steps, or give --data"))
    return values[:samples]


def _record(
    engine: str, program: Program, inputs: Mapping[str, IntArray], samples: int, rounding: Rounding
) -> Recording:
    machine = load_engine(engine).open(program, rounding=rounding)
    try:
        return machine.run(inputs, samples=samples, learn=True, probes=all_probes(program))
    finally:
        machine.close()


def compare(program: Program, recordings: Sequence[Recording]) -> Verification:
    """Compare recordings of the same run with the first of them."""
    first, *others = recordings
    found = [
        divergence
        for other in others
        if (divergence := first_divergence(program, other, first)) is not None
    ]
    activity = activity_of(program, first)
    learns = bool(program.plasticity)
    lively = not activity.silent_populations and (
        not learns
        or (activity.weights_changed_fraction >= CHANGED_ENOUGH and set(activity.signs) >= {-1, 1})
    )
    return Verification(
        equal=not found,
        conclusive=not found and lively,
        engines=tuple(recording.engine for recording in recordings),
        rounding=first.rounding,
        seed=first.seed,
        steps=first.steps,
        program_sha256=program_sha256(program),
        compared=_compared(program, first),
        activity=activity,
        first_divergence=min(found, key=lambda d: d.step) if found else None,
    )


def first_divergence(
    program: Program, recording: Recording, expected: Recording
) -> Divergence | None:
    """Return the earliest value in which a recording differs from the expected one."""
    found: list[Divergence] = []
    for probe, want in expected.values.items():
        got = recording.values[probe]
        if got.shape != want.shape:
            raise AssertionError(f"{recording.engine} recorded {probe} as {got.shape}")
        if np.array_equal(got, want):
            continue
        where = tuple(int(i) for i in np.argwhere(got != want)[0])
        component, register = probe.rsplit(".", 1)
        step = (where[0] + 1) * (program.epoch if is_epoch_probe(program, probe) else 1)
        found.append(
            Divergence(
                recording.engine,
                expected.engine,
                step,
                component,
                register,
                where[1:],
                int(got[where]),
                int(want[where]),
            )
        )
    return min(found, key=lambda d: d.step) if found else _counter_divergence(recording, expected)


def _counter_divergence(recording: Recording, expected: Recording) -> Divergence | None:
    got, want = recording.counters, expected.counters
    if got == want:
        return None
    where = tuple(int(i) for i in np.argwhere(got.values != want.values)[0])
    component, phase, counter = where
    name = f"{COUNTERS[counter]} ({PHASES[phase]})"
    return Divergence(
        recording.engine,
        expected.engine,
        expected.steps,
        want.components[component],
        name,
        (),
        int(got.values[where]),
        int(want.values[where]),
    )


def activity_of(program: Program, recording: Recording) -> Activity:
    """Return what the populations and the weights did in a recorded run."""
    output = program.readout.population
    silent = tuple(
        population.name
        for population in program.populations
        if population.name != output
        and not recording.values[_heard(program, population.name)][:, : population.size].any()
    )
    changed, total, saturated = 0, 0, 0
    signs: set[int] = set()
    low, high = program.widths.weight_low, program.widths.weight_high
    for plasticity in program.plasticity:
        before = program.tensors[program.group(plasticity.synapses).weight].astype(np.int64)
        weights = recording.values[f"{plasticity.synapses}.weight"]
        moved = np.sign(np.diff(np.concatenate([before[None], weights]), axis=0))
        signs |= {int(sign) for sign in np.unique(moved) if sign}
        changed += int((weights[-1] != before).sum())
        total += before.size
        saturated += int(((weights == low) | (weights == high)).sum())
        if plasticity.dt is not None:
            tags = recording.values[f"{plasticity.synapses}.t"]
            saturated += int(((tags <= TAG.weight_low) | (tags == TAG.weight_high)).sum())
        for name, _ in plasticity.traces:
            saturated += int((recording.values[f"{plasticity.synapses}.{name}"] == 127).sum())
    fraction = changed / total if total else 0.0
    return Activity(silent, fraction, tuple(sorted(signs)), saturated)


def _heard(program: Program, name: str) -> str:
    """Return the output of a population that others hear: its spikes, or errors where it sends no
    spikes to anybody.
    """
    outputs = {group.output for group in program.synapses if group.pre == name}
    return f"{name}.e" if outputs == {"e"} else f"{name}.s"


def _compared(program: Program, recording: Recording) -> dict[str, int]:
    counts = {"spikes": 0, "states": 0, "weights": 0, "tags": 0, "traces": 0}
    learning = {plasticity.synapses for plasticity in program.plasticity}
    for probe, values in recording.values.items():
        component, register = probe.rsplit(".", 1)
        if component in learning and register in ("weight", "t"):
            kind = "weights" if register == "weight" else "tags"
        elif register[0] in "xy" and register[1:].isdigit():
            kind = "traces"
        else:
            kind = "spikes" if register in OUTPUTS else "states"
        counts[kind] += values.size
    return {**counts, "counters": recording.counters.values.size}
