"""From a model, a rule and an objective to a compiled model: the pipeline in one place.

model file -> graph -> (chain of stages) -> integers -> program -> placed program
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.draws import bell, uniform
from hebbite.compiler.capacity import check_capacity
from hebbite.compiler.check import problems_of_request
from hebbite.compiler.coding import Samples, frames_of
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.lowering.chain import network_of
from hebbite.compiler.lowering.network import Network, Stage
from hebbite.compiler.lowering.registry import lower
from hebbite.compiler.lowering.request import Request
from hebbite.compiler.passes.place import Place
from hebbite.compiler.program.verify import verify_program
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import load_target
from hebbite.rules.errors import Problem, UnsupportedError, UsageError
from hebbite.rules.objectives import Objective, parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.rules.scale import scale_report

Real = NDArray[np.float64]
RECURRENT_SHARE = 0.5
NOISE_SAMPLES = 256
"""Samples of uniform noise that set the scales where no calibration data are given."""


def compile(
    model: str | Path | Graph,
    *,
    rule: str | LearningRule = "dfa",
    objective: str | Objective = "classification",
    settings: Settings | None = None,
    calibration: Samples | None = None,
    chips: int = 1,
    split: bool = True,
    order: str = "hops",
) -> Compiled:
    """Return the chip program of a model that learns by ``rule``.

    Args:
        model: a file that `hebbite.load` reads (``.onnx``, graph text), or a graph.
        rule: a name, ``name(option=value)``, the text of a rule, or a rule.
        objective: likewise.
        settings: every other choice.
        calibration: real inputs (samples, features...) that set scales and thresholds; without
            them uniform noise in [0, 1) stands in, and the report says so.
        chips: chips that the program may use; ``split``: whether a population may span cores.
        order: of the cores, ``hops``: those between which messages take few hops, or ``linear``.

    Raises:
        HebbiteError: whatever is wrong with the request, all of it at once where possible.
    """
    chosen = settings or Settings()
    graph = model if isinstance(model, Graph) else load_model(model)
    learning = parse_rule(rule) if isinstance(rule, str) else rule
    goal = parse_objective(objective) if isinstance(objective, str) else objective
    problems = problems_of_request(graph, learning, goal, chosen)
    if problems:
        raise UnsupportedError(*problems)
    network = _started(network_of(graph), chosen)
    data, known = _calibration(network, calibration)
    lowered = lower(Request(network, data, learning, goal, chosen, load_target(chosen.target)))
    program = Place(chips=chips, split=split, order=order).apply(lowered.program)
    check_capacity(program, chips=chips)
    verify_program(program, running="place")
    return Compiled(
        program=program,
        coding=lowered.coding,
        rule=learning,
        objective=goal,
        settings=chosen,
        model=graph.name,
        source_sha256=_fingerprint(model),
        report={
            **lowered.report,
            **scale_report(learning),
            "calibration_samples": float(len(data) if known else 0),
        },
    )


def _started(network: Network, settings: Settings) -> Network:
    """Return the network with the weights that learning starts from."""
    stages = network.stages
    if settings.init == "random":
        stages = tuple(
            stage if stage.is_shared else _fresh(stage, settings.seed) for stage in stages
        )
    if settings.recurrent:
        stages = (*(_hearing_itself(stage, settings.seed) for stage in stages[:-1]), stages[-1])
    return replace(network, stages=stages)


def _fresh(stage: Stage, seed: int) -> Stage:
    """Return a stage with random weights and no bias."""
    outputs, inputs = stage.weight.shape
    weight = _within_reach((outputs, inputs), seed=seed, name=f"weight {stage.name}")
    again = stage.recurrent
    if again is not None:
        again = _within_reach(again.shape, seed=seed, name=f"recurrent weight {stage.name}")
    return replace(stage, weight=weight, bias=np.zeros(outputs, np.float64), recurrent=again)


def _within_reach(shape: tuple[int, ...], *, seed: int, name: str) -> Real:
    reach = float(np.sqrt(6 / sum(shape)))
    return (2 * uniform(shape, seed=seed, name=name) - 1) * reach


def _hearing_itself(stage: Stage, seed: int) -> Stage:
    """Return a stage with recurrent weights: those it has, or random ones half as large as its
    others, root mean squares compared."""
    if stage.recurrent is not None:
        return stage
    size = len(stage.weight)
    rms = float(np.sqrt(np.mean(stage.weight**2)))
    drawn = bell((size, size), seed=seed, name=f"recurrent {stage.name}")
    return replace(stage, recurrent=drawn * rms * RECURRENT_SHARE)


def _calibration(network: Network, given: Samples | None) -> tuple[Real, bool]:
    """Return calibration data (samples, features), or (samples, T, features) of a series, and
    whether they are the user's (HB0130).
    """
    if given is None:
        return uniform((NOISE_SAMPLES, network.input_size), seed=0, name="calibration"), False
    flat = frames_of(np.asarray(given, np.float64), network.input_size)
    if flat.shape[-1] != network.input_size or not len(flat) or not np.isfinite(flat).all():
        what = f"calibration data {np.shape(given)} do not fit {network.input_size} finite inputs"
        raise UsageError(Problem("HB0130", what, origin=network.input_origin))
    return flat, True


def _fingerprint(model: str | Path | Graph) -> str:
    if isinstance(model, Graph):
        return hashlib.sha256(str(model).encode()).hexdigest()
    return hashlib.sha256(Path(model).read_bytes()).hexdigest()
