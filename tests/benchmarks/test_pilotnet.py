"""Frames of a convolutional network without input: counted by the engines and by hand."""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.pilotnet.__main__ import report, text
from benchmarks.pilotnet.frame import run_frame
from benchmarks.pilotnet.network import Layer, Network, Unit, network_of, read_network
from benchmarks.pilotnet.prices import MEASURED_J, PLOT, PROFILES, TOLERANCE, costs
from benchmarks.pilotnet.slices import messages
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

UNIT = Unit(current_decay=4096, voltage_decay=1024, threshold=25)
STEPS = 16
FILE = os.environ.get("HEBBITE_PILOTNET", "")


def drawn(name: str, shape: tuple[int, ...], *, low: int = -9, high: int = 12) -> NDArray[np.int32]:
    seed = sum(name.encode())
    values = np.random.default_rng(seed).integers(low, high, shape).astype(np.int32)
    return np.where(np.random.default_rng(seed + 1).random(shape) < 0.3, 0, values).astype(np.int32)


def a_network() -> Network:
    """An image that is not square, kernels without symmetry, strides and padding that differ by
    axis: whoever takes y for x counts something else."""
    image = Layer("input", (2, 11, 7), UNIT, np.full(2, 36, np.int32))
    first = Layer(
        "conv1", (3, 5, 5), UNIT, np.array([7, 9, 30], np.int32), drawn("a", (3, 2, 3, 3)), (2, 1)
    )
    second = Layer(
        "conv2",
        (4, 3, 3),
        UNIT,
        np.array([9, 14, 6, 20], np.int32),
        drawn("b", (4, 3, 2, 3)),
        (2, 1),
        (1, 0),
    )
    last = Layer("dense1", (6, 1, 1), UNIT, np.full(6, 9, np.int32), drawn("c", (6, 36)))
    return Network((image, first, second, last), STEPS)


def by_hand(network: Network) -> tuple[dict[str, int], dict[str, int]]:
    """Return spikes and non-zero weights reached of every layer: all layers in step, each message
    in the step in which it was sent, every synapse on its own."""
    spikes = {layer.name: 0 for layer in network.layers}
    ops = dict.fromkeys(spikes, 0)
    membranes = {layer.name: np.zeros(layer.shape, object) for layer in network.layers}
    for _ in range(network.steps):
        sent = np.zeros(network.layers[0].shape, int)
        for layer in network.layers[1:]:
            current, reached = arriving(layer, sent)
            ops[layer.name] += reached
            sent = np.zeros(layer.shape, int)
            for place in np.ndindex(*layer.shape):
                v = int(membranes[layer.name][place]) * (4096 - layer.unit.voltage_decay)
                v = v // 4096 if v >= 0 else -(-v // 4096)
                v += 64 * int(current[place]) + 64 * int(layer.bias[place[0]])
                sent[place] = v > 64 * layer.unit.threshold
                membranes[layer.name][place] = 0 if sent[place] else v
            spikes[layer.name] += int(sent.sum())
    return spikes, ops


