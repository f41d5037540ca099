"""What `to_lava` prints is what Lava reads, and what we refuse is what Lava would misread.

Lava lives in one child process, which gets every text at once and answers with what it made of it.
"""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys

import pytest

from hebbite.rules.loihi import check_loihi, to_lava
from hebbite.rules.registry import RULES
from hebbite.rules.sums import Factor, Product, SumOfProducts, parse_sum

needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)
RANDOM_SUMS = 400
CHILD = """
import json, sys
from hebbite.runtime.engines.lava.shim import ensure_lava
ensure_lava()
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule

def reading(kind, target, text):
    try:
        rule = kind(**{target: text}, rng_seed=1)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return [
        [
            product.s_mantissa,
            product.s_exp - 7,
            product.dependency
            + ("" if product.decimate_exponent is None else str(product.decimate_exponent)),
            [[f.state_var, f.const or 0, f.is_sgn] for f in product.factors],
        ]
        for product in rule.active_product_series[target].products
    ]

texts = json.load(sys.stdin)
kinds = (Loihi2FLearningRule, Loihi3FLearningRule)
json.dump([[reading(kind, *text) for kind in kinds] for text in texts], sys.stdout)
"""
MISREAD = {
    "u10*w": [[0, 0, "u1", [["w", 0, False]]]],
    "x0*x1**2": [[2, 0, "x0", [["x1", 0, False]]]],
    "x0*x1*": [[1, 0, "x0", [["x1", 0, False]]]],
}
"""Texts that we refuse, and another rule that Lava makes of them without a word."""


def read_by_lava(texts: list[tuple[str, str]]) -> list[list[object]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[list[object]] = json.loads(done.stdout)
    return answer


def plain(sum_: SumOfProducts) -> list[object]:
    return [
        [
            p.mantissa,
            p.exponent,
            p.dependency,
            [[f.variable, f.constant, f.sign] for f in p.factors],
        ]
        for p in sum_.products
    ]


def random_factor(chance: random.Random) -> Factor:
    name = chance.choice(("x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "d", "t"))
    if name in ("x0", "y0"):
        return Factor(name)
    constant = chance.choice((0, chance.randint(-100, 100)))
    return Factor(name, constant, name in "wdt" and chance.random() < 0.4)


def random_product(chance: random.Random, clock: str) -> Product:
    return Product(
        chance.choice([m for m in range(-8, 8) if m]),
        chance.randint(-7, 5),
        chance.choice(("x0", "y0", clock)),
        tuple(random_factor(chance) for _ in range(chance.randint(0, 3))),
    )


def random_sum(chance: random.Random) -> SumOfProducts:
    clock = f"u{chance.randint(0, 9)}"
    products = tuple(random_product(chance, clock) for _ in range(chance.randint(1, 4)))
    return SumOfProducts(chance.choice(("dw", "dd", "dt")), products)


def accepted_sums() -> list[SumOfProducts]:
    chance = random.Random(20)
    found: list[SumOfProducts] = []
    while len(found) < RANDOM_SUMS:
        sum_ = random_sum(chance)
        found += [] if check_loihi(sum_) else [sum_]
    return found


@needs_lava
def test_lava_reads_every_printed_sum_as_it_is_meant_and_misreads_what_we_refuse() -> None:
    rules = [rule() for rule in RULES.values()]
    sums = [rule.dw for rule in rules if rule.runs_on_chip] + accepted_sums()
    printed = [(str(sum_.target), to_lava(sum_)) for sum_ in sums]
    answers = read_by_lava(printed + [("dw", text) for text in MISREAD])
    for sum_, (_, text), readings in zip(sums, printed, answers, strict=False):
        assert readings == [plain(sum_)] * 2, text
    assert answers[len(sums) :] == [[wrong] * 2 for wrong in MISREAD.values()]
    assert "lava" not in sys.modules


@pytest.mark.parametrize("text", MISREAD)
def test_a_text_that_lava_misreads_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HB04"):
        parse_sum(f"dw = {text}")


def test_printed_text_has_no_blank_and_parses_back() -> None:
    for sum_ in accepted_sums():
        text = to_lava(sum_)
        assert " " not in text
        assert parse_sum(f"{sum_.target} = {text}") == sum_
