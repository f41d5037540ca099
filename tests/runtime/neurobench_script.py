"""What NeuroBench makes of networks. Only the interpreter named by HEBBITE_NEUROBENCH_PYTHON runs
this.

In, as JSON on stdin, a list of networks: ``kind``, the ``layers`` (weight and bias each; a weight
of four axes is a convolution, with ``stride`` and ``padding``), ``samples`` as they are shown and,
of a spiking network, ``beta`` and ``threshold``. Out, as the last line of stdout: NeuroBench's
metrics, and the bytes of the buffers that its neurons bring along, before anything ran.

A message takes a step on a chip, so a spiking layer after the first hears one step late what the
layer before it sent; in the first step it hears the bias alone.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import snntorch  # type: ignore[import-not-found]  # all of these live in their own environment
import torch  # type: ignore[import-not-found]
from neurobench.benchmarks import Benchmark  # type: ignore[import-not-found]
from neurobench.metrics.static import (  # type: ignore[import-not-found]
    ConnectionSparsity,
    Footprint,
)
from neurobench.metrics.workload import (  # type: ignore[import-not-found]
    ActivationSparsity,
    MembraneUpdates,
    SynapticOperations,
)
from neurobench.models import SNNTorchModel, TorchModel  # type: ignore[import-not-found]

STATIC = [Footprint, ConnectionSparsity]
WORKLOAD = [ActivationSparsity, SynapticOperations]


def connection(layer: dict[str, Any]) -> Any:
    """Return a linear layer or a convolution of given numbers."""
    weight = torch.tensor(layer["weight"], dtype=torch.float32)
    outputs, inputs = weight.shape[:2]
    made = torch.nn.Linear(inputs, outputs)
    if weight.ndim == 4:
        window = {name: tuple(layer[name]) for name in ("stride", "padding")}
        made = torch.nn.Conv2d(inputs, outputs, weight.shape[2:], **window)
    made.weight.data, made.bias.data = weight, torch.tensor(layer["bias"], dtype=torch.float32)
    return made


class Late(torch.nn.Module):  # type: ignore[misc]
    """Two spiking layers; what the first one sends arrives a step later."""

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__()
        self.first, self.second = (connection(layer) for layer in case["layers"])
        self.hidden, self.output = (
            snntorch.Leaky(
                beta=case["beta"],
                threshold=case["threshold"],
                reset_mechanism="zero",
                reset_delay=False,
                init_hidden=True,
                output=True,
            )
            for _ in range(2)
        )
        self.steps, self.shown = len(case["samples"][0]), 0

    def forward(self, x: Any) -> Any:
        """Take one step."""
        if self.shown % self.steps == 0:
            self.arriving = self.second.bias.detach().expand(len(x), -1)
        self.shown += 1
        spikes, _ = self.hidden(self.first(x))
        heard, self.arriving = self.arriving, self.second(spikes)
        return self.output(heard)


def measured(case: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics of one network."""
    x = torch.tensor(case["samples"], dtype=torch.float32)
    shown = [(sample, torch.tensor(0)) for sample in x]
    spiking = case["kind"] == "spiking"
    if spiking:
        net = Late(case)
        model = SNNTorchModel(net)
    else:
        first, second = (connection(layer) for layer in case["layers"])
        relu = torch.nn.ReLU
        net = torch.nn.Sequential(first, relu(), torch.nn.Flatten(), second, relu())
        model = TorchModel(net)
    buffers = sum(buffer.numel() * buffer.element_size() for buffer in net.buffers())
    loader = torch.utils.data.DataLoader(shown, batch_size=1)
    workload = [*WORKLOAD, MembraneUpdates] if spiking else WORKLOAD
    with torch.no_grad():
        found = Benchmark(model, loader, [], [], [STATIC, workload]).run(quiet=True)
    return {**found, "buffers": buffers}


if __name__ == "__main__":
    answers = [measured(case) for case in json.load(sys.stdin)]
    sys.stdout.write("\n" + json.dumps(answers) + "\n")
