"""Inference of many samples on one core and on all: 784-400-10, graded units, random pixels."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import numpy as np
from benchmarks.speed.child import in_child
from benchmarks.speed.systems import ONE_THREAD

HELP = "samples a second of batch inference, on one core and on all"
SAMPLES = 10_000


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return a row for one thread and one for as many as there are cores."""
    cores = os.cpu_count() or 1
    rows = []
    for threads in dict.fromkeys((1, cores)):
        wanted = {name: str(threads) for name in ONE_THREAD}
        found = in_child("batch", {"samples": SAMPLES}, variables=wanted)
        rows.append({"threads": threads, **found})
    return {"rows": rows, "note": "predict of a session, 10,000 samples in one call."}


def inside(samples: int) -> dict[str, Any]:
    """Return seconds of the best of three calls, and the processor time of it."""
    from benchmarks.speed.mnist import LINES, RULE

    from hebbite.compiler.compile import compile
    from hebbite.compiler.perceptron import perceptron
    from hebbite.compiler.settings import Settings
    from hebbite.runtime.session import Session

    rng = np.random.default_rng(0)
    x = rng.random((samples, LINES)) * (rng.random((samples, LINES)) < 0.191)
    net = perceptron("net", (LINES, 400, 10))
    made = compile(net, rule=RULE, settings=Settings(init="random"), calibration=x[:256])
    found = []
    with Session(made) as session:
        session.predict(x[:8])
        for _ in range(3):
            cpu, began = time.process_time(), time.perf_counter()
            session.predict(x)
            found.append((time.perf_counter() - began, time.process_time() - cpu))
    wall, cpu = min(found)
    return {"samples_a_second": samples / wall, "seconds": wall, "processor_s": cpu}
