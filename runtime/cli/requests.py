"""From typed options to the values that compiler and runtime take; files are opened here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hebbite.rules.errors import InputFileError, Problem, UsageError, near

if TYPE_CHECKING:
    from hebbite.compiler.compiled import Compiled
    from hebbite.compiler.graph import Graph
    from hebbite.compiler.hbt import Saved
    from hebbite.compiler.settings import Settings
    from hebbite.rules.rule import LearningRule
    from hebbite.runtime.datasets import Dataset

DIGITS_INPUTS = 64
LONGEST_RULE_TEXT = 2**16
RULE_SUFFIX = ".rule"
_OWN = ("target", "neuron", "encode", "init", "seed", "recurrent")


def settings_of(
    *,
    target: str,
    neuron: str,
    encode: str,
    init: str,
    seed: int,
    recurrent: bool = False,
    further: Sequence[str] = (),
) -> Settings:
    """Return the settings; ``further`` holds ``name=integer`` (HB0151 for anything else)."""
    from hebbite.compiler.settings import Settings

    chosen = Settings(
        target=target, neuron=neuron, encode=encode, init=init, seed=seed, recurrent=recurrent
    )
    known = [field.name for field in fields(Settings) if field.name not in _OWN]
    for text in further:
        name, _, value = text.partition("=")
        if name not in known or not re.fullmatch(r"[+-]?\d{1,9}", value):
            what = f"cannot read the setting '{text}'"
            hint = near(name, known) if name not in known else f"--set {name}=1"
            raise UsageError(Problem("HB0151", what, hint=hint))
        chosen = replace(chosen, **{name: int(value)})  # type: ignore[arg-type]
    return chosen


def rule_text(value: str) -> str:
    """Return the text of a rule: what was typed, or what the file of that name holds (HB0152)."""
    path = Path(value)
    typed = re.search(r"[(=;\n]", value) and not value.endswith(RULE_SUFFIX)
    if typed or not (path.suffix or "/" in value):
        return value
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_RULE_TEXT + 1)
        text = data.decode("utf-8").strip()
    except (OSError, ValueError) as error:
        what = f"cannot read the rule text: {error}"
        raise InputFileError(Problem("HB0152", what, at=value)) from error
    if len(data) > LONGEST_RULE_TEXT:
        what = f"a rule text is at most {LONGEST_RULE_TEXT} bytes long"
        raise InputFileError(Problem("HB0152", what, at=value))
    return text


def rule_typed(value: str) -> str:
    """Return the text of a rule that is one; coefficients that are far off are told."""
    from hebbite.rules.registry import parse_rule
    from hebbite.rules.scale import scale_warnings
    from hebbite.runtime.cli.output import say

    text = rule_text(value)
    for warning in scale_warnings(parse_rule(text)):
        say(f"warning {warning}")
    return text


def notes_of(
    graph: Graph | None, rule: LearningRule | None, settings: Settings
) -> tuple[Problem, ...]:
    """Return what a sound request does that its words do not say."""
    from hebbite.compiler.check import notes_of_request

    return () if graph is None or rule is None else notes_of_request(graph, rule, settings)


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of ``a,b(c=1, d=2),e``: commas inside brackets do not separate."""
    parts = (part.strip() for part in re.split(r",(?![^()]*\))", text))
    return tuple(part for part in parts if part)


def seeds_of(text: str) -> tuple[int, ...]:
    """Return the seeds that ``0..4``, ``0,3,7`` or ``5`` names (HB0153)."""
    if found := re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", text.strip()):
        first, last = int(found[1]), int(found[2])
        if first <= last < first + 10_000:
            return tuple(range(first, last + 1))
    if re.fullmatch(r"\d{1,9}(\s*,\s*\d{1,9})*", text.strip()):
        seeds = tuple(int(part) for part in text.split(","))
        if len(set(seeds)) == len(seeds):
            return seeds
    raise UsageError(Problem("HB0153", f"cannot read the seeds '{text}'", hint="--seeds 0..4"))


