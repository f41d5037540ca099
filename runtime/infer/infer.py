"""`hebbite.infer`: from a recording to a ranking of pairs and a verdict.

The first part of the steps fits a rate a layer and the noise, the rest is predicted (see `score`).
The pairs are judged on what they predict; objective and rule that the recorded program states are
not looked at.

What it can say is bounded: a verdict is among the pairs that were given, and if none of them is the
true one, it may be the nearest. Predictions are those of the rule as its paper writes it, in real
numbers, at the weights before a step, the readout told in whole multiples of 2^error_shift as the
recorded setting says. Everything else that the chip rounds or clips counts as noise.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from hebbite.compiler.hbt import producer
from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.threads import one_thread
from hebbite.runtime.infer.candidates import Candidate, candidates_of, gradients_of
from hebbite.runtime.infer.evidence import evidence_of
from hebbite.runtime.infer.file import read_recording
from hebbite.runtime.infer.recording import LearningRecording
from hebbite.runtime.infer.row import Row, row_of
from hebbite.runtime.infer.score import DRAWS, LEVEL, Scored, fit_of
from hebbite.runtime.infer.verdict import Verdict, classes, verdict_of

FEWEST = 8
"""Steps to fit and steps to hold out, at least: with fewer a bootstrap knows no tails."""
MOST = 4096
"""Steps in all: resamples take memory."""


@dataclass(frozen=True, eq=False)
class Inference:
    """``ranking``: the pairs, refuted ones last, best score first; ``gradient``: -grad F of every
    objective alone; ``fit`` and ``held_out``: numbers of steps."""

    ranking: tuple[Row, ...]
    gradient: tuple[Row, ...]
    verdict: Verdict
    fit: int
    held_out: int
    provenance: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return what ``hebbite infer --json`` prints."""
        return {
            "ranking": [row.to_json() for row in self.ranking],
            "gradient": [row.to_json() for row in self.gradient],
            "verdict": self.verdict.to_json(),
            "steps": {"fit": self.fit, "held_out": self.held_out},
            "provenance": self.provenance,
        }


def infer(
    recording: str | os.PathLike[str] | LearningRecording,
    *,
    objectives: Sequence[str | Objective] = ("classification",),
    rules: Sequence[str | LearningRule] = ("backprop", "dfa", "fa", "frozen"),
    fit_steps: int = 0,
    seed: int = 0,
) -> Inference:
    """Return which pair of an objective and a rule explains the recorded changes of weights.

    Args:
        recording: a file that ``hebbite train --record`` wrote, or a recording.
        objectives, rules: names, ``name(option=value)``, or what `hebbite.rules` makes of them.
        fit_steps: steps to fit on, from the first; 0 takes half of them.
        seed: of the bootstrap.

    Raises:
        InputFileError: HB0230 to HB0237 for a file that is no sound recording.
        UsageError: HB0482 for a request without pairs, HB0485 with too few steps or too many.
        UnsupportedError: HB0470, HB0471 or HB0483 for what cannot be predicted.
    """
    pairs = candidates_of(objectives, rules)
    found = recording if isinstance(recording, LearningRecording) else read_recording(recording)
    first = _fit_steps(found.steps, fit_steps)
    with one_thread():
        return _inferred(found, pairs, first, seed)


def _inferred(
    found: LearningRecording, pairs: Sequence[Candidate], first: int, seed: int
) -> Inference:
    everything = (*pairs, *gradients_of(pairs))
    evidence, gram = evidence_of(found, everything)
    scored = Scored(fit_of(evidence.part(slice(0, first))), evidence.part(slice(first, None)), seed)
    size = len(pairs)
    same = classes(gram[:, :size, :size], evidence.learns[:size])
    rows = [row_of(scored, index, candidate) for index, candidate in enumerate(everything)]
    ranking = [
        rows[index].with_same([pairs[j] for j in same[index]]) for index in _order(rows, same)
    ]
    return Inference(
        ranking=tuple(ranking),
        gradient=tuple(sorted(rows[size:], key=lambda row: -row.score)),
        verdict=verdict_of(scored, pairs, same),
        fit=first,
        held_out=found.steps - first,
        provenance=_provenance(found, seed),
    )


def _order(rows: Sequence[Row], same: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the pairs, refuted ones last, best score first; a class stays as it was named."""

    def place(index: int) -> tuple[bool, float]:
        first = rows[min((index, *same[index]))]
        return bool(first.refuted), -first.score

    return sorted(range(len(same)), key=place)


def _fit_steps(steps: int, wanted: int) -> int:
    """Return how many steps to fit on (HB0485)."""
    if steps > MOST:
        what = f"{steps} steps; inference takes at most {MOST}"
        raise UsageError(Problem("HB0485", what, hint="record more samples a step"))
    chosen = wanted or steps // 2
    if FEWEST <= chosen <= steps - FEWEST:
        return chosen
    what = (
        f"{chosen} of {steps} steps to fit on, {steps - chosen} held out; "
        f"inference needs {FEWEST} of each"
    )
    hint = "record more: --record-steps 64" if steps < 2 * FEWEST else f"--fit-steps {steps // 2}"
    raise UsageError(Problem("HB0485", what, hint=hint))


def _provenance(recording: LearningRecording, seed: int) -> dict[str, object]:
    training = recording.training
    return {
        "producer": producer(),
        "model": recording.model.model,
        "program_sha256": recording.model.sha256,
        "data": training.data,
        "engine": training.engine,
        "rounding": training.rounding,
        "training_seed": training.seed,
        "steps": recording.steps,
        "samples_a_step": recording.every,
        "score": "log-likelihood gained over no change, nats a held-out step",
        "level": LEVEL,
        "bootstrap_draws": DRAWS,
        "seed": seed,
        "ran_on": "this computer; no chip was used",
    }
