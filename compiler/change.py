"""A compiled model with other constants in its learning rule: the same program but for its sums.

In: a compiled model and a rule of the same structure. Out: the model that learns by it. A lowering
may have added to the constants of a rule (x1 is read as x1 - 64 where payloads have a sign); what
it added is added again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.difference import difference, shape_of
from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.rule import LearningRule
from hebbite.rules.scale import scale_report
from hebbite.rules.sums import Product, SumOfProducts


@dataclass(frozen=True, eq=False)
class Change:
    """The model that learns by the new rule, and how many products changed, a group."""

    model: Compiled
    products: tuple[tuple[str, int], ...]


def with_rule(model: Compiled, rule: LearningRule) -> Change:
    """Return a model whose rule has other constants.

    Raises:
        UsageError: HB0142 if anything but mantissas, exponents and constants differs.
        VerifyError: HB04xx if the new constants break the law of programs.
    """
    why = difference(model.rule, rule)
    if why:
        raise _refusal(rule, why)
    plasticity = tuple(_changed(model, group, rule) for group in model.program.plasticity)
    program = replace(model.program, plasticity=plasticity)
    verify_program(program, running="change of rule")
    report = {k: v for k, v in model.report.items() if not k.startswith("rule_error.")}
    report |= scale_report(rule)
    return Change(
        replace(model, program=program, rule=rule, report=report),
        _counted(model.program, program),
    )


def _changed(model: Compiled, group: Plasticity, rule: LearningRule) -> Plasticity:
    end = model.program.group(group.synapses)
    old, new = model.rule.dw, rule.dw
    if end.role == "feedback" and model.rule.feedback_dw and rule.feedback_dw:
        old, new = model.rule.feedback_dw, rule.feedback_dw
    elif end.post == model.program.readout.population and model.rule.readout_dw and rule.readout_dw:
        old, new = model.rule.readout_dw, rule.readout_dw
    dt = group.dt
    if dt is not None and model.rule.dt is not None and rule.dt is not None:
        dt = _carried(dt, model.rule.dt, rule.dt, rule)
    return replace(group, dw=_carried(group.dw, old, new, rule), dt=dt)


def _carried(
    lowered: SumOfProducts, old: SumOfProducts, new: SumOfProducts, rule: LearningRule
) -> SumOfProducts:
    """Return ``new`` as the lowering would write it that made ``lowered`` of ``old``."""
    if len(lowered.products) != len(old.products):
        raise _refusal(rule, f"the program learns by {lowered}, not by {old}")
    return SumOfProducts(
        lowered.target,
        tuple(
            _product(*products, rule)
            for products in zip(lowered.products, old.products, new.products, strict=True)
        ),
    )


def _product(lowered: Product, old: Product, new: Product, rule: LearningRule) -> Product:
    scale = (lowered.mantissa, lowered.exponent)
    if shape_of(lowered) != shape_of(old) or scale != (old.mantissa, old.exponent):
        raise _refusal(rule, f"the program learns by {lowered}, not by {old}")
    factors = tuple(
        replace(after, constant=after.constant + made.constant - before.constant)
        for made, before, after in zip(lowered.factors, old.factors, new.factors, strict=True)
    )
    return replace(new, factors=factors)


def _counted(old: Program, new: Program) -> tuple[tuple[str, int], ...]:
    """Return how many products differ, a group."""
    pairs = zip(old.plasticity, new.plasticity, strict=True)
    return tuple((before.synapses, _differing(before, after)) for before, after in pairs)


def _differing(before: Plasticity, after: Plasticity) -> int:
    return sum(
        one != other
        for mine, theirs in zip(before.sums, after.sums, strict=True)
        for one, other in zip(mine.products, theirs.products, strict=True)
    )


def _refusal(rule: LearningRule, why: str) -> UsageError:
    what = f"a running session cannot learn by '{rule.name}': {why}"
    hint = "compile the model by that rule: only mantissas, exponents and constants may change"
    return UsageError(Problem("HB0142", what, at=rule.text, hint=hint))
