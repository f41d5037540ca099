"""``hebbite check``: everything that is wrong with a request, at once; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from hebbite.rules.errors import HebbiteError, Problem
from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json

if TYPE_CHECKING:
    from hebbite.compiler.graph import Graph
    from hebbite.compiler.settings import Settings
    from hebbite.rules.rule import LearningRule

T = TypeVar("T")


def check(
    model: options.Model,
    rule: options.Rule = "dfa",
    objective: options.Goal = "classification",
    target: options.Target = "loihi2",
    neuron: options.Neuron = "graded",
    encode: options.Encode = "none",
    init: options.Init = "keep",
    seed: options.Seed = 0,
    recurrent: options.Recurrent = False,
    further: options.Set = [],  # noqa: B006 - typer copies it
    chips: options.Chips = 1,
    no_split: options.NoSplit = False,
    bias: options.Bias = "",
    dt: options.Dt = "",
    reset: options.Reset = "",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List every problem of a model, its rule, objective and target. Exit 1 if there is any."""

    def settings() -> Settings:
        return requests.settings_of(
            target=target,
            neuron=neuron,
            encode=encode,
            init=init,
            seed=seed,
            recurrent=recurrent,
            further=further,
        )

    graph, problems, learning = problems_of(
        model,
        rule=rule,
        objective=objective,
        settings=settings,
        target=target,
        chips=chips,
        split=not no_split,
    )
    ops = dict(sorted(Counter(node.op for node in graph.nodes).items())) if graph else {}
    notes = () if problems else requests.notes_of(graph, learning, settings())
    if as_json:
        listed = [problem.to_json() for problem in problems]
        print_json({"ok": not problems, "problems": listed, "ops": ops, **_told(learning, notes)})
    else:
        typer.echo("\n".join(map(str, problems)) or _fine(model, ops))
        for line in (*_lines(learning), *(f"note {note}" for note in notes)):
            typer.echo(line)
    raise typer.Exit(1 if problems else 0)


def _fine(model: Path, ops: dict[str, int]) -> str:
    counted = ", ".join(f"{count} {op}" for op, count in ops.items())
    return f"{model.name}: no problems ({counted})"


def _told(rule: LearningRule | None, notes: tuple[Problem, ...]) -> dict[str, object]:
    """Return notes, where there are any, and what became of real coefficients; nothing for a rule
    in the chip's own scales."""
    from hebbite.rules.scale import scale_errors, scale_warnings

    noted: dict[str, object] = {"notes": [note.to_json() for note in notes]} if notes else {}
    if rule is None or not rule.real:
        return noted
    return {
        **noted,
        "rule_errors": [found.to_json() for found in scale_errors(rule)],
        "warnings": [warning.to_json() for warning in scale_warnings(rule)],
    }


def _lines(rule: LearningRule | None) -> list[str]:
    from hebbite.rules.scale import scale_errors, scale_warnings

    if rule is None:
        return []
    return [*map(str, scale_errors(rule)), *(f"warning {w}" for w in scale_warnings(rule))]


def problems_of(
    model: Path,
    *,
    rule: str,
    objective: str,
    target: str,
    settings: Callable[[], Settings],
    chips: int,
    split: bool,
) -> tuple[Graph | None, tuple[Problem, ...], LearningRule | None]:
    """Return graph and rule, as far as they can be read, and every problem."""
    from hebbite.compiler.check import problems_of_request
    from hebbite.compiler.compile import compile
    from hebbite.compiler.lowering.chain import network_of
    from hebbite.compiler.targets import load_target
    from hebbite.rules.objectives import parse_objective
    from hebbite.rules.registry import examine_rule

    found: list[Problem] = []

    def attempt(work: Callable[[], T]) -> T | None:
        try:
            return work()
        except HebbiteError as error:
            found.extend(error.problems)
            return None

    graph = attempt(lambda: requests.read_graph(model))
    learning, unsound = attempt(lambda: examine_rule(requests.rule_text(rule))) or (None, ())
    found.extend(unsound)
    goal = attempt(lambda: parse_objective(objective))
    chosen = attempt(settings)
    if graph is None or learning is None or goal is None or chosen is None:
        attempt(lambda: load_target(target))
        if graph is not None:
            attempt(lambda: network_of(graph))
        return graph, tuple(found), learning
    found.extend(attempt(lambda: problems_of_request(graph, learning, goal, chosen)) or ())
    if not found:  # whether it fits is known once there is a program
        attempt(
            lambda: compile(
                graph, rule=learning, objective=goal, settings=chosen, chips=chips, split=split
            )
        )
    return graph, tuple(found), learning
