"""A plasticity as Lava's learning rule, checked after Lava has read it.

In: a `Plasticity`. Out: a fresh ``Loihi2FLearningRule`` or ``Loihi3FLearningRule`` (Lava changes
the object that it is given, so each group has its own). Why the check: Lava reads some texts as
another rule than the one that was meant, in silence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hebbite.compiler.program.types import Plasticity
from hebbite.rules.errors import EngineError, Problem
from hebbite.rules.loihi import to_lava
from hebbite.rules.sums import SumOfProducts

ACCUMULATOR_BITS = 7
"""Lava adds the accumulator's fractional bits to every exponent."""


class _Reading(NamedTuple):
    """One product, in Lava's words."""

    mantissa: int
    exponent: int
    dependency: str
    factors: tuple[tuple[str, int, bool], ...]


def learning_rule(plasticity: Plasticity, *, seed: int) -> Any:
    """Return the rule object; ``seed`` drives the rounding of the traces."""
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule

    three = plasticity.factors == 3
    settings: dict[str, int] = {}
    for name, trace in plasticity.traces:
        if not (three and name[0] == "y"):
            settings |= {f"{name}_tau": trace.tau, f"{name}_impulse": trace.impulse}
    kind = Loihi3FLearningRule if three else Loihi2FLearningRule
    dt = None if plasticity.dt is None else to_lava(plasticity.dt)
    dw = to_lava(plasticity.dw)
    rule = kind(dw=dw, dt=dt, t_epoch=plasticity.epoch, rng_seed=seed, **settings)
    for meant in plasticity.sums:
        _check_reading(rule, meant)
    return rule


def _check_reading(rule: Any, meant: SumOfProducts) -> None:
    read = [
        _Reading(
            product.s_mantissa,
            product.s_exp - ACCUMULATOR_BITS,
            product.dependency,
            tuple((f.state_var, int(f.const or 0), bool(f.is_sgn)) for f in product.factors),
        )
        for product in rule.active_product_series[meant.target].products
    ]
    wanted = [
        _Reading(
            product.mantissa,
            product.exponent,
            product.dependency[0] if product.dependency[0] == "u" else product.dependency,
            tuple((f.variable, f.constant, f.sign) for f in product.factors),
        )
        for product in meant.products
    ]
    if read != wanted:
        raise EngineError(Problem("HB0606", f"Lava reads another rule: {read}", at=str(meant)))
