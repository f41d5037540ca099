"""The plan of a comparison, and its trainings made ready: compiled, none of them done.

In: a plan and the rules that it comes to. Out: a `Trial` a cell. A seed sets the split, the
feedback, the order of samples, the rounding, and with ``init=random`` the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.energy import check_watts
from hebbite.runtime.training import plan_of
from hebbite.runtime.trial import Trial, chance_of, sha256_of

CALIBRATION_SAMPLES = 1000
"""Training samples whose activity sets the scales of a compiled program."""


@dataclass(frozen=True)
class Plan:
    """What is compared.

    train_samples  samples an epoch, 0 takes all
    profiles       energy profiles, () every one there is
    board_watts    stated power of everything around the chips, W; None: nothing is stated
    to_accuracy    validation accuracy in (0, 1] whose joules are asked for
    calibrate      choose rate and gain of every error-driven rule that is given without options,
                   for every seed on its own validation part, before anything is compared
    sensitivity    train every error-driven rule at half and at twice its rate too
    """

    rules: tuple[str, ...]
    objectives: tuple[str, ...] = ("classification",)
    targets: tuple[str, ...] = ("loihi2",)
    seeds: tuple[int, ...] = (0,)
    data: str = "digits"
    epochs: int = 10
    train_samples: int = 0
    engine: str = "native"
    rounding: str = "independent"
    settings: Settings = field(default_factory=Settings)
    chips: int = 1
    profiles: tuple[str, ...] = ()
    board_watts: float | None = None
    to_accuracy: float = 0.9
    calibrate: bool = False
    sensitivity: bool = False

    def check(self) -> None:
        """Refuse a plan of nothing.

        Raises:
            UsageError: HB0107 without a rule, an objective, a target, a seed or an epoch, HB0117
                for an accuracy that cannot be, HB0512 for a power that cannot.
        """
        if not all((self.rules, self.objectives, self.targets, self.seeds)) or self.epochs < 1:
            what = "comparing needs a rule, an objective, a target, a seed and an epoch"
            raise UsageError(Problem("HB0107", what))
        if not 0.0 < self.to_accuracy <= 1.0:
            what = f"an accuracy is above 0 and at most 1, not {self.to_accuracy}"
            raise UsageError(Problem("HB0117", what, hint="--to-accuracy 0.9"))
        check_watts(self.board_watts)


@dataclass(frozen=True)
class Cell:
    """One training: rule and objective as their full texts, a target and a seed."""

    rule: str
    objective: str
    target: str
    seed: int


def trials_of(graph: Graph, sha256: str, plan: Plan, cells: Sequence[Cell]) -> dict[Cell, Trial]:
    """Return the training of every cell; all are compiled before any is done.

    ``sha256`` names the model file. A data set is loaded once a seed, and held no longer than it
    takes to compile.
    """
    made: dict[Cell, Trial] = {}
    for seed in dict.fromkeys(cell.seed for cell in cells):
        dataset = load_dataset(plan.data, seed=seed)
        known = sha256_of(dataset)
        for cell in cells:
            if cell.seed == seed:
                made[cell] = _trial(graph, sha256, plan, cell, dataset=dataset, data_sha256=known)
    return {cell: made[cell] for cell in cells}


def _trial(
    graph: Graph,
    sha256: str,
    plan: Plan,
    cell: Cell,
    *,
    dataset: Dataset,
    data_sha256: str,
) -> Trial:
    seed = cell.seed
    compiled = compile(
        graph,
        rule=cell.rule,
        objective=cell.objective,
        settings=replace(plan.settings, target=cell.target, seed=seed),
        calibration=dataset.x_train[:CALIBRATION_SAMPLES].astype(np.float64),
        chips=plan.chips,
    )
    training = plan_of(
        compiled,
        dataset,
        epochs=plan.epochs,
        engine=plan.engine,
        rounding=plan.rounding,
        seed=seed,
        split_seed=seed,
        train_samples=plan.train_samples,
    )
    _check_answers(compiled)
    compiled = replace(compiled, source_sha256=sha256)
    split = _split(dataset, plan)
    return Trial(compiled, plan.data, data_sha256, training, split, chance_of(dataset))


def _check_answers(compiled: Compiled) -> None:
    """Refuse graded units that nobody tells a class: their outputs are no answers (HB0107)."""
    if compiled.settings.neuron == "graded" and not compiled.coding.teacher:
        rule = compiled.rule
        what = (
            f"comparing needs classes as answers; '{rule.name}' learns features, taught by nobody"
        )
        raise UsageError(Problem("HB0107", what, f"rule {rule.text}"))


def _split(dataset: Dataset, plan: Plan) -> str:
    if len(plan.seeds) == 1:
        return dataset.split
    sizes = dataset.split.split(":", 1)[-1].strip()
    return f"stratified, a split a seed: {sizes}"
