"""snnTorch on PyTorch, real numbers of 32 bits, one thread. Choice: samples at once, 1 if empty.

Every step multiplies dense matrices: what does not spike costs as much as what does. Seconds are
those of one sample, the batch's divided by its size.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.peers.protocol import Arrays, Run, Simulator, serve, timed


class Torch(Simulator):
    """Linear layers and leaky units without gradients."""

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Build the layers."""
        snntorch, torch = import_module("snntorch"), import_module("torch")
        torch.set_num_threads(1)
        self._torch = torch
        self.version = f"snnTorch {snntorch.__version__}, PyTorch {torch.__version__}"
        self._batch = int(choice or 1)
        x = torch.tensor(arrays["x"][:steps], dtype=torch.float32)
        self._x = x[:, None, :].repeat(1, self._batch, 1)
        self._weights = [torch.tensor(arrays[f"w{i}"]).float().T.contiguous() for i in range(3)]
        self._units = [
            snntorch.Leaky(
                beta=3840 / 4096, threshold=float(arrays[f"vth{i}"]), reset_mechanism="zero"
            )
            for i in range(3)
        ]

    def run(self) -> Run:
        """Run all steps."""
        with self._torch.inference_mode():
            wall, cpu, totals = timed(self._simulate)
        count = self._batch
        sizes = [len(weight) for weight in self._weights]
        rates = [
            float(n) / size / len(self._x) / count
            for n, size in zip(totals, sizes)  # noqa: B905
        ]
        return Run(wall / count, cpu / count, rates)

    def _simulate(self) -> list[Any]:
        linear = self._torch.nn.functional.linear
        shapes = [(self._batch, len(weight)) for weight in self._weights]
        potentials = [self._torch.zeros(shape) for shape in shapes]
        late = [self._torch.zeros(shape) for shape in shapes]
        totals = [self._torch.zeros(()) for _ in shapes]
        for step in self._x:
            sent = step
            for i, weight in enumerate(self._weights):
                arriving, late[i] = late[i], linear(sent, weight)
                sent, potentials[i] = self._units[i](arriving, potentials[i])
                totals[i] += sent.sum()
        return totals


if __name__ == "__main__":
    serve(Torch)
