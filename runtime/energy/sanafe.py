"""A chip and its prices as an architecture of SANA-FE, and a placed network for it.

SANA-FE is a simulator of spiking chips (J. A. Boyle et al., IEEE Transactions on Computer-Aided
Design of Integrated Circuits and Systems (2025), doi 10.1109/TCAD.2025.3537971) that reads two YAML
files. Nothing of it is imported here. What it does in a step is what a `Program` does where

* every population is `lif` with du_keep = 0: a current lasts a step, then u = 64 a. With v, bias
  and threshold in units of 1/64 its double-precision v is ours: the leak dv_keep / 2^12 is exact,
  and both round the leaked v toward zero;
* messages are spikes of output s and arrive a step later, at input a. With the soma's input
  buffered, as SANA-FE's architecture of Loihi has it, nothing reads what a delaying dendrite holds;
  with the dendrite's, of the messages of one step only the last is kept (SANA-FE 2.2.9);
* all synapses of a receiver are of one connectivity: SANA-FE's file names one unit a neuron;
* a sender has one group a receiver, and every line a non-zero weight on every core where it has
  synapses: SANA-FE sends one message a (spike, core), through what is not zero.

Lines of the host stand on a core as SANA-FE's `input` neurons; they send there as neurons do, which
costs SANA-FE axons and hops that a program's host does not pay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import fan_of
from hebbite.compiler.placement import cores_of, place_of_lines, reach, shares_of
from hebbite.compiler.program.connectivity import Conv2d, Dense, Sparse, synapses_of
from hebbite.compiler.program.types import IntArray, Population, Program, Source, Synapses
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.energy.events import barriers_of
from hebbite.runtime.energy.profile import Constant, CostProfile
from hebbite.runtime.engines.base import events_of

UNITS = {
    Dense: ("loihi_dense_synapse", "synaptic_op"),
    Sparse: ("loihi_sparse_synapse", "synaptic_op_sparse"),
    Conv2d: ("loihi_conv_synapse", "synaptic_op_conv"),
}
"""Name and price of the synapse unit of a group, by its connectivity. Units have the names that
SANA-FE's own architecture of Loihi gives them, so that a network runs on either."""
LIF, INPUT = "loihi_lif", "loihi_inputs"
NEEDED = ("hop_ew", "hop_ns", "neuron_active", "synaptic_op")
"""What a profile must price, in J and in s."""
Prices = Mapping[str, float]
INPUTS = 1024
"""Input neurons that a core of the architecture can hold."""


def sanafe_architecture(target: Target, profile: CostProfile) -> str:
    """Return one chip of a target, at the values of a profile, as SANA-FE's architecture YAML.

    A neuron's access is ``neuron_step``, or ``neuron_inactive`` where the profile has that; its
    update is what an active one costs on top. What has no price of its own costs nothing. Energies
    in J, times in s; barriers as SANA-FE's table by mapped tiles.

    Raises:
        UsageError: HB0551, the profile has no price of hops, neurons, synapses or the barrier.
    """
    missing = [f"energy.{name}" for name in NEEDED if name not in profile.energy]
    missing += [f"time.{name}" for name in (*NEEDED, "barrier") if name not in profile.time]
    if missing:
        what = f"profile '{profile.name}' has no {', '.join(missing)}"
        raise UsageError(Problem("HB0551", what, hint="add --profile loihi1-sanafe2025"))
    energy, time = (_values(section) for section in (profile.energy, profile.time))
    table = ", ".join(f"{n}: {time[name]!r}" for n, name in sorted(barriers_of(profile).items()))
    tiles = int(target.tile_rows) * int(target.tile_columns)
    limit = target.compartments_per_core.value
    lines = [
        "architecture:",
        f"  name: {target.name}",
        "  attributes:",
        "    topology: mesh",
        f"    width: {int(target.tile_columns)}",
        f"    height: {int(target.tile_rows)}",
        "    link_buffer_size: 16",
        "    sync_model: table",
        f"    latency_sync: {{{table}}}",
        "  tile:",
        f"    - name: tile[0..{tiles - 1}]",
        "      attributes:",
        *_hops(energy, time),
        "      core:",
        f"        - name: core[0..{int(target.cores_per_tile) - 1}]",
        "          attributes:",
        "            buffer_position: soma",
        "            buffer_inside_unit: false",
        f"            max_neurons_supported: {1 << 20 if limit is None else limit}",
        *_unit("axon_in", "loihi_in", _pair("message_in", energy, time, "message")),
        *_somas(energy, time),
        *_unit("dendrite", "loihi_dendrites", ["model: accumulator", *_free("update")]),
        "          synapse:",
        *(line for unit in UNITS.values() for line in _synapse(*unit, energy, time)),
        *_unit("axon_out", "loihi_out", _pair("message_out", energy, time, "axon_out")),
    ]
    return "\n".join(lines) + "\n"