def arriving(layer: Layer, sent: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return what reaches every neuron in a step, and by how many weights that are not 0."""
    assert layer.weight is not None
    current, reached = np.zeros(layer.shape, int), 0
    weight = layer.weight
    if weight.ndim == 2:
        flat = sent.ravel()
        return (weight @ flat).reshape(layer.shape), sum(
            int(np.count_nonzero(weight[:, line])) for line in np.flatnonzero(flat)
        )
    for k, oy, ox in np.ndindex(*layer.shape):
        for c, i, j in np.ndindex(*weight.shape[1:]):
            y = oy * layer.stride[0] - layer.padding[0] + i * layer.dilation[0]
            x = ox * layer.stride[1] - layer.padding[1] + j * layer.dilation[1]
            inside = 0 <= y < sent.shape[1] and 0 <= x < sent.shape[2]
            if inside and sent[c, y, x] and weight[k, c, i, j]:
                current[k, oy, ox] += weight[k, c, i, j]
                reached += 1
    return current, reached


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_frame_holds_the_spikes_and_operations_of_every_layer_counted_by_hand(
    engine: str,
) -> None:
    network = a_network()
    spikes, ops = by_hand(network)
    frame = run_frame(network, engine=engine, repeats=2)
    assert frame.spikes == spikes
    found = {name: frame.of(f"to_{name}", "syn_ops") for name in ops if name != "input"}
    assert found == {name: count for name, count in ops.items() if name != "input"}
    assert min(spikes["conv1"], spikes["conv2"], spikes["dense1"]) > 0


def test_a_neuron_that_its_bias_alone_lifts_over_the_threshold_fires_in_every_step() -> None:
    still, first = a_network().layers[:2]
    driven = replace(first, bias=np.array([26, 25, 13], np.int32))
    frame = run_frame(Network((still, driven), STEPS), repeats=1)
    # 26 > 25 at once; 25 needs a second step; 13 (1 + 3/4 + 9/16) = 30.06 > 25 in the third
    assert frame.spikes == {"input": 0, "conv1": 25 * (16 + 8 + 5)}


def test_a_frame_is_priced_counter_by_counter_as_each_profile_cuts_the_work() -> None:
    network = a_network()
    frame = run_frame(network, repeats=1)
    counts = frame.counters
    steps, active = counts.total("neuron_steps"), counts.total("neuron_active")
    spikes, messages = sum(frame.spikes.values()), counts.total("spikes_in")
    conv, dense = frame.syn_ops("conv"), frame.syn_ops("dense")
    assert steps == STEPS * sum(layer.size for layer in network.layers)
    assert spikes >= messages > 0
    assert conv + dense == frame.syn_ops()
    davies, sanafe = costs(frame)
    assert davies.joules == pytest.approx(
        1e-12 * (81 * active + 52 * (steps - active) + 23.6 * (conv + dense) + 1.7 * messages)
    )
    assert sanafe.joules == pytest.approx(
        1e-12 * (51.2 * steps + 21.6 * active + 24.0 * conv + 35.5 * dense)
        + 1e-12 * (69.3 * spikes + 111.0 * messages)
    )
    for cost in (davies, sanafe):
        assert list(cost.assumed) == ["resets x reset"]
        assert cost.band.low < cost.joules < cost.band.high


def test_a_spike_is_a_message_to_every_core_on_which_it_has_a_synapse() -> None:
    network = a_network()
    frame = run_frame(network, repeats=1)
    assert messages(frame, network, columns={}, shares={}) == frame.counters.total("spikes_in")
    second = network.layers[2]
    apart = messages(frame, network, columns={"conv2": 2}, shares={"dense1": 3})
    sent = np.count_nonzero(frame.recording.values["conv1.s"], axis=0).reshape(3, 5, 5)
    expected = 3 * frame.spikes["conv2"]
    for c, y, x in np.ndindex(3, 5, 5):
        hit = {
            ox // 2
            for oy, ox in np.ndindex(*second.shape[1:])
            if 0 <= y - (2 * oy - 1) < 2 and 0 <= x - ox < 3
        }
        expected += int(sent[c, y, x]) * len(hit)
    assert apart == expected


def test_the_report_holds_what_its_lines_say_and_is_json() -> None:
    network = a_network()
    frame = run_frame(network, repeats=3)
    found = json.loads(json.dumps(report(network, frame)))
    assert found["frame"]["syn_ops"] == frame.syn_ops()
    assert found["neurobench"]["SynapticOperations"]["Effective_ACs"] == frame.syn_ops()
    assert [cost["profile"] for cost in found["energy"]] == list(PROFILES)
    assert all(cost["cross_chip"] and not cost["within"] for cost in found["energy"])
    assert 0 < found["wall_s"]["low"] <= found["wall_s"]["median"] <= found["wall_s"]["high"]
    named = {row["layer"]: row for row in found["layers"]}
    assert named["conv2"]["counted"] == named["conv2"]["syn_ops"] * 625
    lines = text(network, frame)
    assert [line.split()[0] for line in lines[1:6]] == [*frame.spikes, "all"]
    assert f"{frame.syn_ops():,}" in lines[5]


def stored(network: Network) -> dict[str, Any]:
    """A network as its file is laid out, with a flattening layer before the dense one."""
    layers: list[dict[str, Any]] = []
    for layer in network.layers:
        unit = {
            "type": np.array(b"LOIHI", object),
            "refDelay": np.array(1),
            "wgtExp": np.array(0),
            "iDecay": np.array(layer.unit.current_decay),
            "vDecay": np.array(layer.unit.voltage_decay),
            "vThMant": np.array(layer.unit.threshold),
        }
        entry: dict[str, Any] = {
            "type": np.array([layer.kind.encode()]),
            "shape": np.array(layer.shape),
            "bias": layer.bias.astype(np.float32),
            "neuron": unit,
        }
        if layer.weight is None:
            entry["bias"], entry["weight"] = np.array(36.0, np.float32), np.array(40.0, np.float32)
        else:
            entry["weight"] = layer.weight.astype(np.float32)
        if layer.kind == "conv":
            entry |= {key: np.array(getattr(layer, key)) for key in ("stride", "padding")}
            entry |= {"dilation": np.array(layer.dilation), "groups": np.array(layer.groups)}
        if layer.kind == "dense":
            layers.append({"type": np.array([b"flatten"]), "shape": np.array([1, 1, 36])})
        layers.append(entry)
    named = {str(number): entry for number, entry in enumerate(layers)}
    return {"layer": named, "simulation": {"tSample": np.array(network.steps)}}


def test_a_stored_network_is_read_layer_by_layer() -> None:
    network, found = a_network(), network_of(stored(a_network()))
    assert found.steps == STEPS
    assert [layer.name for layer in found.layers] == ["input", "conv1", "conv2", "dense1"]
    for one, other in zip(found.layers, network.layers, strict=True):
        assert np.array_equal(one.bias, other.bias)
        assert (one.weight is None) == (other.weight is None)
        if one.weight is not None and other.weight is not None:
            assert np.array_equal(one.weight, other.weight)
        bare = replace(one, bias=other.bias, weight=other.weight)
        assert repr(bare) == repr(other)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("type", np.array(b"CUBA", object), "conv1: type is CUBA"),
        ("refDelay", np.array(2), "conv1: refDelay is 2"),
        ("wgtExp", np.array(-2), "conv1: wgtExp is -2"),
    ],
)
def test_a_unit_that_the_program_would_not_match_is_refused(
    key: str, value: NDArray[Any], reason: str
) -> None:
    file = stored(a_network())
    file["layer"]["1"]["neuron"][key] = value
    with pytest.raises(ValueError, match=reason):
        network_of(file)


def test_a_weight_between_two_integers_and_an_unknown_layer_are_refused() -> None:
    file = stored(a_network())
    file["layer"]["2"]["weight"] = file["layer"]["2"]["weight"] + np.float32(0.5)
    with pytest.raises(ValueError, match="conv2: a weight or bias is no integer"):
        network_of(file)
    file["layer"]["2"]["type"] = np.array([b"average"])
    file["layer"]["2"]["weight"] = file["layer"]["2"]["weight"] - np.float32(0.5)
    with pytest.raises(ValueError, match="a 'average' is no layer"):
        network_of(file)


published = pytest.mark.skipif(
    not FILE or importlib.util.find_spec("h5py") is None,
    reason="HEBBITE_PILOTNET names no network.net of lava-dl, or h5py is missing",
)


@published
def test_a_frame_of_pilotnet_is_counted_exactly_and_priced_as_measured_on_another_chip() -> None:
    network = read_network(Path(FILE))
    spikes, ops = by_windows(network)
    frame = run_frame(network, repeats=1)
    assert sum(layer.size for layer in network.layers) == 158_509
    assert frame.spikes == spikes
    assert sum(spikes.values()) == 553_715
    found = {name: frame.of(f"to_{name}", "syn_ops") for name in ops}
    assert found == ops
    assert frame.syn_ops("conv") == 36_247_866
    assert frame.syn_ops("dense") == 67_500
    assert messages(frame, network) == 623_533
    for name, plotted in PLOT.items():
        assert ops[name] * 10_000 / STEPS == pytest.approx(plotted, rel=0.02)
    for cost in costs(frame):
        assert cost.joules == pytest.approx(MEASURED_J, rel=TOLERANCE)


def by_windows(network: Network) -> tuple[dict[str, int], dict[str, int]]:
    """As `by_hand`, with the windows of a convolution taken out of the image at once."""
    spikes = {layer.name: 0 for layer in network.layers}
    ops = {layer.name: 0 for layer in network.layers[1:]}
    membranes = {layer.name: np.zeros(layer.shape, np.int64) for layer in network.layers}
    for _ in range(network.steps):
        sent = np.zeros(network.layers[0].shape)
        for layer in network.layers[1:]:
            assert layer.weight is not None
            weight = layer.weight.reshape(len(layer.weight), -1).astype(np.float64)
            seen = windows(layer, sent)
            ops[layer.name] += int(((weight != 0).astype(np.float64) @ seen).sum())
            current = np.rint(weight @ seen).astype(np.int64).reshape(layer.shape)
            v = membranes[layer.name] * (4096 - layer.unit.voltage_decay)
            v = np.sign(v) * (np.abs(v) // 4096)
            v += 64 * (current + layer.bias[:, None, None])
            fired = v > 64 * layer.unit.threshold
            membranes[layer.name] = np.where(fired, 0, v)
            spikes[layer.name] += int(fired.sum())
            sent = fired.astype(np.float64)
    return spikes, ops


def windows(layer: Layer, sent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each place of a layer looks at, (channels x ky x kx, places)."""
    assert layer.weight is not None
    if layer.weight.ndim == 2:
        return sent.reshape(-1, 1)
    (down, across), kernel = layer.padding, layer.weight.shape[2:]
    padded = np.pad(sent, ((0, 0), (down, down), (across, across)))
    every = sliding_window_view(padded, kernel, axis=(1, 2))  # type: ignore[call-overload]
    chosen = every[:, :: layer.stride[0], :: layer.stride[1]].transpose(0, 3, 4, 1, 2)
    return np.ascontiguousarray(chosen).reshape(prod(layer.weight.shape[1:]), -1)
