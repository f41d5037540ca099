"""``hebbite evaluate``: accuracy of a compiled model on the test part of a data set."""

from __future__ import annotations

import typer

from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json, say
from hebbite.runtime.cli.waiting import Bar

CHUNK = 512


def evaluate(
    file: options.File,
    data: options.Data = "",
    engine: options.Engine = "native",
    rounding: options.Rounding = "independent",
    seed: options.AnySeed = None,
    hardware: options.Hardware = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Evaluate a compiled or trained model; by default on the data that it was trained on."""
    import numpy as np

    from hebbite.runtime.session import Session

    saved = requests.open_saved(file)
    known, model = saved.training, saved.compiled
    if known and not known.data:  # saved by a session, which knows arrays only
        known = None
    default = known.split_seed if known else model.program.seed
    chosen = default if seed is None else seed
    if known and chosen != default:
        say(f"trained on the split of seed {default}: another split tests on training samples")
    dataset = requests.dataset_of(data or (known.data if known else "digits"), seed=chosen)
    requests.check_fit(model, dataset)
    x, y = dataset.x_test.astype(np.float64), dataset.y_test
    runs = []
    with (
        Session(model, engine=engine, rounding=rounding) as session,
        Bar(len(x), "evaluating", quiet=quiet) as bar,
    ):
        for first in range(0, len(x), CHUNK):

            def reach(done: int, before: int = first) -> None:
                bar.reach(before + done)

            runs.append(session.run(x[first : first + CHUNK], tick=reach))
        counters = session.counters
    assert counters is not None, "a data set holds a sample"
    answers = np.concatenate([run.answers for run in runs])
    accuracy = float(np.mean(np.argmax(answers, axis=1) == y))
    if not as_json:
        typer.echo(f"accuracy {accuracy:.4f}  ({dataset.name}, {len(x)} test samples)")
        typer.echo(f"engine {engine}, rounding {rounding}, split seed {chosen}")
        return
    print_json(
        {
            "engine": engine,
            "rounding": rounding,
            "seed": chosen,
            "data": dataset.name,
            "split": dataset.split,
            "accuracy": accuracy,
            "counters": counters.to_json(),
            "wall_s": sum(run.wall_s for run in runs),
            "steps": sum(run.steps for run in runs),
            "samples": len(x),
            "program_sha256": model.sha256,
        }
    )