def _values(section: Mapping[str, Constant]) -> Prices:
    return {name: _rounded(each.value * each.scale) for name, each in section.items()}


def _rounded(value: float) -> float:
    """Return a number without the last bits that a product leaves: 2.29e-07."""
    return float(f"{value:.15g}")


def _pair(what: str, energy: Prices, time: Prices, name: str) -> list[str]:
    return [f"energy_{what}: {energy.get(name, 0.0)!r}", f"latency_{what}: {time.get(name, 0.0)!r}"]


def _hops(energy: Prices, time: Prices) -> list[str]:
    sides = (("north", "hop_ns"), ("east", "hop_ew"), ("south", "hop_ns"), ("west", "hop_ew"))
    return [f"        {x}" for side, n in sides for x in _pair(f"{side}_hop", energy, time, n)]


def _unit(section: str, name: str, attributes: list[str]) -> list[str]:
    return [f"          {section}:", *_named(name, attributes)]


def _named(name: str, attributes: list[str]) -> list[str]:
    head = [f"            - name: {name}", "              attributes:"]
    return head + [f"                {attribute}" for attribute in attributes]


def _somas(energy: Prices, time: Prices) -> list[str]:
    costs = []
    for word, prices in (("energy", energy), ("latency", time)):
        whole = prices.get("neuron_inactive", 0.0)
        access = _rounded(prices.get("neuron_step", 0.0) + whole)
        update = _rounded(prices["neuron_active"] - whole)
        spike = prices.get("spike_out", 0.0)
        costs += [
            f"{word}_access_neuron: {access!r}",
            f"{word}_update_neuron: {update!r}",
            f"{word}_spike_out: {spike!r}",
        ]
    free = [*_free("access_neuron"), *_free("update_neuron"), *_free("spike_out")]
    return [
        *_unit("soma", LIF, ["model: leaky_integrate_fire", *costs]),
        *_named(f"{INPUT}[0..{INPUTS - 1}]", ["model: input", *free]),
    ]


def _free(what: str) -> list[str]:
    return [f"energy_{what}: 0.0", f"latency_{what}: 0.0"]


def _synapse(name: str, constant: str, energy: Prices, time: Prices) -> list[str]:
    attributes = ["model: current_based"]
    for word, prices in (("energy", energy), ("latency", time)):
        price = prices.get(constant, prices["synaptic_op"])
        attributes.append(f"{word}_process_spike: {price!r}")
    return _named(name, attributes)


def sanafe_network(
    program: Program,
    inputs: Mapping[str, IntArray] | None = None,
    *,
    samples: int,
    host: int | None = None,
) -> str:
    """Return a placed program of one chip, and the spikes that the host sends in ``samples``
    samples, as SANA-FE's network YAML.

    ``host``: the core where the host's lines stand; None: the first that is free.

    Raises:
        UsageError: HB0552, with everything that SANA-FE would not simulate as the program says.
    """
    problems = [Problem("HB0552", what, at) for what, at in _unlike(program)]
    if problems:
        raise UsageError(*problems)
    used = {core for p in program.populations for core in cores_of(p)}
    home = min(set(range(max(used) + 2)) - used) if host is None else host
    spikes = {
        source.name: _spikes(program, source, inputs or {}, samples) for source in program.sources
    }
    lines = ["network:", f"  name: {program.name}", "  groups:"]
    for name, trains in spikes.items():
        lines += _group(name, (f"spikes: {train.astype(int).tolist()}" for train in trains))
    for population in program.populations:
        lines += _group(population.name, _neurons(program, population))
    lines += ["  edges:", *(_edges(program, group) for group in program.synapses), "mappings:"]
    for name, trains in spikes.items():
        for line in range(len(trains)):
            lines.append(
                f'  - {name}.{line}: [core: {_core(program, home)}, soma: "{INPUT}[{line}]"]'
            )
    for population in program.populations:
        unit = [*_units(program, population.name), UNITS[Dense][0]]
        for core, first, last in shares_of(population):
            if last > first:
                what = f"[core: {_core(program, core)}, soma: {LIF}, synapse: {unit[0]}]"
                lines.append(f"  - {population.name}.{first}..{last - 1}: {what}")
    return "\n".join(lines) + "\n"


