"""Memory of a running program: what opening it and running one sample adds to a fresh process.

The program's own tensors are set apart: they are the host's. A list that learns keeps the places
of its columns too where an event of a neuron alone has synapses visited: ``by both``, the rule of
B; ``by lines`` is a rule without. ``peak`` is the largest memory that
the whole process ever held, Python, NumPy and LLVM included. ``loaded`` is a static program from a
``.hbt`` file, its weights 16 bits wide as a compiled model has them: read, checked, opened, run.
"""

from __future__ import annotations

import argparse
import math
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.speed.child import in_child

HELP = "bytes a synapse, and 200 million synapses at once"
MILLIONS = {"static": (4, 200), "plastic": (4,), "sparse": (4,), "sparse by lines": (4,),
            "sparse by both": (4, 40)}  # fmt: skip
BY_LINES = "dw = 2^-4*x0*y1 - 2^-7*x0*w"
LIMIT_MB = 1024


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return a row for every kind of synapses; what an engine refuses is said."""
    rows = [
        in_child("memory", {"kind": kind, "synapses": millions * 10**6})
        for kind, sizes in MILLIONS.items()
        for millions in sizes
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "large.hbt")
        in_child("memory", {"kind": "written", "synapses": 200 * 10**6, "path": path})
        rows.append(in_child("memory", {"kind": "loaded", "synapses": 200 * 10**6, "path": path}))
    large = max(row["peak_mb"] for row in rows if row["number"] == 200 * 10**6)
    verdict = "within" if large <= LIMIT_MB else "beyond"
    return {"rows": rows, "note": f"200 million static synapses are {verdict} {LIMIT_MB} MB."}


def resident_mb() -> float:
    """Return the memory of this process now, in MB (Linux)."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / 2**20


def inside(kind: str, synapses: int, path: str = "") -> dict[str, Any]:
    """Open and run one program; a small one before it loads the engine and its kernels."""
    if kind == "written":
        return write(synapses, path)
    from hebbite.rules.errors import EngineError
    from hebbite.runtime.engines.native import NativeEngine

    row: dict[str, Any] = {"synapses": kind, "number": synapses}
    if kind == "loaded":
        from hebbite.compiler.hbt import load_compiled

        small, made = program("static", 10_000), load_compiled(path).compiled.program
    else:
        small, made = program(kind, 10_000), program(kind, synapses)
    try:
        NativeEngine().open(small, rounding="independent").run(given_of(small), samples=1)
        before = resident_mb()
        machine = NativeEngine().open(made, rounding="independent")
    except EngineError as refusal:
        return {**row, "bytes_a_synapse": f"refused: {refusal.problems[0].code}", "peak_mb": 0.0}
    machine.run(given_of(made), samples=1)
    return {
        **row,
        "bytes_a_synapse": (resident_mb() - before) * 2**20 / synapses,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def write(synapses: int, path: str) -> dict[str, Any]:
    """Write a static program as a ``.hbt`` file."""
    from hebbite.compiler.coding import Coding
    from hebbite.compiler.compiled import Compiled
    from hebbite.compiler.hbt import save_compiled
    from hebbite.compiler.settings import Settings
    from hebbite.rules.objectives import parse_objective
    from hebbite.rules.registry import parse_rule

    made = program("static", synapses)
    weight = made.tensors["w"].astype(np.int16)
    weight[:, ::3], weight[::2, 1::3] = -256, 254
    made = replace(made, tensors={**made.tensors, "w": weight})
    outputs = made.populations[0].size
    coding = Coding("rate", "input", "", 1.0, False, 1, 0, outputs, 64)
    rule, objective = parse_rule("frozen"), parse_objective("classification")
    save_compiled(path, Compiled(made, coding, rule, objective, Settings(), "large"))
    return {"number": synapses}


def given_of(made: Any) -> dict[str, Any]:
    """Return one sample in which every tenth line sends once."""
    source = made.sources[0]
    events = np.zeros((1, len(source.offsets), source.size), np.int8)
    events[:, 0, ::10] = 1
    return {source.name: events}


def program(kind: str, synapses: int) -> Any:
    """Return lines to leaky units with so many synapses, not verified: that takes memory too."""
    from benchmarks.speed.programs import PERIOD, RULE, lif

    from hebbite.compiler.neurons import NEURONS
    from hebbite.compiler.program.connectivity import Dense, Sparse
    from hebbite.compiler.program.types import (
        Plasticity,
        Population,
        Program,
        Readout,
        Schedule,
        Source,
        Synapses,
    )
    from hebbite.rules.registry import parse_rule
    from hebbite.rules.sums import parse_sum

    sparse = kind.startswith("sparse")
    lines = math.isqrt(synapses * 10 if sparse else synapses)
    post = lines if sparse else synapses // lines
    tensors: dict[str, Any] = {"bias": np.zeros(post, np.int32)}
    if sparse:
        each = lines // 10
        tensors["w"] = np.full(lines * each, 2, np.int8)
        tensors["starts"] = np.arange(0, lines * each + 1, each, dtype=np.int64)
        tensors["targets"] = np.tile(np.arange(each, dtype=np.int32), lines)
    else:
        tensors["w"] = np.full((post, lines), 2, np.int8)
    rule = parse_rule(RULE)
    dw = parse_sum(BY_LINES) if kind == "sparse by lines" else rule.dw
    plastic = (Plasticity("to_post", dw, 1, rule.traces, factors=2),)
    return Program(
        name=f"{kind}_{synapses}",
        target="ideal",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("input", lines, (1,)),),
        populations=(
            Population("post", post, NEURONS["lif"], lif(0, 4000, 1000), (("bias", "bias"),)),
        ),
        synapses=(
            Synapses(
                "to_post",
                "input",
                "post",
                "w",
                graded=False,
                connect=Sparse("starts", "targets") if sparse else Dense(),
            ),
        ),
        plasticity=() if kind in ("static", "sparse") else plastic,
        readout=Readout("post", "s", PERIOD, count=True),
        tensors=tensors,
    )
