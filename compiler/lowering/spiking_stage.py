"""Stages of a network in the integers of LIF units and of the integrators that read them out.

In: real weights, and the spikes of calibration data at the inputs. Out: for every stage weights of
one scale (input, recurrent and bias alike), and the threshold or the shift that the data ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.lowering.network import Long, Network, Stage
from hebbite.compiler.lowering.quantise import Int, even, nearest_shift, weight_scale
from hebbite.compiler.lowering.shared import delivered, doubled
from hebbite.compiler.lowering.thresholds import INPUT_SHIFT, Drive, fitted_threshold
from hebbite.compiler.program.connectivity import Conv2d, Dense
from hebbite.compiler.program.types import IntArray
from hebbite.compiler.settings import Settings
from hebbite.rules.traces import kept

KEEP_BITS = 12
RATE = 0.12
"""Wanted spikes a unit and step: more than rules of spike times want, for errors are read from few
steps."""


@dataclass(frozen=True, eq=False)
class SpikingStage:
    """One stage in integers, and its spikes (samples, window, units) on the calibration data.

    weight (out, lines), or (K, taps) of a convolution (``connect``); recurrent (out, out) or None;
    bias (out,) of v a step; dv_keep / 2^12 is what v keeps a step; ``threshold`` of v, 0 for the
    output; ``shift`` of v, 0 for LIF units.
    """

    connect: Dense | Conv2d
    weight: Int
    recurrent: Int | None
    bias: IntArray
    dv_keep: int
    threshold: int
    shift: int
    weight_error: float
    spikes: Long

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.bias)


def spiking_stages(
    network: Network, spikes: Long, settings: Settings, *, signed: bool, integrate: bool = True
) -> tuple[SpikingStage, ...]:
    """Return all stages, the last one the output; ``spikes`` (samples, window, lines).

    ``signed``: the input has two lines a feature; the second hears minus its weight. ``integrate``:
    the output has integrators, and no LIF units as the other stages.
    """
    out: list[SpikingStage] = []
    for index, stage in enumerate(network.stages):
        heard = doubled(stage) if signed and index == 0 else stage
        if integrate and index == len(network.stages) - 1:
            out.append(_output(heard, spikes, settings))
        else:
            out.append(_lif(heard, spikes, settings))
            spikes = out[-1].spikes
    return tuple(out)


def weight_errors(network: Network, stages: Sequence[SpikingStage]) -> dict[str, float]:
    """Return the quantisation error of every group, by its name in a report."""
    pairs = zip(network.stages, stages, strict=True)
    return {f"weight_error.{stage.synapses}": made.weight_error for stage, made in pairs}


def readout_shift(weight: Long, bias: IntArray, spikes: Long, settings: Settings) -> int:
    """Return the shift that brings v of integrators to ``output_rms`` at the end of the window."""
    keep = kept(settings.tau_out, KEEP_BITS)
    current = (delivered(Dense(), weight, spikes) << INPUT_SHIFT) + bias
    v = np.zeros_like(current[:, 0])
    for step in range(current.shape[1]):
        decayed = np.sign(v) * (np.abs(v) * keep >> KEEP_BITS)
        v = decayed + current[:, step]
    return nearest_shift(v, settings.output_rms)


def _lif(stage: Stage, spikes: Long, settings: Settings) -> SpikingStage:
    """Return a stage of LIF units."""
    weight, bias, scale, error = _integers(stage, settings)
    again = None if stage.recurrent is None else even(stage.recurrent * scale)
    keep = kept(settings.tau_mem, KEEP_BITS)
    wide = None if again is None else again.astype(np.int64)
    arrived = delivered(stage.connect, weight.astype(np.int64), spikes)
    drive = Drive(arrived, bias, dv_keep=keep, recurrent=wide)
    threshold, own = fitted_threshold(drive, rate=RATE)
    threshold <<= INPUT_SHIFT
    return SpikingStage(stage.connect, weight, again, bias, keep, threshold, 0, error, own)


def _output(stage: Stage, spikes: Long, settings: Settings) -> SpikingStage:
    """Return the integrators that answer."""
    weight, bias, _, error = _integers(stage, settings)
    keep = kept(settings.tau_out, KEEP_BITS)
    shift = readout_shift(weight.astype(np.int64), bias, spikes, settings)
    nothing = np.zeros((*spikes.shape[:2], len(weight)), np.int64)
    return SpikingStage(Dense(), weight, None, bias, keep, 0, shift, error, nothing)


def _integers(stage: Stage, settings: Settings) -> tuple[Int, IntArray, float, float]:
    """Return weights, bias, steps per unit of weight, and the relative error of the weights."""
    real = stage.weight
    rms = float(np.sqrt(np.mean(real**2))) or 1.0
    scale = weight_scale(settings, real, stage.recurrent)
    weight = even(real * scale)
    error = float(np.sqrt(np.mean((weight / scale - real) ** 2))) / rms
    return weight, unit_bias(stage, scale), scale, error


def unit_bias(stage: Stage, scale: float) -> IntArray:
    """Return what is added to v of every unit in each step, int32 (units,)."""
    return np.repeat(np.rint(stage.bias * scale).astype(np.int32), stage.places) << INPUT_SHIFT
