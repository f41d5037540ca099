"""Rules in the order of their bias, measured: what the theory of learning rules draws as a sketch.

Every rule trains the digits network on its own, on the chip's program; then its update in real
numbers is held against the exact gradient of the objective at the weights that it has learnt.
"""

from __future__ import annotations

from functools import cache

from hebbite.runtime.credit.credit import CreditPlan, credit
from hebbite.runtime.credit.measures import Measures
from hebbite.runtime.demo import MODEL

RULES = (
    "backprop",
    "node-perturbation",
    "kolen-pollack",
    "sign-symmetric",
    "fa",
    "dfa",
    "frozen",
)


@cache
def hidden() -> dict[str, Measures]:
    """Return the measures of the hidden layer after 20 epochs, by rule."""
    found = credit(MODEL, CreditPlan(rules=RULES, epochs=20, at=(20,)))
    return {r.rule: r.layers[0].measures for r in found.rows if r.arithmetic == "real"}


def bias(rule: str) -> float:
    value = hidden()[rule].bias
    assert value is not None
    return value


def test_the_order_of_bias_is_that_of_theory() -> None:
    assert bias("backprop") < 1e-9
    assert bias("node-perturbation") < 1e-4
    assert bias("backprop") < 1e-4 < bias("kolen-pollack") < bias("sign-symmetric")
    assert bias("sign-symmetric") < min(bias("fa"), bias("dfa"))
    assert max(bias("fa"), bias("dfa")) < bias("frozen") == 1.0


def test_what_is_unbiased_without_a_gradient_pays_with_variance() -> None:
    variances = {rule: found.variance_intrinsic for rule, found in hidden().items()}
    assert variances.pop("frozen") is None
    perturbed = variances.pop("node-perturbation")
    assert set(variances.values()) == {0.0}
    assert perturbed is not None
    totals = [hidden()[rule].variance or 0.0 for rule in variances]
    assert perturbed > 10 * max(totals)
