"""Do counts of the native engine, at the prices of Loihi 1, meet what Loihi 2 was measured to use?

python -m benchmarks.pilotnet NETWORK.net [--frames 20] [--json FILE]

A cross-chip consistency check on one network, PilotNet of lava-dl (its ``network.net``, BSD-3; read
with h5py: ``pip install h5py``). Its published measurement was made with a silent input, so that
everything that happens follows from the file: no data set is needed. Nothing was run on a chip, and
nothing learns here: no price of learning is touched by it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.pilotnet.frame import Frame, band, run_frame
from benchmarks.pilotnet.network import Network, read_network
from benchmarks.pilotnet.prices import MEASURED_J, PLOT, PLOT_STEPS, SOURCE, costs
from benchmarks.pilotnet.slices import messages
from benchmarks.speed.machine import ROOT, commit, description, slug

from hebbite.runtime.neurobench import (
    activation_sparsity,
    connection_sparsity,
    footprint,
    synaptic_operations,
)


def main() -> None:
    """Print what was found, and write it as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("network", type=Path)
    options.add_argument("--frames", type=int, default=20, help="that are timed")
    name = f"pilotnet-{slug()}.json"
    options.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / name)
    chosen = options.parse_args()
    network = read_network(chosen.network)
    frame = run_frame(network, repeats=chosen.frames)
    found = report(network, frame)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(found, indent=1) + "\n")
    print("\n".join(text(network, frame)))


def report(network: Network, frame: Frame) -> dict[str, object]:
    """Return everything as one JSON object."""
    return {
        "what": "a cross-chip consistency check on one network, silent input, no learning",
        "measured": {"dynamic_j": MEASURED_J, "source": SOURCE},
        "machine": description(),
        "commit": commit(),
        "frame": {
            "neurons": sum(layer.size for layer in network.layers),
            "steps": network.steps,
            "spikes": sum(frame.spikes.values()),
            "syn_ops": frame.syn_ops(),
            "neuron_steps": frame.counters.total("neuron_steps"),
            "neuron_active": frame.counters.total("neuron_active"),
            "messages": frame.counters.total("spikes_in"),
            "messages_sliced": messages(frame, network),
            "resets": frame.counters.total("resets"),
        },
        "layers": [row(network, frame, layer.name) for layer in network.layers],
        "neurobench": neurobench(frame),
        "energy": [cost.to_json() for cost in costs(frame)],
        "not_priced": "hops, and what messages_sliced has over messages: the mesh is not known",
        "wall_s": band(frame.wall),
        "busy_s": band(frame.busy),
    }


def neurobench(frame: Frame) -> dict[str, object]:
    """Return what follows from counts alone under NeuroBench's names; membranes are not followed,
    for a period holds the end of one frame and the start of the next."""
    operations = synaptic_operations(frame.program, frame.recording)
    return {
        "Footprint": footprint(frame.program),
        "ConnectionSparsity": connection_sparsity(frame.program),
        "ActivationSparsity": activation_sparsity(frame.program, frame.recording),
        "SynapticOperations": operations.to_json(),
    }


def row(network: Network, frame: Frame, name: str) -> dict[str, object]:
    """Return a layer's counts a frame, and beside a published figure those of as many steps."""
    layer = next(layer for layer in network.layers if layer.name == name)
    ops = frame.of(f"to_{name}", "syn_ops") if layer.weight is not None else 0
    found: dict[str, object] = {
        "layer": name,
        "shape": list(layer.shape),
        "neurons": layer.size,
        "spikes": frame.spikes[name],
        "syn_ops": ops,
    }
    if name in PLOT:
        counted = ops * PLOT_STEPS / network.steps
        found |= {"counted": counted, "read_off": PLOT[name], "ratio": counted / PLOT[name]}
    return found


def text(network: Network, frame: Frame) -> list[str]:
    """Return lines for a reader."""
    lines = [f"{'layer':8}{'neurons':>9}{'spikes':>9}{'synaptic operations':>21} a frame"]
    for layer in network.layers:
        found = row(network, frame, layer.name)
        seen = f"   {found['ratio']:.4f} of the published plot" if "ratio" in found else ""
        lines.append(
            f"{layer.name:8}{layer.size:9,}{found['spikes']:9,}{found['syn_ops']:21,}{seen}"
        )
    size, spikes = sum(layer.size for layer in network.layers), sum(frame.spikes.values())
    lines.append(f"{'all':8}{size:9,}{spikes:9,}{frame.syn_ops():21,}")
    for cost in costs(frame):
        off, more = cost.joules / MEASURED_J - 1, sum(cost.assumed.values())
        lines.append(
            f"{cost.profile}: {cost.joules * 1e3:.3f} mJ a frame, Loihi 2 was measured at "
            f"{MEASURED_J * 1e3:.3f} mJ: {off:+.1%} (cross-chip, untuned); {more * 1e3:.3f} mJ at "
            f"assumed prices come on top, {cost.band.low * 1e3:.2f} to {cost.band.high * 1e3:.2f} "
            "mJ over the ranges of all prices"
        )
    wall, busy = (band(seconds)["median"] * 1e3 for seconds in (frame.wall, frame.busy))
    lines.append(f"native engine: {wall:.1f} ms a frame, {busy:.1f} ms at work, one thread")
    return lines


if __name__ == "__main__":
    main()
