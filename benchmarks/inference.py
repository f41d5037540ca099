"""How many steps must be recorded until objective and rule can be inferred from them?

python benchmarks/inference.py [--model NAME.onnx] [--seeds 3] [--epochs 0]

Every objective and rule below trains the model on the 8x8 digits, native engine, independent
rounding; its first steps (or those after ``--epochs``) are recorded and inferred from. One JSON
line a size of the recording: of all trainings, how many gave the generating pair, another pair or
no verdict; and of as many recordings whose changes have drawn signs, or whose samples are shuffled,
how many gave no verdict. Nothing was run on a chip.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.settings import Settings
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.infer.infer import Inference, infer
from hebbite.runtime.infer.record import record_learning
from hebbite.runtime.infer.recording import LearningRecording
from hebbite.runtime.session import Session

MODEL = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"
OBJECTIVES = (
    "classification(target_rate=100, margin=0)",
    "classification(target_rate=100, margin=60)",
    "classification(target_rate=40, margin=0)",
)
RULES = ("backprop", "dfa", "frozen")
SIZES = ((16, 1), (16, 4), (32, 4), (64, 4), (16, 16), (32, 16), (64, 16), (64, 64))
"""Steps and samples a step."""


def main() -> None:
    """Print one JSON line a size."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=MODEL)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=0, help="epochs before the recording")
    chosen = options.parse_args()
    jobs = list(trained(chosen.model, chosen.seeds, chosen.epochs))
    for steps, every in SIZES:
        print(json.dumps(report(jobs, steps, every)), flush=True)


def trained(model: Path, seeds: int, epochs: int) -> Iterator[tuple[Compiled, int]]:
    """Yield every model, as it stands after some epochs, and its seed."""
    for seed in range(seeds):
        data = load_dataset("digits", seed=seed)
        x, settings = data.x_train.astype(np.float64), Settings(seed=seed)
        for objective in OBJECTIVES:
            for rule in RULES:
                made = compile(model, rule=rule, objective=objective, settings=settings,
                               calibration=x[:1000])  # fmt: skip
                with Session(made) as session:
                    if epochs:
                        session.fit(x, data.y_train, epochs=epochs)
                    yield session.snapshot(), seed


def report(jobs: list[tuple[Compiled, int]], steps: int, every: int) -> dict[str, object]:
    """Return how often the pair was found in recordings of this size, and noise seen as noise."""
    outcomes: Counter[str] = Counter()
    noise = {"drawn signs": 0, "shuffled samples": 0}
    for model, seed in jobs:
        data = load_dataset("digits", seed=seed)
        x = data.x_train.astype(np.float64)
        recording = record_learning(model, x, data.y_train, steps=steps, every=every)
        outcomes[outcome(asked(recording), model)] += 1
        noise["drawn signs"] += not asked(drawn_signs(recording, seed)).verdict.separable
        noise["shuffled samples"] += not asked(shuffled(recording, seed)).verdict.separable
    return {
        "steps": steps,
        "samples_a_step": every,
        "trainings": len(jobs),
        "found": outcomes["found"],
        "another": outcomes["another"],
        "no_verdict": outcomes["none"],
        "noise_without_verdict": noise,
    }


def asked(recording: LearningRecording) -> Inference:
    """Return what is inferred from a recording."""
    return infer(recording, objectives=OBJECTIVES, rules=RULES)


def outcome(found: Inference, model: Compiled) -> str:
    """Return ``found``, ``another`` or ``none``."""
    verdict = found.verdict
    if not verdict.separable:
        return "none"
    same = (verdict.objective, verdict.rule) == (model.objective.text, model.rule.name)
    return "found" if same else "another"


def drawn_signs(recording: LearningRecording, seed: int) -> LearningRecording:
    """Return changes of the same sizes and of signs by chance."""
    rng, weights = np.random.default_rng(seed), {}
    for name, stored in recording.weights.items():
        moves = np.diff(stored.astype(np.int64), axis=0)
        moves = np.where(rng.random(moves.shape) < 0.5, moves, -moves)
        path = [stored[0].astype(np.int64)]
        for move in moves:
            path.append(np.clip(path[-1] + move, -256, 255))
        weights[name] = np.stack(path)
    return replace(recording, weights=weights)


def shuffled(recording: LearningRecording, seed: int) -> LearningRecording:
    """Return the recording with the samples of all steps shuffled, each with its label."""
    order = np.random.default_rng(seed).permutation(recording.steps * recording.every)
    x, y = recording.x.reshape(len(order), -1)[order], recording.y.ravel()[order]
    return replace(recording, x=x.reshape(recording.x.shape), y=y.reshape(recording.y.shape))


if __name__ == "__main__":
    main()
