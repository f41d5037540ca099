"""One epoch over 60,000 samples of MNIST: 784-100-10, DFA, native engine, one core.

Where the data are absent, random pixels of the same sparsity stand in, and the row says so: time
is then what is measured, and nothing is learnt.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from benchmarks.speed.child import in_child
from benchmarks.speed.measure import TOLERANCE, Busy
from numpy.typing import NDArray

HELP = "time of an epoch of MNIST"
SAMPLES, LINES, ACTIVE = 60_000, 784, 0.191
RULE, OBJECTIVE = "dfa(rate=-6)", "classification(loss=hinge)"


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return one row.

    Raises:
        Busy: if another process had the core.
    """
    found = in_child("mnist", {"samples": SAMPLES})
    if found["wall_cpu"] > TOLERANCE and not chosen.busy:
        raise Busy(f"mnist took {found['wall_cpu']:.2f} s by the clock a second of processor time")
    return {"rows": [found], "note": ""}


def digits() -> tuple[NDArray[np.float64], NDArray[np.int64], str]:
    """Return samples, labels, and what they are."""
    from hebbite.rules.errors import HebbiteError
    from hebbite.runtime.datasets import load_dataset

    try:
        data = load_dataset("mnist", seed=0)
    except HebbiteError:
        rng = np.random.default_rng(0)
        x = rng.random((SAMPLES, LINES)) * (rng.random((SAMPLES, LINES)) < ACTIVE)
        return x, rng.integers(0, 10, SAMPLES), "random pixels, MNIST is not here"
    x = np.concatenate([data.x_train, data.x_validation]).reshape(-1, LINES)
    y = np.concatenate([data.y_train, data.y_validation])
    return x.astype(np.float64), y, "MNIST"


def inside(samples: int) -> dict[str, Any]:
    """Train one epoch and return seconds; the first samples, untimed, compile what is needed."""
    from hebbite.compiler.compile import compile
    from hebbite.compiler.perceptron import perceptron
    from hebbite.compiler.settings import Settings
    from hebbite.runtime.session import Session

    x, y, what = digits()
    x = np.resize(x, (samples, LINES))
    y = np.resize(y, samples)
    made = compile(
        perceptron("net", (LINES, 100, 10)),
        rule=RULE,
        objective=OBJECTIVE,
        settings=Settings(init="random", payload_rms=127, output_rms=20, error_shift=2),
        calibration=x[:256],
    )
    with Session(made) as session:
        session.fit(x[:64], y[:64], epochs=1)
    with Session(made) as session:
        cpu, began = time.process_time(), time.perf_counter()
        fit = session.fit(x, y, epochs=1)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "data": what,
        "samples": samples,
        "seconds": wall,
        "of_it_in_the_engine_s": fit.wall_s,
        "us_a_sample": wall / samples * 1e6,
        "wall_cpu": wall / cpu,
    }
