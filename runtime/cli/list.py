"""``hebbite list``: what there is of a kind, what each can do, and why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.runtime.cli import options
from hebbite.runtime.cli.output import print_json, print_table

Row = dict[str, str]
Full = dict[str, object]


def _rules() -> list[Row]:
    from hebbite.rules.listing import list_rules
    from hebbite.rules.options import options_of
    from hebbite.rules.registry import RULES

    rows = []
    for row in list_rules():
        rule = RULES[row.name]()
        rows.append(
            {
                "name": row.name,
                "networks": ", ".join(row.networks),
                "on chip": "yes" if rule.runs_on_chip else f"no: {rule.reason}",
                "chips": ", ".join(chip for chip, why in row.refused if not why),
                "feedback": rule.locality.feedback,
                "options": ", ".join(options_of(RULES[row.name])),
                "equation": row.equation,
                "refused by": "; ".join(f"{chip}: {why}" for chip, why in row.refused if why),
            }
        )
    return rows


def _assignments() -> list[Full]:
    """Return what is held against each rule, for JSON: a row a rule, as `_rules` orders them."""
    from hebbite.rules.assignment import assignment_of
    from hebbite.rules.registry import RULES

    return [assignment_of(factory()).to_json() for factory in RULES.values()]


def _goals() -> list[Full]:
    """Return what each objective asks of samples, host and chip, for JSON."""
    from hebbite.rules.objectives import OBJECTIVES

    return [
        {
            "text": goal.text,
            "teaches": goal.teaches,
            "judged_by_host": goal.judged_by_host,
            "one_sided": goal.one_sided,
            "hidden_terms": [term.kind for term in goal.hidden],
            "target_rate": goal.target_rate,
            "margin": goal.margin,
        }
        for goal in (factory() for factory in OBJECTIVES.values())
    ]


def _objectives() -> list[Row]:
    from hebbite.rules.objectives import OBJECTIVES
    from hebbite.rules.options import options_of

    return [
        {"name": name, "loss": factory().loss, "options": ", ".join(options_of(factory))}
        for name, factory in OBJECTIVES.items()
    ]


def _targets() -> list[Row]:
    from hebbite.compiler.targets import list_targets, load_target

    rows = []
    for name in list_targets():
        target = load_target(name)
        rows.append(
            {
                "name": name,
                "title": target.title,
                "graded messages": "yes" if target.can("graded_messages") else "no: bare spikes",
                "three-factor rules": "yes"
                if target.can("neuron_traces")
                else "no: y1..y3 are fixed",
                "weight bits": str(target.weight_bits.value),
            }
        )
    return rows


def engine_rows() -> list[Row]:
    """Return every engine, whether it can run here, and what it cannot do."""
    from hebbite.runtime.engines.lava.shim import PIP_LINE, lava_installed
    from hebbite.runtime.engines.registry import ENGINES, ON_LAVA

    lava = "yes" if lava_installed() else f"no: {PIP_LINE}"
    here = dict.fromkeys(ON_LAVA, lava)
    cannot = {
        "lava": "independent rounding; resuming a training",
        "lava-fused": "other Lava back ends than the CPU; Lava monitors inside the program",
        "reference": "large networks: it is written to be read",
        "native": "",
    }
    return [
        {"name": name, "runs here": here.get(name, "yes"), "cannot": cannot.get(name, "")}
        for name in ENGINES
    ]


def _ops() -> list[Row]:
    from hebbite.compiler.ops import OPS

    return [
        {"name": name, "ONNX": ", ".join(sorted(op.onnx)), "needs": ", ".join(op.required)}
        for name, op in OPS.items()
    ]


def _neurons() -> list[Row]:
    from hebbite.compiler.neurons import NEURONS

    return [
        {
            "name": name,
            "parameters": ", ".join(neuron.parameters),
            "instructions": str(len(neuron.instructions)),
        }
        for name, neuron in NEURONS.items()
    ]


def _profiles() -> list[Row]:
    from hebbite.runtime.energy import list_profiles, load_profile

    found = [load_profile(name) for name in list_profiles()]
    return [{"name": p.name, "chip": p.target, "title": p.title, "note": p.note} for p in found]


KINDS: dict[str, Callable[[], list[Row]]] = {
    "rules": _rules,
    "objectives": _objectives,
    "targets": _targets,
    "engines": engine_rows,
    "ops": _ops,
    "neurons": _neurons,
    "profiles": _profiles,
}
FURTHER: dict[str, Callable[[], list[Full]]] = {"rules": _assignments, "objectives": _goals}
"""What JSON says of a kind beyond the columns of its table."""
Markdown = Annotated[bool, typer.Option("--markdown", help="rules as the table of docs/rules.md")]
Kind = Annotated[str, typer.Argument(help=" | ".join(KINDS), show_default=False)]


def list_kind(
    kind: Kind,
    markdown: Markdown = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List what there is of a kind, with what each can do and why not."""
    if kind not in KINDS:
        raise UsageError(Problem("HB0160", f"cannot list '{kind}'", hint=near(kind, KINDS)))
    if markdown:
        _print_markdown(kind)
        return
    rows = KINDS[kind]()
    if as_json:
        further = FURTHER[kind]() if kind in FURTHER else [{}] * len(rows)
        print_json({kind: [{**row, **more} for row, more in zip(rows, further, strict=True)]})
        return
    print_table("", list(rows[0]), [list(row.values()) for row in rows])


def _print_markdown(kind: str) -> None:
    from hebbite.rules.assignment import markdown_of
    from hebbite.rules.registry import RULES

    if kind != "rules":
        what = f"there is no table of {kind} in Markdown"
        raise UsageError(Problem("HB0164", what, hint="hebbite list rules --markdown"))
    typer.echo(markdown_of(tuple(factory() for factory in RULES.values())))
