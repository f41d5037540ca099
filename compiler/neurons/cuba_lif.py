"""Leaky integrate-and-fire unit with two synaptic currents and a refractory period (CUBA).

With e and i what arrives on ``a`` and ``third``, keeps and gains in 1/4096:

    ge' = clip(trunc(ge * ge_keep / 4096) + 2^scale e)
    gi' = clip(trunc(gi * gi_keep / 4096) + 2^scale i)
    v'  = clip(trunc(v * v_keep / 4096) + trunc(ge' * ge_gain / 4096)
               + trunc(gi' * gi_gain / 4096) + bias)
    spike where v' > threshold;  v' = v_reset after a spike

clip is to -(2^23 - 1)..2^23 - 1. v is held at v_reset in the ``refractory`` steps after a spike,
while the currents go on: two spikes are at least refractory + 1 steps apart. That is
``refractory_period`` of Lava's LIFRefractory; a refractory time T of a simulator that may spike T
after a spike is refractory = T / dt - 1. ``i`` is signed: what inhibits has negative weights.
``bias`` is a table with one entry a neuron, and v counts from the potential at rest. A spike is
also the learning event ``bap``.

It is the exact solution, over a step of dt, of

    tau_m dv/dt = ge + gi - v,    tau_e dge/dt = -ge,    tau_i dgi/dt = -gi

up to rounding, with keep = exp(-dt / tau) and
gain = tau_syn / (tau_m - tau_syn) (exp(-dt / tau_m) - exp(-dt / tau_syn)) of each current.

Source: T. P. Vogels, L. F. Abbott, J. Neurosci. 25, 10786 (2005),
doi 10.1523/JNEUROSCI.3508-05.2005; integration: S. Rotter, M. Diesmann, Biol. Cybern. 81, 381
(1999), doi 10.1007/s004220050570.
"""

from __future__ import annotations

import math

from hebbite.compiler.program.neuron import parse_neuron

CUBA_LIF = parse_neuron("""
neuron cuba_lif(ge_keep, gi_keep, v_keep, ge_gain, gi_gain, scale, threshold, v_reset, refractory) {
  table bias
  state ge, gi, v, rest
  always
    ge = decay ge, ge_keep
    current = shl a, scale
    current = max current, -8388607
    current = min current, 8388607
    ge = add ge, current
    ge = max ge, -8388607
    ge = min ge, 8388607
    gi = decay gi, gi_keep
    current = shl third, scale
    current = max current, -8388607
    current = min current, 8388607
    gi = add gi, current
    gi = max gi, -8388607
    gi = min gi, 8388607
    next = decay v, v_keep
    current = decay ge, ge_gain
    next = add next, current
    current = decay gi, gi_gain
    next = add next, current
    drive = each bias
    next = add next, drive
    next = max next, -8388607
    next = min next, 8388607
    v = select rest, v_reset, next
    s = gt v, threshold
    v = select s, v_reset, v
    rest = sub rest, 1
    rest = max rest, 0
    rest = select s, refractory, rest
    bap = mov s
}
""")


def cuba_constants(
    *,
    tau_excite: float,
    tau_inhibit: float,
    tau_mem: float,
    scale: int,
    threshold: int,
    v_reset: int,
    refractory: int,
) -> tuple[tuple[str, int], ...]:
    """Return the constants of the unit in the order in which it asks for them.

    Time constants in steps, the synaptic ones unlike ``tau_mem``; ``threshold`` and ``v_reset``
    from the potential at rest, in units of 2^-scale of a weight; ``refractory`` in steps.
    """
    known = {
        "ge_keep": _keep(tau_excite),
        "gi_keep": _keep(tau_inhibit),
        "v_keep": _keep(tau_mem),
        "ge_gain": _gain(tau_excite, tau_mem),
        "gi_gain": _gain(tau_inhibit, tau_mem),
        "scale": scale,
        "threshold": threshold,
        "v_reset": v_reset,
        "refractory": refractory,
    }
    return CUBA_LIF.chosen(known)


def _keep(tau: float) -> int:
    return round(4096 * math.exp(-1 / tau))


def _gain(tau_syn: float, tau_mem: float) -> int:
    fall = math.exp(-1 / tau_mem) - math.exp(-1 / tau_syn)
    return round(4096 * tau_syn / (tau_mem - tau_syn) * fall)
