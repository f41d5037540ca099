"""What stands between a request and a program: rule, network, objective and chip held together.

Everything that is wrong is returned at once; nothing is converted. Each question has a file in
`hebbite.compiler.checks`.
"""

from __future__ import annotations

from hebbite.compiler.checks.chip import problems_of_rule
from hebbite.compiler.checks.objective import problems_of_objective
from hebbite.compiler.checks.shape import problems_of_shape
from hebbite.compiler.checks.shared import kept_weights, problems_of_shared
from hebbite.compiler.checks.spiking import problems_in_time
from hebbite.compiler.graph import Graph
from hebbite.compiler.lowering.chain import network_of
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import load_target
from hebbite.rules.errors import HebbiteError, Problem
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule


def problems_of_request(
    graph: Graph, rule: LearningRule, objective: Objective, settings: Settings
) -> tuple[Problem, ...]:
    """Return why this request has no program (HB0402..HB0408, HB0413..HB0417, HB0423,
    HB0424, HB0496)."""
    others = (
        *problems_of_rule(rule, settings, load_target(settings.target)),
        *problems_of_objective(graph, rule, objective, settings),
    )
    try:
        network = network_of(graph)
    except HebbiteError as error:
        return (*error.problems, *others)
    return (
        *others,
        *problems_of_shared(network, rule, settings),
        *problems_of_shape(network, rule, objective, settings),
        *problems_in_time(network, rule, settings),
    )


def notes_of_request(graph: Graph, rule: LearningRule, settings: Settings) -> tuple[Problem, ...]:
    """Return what a sound request does that its words do not say (HB0425)."""
    return kept_weights(network_of(graph), rule, settings)
