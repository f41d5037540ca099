"""What NEST makes of spike trains. Only the interpreter named by HEBBITE_NEST_PYTHON runs this.

In, as JSON on stdin: a list of cases, each with ``pre`` and ``post`` (spike times in ms),
``synapse`` (a plastic model of NEST and its parameters) and ``neuron`` (time constants of the post
neuron). Out, as the last line of stdout: for each case the ``change`` of the weight and the times
at which ``pre`` and ``post`` spiked.

NEST lets a post spike reach the synapse a dendritic delay later and a pre spike at once. Every
delay is one step of 1 ms, and the generator of post spikes runs a step ahead of the other: at the
synapse both trains stand as they were given, two steps late. Post spikes count at the next pre
spike only, so one pre spike follows long after everything, when nothing is left for it to weaken.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import nest  # type: ignore[import-not-found]  # lives in its own environment

STEP, PLASTIC_ONLY, LONG_AFTER = 1.0, 1, 5000.0
START = 500.0


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """Return the change of one weight, in the unit of Wmax, and the spikes as they came."""
    nest.ResetKernel()
    nest.resolution = STEP
    end = max(case["pre"] + case["post"]) + LONG_AFTER
    pre, post = nest.Create("parrot_neuron"), nest.Create("parrot_neuron", params=case["neuron"])
    given = {"delay": STEP}
    ahead = [float(t) for t in case["post"]]
    for neuron, times in ((pre, [*(t + STEP for t in case["pre"]), end]), (post, ahead)):
        generator = nest.Create("spike_generator", params={"spike_times": times})
        nest.Connect(generator, neuron, syn_spec=given)
    # A parrot does not repeat what comes by its second port, but the synapse there is plastic.
    plastic = {**case["synapse"], "weight": START, "receptor_type": PLASTIC_ONLY}
    nest.Connect(pre, post, syn_spec={**given, **plastic})
    recorders = [nest.Create("spike_recorder") for _ in range(2)]
    for neuron, recorder in zip((pre, post), recorders, strict=True):
        nest.Connect(neuron, recorder, syn_spec=given)
    nest.Simulate(end + 10 * STEP)
    came = [[float(t) for t in recorder.events["times"]] for recorder in recorders]
    return {
        "change": nest.GetConnections(pre, post).get("weight") - START,
        "pre": [t - 2 * STEP for t in came[0][:-1]],
        "post": [t - STEP for t in came[1]],
    }


if __name__ == "__main__":
    nest.verbosity = nest.VerbosityLevel.ERROR
    found = [outcome(case) for case in json.load(sys.stdin)]
    sys.stdout.write("\n" + json.dumps(found) + "\n")
