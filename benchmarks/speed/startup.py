"""How long one waits for the first step: digits network, DFA, native engine, fresh processes.

``cold machine`` has no compiled kernels at all, ``new program`` has those of another program,
``known program`` has run this one before. The caches, Python's of compiled sources too, are folders
made for this measurement.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Any

from benchmarks.speed.child import in_child
from benchmarks.speed.systems import ROOT

HELP = "time from a fresh process to the first step"
KNOWN, NEW = "dfa", "rule new; dw = 2^-6*x0*x1*y2 - 2^-7*x0*x1*y3; feedback fa gain=1"
MODEL = ROOT / "runtime" / "data" / "digits.onnx"


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return seconds of every case."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="speed-cache-") as folder:
        kept = {
            "NUMBA_CACHE_DIR": f"{folder}/numba",
            "XDG_CACHE_HOME": f"{folder}/user",
            "PYTHONPYCACHEPREFIX": f"{folder}/python",
            "PYTHONDONTWRITEBYTECODE": "",
        }
        for case, rule in (("cold machine", KNOWN), ("new program", NEW), ("known program", KNOWN)):
            began = time.perf_counter()
            found = in_child("startup", {"rule": rule}, variables=kept)
            rows.append({"case": case, **found, "whole_process_s": time.perf_counter() - began})
    return {"rows": rows, "note": ""}


def inside(rule: str) -> dict[str, float]:
    """Return seconds of importing, compiling the network, and from a session to its first step."""
    began = time.perf_counter()
    import hebbite
    from hebbite.runtime.datasets import load_dataset

    imported = time.perf_counter()
    x = load_dataset("digits", seed=0).x_train
    made = hebbite.compile(MODEL, rule=rule, calibration=x[:128])
    compiled = time.perf_counter()
    with hebbite.Session(made) as session:
        session.step(x[0], 0, learn=True)
    stepped = time.perf_counter()
    return {
        "import_s": imported - began,
        "compile_network_s": compiled - imported,
        "session_to_first_step_s": stepped - compiled,
    }
