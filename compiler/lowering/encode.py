"""Real inputs to the integers that a source takes: payloads, or spikes over a window."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.arithmetic.philox import words
from hebbite.compiler.lowering.network import Long, Real
from hebbite.compiler.lowering.quantise import encode_input
from hebbite.rules.errors import Problem, UsageError

FASTEST = 0.5
"""Probability of a spike a step for the largest input on the calibration data."""
SPIKE_STREAM = 0x5B1CE


def rate_code(x: Real, *, top: float, window: int, seed: int, first: int = 0) -> Long:
    """Return Bernoulli spikes (samples, window, features): probability FASTEST * x / top a step.

    x (samples, features), or (samples, T, features) for a series: each of its T frames lasts
    window // T steps, and the steps that are left over are silent. Sample n of a run is drawn by
    its number ``first + n`` alone, so that a run cut in pieces sees the same spikes. Values below 0
    never spike.

    Raises:
        UsageError: HB0133 if the window has fewer steps than the series has frames.
    """
    frames = x if x.ndim == 3 else x[:, None, :]
    steps = window // max(frames.shape[1], 1)
    if steps < 1:
        what = f"{frames.shape[1]} frames do not fit a window of {window} steps"
        raise UsageError(Problem("HB0133", what, hint=f"--set window={frames.shape[1]}"))
    size = window * x.shape[-1]
    chance = np.clip(frames / top, 0.0, 1.0) * FASTEST
    threshold = np.rint(chance * 2.0**32).astype(np.int64).repeat(steps, axis=1)
    silent = window - threshold.shape[1]
    threshold = np.pad(threshold, ((0, 0), (0, silent), (0, 0)))
    drawn = [words(size, seed=seed, stream=SPIKE_STREAM, time=first + n) for n in range(len(x))]
    spikes = np.array(drawn, np.int64).reshape(len(x), window, x.shape[-1]) < threshold
    return spikes.astype(np.int64)


def on_and_off(x: Real) -> Real:
    """Return two lines a feature, (..., 2 features): max(x, 0), then max(-x, 0)."""
    return np.concatenate([np.maximum(x, 0.0), np.maximum(-x, 0.0)], axis=-1)


def payloads(x: Real, *, scale: float, signed: bool, passes: int) -> Long:
    """Return payload events (samples, events, features): the payload p in each of ``passes``.

    A signed payload is sent once more, to learn, as 2 (p + 64): the trace x1 then holds p + 64.
    """
    payload = encode_input(x, scale=scale, signed=signed)
    events = [*[payload] * passes, *([2 * (payload + 64)] if signed else [])]
    return np.stack(events, axis=1)
