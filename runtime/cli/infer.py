"""``hebbite infer``: which objective and rule explain the weight changes that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json, print_table

if TYPE_CHECKING:
    from hebbite.runtime.infer.infer import Inference
    from hebbite.runtime.infer.row import Row

Recording = Annotated[
    Path, typer.Argument(help="what `hebbite train --record` wrote, .npz", show_default=False)
]
Goals = Annotated[
    str, typer.Option("--objectives", help="objectives to choose from, a,b(margin=0)")
]
Rules = Annotated[str, typer.Option("--rules", help="rules to choose from, a,b(option=value),c")]
FitSteps = Annotated[int, typer.Option(help="steps to fit on; 0 takes the first half", min=0)]
Seed = Annotated[int, typer.Option(help="of the bootstrap", min=0)]
COLUMNS = ("objective", "rule", "nats/step", "95 %", "other samples", "explained", "by layer")


def infer(
    recording: Recording,
    objectives: Goals = "classification,regression",
    rules: Rules = "backprop,dfa,fa,frozen",
    fit_steps: FitSteps = 0,
    seed: Seed = 0,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Infer objective and rule from recorded changes of weights."""
    from hebbite.runtime.infer.infer import infer as infer_from

    found = infer_from(
        recording,
        objectives=requests.listed(objectives),
        rules=tuple(requests.rule_typed(text) for text in requests.listed(rules)),
        fit_steps=fit_steps,
        seed=seed,
    )
    if as_json:
        print_json(found.to_json())
    else:
        print_inference(found)


def print_inference(found: Inference) -> None:
    """Print the pairs, the gradients alone, and the verdict in one sentence."""
    print_table("", COLUMNS, [_cells(row) for row in (*found.ranking, *found.gradient)])
    typer.echo(
        f"{found.verdict.reason} (fitted to {found.fit} steps, tested on {found.held_out} after)"
    )


def _cells(row: Row) -> tuple[str, ...]:
    layers = ", ".join(f"{layer.name} {_percent(layer.r2)}" for layer in row.layers)
    still = f"; {', '.join(row.refuted)} stood still" if row.refuted else ""
    return (
        row.objective,
        row.rule,
        f"{row.score:.1f}",
        f"{row.low:.1f} to {row.high:.1f}",
        f"{row.control:.1f}",
        _percent(row.r2),
        layers + still,
    )


def _percent(r2: float | None) -> str:
    return "-" if r2 is None else f"{100 * r2:.1f} %"
