"""Accuracy of spiking networks that learn from errors, beside their frozen baseline.

python benchmarks/spiking.py [TASKS] [--seeds 3]
python benchmarks/spiking.py TASK --search

LIF units, Bernoulli spikes, untrained start, 8-bit weights, one sample at a time, the native
engine, independent rounding. Every seed trains twice from the same start: by the rule (e-prop, or
local readouts), and by e-prop with ``learns=readout``, whose hidden synapses stay as they were
drawn and whose readout learns alike. Printed: test
accuracy of both by seed, their means, the 95 % interval (Student's t) of the difference between the
two of a seed, and chance, the share of the largest class.

``--search`` prints the mean validation accuracy of the last three epochs for every pair of a gain
and a membrane time constant of `GRID`, on the validation parts of the seeds; no test sample is
looked at. `japanese-vowels` needs the file that
examples/get_japanese_vowels.py makes.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.runtime.compare import interval
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.plan import CALIBRATION_SAMPLES
from hebbite.runtime.session import Session

GRID = {"gain": (-2, -1, 0), "tau_mem": (5, 10)}
LAST = 3
"""Epochs over which validation accuracy is averaged."""


@dataclass(frozen=True)
class Task:
    """A data set, the sizes of a network, steps and gain of the rule, settings, and epochs."""

    data: str
    sizes: tuple[int, ...]
    steps: int
    gain: int
    settings: Settings
    epochs: int
    learner: str = "eprop"

    def rule(self, *, learns: str) -> str:
        """Return the text of the rule, or of its baseline, where the readout alone learns."""
        if self.learner != "eprop" and learns == "all":
            return f"{self.learner}(steps={self.steps}, gain={self.gain})"
        return f"eprop(steps={self.steps}, gain={self.gain}, learns={learns})"


SPIKING = Settings(neuron="lif", encode="rate", init="random")
TASKS = {
    "digits": Task("digits", (64, 100, 10), 2, 0, SPIKING, 15),
    "digits-recurrent": Task("digits", (64, 100, 10), 2, 0, replace(SPIKING, recurrent=True), 15),
    "digits-local": Task("digits", (64, 64, 32, 10), 2, 0, SPIKING, 15, learner="decolle"),
    "digits-filtered": Task("digits", (64, 20, 10), 2, 0, SPIKING, 4, learner="eprop-filtered"),
    "digits-adaptive": Task("digits", (64, 20, 10), 2, 0, SPIKING, 4, learner="eprop-alif"),
    "vowels-recurrent": Task(
        "japanese-vowels",
        (12, 24, 9),
        4,
        -1,
        replace(SPIKING, recurrent=True, window=50, tau_mem=10, tau_out=12),
        40,
    ),
}


def network(sizes: tuple[int, ...]) -> Graph:
    """Return linear ops with rectifiers in between; a random start replaces their weights."""
    nodes = [Node("input", (), (Value("x", sizes[:1]),))]
    tensors = {}
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        before = nodes[-1].outputs[0].name
        tensors[f"w{index}"] = np.ones((outputs, inputs), np.float32)
        weight = (("weight", TensorRef(f"w{index}")),)
        nodes.append(Node("linear", (before,), (Value(f"sum{index}", (outputs,)),), weight))
        if index < len(sizes) - 2:
            hidden = Value(f"hidden{index}", (outputs,))
            nodes.append(Node("relu", (nodes[-1].outputs[0].name,), (hidden,)))
    return Graph("network", tuple(nodes), tensors, (nodes[-1].outputs[0].name,))


def train(task: Task, rule: str, data: Dataset, seed: int, *, judge: bool) -> float:
    """Return test accuracy after training; ``judge``: validation accuracy of the last epochs."""
    made = compile(
        network(task.sizes),
        rule=rule,
        settings=replace(task.settings, seed=seed),
        calibration=data.x_train[:CALIBRATION_SAMPLES],
    )
    validation = (data.x_validation, data.y_validation) if judge else None
    with Session(made) as session:
        fit = session.fit(data.x_train, data.y_train, epochs=task.epochs, validation=validation)
        if judge:
            return float(np.mean(fit.validation[-LAST:]))
        return session.evaluate(data.x_test, data.y_test)


def measure(name: str, task: Task, seeds: int) -> dict[str, object]:
    """Return the accuracies of all seeds, with the interval of the paired difference."""
    rows: dict[str, list[float]] = {"all": [], "readout": []}
    chance = []
    for seed in range(seeds):
        data = load_dataset(task.data, seed=seed)
        chance.append(float(np.bincount(data.y_test).max() / len(data.y_test)))
        for learns, scores in rows.items():
            scores.append(train(task, task.rule(learns=learns), data, seed, judge=False))
    gains = np.array(rows["all"]) - np.array(rows["readout"])
    half = [float(value) for value in interval((1 + gains) / 2)]  # within the bounds of accuracy
    return {
        "task": name,
        "rule": task.rule(learns="all"),
        "epochs": task.epochs,
        "settings": {k: getattr(task.settings, k) for k in ("window", "tau_mem", "tau_out")},
        "accuracy": [round(score, 4) for score in rows["all"]],
        "frozen": [round(score, 4) for score in rows["readout"]],
        "mean": [round(float(value), 4) for value in interval(rows["all"])],
        "frozen_mean": [round(float(value), 4) for value in interval(rows["readout"])],
        "difference": [round(2 * value - 1, 4) for value in half],
        "chance": round(float(np.mean(chance)), 4),
    }


def search(name: str, task: Task, seeds: int) -> None:
    """Print a line of JSON for every point of the grid: validation accuracy, mean over seeds."""
    for gain, tau in product(*GRID.values()):
        tried = replace(task, gain=gain, settings=replace(task.settings, tau_mem=tau))
        rule = tried.rule(learns="all")
        scores = [
            train(tried, rule, load_dataset(task.data, seed=seed), seed, judge=True)
            for seed in range(seeds)
        ]
        found = {"task": name, "gain": gain, "tau_mem": tau, "validation": float(np.mean(scores))}
        print(json.dumps(found), flush=True)


def main() -> None:
    """Print a line of JSON a task, or a point of the search."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("tasks", nargs="*", default=list(TASKS))
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--search", action="store_true")
    chosen = options.parse_args()
    for name in chosen.tasks:
        if chosen.search:
            search(name, TASKS[name], chosen.seeds)
        else:
            print(json.dumps(measure(name, TASKS[name], chosen.seeds)), flush=True)


if __name__ == "__main__":
    main()
