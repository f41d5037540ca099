"""Lava reads every rule as it is meant, or the rule is refused."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)

CODE = """
import random
from hebbite.compiler.program.types import Plasticity
from hebbite.rules.errors import EngineError
from hebbite.rules.loihi import check_loihi
from hebbite.rules.sums import Factor, Product, SumOfProducts, parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.engines.lava import rule as module
from hebbite.runtime.engines.lava.shim import ensure_lava

ensure_lava()
draw = random.Random(0)
traces = (("x1", Trace(10, 16)), ("y1", Trace(12, 20)), ("y2", Trace(65535)))

def factor():
    name = draw.choice(("x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t"))
    constant = draw.choice((0, 0, draw.randint(-128, 127)))
    return Factor(name, constant, name in "wt" and draw.random() < 0.4)

def product(clock):
    gate = draw.choice(("x0", "y0", clock))
    factors = tuple(factor() for _ in range(draw.randint(1, 3)))
    return Product(draw.choice((-7, -3, -1, 1, 2, 5, 6, 24)), draw.randint(-7, 8), gate, factors)

read = 0
for _ in range(400):
    clock = f"u{draw.randint(0, 9)}"
    dw, dt = (
        SumOfProducts(target, tuple(product(clock) for _ in range(draw.randint(1, 4))))
        for target in ("dw", "dt")
    )
    if not check_loihi(dw, dt):
        tag = dt if draw.random() < 0.5 else None
        module.learning_rule(Plasticity("fc", dw, 4, traces, draw.choice((2, 3)), tag), seed=1)
        read += 1
print(read)

module.to_lava = lambda dw: "2^-2*x0*y2"
try:
    module.learning_rule(Plasticity("fc", parse_sum("dw = 2^-2*x0*y1"), 4, traces), seed=1)
except EngineError as error:
    print(error.code)
"""


def test_lava_reads_what_was_meant_and_another_reading_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    read, code = done.stdout.split()
    assert int(read) > 50
    assert code == "HB0606"
