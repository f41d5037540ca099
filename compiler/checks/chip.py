"""Rule and chip: whether units of this kind learn so, and whether the chip has what it takes."""

from __future__ import annotations

from hebbite.compiler.lowering.registry import LOWERINGS
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import Target
from hebbite.rules.errors import Problem
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import GATES, VARIABLES

WRITTEN = {("graded", "error"): ("x1", "y2", "y3", "w", "t")}
"""(unit, learning signal) -> what a forward synapse may read, where units write that themselves."""


def problems_of_rule(rule: LearningRule, settings: Settings, target: Target) -> list[Problem]:
    """Return why these units, or this chip, cannot learn by the rule (HB0402..HB0406, HB0496)."""
    at = f"rule {rule.name}"
    if not rule.runs_on_chip:
        return [Problem("HB0402", f"'{rule.name}' runs on no chip: {rule.reason}", at)]
    kind = "graded" if settings.neuron == "graded" else "spiking"
    found: list[Problem] = []
    if kind not in rule.networks:
        what = f"'{rule.name}' does not serve {kind} networks, only {', '.join(rule.networks)}"
        hint = "--neuron lif --encode rate" if kind == "graded" else "--neuron graded --encode none"
        found.append(Problem("HB0403", what, at, hint=hint))
    if kind == "graded" and target.can("binary_only"):
        what = f"{target.name} sends bare spikes; graded units need integer payloads"
        hint = "--target loihi2, or a spike-driven rule: --rule stdp --neuron lif --encode rate"
        found.append(Problem("HB0404", what, at, hint=hint))
    if rule.factors == 3 and not target.can("neuron_traces"):
        what = f"'{rule.name}' needs neurons that write y1..y3; {target.name} has none"
        found.append(Problem("HB0404", what, at, hint="--target loihi2"))
    if kind in rule.networks:
        found += _signal(rule, settings, at)
    if kind == "spiking" and settings.encode != "rate":
        what = "LIF units need spikes at the inputs"
        found.append(Problem("HB0406", what, hint="--encode rate"))
    if kind == "graded" and settings.encode != "none":
        what = "graded units take payloads, not a rate code"
        found.append(Problem("HB0406", what, hint="--encode none"))
    return found


def _signal(rule: LearningRule, settings: Settings, at: str) -> list[Problem]:
    """Return what the rule reads and nobody writes (HB0403, HB0496)."""
    key = settings.neuron, rule.signal
    found: list[Problem] = []
    if key not in LOWERINGS:
        known = sorted(signal for unit, signal in LOWERINGS if unit == settings.neuron)
        what = f"{settings.neuron} units do not tell their synapses '{rule.signal}'"
        found.append(Problem("HB0403", what, at, hint=f"signal {' | '.join(known)}"))
    written = (*GATES, *WRITTEN.get(key, VARIABLES))
    forward = (rule.dw,) if rule.dt is None else (rule.dw, rule.dt)
    read = dict.fromkeys(variable.name for each in forward for variable in each.variables)
    for name in read:
        if name not in written:
            what = f"{rule.name} reads {name}, which no {settings.neuron} unit writes"
            hint = "graded units write y2 - y3, their error; x1 is the activity that they receive"
            found.append(Problem("HB0496", what, at, hint=hint))
    return found
