"""Why a model failed, for whoever waits for it: the one thing that Lava does not say.

In: a model with a job in its ``proc_params``. Out: ``error.json`` in the job's folder. Why apart
from the processes: Lava executes every file that stands beside a Process.
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import asdict

from hebbite.rules.errors import HebbiteError, Problem
from hebbite.runtime.engines.lava.job import ERROR, write_json


class Reporting:
    """Says why a model fails. Lava only counts failures, and waits for ever if others depend on it.

    Lava calls ``join`` on the way out of a model, whether it was told to stop or has failed.
    """

    def join(self) -> None:
        """Write ``error.json`` if an error is the reason for leaving."""
        error = sys.exc_info()[1]
        if error is not None:
            job = self.proc_params["job"]  # type: ignore[attr-defined]
            write_json(job.folder, ERROR, asdict(_problem(error)))
        super().join()  # type: ignore[misc]


def _problem(error: BaseException) -> Problem:
    """Return what an error says itself, or that it happened and where."""
    if isinstance(error, HebbiteError):
        return error.problems[0]
    text = f"a process of Lava failed: {error!r}\n{traceback.format_exc().strip()}"
    return Problem("HB0603", text)
