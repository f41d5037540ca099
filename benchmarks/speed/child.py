"""A measurement in a process of its own: ``python -m benchmarks.speed.child MODULE OPTIONS``.

The module's ``inside`` is called with the options, JSON in and JSON out, one thread unless told
otherwise.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.speed.systems import ONE_THREAD, ROOT, Failed


def in_child(
    module: str, options: Mapping[str, Any], *, variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what ``inside`` of a module of this package returned in a fresh process.

    Raises:
        Failed: with the end of what it wrote.
    """
    command = [sys.executable, "-m", "benchmarks.speed.child", module, json.dumps(options)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{module} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    inside = importlib.import_module(f"benchmarks.speed.{sys.argv[1]}").inside
    print(json.dumps(inside(**json.loads(sys.argv[2])), default=float))
