"""SANA-FE in a process of its own: ``PYTHON simulator.py ARCHITECTURE NETWORK STEPS``.

Started by the interpreter that has SANA-FE (GPL-3.0); nothing of hebbite is imported here, and
nothing of SANA-FE anywhere else. Prints one JSON object.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from typing import Any


def main(architecture: str, network: str, steps: int) -> dict[str, object]:
    """Run a network for some steps; return energies in J, seconds, counts and spikes.

    ``architecture``: a file, or ``bundled``, SANA-FE's own of Loihi.
    """
    sanafe = importlib.import_module("sanafe")
    bundled = architecture == "bundled"
    chip_model = sanafe.load_loihi() if bundled else sanafe.load_arch(architecture)
    loaded = sanafe.load_net(network, chip_model)

    def simulated(timing: str, **traces: bool) -> Any:
        chip = sanafe.SpikingChip(chip_model)
        chip.load(loaded)
        return chip.sim(steps, timing_model=timing, processing_threads=1, **traces)

    found = simulated("simple", spike_trace=True, perf_trace=True)
    spikes = [
        [[address.group_name, address.neuron_offset] for address in step]
        for step in found["spike_trace"]
    ]
    return {
        "version": importlib.metadata.version("sanafe"),
        "energy": found["energy"],
        "seconds": found["sim_time"],
        "step_seconds": found["perf_trace"]["sim_time"],
        "detailed_seconds": simulated("detailed")["sim_time"],
        "synaptic_events": found["spikes"],
        "messages": found["packets_sent"],
        "updated": found["neurons_updated"],
        "fired": found["neurons_fired"],
        "spikes": spikes,
    }


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2], int(sys.argv[3])), sys.stdout)
