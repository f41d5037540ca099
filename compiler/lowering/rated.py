"""The inputs of spiking networks that are taught: samples, or series of frames, as spikes.

Values with a sign take two lines a feature, one for what is above 0 and one for what is below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.coding import Coding, frames_of
from hebbite.compiler.lowering.encode import on_and_off, rate_code
from hebbite.compiler.lowering.network import Long
from hebbite.compiler.lowering.request import Request
from hebbite.compiler.lowering.written import TEACHER


@dataclass(frozen=True, eq=False)
class Rated:
    """Spikes of the calibration data (samples, window, lines), whether features have two lines, and
    how samples of a user become such spikes."""

    spikes: Long
    signed: bool
    coding: Coding


def rated(request: Request, *, passes: int = 1) -> Rated:
    """Return the inputs of a request whose samples run through the network ``passes`` times."""
    network, settings = request.network, request.settings
    top = float(np.abs(request.data).max(initial=0.0)) or 1.0
    signed = bool(request.data.min(initial=0.0) < 0)
    lines = frames_of(request.data, network.input_size)
    lines = on_and_off(lines) if signed else lines
    spikes = rate_code(lines, top=top, window=settings.window, seed=settings.seed)
    coding = Coding(
        kind="rate",
        source=network.input_name,
        teacher=TEACHER,
        scale=top,
        signed=signed,
        window=settings.window,
        seed=settings.seed,
        outputs=len(network.stages[-1].weight),
        target_rate=request.objective.target_rate,
        passes=passes,
        features=network.input_size,
    )
    return Rated(spikes, signed, coding)
