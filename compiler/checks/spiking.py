"""Networks in time: spiking units that learn from errors, and populations that hear themselves."""

from __future__ import annotations

from hebbite.compiler.lowering.network import Network
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem
from hebbite.rules.rule import LearningRule


def problems_in_time(
    network: Network, rule: LearningRule, settings: Settings
) -> tuple[Problem, ...]:
    """Return why these units have no such program (HB0415..HB0417)."""
    by_errors = settings.neuron == "lif" and rule.signal == "error"
    found = [] if by_errors else _recurrence(network, settings)
    return (*found, *(_of_errors(network, rule, settings) if by_errors else ()))


def _recurrence(network: Network, settings: Settings) -> list[Problem]:
    """Refuse populations that hear themselves where their lowering knows no time (HB0417)."""
    hint = "--neuron lif --encode rate --rule eprop"
    needs = "needs LIF units that learn from errors"
    found: list[Problem] = []
    if settings.recurrent:
        found.append(Problem("HB0417", f"the setting 'recurrent' {needs}", hint=hint))
    for stage in network.stages:
        if stage.recurrent is not None:
            what = f"'{stage.name}' hears itself, which {needs}"
            found.append(Problem("HB0417", what, f"%{stage.name}", stage.origin, hint))
    return found


def _of_errors(network: Network, rule: LearningRule, settings: Settings) -> list[Problem]:
    """Return what is wrong with spiking units that are to learn from errors."""
    found: list[Problem] = []
    if rule.steps >= settings.window:
        what = f"learning in the last {rule.steps} steps leaves nothing of {settings.window}"
        hint = f"--set window={rule.steps + 1}, or fewer steps"
        found.append(Problem("HB0416", what, f"rule {rule.name}", hint=hint))
    copies = rule.feedback.weights == "transpose" and rule.feedback.delivery == "direct"
    if copies and rule.learns == "all" and len(network.stages) > 2:
        what = "copied weights of the readout lead to the population below it alone"
        hint = "feedback=random, or one hidden population"
        found.append(Problem("HB0415", what, f"rule {rule.name}", hint=hint))
    return found
