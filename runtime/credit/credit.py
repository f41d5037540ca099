"""The credit report: every rule, at several moments of training, against the exact gradient.

In: a model, rules, an objective, data. Every rule is trained on its own, on the chip's program; at
each moment its update is measured on the same training samples, in real numbers and as the chip
writes it. Backpropagation through time, which no chip runs, trains spiking units on the host
instead, in real numbers alone, and its rows say so. Nothing is taken from the test part, and
nothing here changes the training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import producer
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.registry import parse_rule
from hebbite.runtime.credit.build import refuse_without_twin
from hebbite.runtime.credit.moment import Moment
from hebbite.runtime.credit.row import Arithmetic, Row, Travelled
from hebbite.runtime.credit.spiking.host import HostTraining, host_rows
from hebbite.runtime.credit.spiking.moment import SpikingMoment
from hebbite.runtime.credit.threads import one_thread
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.plan import CALIBRATION_SAMPLES
from hebbite.runtime.session import Session

CARRIER = "stdp"
"""The rule whose lowering gives the network of a host reference its weights and thresholds."""
UNIT = "squared payload units a sample"


@dataclass(frozen=True)
class CreditPlan:
    """What is measured.

    at        epochs after which to measure, 0 is before training; () for 0, 1, 2, 4 ... epochs
    samples   training samples that gradient and updates are taken over
    draws     how often a program whose neurons draw random numbers is run on each sample
    """

    rules: tuple[str, ...] = ("backprop", "dfa", "fa", "frozen")
    objective: str = "classification"
    data: str = "digits"
    epochs: int = 8
    at: tuple[int, ...] = ()
    samples: int = 256
    draws: int = 8
    seeds: tuple[int, ...] = (0,)
    train_samples: int = 0
    engine: str = "native"
    rounding: str = "independent"
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        """Check the numbers (HB0119)."""
        wrong = [epoch for epoch in self.at if not 0 <= epoch <= self.epochs]
        if wrong:
            what = f"there is no moment after epoch {wrong[0]} of {self.epochs}"
            raise UsageError(Problem("HB0119", what, hint=f"--at 0,1,{self.epochs}"))
        if not self.rules or not self.seeds or self.samples < 2 or self.draws < 2:
            what = "credit needs a rule, a seed, two samples and two draws"
            raise UsageError(Problem("HB0119", what))

    @property
    def moments(self) -> tuple[int, ...]:
        """The epochs after which to measure, in order."""
        if self.at:
            return tuple(sorted(set(self.at)))
        doubling = {2**k for k in range(self.epochs.bit_length()) if 2**k <= self.epochs}
        return tuple(sorted({0, self.epochs} | doubling))


@dataclass(frozen=True, eq=False)
class CreditReport:
    """Rows, and where they come from."""

    rows: tuple[Row, ...]
    provenance: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return what ``hebbite credit --json`` prints."""
        return {"rows": [row.to_json() for row in self.rows], "provenance": self.provenance}


