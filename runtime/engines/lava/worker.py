"""The process that owns every Lava object: does the task of one job folder.

In: ``job.json``. Out: arrays and ``done.json``, or ``error.json``. Why apart from `child`:
everything heavy is imported here, after the fork.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from hebbite.rules.errors import HebbiteError
from hebbite.runtime.engines.lava.job import DONE, ERROR, JOB, Json, read_json, write_json
from hebbite.runtime.engines.lava.shim import ensure_lava


def work(folder: Path) -> object:
    """Do the job in ``folder``; a problem that has a code goes to ``error.json``.

    Returns Lava's processes, to be held until this process leaves: letting go of them makes Lava
    stop, which can hang.
    """
    start = time.monotonic()
    job = read_json(folder, JOB)
    try:
        ensure_lava()
        held = _TASKS[job["task"]](folder, job)
    except HebbiteError as error:
        write_json(folder, ERROR, asdict(error.problems[0]))
        return None
    done = {
        "steps": job["steps"],
        "lava": version("lava-nc"),
        "wall_s": time.monotonic() - start,
    }
    write_json(folder, DONE, done)
    return held


def _probe(folder: Path, job: Json) -> object:
    from hebbite.runtime.engines.lava.probe import run_probe

    return run_probe(folder, steps=int(job["steps"]))


def _run(folder: Path, job: Json) -> object:
    from hebbite.runtime.engines.lava.exchange import unpack
    from hebbite.runtime.engines.lava.network import Network

    network = Network(folder, unpack(folder, job))
    network.simulate()
    return network


def _fused(folder: Path, _job: Json) -> object:
    from hebbite.runtime.engines.lava.fused.serve import serve

    return serve(folder)


_TASKS: dict[str, Callable[[Path, Json], object]] = {"probe": _probe, "run": _run, "fused": _fused}
