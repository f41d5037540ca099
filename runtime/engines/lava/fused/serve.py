"""Runs a served program in Lava for as long as requests come.

In: a job folder with two named pipes. Out: nothing; replies go through the pipe. Why: Lava's
network is built once, and each request is one step of it.
"""

from __future__ import annotations

import select
from pathlib import Path

from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg

from hebbite.runtime.engines.lava.fused.channel import REPLIES, REQUESTS
from hebbite.runtime.engines.lava.fused.process import ServedJob, ServedProgram


def serve(folder: Path) -> object:
    """Answer requests until the caller closes its end; return Lava's process, to be held."""
    process = ServedProgram(ServedJob(folder, folder / REQUESTS, folder / REPLIES))
    settings = Loihi2SimCfg(select_tag="fixed_pt")
    with (folder / REQUESTS).open("rb", buffering=0) as requests:
        poll = select.poll()
        poll.register(requests, select.POLLIN)
        while any(event & select.POLLIN for _, event in poll.poll()):
            process.run(condition=RunSteps(num_steps=1), run_cfg=settings)
    return process
