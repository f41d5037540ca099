"""``hebbite inspect``: what a model or a compiled file is made of and what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json, print_table

if TYPE_CHECKING:
    from hebbite.compiler.hbt import Saved
    from hebbite.compiler.program.types import Program, Synapses

Anything = Annotated[Path, typer.Argument(help="a model or a .hbt file", show_default=False)]
Text = Annotated[bool, typer.Option("--text", help="print the whole program as well")]


def inspect(
    file: Anything,
    text: Text = False,
    svg: options.Svg = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show structure, resources and quantisation error."""
    if file.suffix.lower() == ".hbt":
        _inspect_saved(requests.open_saved(file), text, as_json)
        return
    graph = requests.read_graph(file)
    ops = [node.op for node in graph.nodes]
    counts = {op: ops.count(op) for op in sorted(set(ops))}
    parameters = sum(int(array.size) for array in graph.tensors.values())
    if as_json:
        print_json({"kind": "model", "graph": str(graph), "ops": counts, "parameters": parameters})
    else:
        typer.echo(f"{graph}\n{parameters} parameters")


def _inspect_saved(saved: Saved, text: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from hebbite.compiler.capacity import footprint
    from hebbite.compiler.layout import placement_report
    from hebbite.compiler.program.text import print_program

    model = saved.compiled
    used, placed = footprint(model.program), placement_report(model.program)
    printed = print_program(model.program)
    if as_json:
        print_json(
            {
                "kind": "compiled" if saved.state is None else "checkpoint",
                "producer": saved.producer,
                "model": model.model,
                "rule": model.rule.text,
                "objective": model.objective.text,
                "target": model.program.target,
                "settings": asdict(model.settings),
                "program_sha256": model.sha256,
                "source_sha256": model.source_sha256,
                "training": asdict(saved.training) if saved.training else None,
                "program": printed,
                "footprint": used.to_json(),
                "placement": placed.to_json(),
                "quantisation": dict(model.report),
            }
        )
        return
    trained = saved.training
    typer.echo(f"{model.model}: {model.rule} for {model.program.target}, {model.objective}")
    typer.echo(f"program_sha256 {model.sha256}")
    if trained is not None and not trained.data:
        typer.echo(f"saved by a session, rounding {trained.rounding}, seed {trained.seed}")
    elif trained is not None:
        state = "checkpoint after" if saved.state is not None else "trained for"
        typer.echo(
            f"{state} {trained.epochs} epochs of {trained.samples} samples of {trained.data}"
            + (f", and {trained.shown} samples" if trained.shown else "")
        )
    schedule = model.program.schedule
    typer.echo(f"a sample takes {schedule.period} steps, its answer {schedule.inference_end}")
    rows = [
        [p.name, str(p.size), p.neuron.name, ", ".join(map(str, p.cores))]
        for p in model.program.populations
    ]
    print_table("", ["population", "neurons", "program", "cores"], rows)
    plastic = {p.synapses for p in model.program.plasticity}
    rows = [
        [
            g.name,
            f"{g.pre} -> {g.post}",
            _weights(model.program, g),
            g.role,
            "learns" if g.name in plastic else f"mirrors {g.mirror}" if g.mirror else "fixed",
        ]
        for g in model.program.synapses
    ]
    print_table("", ["synapses", "from -> to", "weights", "role", "learning"], rows)
    typer.echo(
        f"{used.chips} chip(s), {used.cores} cores, {used.bytes} bytes; fullest: {used.bottleneck}"
    )
    if used.mend:
        typer.echo(f"hint: {used.mend}")
    costs = (placed.chosen, placed.linear, placed.random)
    hops = [f"{cost.hops:g}" for cost in costs]
    typer.echo(f"hops if each line sends once: {hops[0]}; linear {hops[1]}, random {hops[2]}")
    for name, value in model.report.items():
        typer.echo(f"{name} {value:.6g}")
    if text:
        typer.echo(printed.rstrip("\n"))


def _weights(program: Program, group: Synapses) -> str:
    """Return the shape of a group's weights, and how it is connected where that is no matrix."""
    from hebbite.compiler.program.connectivity import Dense

    shape = " x ".join(map(str, program.tensors[group.weight].shape))
    kind = "" if isinstance(group.connect, Dense) else f", {type(group.connect).__name__.lower()}"
    return shape + kind