def read_graph(model: Path, *, after: Callable[[str, Graph], None] | None = None) -> Graph:
    """Return the cleaned graph of a model file; ``after`` is shown the graph after every pass."""
    from hebbite.compiler.frontends import load_model

    if after is None or model.suffix.lower() not in (".onnx", ".graph", ".txt"):
        return load_model(model)
    from hebbite.compiler.passes import CLEAN_UP, run_passes

    graph = _imported(model)
    after("import", graph)
    return run_passes(graph, CLEAN_UP, after=after)


def _imported(model: Path) -> Graph:
    if model.suffix.lower() == ".onnx":
        from hebbite.compiler.frontends.onnx import import_onnx

        return import_onnx(model)
    from hebbite.compiler.frontends.text import import_text

    return import_text(model)


@dataclass(frozen=True)
class Material:
    """What scales, slice and seeds of a compilation are taken from; no data: uniform noise."""

    dataset: Dataset | None
    name: str


def material_of(graph: Graph, data: str, *, seed: int) -> Material:
    """Return the named data set, digits for a model of 64 inputs, or nothing."""
    size = sum(value.size for value in graph.inputs)
    name = data or ("digits" if size == DIGITS_INPUTS else "")
    return Material(dataset_of(name, seed=seed) if name else None, name or "uniform noise")


def dataset_of(name: str, *, seed: int) -> Dataset:
    """Return a data set."""
    from hebbite.runtime.datasets import load_dataset

    return load_dataset(name, seed=seed)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file that was read before."""
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_saved(path: Path) -> Saved:
    """Return what a ``.hbt`` file holds; a model file is refused with the command that helps."""
    from hebbite.compiler.hbt import load_compiled

    if path.suffix.lower() in (".onnx", ".graph", ".txt", ".nir", ".net"):
        what = f"'{path.name}' is a model; this verb takes a compiled one"
        hint = f"hebbite compile {path} -o {path.with_suffix('.hbt')}"
        raise UsageError(Problem("HB0154", what, at=str(path), hint=hint))
    return load_compiled(path)


def check_fit(compiled: Compiled, dataset: Dataset) -> None:
    """Refuse data whose samples or classes are not the model's (HB0155)."""
    source = next(s for s in compiled.program.sources if s.name == compiled.coding.source)
    inputs = compiled.coding.features or source.size
    features, outputs = features_of(dataset, inputs), compiled.coding.outputs
    if features == inputs and dataset.classes <= outputs:
        return
    what = (
        f"'{dataset.name}' has {features} features and {dataset.classes} classes, "
        f"the model {inputs} inputs and {outputs} outputs"
    )
    at = f"%{source.name} = source[{source.size}]"
    raise UsageError(Problem("HB0155", what, at, source.origin, "give another --data"))


def features_of(dataset: Dataset, inputs: int) -> int:
    """Return the values of a sample, or of one frame where samples are series of such frames."""
    sample = dataset.x_test[0]
    series = sample.ndim > 1 and sample[0].size == inputs
    return int(sample[0].size if series else sample.size)


def refuse_to_overwrite(output: Path, *inputs: Path) -> None:
    """Refuse an output that is an input or a folder, or whose folder does not exist (HB0156)."""
    place = _resolved(output)
    if place in [_resolved(path) for path in inputs]:
        what = "the output is the input file"
        raise UsageError(Problem("HB0156", what, at=str(output), hint="give another -o"))
    if os.path.isdir(place):
        what = "the output is a folder"
        raise UsageError(Problem("HB0156", what, at=str(output), hint="name a file in it"))
    if not os.path.isdir(os.path.dirname(place)):
        what = "the folder of the output does not exist"
        raise UsageError(Problem("HB0156", what, at=str(output), hint=f"mkdir -p {output.parent}"))


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one place."""
    return _resolved(one) == _resolved(other)


def _resolved(path: Path) -> str:
    """Return the path without links, as far as it can be followed."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a name that no file can have
        return os.path.abspath(path)