def credit(
    model: str | Path | Graph,
    plan: CreditPlan | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> CreditReport:
    """Return the credit report of a model.

    Raises:
        HebbiteError: whatever is wrong with the request; nothing is trained before it is known.
    """
    chosen = plan or CreditPlan()
    graph = model if isinstance(model, Graph) else load_model(model)
    jobs = [
        (seed, _compiled(graph, chosen, rule, seed))
        for seed in chosen.seeds
        for rule in chosen.rules
    ]
    for _, compiled in jobs:
        if compiled.settings.neuron == "graded":
            refuse_without_twin(compiled)
    rows: list[Row] = []
    with one_thread():
        for seed, compiled in jobs:
            dataset = load_dataset(chosen.data, seed=seed)
            for epoch, found in _trained(compiled, dataset, chosen, seed):
                rows += found
                if progress is not None:
                    progress(f"{compiled.rule.text}, seed {seed}: measured after epoch {epoch}")
    return CreditReport(tuple(rows), _provenance(chosen, jobs[0][1]))


def moment_of(
    compiled: Compiled, x: Samples, y: NDArray[np.generic], *, draws: int
) -> Moment | SpikingMoment:
    """Return a model with the weights as they stand, ready to be measured on samples."""
    if compiled.settings.neuron == "graded":
        return Moment(compiled, x, y, draws)
    return SpikingMoment(compiled, x, y, draws)


def measured(
    moment: Moment | SpikingMoment,
    *,
    seed: int,
    epoch: int,
    validation: float,
    travelled: Travelled | None = None,
) -> list[Row]:
    """Return the two rows of a moment: real numbers, and what the chip writes."""
    compiled = moment.compiled
    rows = []
    for arithmetic in get_args(Arithmetic):
        found = moment.figures(arithmetic)
        rows.append(
            Row(
                rule=compiled.rule.name,
                rule_text=compiled.rule.text,
                objective=compiled.objective.text,
                seed=seed,
                epoch=epoch,
                arithmetic=arithmetic,
                layers=found.layers,
                total=found.total,
                step=found.step,
                rate=moment.rate,
                value=moment.value,
                validation=validation,
                samples=len(moment.x),
                draws=moment.sampled,
                surrogate=moment.surrogate,
                travelled=travelled if arithmetic == "chip" else None,
            )
        )
    return rows


def _compiled(graph: Graph, plan: CreditPlan, rule: str, seed: int) -> Compiled:
    """Return the model of a rule; that of a host reference is the network under `CARRIER`."""
    dataset = load_dataset(plan.data, seed=seed)
    wanted = parse_rule(rule)
    on_host = wanted.name == "bptt" and plan.settings.neuron == "lif"
    compiled = compile(
        graph,
        rule=CARRIER if on_host else wanted,
        objective=plan.objective,
        settings=replace(plan.settings, seed=seed),
        calibration=dataset.x_train[:CALIBRATION_SAMPLES].astype(np.float64),
    )
    return replace(compiled, rule=wanted)


def _trained(
    compiled: Compiled, dataset: Dataset, plan: CreditPlan, seed: int
) -> Iterator[tuple[int, list[Row]]]:
    """Train, and yield (epoch, rows) at every moment."""
    count = plan.train_samples or len(dataset.x_train)
    x = dataset.x_train[:count].astype(np.float64)
    y = dataset.y_train[:count]
    held = dataset.x_validation.astype(np.float64), dataset.y_validation
    if not compiled.rule.runs_on_chip:
        training = HostTraining((x, y), held, plan.moments, plan.samples)
        yield from host_rows(compiled, training, seed=seed)
        return
    start: Moment | SpikingMoment | None = None
    since = 0
    with Session(compiled, engine=plan.engine, rounding=plan.rounding, seed=seed) as session:
        for epoch in range(plan.moments[-1] + 1):
            if epoch:
                session.fit(x, y, epochs=1, first_epoch=epoch - 1)
            if epoch not in plan.moments:
                continue
            size = plan.samples
            now = moment_of(session.snapshot(), x[:size], y[:size], draws=plan.draws)
            way = _travelled(start, now, since)
            score = session.evaluate(*held)
            rows = measured(now, seed=seed, epoch=epoch, validation=score, travelled=way)
            yield epoch, rows
            start, since = now, epoch


def _travelled(
    start: Moment | SpikingMoment | None, now: Moment | SpikingMoment, epoch: int
) -> Travelled | None:
    if isinstance(start, Moment) and isinstance(now, Moment):
        return now.travelled(start, epoch)
    if isinstance(start, SpikingMoment) and isinstance(now, SpikingMoment):
        return now.travelled(start, epoch)
    assert start is None, "a model does not change its kind"
    return None


def _provenance(plan: CreditPlan, first: Compiled) -> dict[str, object]:
    return {
        "producer": producer(),
        "model": first.model,
        "objective": first.objective.text,
        "objective_unit": UNIT,
        "data": plan.data,
        "epochs": plan.epochs,
        "moments": list(plan.moments),
        "seeds": list(plan.seeds),
        "engine": plan.engine,
        "rounding": plan.rounding,
        "gradient": "with respect to stored weights, in their steps",
        "ran_on": "this computer; no chip was used",
    }
