"""Reference, native and Lava give the same bits: 500 steps of training, every value compared.

Networks have two hidden layers, or as many as their rule takes. A run counts only if every hidden
population is active and at least a tenth of the plastic weights changed, in both directions
(`Verification.conclusive`).
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.rules.registry import parse_rule
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.verify import Verification, verify

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)
Long = NDArray[np.int64]
STEPS = 500
SPIKING = Settings(neuron="lif", encode="rate", window=25)
OF_SPIKES = ("stdp", "eprop", "decolle")  # emstdp among them
RECURRENT = "recurrent "
"""In front of a rule: LIF units with recurrent synapses."""
ENGINES = ("reference", "native", "lava")

needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None,
    reason="Lava is not installed; `hebbite doctor` prints the line that adds it",
)


@cache
def made(rule: str) -> Compiled:
    settings = SPIKING if any(name in rule for name in OF_SPIKES) else Settings()
    settings = replace(settings, recurrent=rule.startswith(RECURRENT))
    rule = rule.removeprefix(RECURRENT)
    objective = "reward" if rule.startswith("bandit") else "classification"
    sizes = SIZES.get(parse_rule(rule).name)
    return compile(
        MODEL if sizes is None else chain(*sizes),
        rule=rule,
        objective=objective,
        settings=settings,
        calibration=DIGITS.x_train[:128],
    )


def chain(*sizes: int) -> Graph:
    """Return a rectified network without biases, weights drawn by a seed."""
    rng = np.random.default_rng(5)
    nodes = [Node("input", (), (Value("x", (sizes[0],)),))]
    tensors = {}
    value = "x"
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        if index:
            nodes.append(Node("relu", (value,), (Value(f"h{index}", (inputs,)),)))
            value = f"h{index}"
        tensors[f"w{index}"] = rng.normal(0, inputs**-0.5, (outputs, inputs))
        weight = (("weight", TensorRef(f"w{index}")),)
        nodes.append(Node("linear", (value,), (Value(f"fc{index}", (outputs,)),), weight))
        value = f"fc{index}"
    return Graph("net", tuple(nodes), tensors, (value,))


def compared(rule: str, engines: tuple[str, ...], rounding: str = "lava-exact") -> Verification:
    model = made(rule)
    samples = -(-STEPS // model.program.schedule.period)
    inputs = model.coding.inputs(DIGITS.x_train[:samples], DIGITS.y_train[:samples])
    exact = rounding == "lava-exact"
    return verify(
        model.program,
        inputs,
        engines=engines,
        steps=STEPS,
        rounding="lava-exact" if exact else "independent",
    )


OWN = "rule own; dw = 0.009*x0*x1*y2 - 0.009*x0*x1*y3 - 2^-5*u2*(w-3); feedback fa gain=1"
RULES = (
    "delta",
    "frozen",
    "dfa",
    "fa",
    "backprop",
    "sign-symmetric",
    "kolen-pollack",
    "node-perturbation",
    "predictive-coding",
    "equilibrium-propagation",
    "forward-forward",
    "eprop",
    "recurrent eprop",
    "eprop-filtered",
    "recurrent eprop-filtered",
    "eprop-alif",
    "emstdp",
    "decolle",
    "drtp",
    "bandit",
    "stdp",
    "triplet-stdp",
    "soft-bound-stdp",
    "r-stdp",
    "oja",
    "bcm",
    "instar",
    "clp",
    OWN,
)
SIZES = {"oja": (64, 10), "bcm": (64, 10), "instar": (64, 12, 10), "clp": (64, 12, 10)}
"""Networks of the rules that do not take two hidden layers."""
FOLLOWED = (("back_relu2", "to_fc3"), ("back_relu1", "to_relu2"))


def active(rule: str) -> str:
    """Return a rule with rates at which 500 steps change many weights."""
    special = {
        OWN: OWN,
        "kolen-pollack": "kolen-pollack(rate=-4, every=3)",
        "eprop": "eprop(rate=-3, gain=2, steps=6)",
        "recurrent eprop": "recurrent eprop(rate=-3, gain=2, steps=6)",
        "eprop-filtered": "eprop-filtered(rate=-4, gain=2, steps=6)",
        "recurrent eprop-filtered": "recurrent eprop-filtered(rate=-4, gain=2, steps=6)",
        "eprop-alif": "eprop-alif(rate=-3, gain=2, steps=6)",
        "emstdp": "emstdp(rate=-3, gain=1)",
        "decolle": "decolle(rate=-3, gain=2, steps=6)",
        "stdp": "stdp(up=2, down=2)",
        "triplet-stdp": "triplet-stdp(up=3, down=4)",
        "soft-bound-stdp": "soft-bound-stdp(up=3, down=3)",
        "r-stdp": "r-stdp(rate=0, down=2)",
        "oja": "oja",
        "bcm": "bcm(reduce=4)",
        "instar": "instar(alpha=32)",
        "clp": "clp(novelty=90)",
    }
    return special.get(rule, f"{rule}(rate=-4)")


SELDOM = (
    "recurrent eprop",
    "recurrent eprop-filtered",
    "eprop-filtered",
    "eprop-alif",
    "decolle",
    "emstdp",
    "drtp",
    "sign-symmetric",
    "fa",
    "triplet-stdp",
    "soft-bound-stdp",
    "bandit",
)
"""Rules that take Lava long, and whose products, traces and feedback others have too."""


@needs_lava
@pytest.mark.parametrize(
    "rule",
    [pytest.param(r, marks=pytest.mark.long) if r in SELDOM else r for r in RULES],
)
def test_three_engines_agree_in_every_value_over_500_steps(rule: str) -> None:
    outcome = compared(active(rule), ENGINES)
    assert outcome.first_divergence is None
    assert outcome.equal
    assert outcome.conclusive, outcome.activity
    assert outcome.steps >= STEPS
    assert outcome.engines == ENGINES


@pytest.mark.parametrize("rule", RULES)
def test_native_and_reference_agree_with_independent_rounding(rule: str) -> None:
    outcome = compared(active(rule), ("reference", "native"), rounding="independent")
    assert outcome.first_divergence is None
    assert outcome.conclusive, outcome.activity


@needs_lava
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("dfa(rate=2)", marks=pytest.mark.long),
        "stdp(up=0, down=0, impulse_pre=127, impulse_post=127)",
    ],
)
def test_engines_agree_where_weights_and_traces_saturate(rule: str) -> None:
    outcome = compared(rule, ENGINES)
    assert outcome.first_divergence is None
    model = made(rule)
    name = model.program.plasticity[0].synapses
    machine = load_engine("reference").open(model.program, rounding="lava-exact")
    samples = -(-STEPS // model.program.schedule.period)
    found = machine.run(
        model.coding.inputs(DIGITS.x_train[:samples], DIGITS.y_train[:samples]),
        samples=samples,
        probes=(f"{name}.weight", f"{name}.x1"),
    ).values
    assert found[f"{name}.weight"].max() == 255
    assert found[f"{name}.weight"].min() == -256
    assert found[f"{name}.x1"].max() == 127


def trained(engine: str, rule: str) -> dict[str, Long]:
    """Return the weights of every group after 500 steps on an engine."""
    model = made(rule)
    samples = -(-STEPS // model.program.schedule.period)
    machine = load_engine(engine).open(model.program, rounding="lava-exact")
    try:
        inputs = model.coding.inputs(DIGITS.x_train[:samples], DIGITS.y_train[:samples])
        machine.run(inputs, samples=samples)
        return {group.name: machine.read(group.weight) for group in model.program.synapses}
    finally:
        machine.close()


followed_or_not = pytest.mark.parametrize(
    ("engine", "follow", "equal"),
    [
        ("reference", "true", True),
        ("reference", "false", False),
        ("native", "true", True),
        ("native", "false", False),
        pytest.param("lava", "true", True, marks=needs_lava),
        pytest.param("lava", "false", False, marks=[needs_lava, pytest.mark.long]),
    ],
)


@followed_or_not
def test_copied_feedback_equals_the_forward_weights_after_500_steps(
    engine: str, follow: str, equal: bool
) -> None:
    weights = trained(engine, f"backprop(rate=-4, follow={follow})")
    for back, forward in FOLLOWED:
        assert np.array_equal(weights[back], weights[forward][:, :-1].T) is equal


@followed_or_not
def test_sign_feedback_has_the_signs_of_the_forward_weights_after_500_steps(
    engine: str, follow: str, equal: bool
) -> None:
    weights = trained(engine, f"sign-symmetric(rate=-2, follow={follow})")
    for back, forward in FOLLOWED:
        signs = np.where(weights[forward][:, :-1].T >= 0, 64, -64)
        assert np.array_equal(weights[back], signs) is equal
