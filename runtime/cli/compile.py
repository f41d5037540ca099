"""``hebbite compile``: a model, a rule and an objective to one ``.hbt`` file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json, say

if TYPE_CHECKING:
    from hebbite.compiler.compiled import Compiled
    from hebbite.compiler.graph import Graph
    from hebbite.compiler.passes.place import Place
    from hebbite.compiler.settings import Settings

EMITS = ("graph", "program")
Emit = Annotated[str, typer.Option(help="print the graph or the program", show_default=False)]
After = Annotated[bool, typer.Option("--print-after-all", help="print the graph after every pass")]


def compile(
    model: options.Model,
    output: options.Output = None,
    rule: options.Rule = "dfa",
    objective: options.Goal = "classification",
    target: options.Target = "loihi2",
    neuron: options.Neuron = "graded",
    encode: options.Encode = "none",
    init: options.Init = "keep",
    data: options.Data = "",
    seed: options.Seed = 0,
    recurrent: options.Recurrent = False,
    further: options.Set = [],  # noqa: B006 - typer copies it
    chips: options.Chips = 1,
    no_split: options.NoSplit = False,
    order: options.Order = "hops",
    emit: Emit = "",
    print_after_all: After = False,
    bias: options.Bias = "",
    dt: options.Dt = "",
    reset: options.Reset = "",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compile a model that learns by a rule to the program of a chip."""
    from hebbite.compiler.passes.place import Place

    if emit and emit not in EMITS:
        raise UsageError(Problem("HB0162", f"cannot emit '{emit}'", hint=near(emit, EMITS)))
    if output is None and not emit:
        raise UsageError(Problem("HB0157", "nothing to write to", hint="-o FILE.hbt"))
    if output is not None:
        requests.refuse_to_overwrite(output, model)
    settings = requests.settings_of(
        target=target,
        neuron=neuron,
        encode=encode,
        init=init,
        seed=seed,
        recurrent=recurrent,
        further=further,
    )
    graph = requests.read_graph(model, after=_show if print_after_all else None)
    if emit == "graph" and output is None:
        _print_text(str(graph), "graph", as_json)
        return
    material = requests.material_of(graph, data, seed=seed)
    place = Place(chips=chips, split=not no_split, order=order)
    compiled = _compiled(model, graph, material, rule, objective, settings, place)
    if emit:
        text = str(graph) if emit == "graph" else _program_text(compiled)
        _print_text(text, emit, as_json and output is None)
    if output is not None:
        _write(output, compiled, material, as_json, quiet=bool(emit))


def _show(name: str, graph: Graph) -> None:
    say(f"# after {name}\n{graph}\n")


def _print_text(text: str, kind: str, as_json: bool) -> None:
    if as_json:
        print_json({"emit": kind, "text": text})
    else:
        typer.echo(text.rstrip("\n"))


def _program_text(compiled: Compiled) -> str:
    from hebbite.compiler.program.text import print_program

    return print_program(compiled.program)


def _compiled(
    model: Path,
    graph: Graph,
    material: requests.Material,
    rule: str,
    objective: str,
    settings: Settings,
    place: Place,
) -> Compiled:
    from hebbite.compiler.compile import compile as compile_model
    from hebbite.runtime.plan import CALIBRATION_SAMPLES

    calibration = None
    if material.dataset is None:
        say("calibrated on uniform noise: give --data for scales that fit your inputs")
    else:
        calibration = material.dataset.x_train[:CALIBRATION_SAMPLES].astype("float64")
    compiled = compile_model(
        graph,
        rule=requests.rule_typed(rule),
        objective=objective,
        settings=settings,
        calibration=calibration,
        chips=place.chips,
        split=place.split,
        order=place.order,
    )
    for note in requests.notes_of(graph, compiled.rule, settings):
        say(f"note {note}")
    return replace(compiled, source_sha256=requests.sha256_of(model))


def _write(
    output: Path, compiled: Compiled, material: requests.Material, as_json: bool, *, quiet: bool
) -> None:
    from hebbite.compiler.capacity import footprint
    from hebbite.compiler.hbt import save_compiled
    from hebbite.runtime.slices import golden_of, noise, samples_for, slice_of

    if material.dataset is None:
        features = compiled.program.source(compiled.coding.source).size
        samples = samples_for(compiled, 500)
        seed = compiled.settings.seed
        x, y = noise(features, compiled.coding.outputs, samples=samples, seed=seed)
    else:
        requests.check_fit(compiled, material.dataset)
        x, y = material.dataset.x_train.astype("float64"), material.dataset.y_train
    inputs = slice_of(compiled, x, y)
    save_compiled(output, compiled, slice_inputs=inputs, golden=golden_of(compiled, inputs))
    used = footprint(compiled.program)
    if as_json:
        print_json(
            {
                "file": str(output),
                "model": compiled.model,
                "rule": compiled.rule.text,
                "objective": compiled.objective.text,
                "target": compiled.program.target,
                "program_sha256": compiled.sha256,
                "source_sha256": compiled.source_sha256,
                "seed": compiled.settings.seed,
                "calibration": material.name,
                "slice_samples": len(next(iter(inputs.values()))),
                "footprint": used.to_json(),
                "report": dict(compiled.report),
            }
        )
        return
    line = (
        f"{output}: {compiled.rule} for {compiled.program.target}, {used.chips} chip, "
        f"{used.cores} cores, {used.bytes} bytes, calibrated on {material.name}\n"
        f"program_sha256 {compiled.sha256}"
    )
    (say if quiet else typer.echo)(line)