def _unlike(program: Program) -> Iterator[tuple[str, str]]:
    """Yield (what, where) SANA-FE would do otherwise."""
    if program.plasticity or program.wires:
        yield "SANA-FE knows neither learning nor wires", program.name
    each = int(load_target(program.target).cores_per_chip)
    for population in program.populations:
        at = f"%{population.name} = neurons[{population.size}] {population.neuron.name}"
        if population.neuron.name != "lif" or dict(population.constants).get("du_keep"):
            yield "SANA-FE's neuron is `lif` with du_keep = 0", at
        if population.bias:
            yield "a line of bias is no neuron of SANA-FE", at
        if max(cores_of(population)) >= each:
            yield "SANA-FE simulates one chip", at
        if len(_units(program, population.name)) > 1:
            yield "SANA-FE's file names one kind of synapse a neuron", at
    for source in program.sources:
        if source.bias:
            yield "a line of bias is no neuron of SANA-FE", f"%{source.name}"
    pairs = [(group.pre, group.post) for group in program.synapses]
    for group in program.synapses:
        at = f"%{group.name} = synapses(%{group.pre} -> %{group.post})"
        if group.graded or group.output != "s" or group.port != "a":
            yield "SANA-FE's messages are spikes from output s to input a", at
        if group.delay != 1 or group.exponent < 0 or group.mirror:
            yield "SANA-FE's synapses have delay 1, and no negative exponent or mirror", at
        if pairs.count((group.pre, group.post)) > 1:
            yield "SANA-FE sends one message for all groups between two populations", at
        if not _is_full(program, group):
            yield "SANA-FE sends no message to a core where all weights of a line are 0", at


def _units(program: Program, post: str) -> list[str]:
    units = (UNITS[type(group.connect)][0] for group in program.synapses if group.post == post)
    return list(dict.fromkeys(units))


def _is_full(program: Program, group: Synapses) -> bool:
    """Whether a line has a non-zero weight on every core where it has synapses."""
    line, post, _ = _listed(program, group)
    goals = reach(program, group, fan_of(program, group))
    met = np.zeros(goals.shape, np.bool_)
    receiver = program.population(group.post)
    met[line, place_of_lines(receiver, receiver.size)[post]] = True
    return bool((met == goals).all())


def _listed(
    program: Program, group: Synapses
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return line, neuron and weight of every synapse that is not 0."""
    line, post, element = synapses_of(program, group)
    weight = program.tensors[group.weight].astype(np.int64).ravel()[element]
    kept = weight != 0
    return line[kept], post[kept], weight[kept] << max(group.exponent, 0)


def _spikes(
    program: Program, source: Source, inputs: Mapping[str, IntArray], samples: int
) -> NDArray[np.bool_]:
    """Return in which steps the host's lines send, (lines, steps)."""
    sent = np.zeros((source.size, samples, program.schedule.period), np.bool_)
    events = events_of(source, inputs, samples)
    for number, offset in enumerate(source.offsets):
        sent[:, :, offset - 1] = events[:, number].T != 0
    return sent.reshape(source.size, -1)


def _group(name: str, neurons: Iterator[str]) -> list[str]:
    head = [f"    - name: {name}", "      attributes: [log_spikes: true]", "      neurons:"]
    return head + [f"        - {i}: [soma: {{{what}}}]" for i, what in enumerate(neurons)]


def _neurons(program: Program, population: Population) -> Iterator[str]:
    constants, tables = dict(population.constants), dict(population.tables)
    threshold, keep = constants["threshold"] / 64, constants["dv_keep"] / 4096
    bias = np.zeros(population.size) if "bias" not in tables else program.tensors[tables["bias"]]
    for value in bias.astype(np.float64) / 64:
        yield f"threshold: {threshold!r}, leak_decay: {keep!r}, bias: {float(value)!r}, reset: 0.0"


def _edges(program: Program, group: Synapses) -> str:
    line, post, weight = _listed(program, group)
    pairs = np.stack([line, post], axis=1).tolist()
    what = f"type: sparse, weight: {weight.tolist()}, source_target_pairs: {pairs}"
    return f"    - {group.pre} -> {group.post}: [{what}]"


def _core(program: Program, core: int) -> str:
    tile, inside = divmod(core, int(load_target(program.target).cores_per_tile))
    return f"{tile}.{inside}"
