"""Speed of the native engine beside hand-written kernels and other simulators.

    python -m benchmarks.speed                                  equality, then workloads A, B, C
    python -m benchmarks.speed --scales 1,4,16 --activity 0.003,0.03,0.1,0.3
    python -m benchmarks.speed --startup --memory --mnist --batch --cliffs --counting
    python -m benchmarks.speed --tables docs/speed.md --plots docs/speed

Run from the root of the checkout. Every system runs in a process of its own, one thread, the
repetitions of all in turn. Results are merged into ``--json`` (by default a file of this machine
in benchmarks/results). `benchmarks.speed.systems` says how other simulators are found.

Exit status: 0; 1 where systems that must agree do not, or one fails; 3 where the machine was busy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed import batch, cliffs, counting, memory, mnist, report, startup
from benchmarks.speed.equal import Unequal, check_equal
from benchmarks.speed.machine import commit, limits
from benchmarks.speed.measure import Busy, measured
from benchmarks.speed.results import Results, default_file
from benchmarks.speed.systems import DEFAULT, SYSTEMS, Failed, System
from benchmarks.speed.workloads import STEPS, Workload, cache_folder

EXTRAS = {"startup": startup, "memory": memory, "mnist": mnist, "batch": batch, "cliffs": cliffs,
          "counting": counting}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; return the exit status."""
    chosen = options().parse_args(arguments)
    results = Results.load(chosen.json or default_file())
    try:
        if chosen.tables or chosen.plots:
            return written(results, chosen)
        extras = [name for name in EXTRAS if getattr(chosen, name)]
        for name in extras:
            found = EXTRAS[name].measured(chosen)
            results.put_extra(name, {"commit": commit(), **found})
            print(report.extra_text(name, found), flush=True)
        if not extras:
            compared(results, chosen)
    except (Failed, Unequal) as problem:
        print(problem, file=sys.stderr)
        return 1
    except Busy as problem:
        print(f"not reported: {problem}; wait until the machine is quiet", file=sys.stderr)
        return 3
    return 0


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="speed"
    )
    parser.add_argument("--workloads", type=names, default=["A", "B", "C1", "C2"])
    parser.add_argument("--systems", type=names, default=list(DEFAULT))
    parser.add_argument("--scales", type=numbers, default=[1.0], help="synapses, 1 the usual size")
    parser.add_argument("--activity", type=numbers, default=[], help="more of A, at scale 1")
    parser.add_argument("--steps", type=int, default=0, help="of a run; 0: as the workload has")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="least time of a repetition")
    parser.add_argument("--tries", type=int, default=10, help="of a repetition, until it is quiet")
    parser.add_argument("--busy", action="store_true", help="report from a busy machine, marked")
    parser.add_argument("--no-check", action="store_true", help="do not compare bits first")
    parser.add_argument("--json", type=Path, help="file of results")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="folder of workloads")
    for name, module in EXTRAS.items():
        parser.add_argument(f"--{name}", action="store_true", help=module.HELP)
    parser.add_argument("--tables", type=Path, help="write the tables into this page")
    parser.add_argument("--plots", type=Path, help="write the plots into this folder")
    return parser


def names(text: str) -> list[str]:
    """Read names between commas; C stands for C1 and C2."""
    found = []
    for name in text.split(","):
        found += ["C1", "C2"] if name == "C" else [name]
    unknown = [name for name in found if name not in STEPS and name not in SYSTEMS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {unknown}; known: {[*STEPS, *SYSTEMS]}")
    return found


def numbers(text: str) -> list[float]:
    """Read numbers between commas."""
    return [float(number) for number in text.split(",")]


def workloads(chosen: argparse.Namespace) -> list[Workload]:
    """Return the workloads of the command line: every scale, and A at more activities."""
    found = [
        Workload(kind, scale, 0.03, chosen.steps)
        for kind in chosen.workloads
        for scale in chosen.scales
    ]
    if "A" in chosen.workloads:
        found += [Workload("A", 1.0, activity, chosen.steps) for activity in chosen.activity]
    return list(dict.fromkeys(found))


def compared(results: Results, chosen: argparse.Namespace) -> None:
    """Check equality, then measure and keep every workload."""
    systems = [SYSTEMS[name] for name in chosen.systems]
    for system in systems:
        if not system.python:
            where = f"; {system.variable} may name an interpreter" if system.variable else ""
            print(f"{system.name}: {system.package} is not installed{where}", file=sys.stderr)
    systems = [system for system in systems if system.python]
    if not chosen.no_check:
        for kind in chosen.workloads:
            small = Workload(kind, min(chosen.scales), steps=chosen.steps)
            print(check_equal(small, systems, chosen.cache), flush=True)
    results.put_limits(limits())
    for workload in workloads(chosen):
        for row in rows(workload, systems, chosen):
            results.put_row(row)
            print(report.row_text(row, results.limits), flush=True)


def rows(
    workload: Workload, systems: Sequence[System], chosen: argparse.Namespace
) -> list[dict[str, object]]:
    """Return the rows of one workload."""
    return list(
        measured(
            workload,
            systems,
            chosen.cache,
            repeats=chosen.repeats,
            seconds=chosen.seconds,
            tries=chosen.tries,
            busy=chosen.busy,
        )
    )


def written(results: Results, chosen: argparse.Namespace) -> int:
    """Write tables or plots from the results as they stand."""
    if chosen.tables:
        report.write_tables(results, chosen.tables)
    if chosen.plots:
        from benchmarks.speed.plots import write_plots

        write_plots(results, chosen.plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
