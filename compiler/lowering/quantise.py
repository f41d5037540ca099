"""Real weights and activations to the chip's integers, scales taken from calibration data.

Units. A payload p stands for the real value p / s. With integer weights W' = W s_w, a sum of inputs
is v = W s_w s_in x, a bias weight is b s_w s_in / bias_payload, and a shift by k leaves
s_out = s_w s_in / 2^k.

Weights get the root mean square ``weight_rms`` (less where the largest would not fit), so that the
smallest step of learning is the same part of a weight in every layer. They are even: chips of this
class store a signed 8-bit weight in steps of 2. Shifts are the power of two that brings the root
mean square of v on the calibration data nearest to the wanted one.

A convolution is scaled as a whole, with room for its bias too, which learning could not correct. A
pool adds with one even weight w and shifts by k, w kh kw <= 2^k: see
`hebbite.compiler.ops.avg_pool2d`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.lowering.network import Long, Network, Real, Stage
from hebbite.compiler.lowering.shared import delivered
from hebbite.compiler.program.connectivity import Conv2d
from hebbite.compiler.settings import Settings

Int = NDArray[np.int16]
TOP_PAYLOAD = 254
TOP_SIGNED = 63
POOL_WEIGHT = 254
"""Largest weight of a pool."""
POOL_SHIFT = 15
"""Largest shift of a pool: its v is at most 2^15 payloads, which 24 bits hold."""
LARGEST_POOL = 2 ** (POOL_SHIFT - 1)
"""Pixels of a pool's window, for which its weight is the smallest there is."""
TABLE_SIZE = 256
TABLE_REACH = 4.0
"""A table covers |x| <= 4: tanh is within 0.07 % of its limit there, the logistic within 1.8 %."""


@dataclass(frozen=True, eq=False)
class IntegerStage:
    """One stage in integers.

    weight (out, in + 1), or (K, taps + 1) of a convolution, last column the bias line, which a pool
    has not; ``shift`` of v; ``table_step``: entry i of a table stands for (i - 128 + 1/2)
    table_step, 0 without tables.
    """

    weight: Int
    shift: int
    tables: tuple[tuple[str, Int], ...]
    weight_scale: float
    weight_error: float
    table_step: float = 0.0


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """All stages in integers. A real input x is sent as round(x * input_scale)."""

    input_scale: float
    signed_input: bool
    stages: tuple[IntegerStage, ...]


def even(value: Real) -> Int:
    """Return the nearest even integers within -256..254, halves away from zero where exact."""
    return np.clip(2 * np.rint(value / 2), -256, 254).astype(np.int16)


def input_scale(calibration: Real) -> tuple[float, bool]:
    """Return (payload per unit, whether values have a sign) for real inputs (samples, features)."""
    top = float(np.abs(calibration).max(initial=0.0)) or 1.0
    signed = bool(calibration.min(initial=0.0) < 0)
    return (TOP_SIGNED if signed else TOP_PAYLOAD) / top, signed


def encode_input(x: Real, *, scale: float, signed: bool) -> Long:
    """Return the payloads of real inputs, in 0..254 or -63..63."""
    low, high = (-TOP_SIGNED, TOP_SIGNED) if signed else (0, TOP_PAYLOAD)
    return np.clip(np.rint(x * scale), low, high).astype(np.int64)


def quantise(network: Network, calibration: Real, settings: Settings) -> IntegerNetwork:
    """Return the network in integers, scaled by ``calibration`` data (samples, features)."""
    scale, signed = input_scale(calibration)
    payload = encode_input(calibration, scale=scale, signed=signed)
    out: list[IntegerStage] = []
    unit = scale
    for index, stage in enumerate(network.stages):
        last = index == len(network.stages) - 1
        sign = network.sign_before(index, signed)
        if stage.kind == "pool":
            made, payload, unit = _pool(stage, payload, unit, sign=sign)
        else:
            bias_payload = bias_payload_of(sign, settings)
            weight, weight_scale = _weights(stage, unit, bias_payload, settings)
            v = _sums(stage, weight, payload, bias_payload)
            made, payload, unit = _stage(stage, weight, weight_scale, v, unit, last, settings)
        out.append(made)
    return IntegerNetwork(scale, signed, tuple(out))


def bias_payload_of(signed: bool, settings: Settings) -> int:
    """Return what the bias line sends beside unsigned payloads, or beside signed ones."""
    return TOP_SIGNED if signed else settings.bias_payload


def weight_scale(settings: Settings, weight: Real, beside: Real | None = None) -> float:
    """Return steps per unit of weight: ``weight_rms`` of ``weight``, less where the largest, of
    weights ``beside`` it that share its scale too, would not fit."""
    rms = float(np.sqrt(np.mean(weight**2))) or 1.0
    others = 0.0 if beside is None else float(np.abs(beside).max(initial=0.0))
    top = max(float(np.abs(weight).max(initial=0.0)), others) or 1.0
    return min(settings.weight_rms / rms, 254 / top)


