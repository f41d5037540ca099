"""From a model, a rule and an objective to a compiled model: the pipeline in one place.

model file -> graph -> (chain of stages) -> integers -> program -> placed program
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.compiler.capacity import check_capacity
from hebbite.compiler.check import problems_of_request
from hebbite.compiler.coding import Samples
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
    program = Place(chips=chips, split=split).apply(lowered.program)
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
    if settings.init == "keep":
        return network

    def fresh(stage: Stage) -> Stage:
        outputs, inputs = stage.weight.shape
        reach = float(np.sqrt(6 / (inputs + outputs)))
        drawn = uniform((outputs, inputs), seed=settings.seed, name=f"weight {stage.name}")
        weight = (2 * drawn - 1) * reach
        return replace(stage, weight=weight, bias=np.zeros(outputs, np.float64))

    return replace(network, stages=tuple(fresh(stage) for stage in network.stages))


def _calibration(network: Network, given: Samples | None) -> tuple[Real, bool]:
    """Return calibration data (samples, features) and whether they are the user's (HB0130)."""
    if given is None:
        return uniform((NOISE_SAMPLES, network.input_size), seed=0, name="calibration"), False
    flat = np.asarray(given, np.float64).reshape(len(given), -1)
    if flat.shape[1] != network.input_size or not len(flat) or not np.isfinite(flat).all():
        what = f"calibration data {np.shape(given)} do not fit {network.input_size} finite inputs"
        raise UsageError(Problem("HB0130", what, origin=network.input_origin))
    return flat, True


def _fingerprint(model: str | Path | Graph) -> str:
    if isinstance(model, Graph):
        return hashlib.sha256(str(model).encode()).hexdigest()
    return hashlib.sha256(Path(model).read_bytes()).hexdigest()
