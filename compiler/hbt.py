"""The `.hbt` file: a compiled model, a slice of data to verify it by, and the state of a training.

In: a `Compiled` and what goes with it. Out: one container (see `container`), and back, bit for bit.

manifest.json         versions, provenance, rule, objective, settings, coding, report, golden sums
program.txt           the program's text
tensors.safetensors   its integers
slice.safetensors     integer inputs of some training samples, one tensor a source
golden.safetensors    answers of the reference engine on the first of them, rounding ``lava-exact``
state.safetensors     a checkpoint: what the next sample of a training depends on

Nothing is unpickled or evaluated. The program's sha256 is stored and computed again on loading.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Coding
from hebbite.compiler.compiled import Compiled, program_sha256
from hebbite.compiler.container import (
    JSON,
    Container,
    bytes_to_tensors,
    read_container,
    tensors_to_bytes,
    write_container,
)
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.types import IntArray, Program
from hebbite.compiler.program.verify import verify_program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError, InputFileError, Problem, UsageError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule

Long = NDArray[np.int64]
T = TypeVar("T")
REMAKE = "make the file again: hebbite compile MODEL -o FILE.hbt"
_BROKEN = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    StopIteration,
)
"""What reading a well-formed container of meaningless content can raise."""


@dataclass(frozen=True, eq=False)
class Golden:
    """What the reference engine does on the first samples of the slice, learning ``lava-exact``.

    ``answers`` (samples, outputs); ``weights_sha256`` of the program with the weights after them.
    """

    answers: IntArray
    weights_sha256: str


@dataclass(frozen=True)
class Training:
    """How weights came about, or how far a training is.

    ``samples`` of the data set's train part were shown in each of ``epochs``; ``split_seed`` chose
    the parts. ``validation`` holds the accuracy after every epoch. ``trained_sha256`` is the
    program that training began with. ``shown``: how many samples of the next epoch were shown too,
    where a training was stopped within it.
    """

    data: str
    split_seed: int
    samples: int
    epochs: int
    engine: str
    rounding: str
    seed: int
    trained_sha256: str
    validation: tuple[float, ...] = ()
    shown: int = 0


@dataclass(frozen=True, eq=False)
class Saved:
    """What a ``.hbt`` file holds. ``state`` makes it a checkpoint; see `Session.state`."""

    compiled: Compiled
    slice_inputs: Mapping[str, Long] = field(default_factory=dict)
    golden: Golden | None = None
    training: Training | None = None
    state: Mapping[str, Long] | None = None
    producer: str = ""


def save_compiled(
    path: str | os.PathLike[str],
    compiled: Compiled,
    *,
    slice_inputs: Mapping[str, IntArray] | None = None,
    golden: Golden | None = None,
    training: Training | None = None,
    state: Mapping[str, IntArray] | None = None,
) -> None:
    """Write a ``.hbt`` file, whole or not at all. The same content gives the same bytes.

    ``slice_inputs``: source -> integers (samples, events, size), as `Coding.inputs` gives them.

    Raises:
        InputFileError: HB0701 if the file cannot be written.
        UsageError: HB0709 for content that no file holds, HB0714 for a checkpoint of Lava.
    """
    if state is not None and (training is None or training.engine == "lava"):
        raise UsageError(Problem("HB0714", "a checkpoint needs an engine whose state is known",
                                 hint="--engine native"))  # fmt: skip
    members = {
        "program.txt": print_program(compiled.program).encode(),
        "tensors.safetensors": tensors_to_bytes(compiled.program.tensors),
    }
    if slice_inputs:
        narrow = {name: _narrow(values) for name, values in slice_inputs.items()}
        members["slice.safetensors"] = tensors_to_bytes(narrow)
    if golden is not None:
        members["golden.safetensors"] = tensors_to_bytes({"answers": golden.answers})
    if state is not None:
        members["state.safetensors"] = tensors_to_bytes(state)
    write_container(path, manifest=_manifest(compiled, golden, training), members=members)


def _manifest(
    compiled: Compiled, golden: Golden | None, training: Training | None
) -> dict[str, JSON]:
    return {
        "producer": producer(),
        "model": compiled.model,
        "source_sha256": compiled.source_sha256,
        "program_sha256": compiled.sha256,
        "target": compiled.program.target,
        "seed": compiled.program.seed,
        "rule": compiled.rule.text,
        "objective": compiled.objective.text,
        "settings": asdict(compiled.settings),
        "coding": asdict(compiled.coding),
        "report": dict(compiled.report),
        "golden": None if golden is None else {"weights_sha256": golden.weights_sha256},
        "training": None if training is None else asdict(training),
    }


def producer() -> str:
    """Return ``hebbite`` and its version, as installed."""
    try:
        return f"hebbite {version('hebbite')}"
    except PackageNotFoundError:
        return "hebbite, not installed"


def _narrow(values: IntArray) -> IntArray:
    """Return the same integers in the smallest type that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for dtype in (np.uint8, np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values.astype(np.int64)


def load_compiled(path: str | os.PathLike[str]) -> Saved:
    """Return what a ``.hbt`` file holds.

    Raises:
        InputFileError: HB0701 to HB0708 for a file that is not whole, HB0710 for a program text
            that cannot be read, HB0711 for content that makes no compiled model, HB0712 if the
            program is not the one that was saved.
    """
    at = os.fspath(path)
    container = read_container(path)
    try:
        return _saved(container, at)
    except InputFileError:
        raise
    except HebbiteError as error:
        problems = (Problem("HB0711", str(p), at, hint=REMAKE) for p in error.problems)
        raise InputFileError(*problems) from error
    except _BROKEN as error:
        what = f"the content makes no compiled model: {type(error).__name__} {error}"
        raise InputFileError(Problem("HB0711", what, at, hint=REMAKE)) from error


def _saved(container: Container, at: str) -> Saved:
    manifest: Mapping[str, Any] = container.manifest
    members = container.members
    program = parse_program(
        members["program.txt"].decode(),
        _tensors(members, "tensors.safetensors"),
    )
    verify_program(program)
    if program_sha256(program) != manifest["program_sha256"]:
        what = "the program is not the one that was saved: its sha256 differs"
        raise InputFileError(Problem("HB0712", what, at, hint=REMAKE))
    golden, training = manifest["golden"], manifest["training"]
    state = _tensors(members, "state.safetensors")
    answers = _tensors(members, "golden.safetensors")
    return Saved(
        compiled=_compiled(manifest, program),
        slice_inputs=_wide(_tensors(members, "slice.safetensors")),
        golden=Golden(answers["answers"], str(golden["weights_sha256"])) if golden else None,
        training=_training(training) if training else None,
        state=_wide(state) if "state.safetensors" in members else None,
        producer=str(manifest["producer"]),
    )


def _compiled(manifest: Mapping[str, Any], program: Program) -> Compiled:
    coding = _record(Coding, manifest["coding"])
    _check_coding(coding, program)
    return Compiled(
        program=program,
        coding=coding,
        rule=parse_rule(manifest["rule"]),
        objective=parse_objective(manifest["objective"]),
        settings=_record(Settings, manifest["settings"]),
        model=str(manifest["model"]),
        source_sha256=str(manifest["source_sha256"]),
        report={str(name): float(value) for name, value in manifest["report"].items()},
    )


def _record(kind: type[T], values: Mapping[str, Any]) -> T:
    """Return a dataclass from its own fields, each of the type that its annotation names."""
    types = {"str": str, "int": int, "bool": bool, "float": (int, float)}
    named = {f.name: str(f.type) for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in values.items():
        truth = isinstance(value, bool) and named[name] != "bool"
        if truth or not isinstance(value, types[named[name]]):  # type: ignore[arg-type]
            raise TypeError(f"{kind.__name__}.{name} = {value!r}")
    return kind(**values)


def _training(values: Mapping[str, Any]) -> Training:
    scores = tuple(float(score) for score in values["validation"])
    plain = {name: value for name, value in values.items() if name != "validation"}
    found = replace(_record(Training, plain), validation=scores)
    whole = 0 <= found.shown <= found.samples
    if min(found.split_seed, found.samples, found.epochs, found.seed) < 0 or not whole:
        raise ValueError(f"a training of {found.epochs} epochs, {found.samples} samples")
    return found


def _check_coding(coding: Coding, program: Program) -> None:
    """Refuse a coding that feeds another program."""
    sources = {source.name: source for source in program.sources}
    if coding.source not in sources or not {coding.teacher, coding.label} <= {"", *sources}:
        raise ValueError(
            f"the coding feeds '{coding.source}', '{coding.teacher}' and '{coding.label}'"
        )
    outputs = program.population(program.readout.population).size
    known = coding.kind in ("payload", "rate", "labelled") and 0.0 < coding.scale < float("inf")
    if coding.kind == "labelled":
        known &= 2 <= coding.outputs <= sources[coding.source].size and outputs == 1
        outputs = coding.outputs
    if not known or coding.outputs != outputs or not 1 <= coding.target_rate <= 127:
        raise ValueError(f"no such coding: {coding}")
    if not 1 <= coding.passes <= program.schedule.period or not 0.0 <= coding.norm < float("inf"):
        raise ValueError(f"no such coding: {coding}")
    if not 0 <= coding.seed <= 2**62 or not 0 <= coding.window <= program.schedule.period:
        raise ValueError(f"no such coding: {coding}")


def _tensors(members: Mapping[str, bytes], name: str) -> dict[str, IntArray]:
    tensors = bytes_to_tensors(members[name], at=name) if name in members else {}
    for key, values in tensors.items():
        if values.dtype.kind not in "iu":
            raise InputFileError(Problem("HB0711", f"'{key}' holds {values.dtype}", name))
    return tensors


def _wide(tensors: Mapping[str, IntArray]) -> dict[str, Long]:
    return {name: values.astype(np.int64) for name, values in tensors.items()}