def _weights(stage: Stage, unit: float, bias_payload: int, settings: Settings) -> tuple[Int, float]:
    """Return the weights with the bias line's, and their scale, by which both fit their words."""
    bias = stage.bias * unit / bias_payload
    scale = weight_scale(settings, stage.weight, bias)
    return np.column_stack([even(stage.weight * scale), even(bias * scale)]), scale


def _stage(
    stage: Stage,
    weight: Int,
    weight_scale: float,
    v: Long,
    unit: float,
    last: bool,
    settings: Settings,
) -> tuple[IntegerStage, Long, float]:
    """Return the stage, its payloads on the calibration data, and their unit."""
    error = weight[:, :-1] / weight_scale - stage.weight
    rms = float(np.sqrt(np.mean(stage.weight**2))) or 1.0
    weight_error = float(np.sqrt(np.mean(error**2))) / rms
    v_unit = weight_scale * unit
    if stage.activation in ("tanh", "sigmoid") and not last:
        shift = max(0, int(np.ceil(np.log2(v_unit * TABLE_REACH / (TABLE_SIZE / 2)))))
        step = 2.0**shift / v_unit
        tables = _tables(stage.activation, step)
        index = np.clip((v >> shift) + TABLE_SIZE // 2, 0, TABLE_SIZE - 1)
        payload = tables[0][1].astype(np.int64)[index]
        top = TOP_SIGNED if stage.activation == "tanh" else TOP_PAYLOAD
        made = IntegerStage(weight, shift, tables, weight_scale, weight_error, step)
        return made, payload, float(top)
    wanted = settings.output_rms if last else settings.payload_rms
    shift = nearest_shift(v, wanted)
    made = IntegerStage(weight, shift, (), weight_scale, weight_error)
    return made, np.clip(v >> shift, 0, TOP_PAYLOAD), v_unit / 2**shift


def _sums(stage: Stage, weight: Int, payload: Long, bias_payload: int) -> Long:
    """Return v of every unit (samples, size), exactly."""
    wide, connect = weight.astype(np.int64), stage.connect
    taps = connect.taps if isinstance(connect, Conv2d) else payload.shape[-1]
    bias = wide[:, taps:].sum(axis=1) * bias_payload
    sums: Long = delivered(connect, wide[:, :taps], payload) + np.repeat(bias, stage.places)
    return sums


def _pool(
    stage: Stage, payload: Long, unit: float, *, sign: bool
) -> tuple[IntegerStage, Long, float]:
    """Return a pool: floor(w sum / 2^k), or, halved by a table, the nearest to w sum / 2^k."""
    taps = stage.weight.shape[1]
    shift = min(int(np.floor(np.log2(POOL_WEIGHT * taps))), POOL_SHIFT)
    each = 2 * (2**shift // (2 * taps))
    weight = np.full((len(stage.weight), taps), each, np.int16)
    scale = each / float(stage.weight[0, 0])
    v = _sums(stage, weight, payload, 0)
    if not sign:
        return IntegerStage(weight, shift, (), scale, 0.0), v >> shift, scale * unit / 2**shift
    half = np.arange(TABLE_SIZE) - TABLE_SIZE / 2 + 0.5
    value = np.clip(np.rint(half / 2), -TOP_SIGNED, TOP_SIGNED).astype(np.int16)
    tables = (("activation", value), ("slope", np.zeros(TABLE_SIZE, np.int16)))
    index = np.clip((v >> shift - 1) + TABLE_SIZE // 2, 0, TABLE_SIZE - 1)
    made = IntegerStage(weight, shift - 1, tables, scale, 0.0)
    return made, value.astype(np.int64)[index], scale * unit / 2**shift


def nearest_shift(v: Long, wanted: float) -> int:
    """Return the shift that brings the root mean square of v nearest to ``wanted``, in log2."""
    rms = float(np.sqrt(np.mean(v.astype(np.float64) ** 2))) or 1.0
    return max(0, round(float(np.log2(rms / wanted))))


def _tables(activation: str, step: float) -> tuple[tuple[str, Int], ...]:
    """Return activation and slope tables; entry i stands for x = (i - 128 + 1/2) step."""
    x = (np.arange(TABLE_SIZE) - TABLE_SIZE / 2 + 0.5) * step
    if activation == "tanh":
        y = np.tanh(x)
        value, slope = TOP_SIGNED * y, 127 * (1 - y**2)
    else:
        y = 1 / (1 + np.exp(-x))
        value, slope = TOP_PAYLOAD * y, 127 * 4 * y * (1 - y)
    return (
        ("activation", np.rint(value).astype(np.int16)),
        ("slope", np.rint(slope).astype(np.int16)),
    )
