"""How credit reaches a neuron: where the signal comes from, through which weights, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.relaxation import Relaxation

SignalSource = Literal[
    "none",
    "output-error",
    "upper-error",
    "target",
    "reward",
    "local-readout",
    "perturbation",
    "prediction-error",
    "nudge",
    "goodness",
]
FeedbackWeights = Literal["none", "random", "sign", "transpose", "learned"]
Delivery = Literal["none", "direct", "layered", "broadcast"]


MOVING = ("nudge", "prediction-error")
"""Sources whose signals act on the activity of the units that they reach, which settles with them;
every other one arrives when the activity has been sent, and changes weights alone."""


@dataclass(frozen=True)
class Feedback:
    """A feedback path, as data.

    source    what is sent back: the output's error, the error of the units above, ...
    weights   through which weights: fixed random ones, signs or copies of the forward ones, learned
    delivery  ``direct`` from the output to every population, ``layered`` from each to the one below
    latency   steps from the source to the neuron, a population
    gain      errors arrive 2^gain times as large as they left, by default (-6..6)
    amplitude of a perturbation: 2^amplitude steps of a payload (0..6)
    relaxation  how the network settles, where it does
    trigger   errors of local readouts below it are not sent (0..127)
    """

    source: SignalSource = "none"
    weights: FeedbackWeights = "none"
    delivery: Delivery = "none"
    latency: int = 0
    gain: int = 0
    amplitude: int = 0
    relaxation: Relaxation | None = None
    trigger: int = 0

    def __post_init__(self) -> None:
        """Check the words and the latency (HB0409)."""
        for field, known in (
            ("source", get_args(SignalSource)),
            ("weights", get_args(FeedbackWeights)),
            ("delivery", get_args(Delivery)),
        ):
            value = getattr(self, field)
            if value not in known:
                what = f"unknown feedback {field} '{value}'"
                raise UsageError(Problem("HB0409", what, hint=near(value, known)))
        if self.latency < 0 or not -6 <= self.gain <= 6:
            what = f"latency {self.latency} (0 or more) or gain {self.gain} (-6..6) is out of range"
            raise UsageError(Problem("HB0409", what))
        if not 0 <= self.amplitude <= 6:
            raise UsageError(Problem("HB0409", f"amplitude {self.amplitude} is not in 0..6"))

    @property
    def moves_activity(self) -> bool:
        """Whether what is sent back changes the activity of its receivers within the sample."""
        return self.source in MOVING

    def __str__(self) -> str:
        """Return the text that a rule prints."""
        noise = f", amplitude={self.amplitude}" if self.source == "perturbation" else ""
        settles = f", {self.relaxation}" if self.relaxation else ""
        noise += f", trigger={self.trigger}" if self.source == "local-readout" else ""
        return (
            f"{{source={self.source}, weights={self.weights}, "
            f"delivery={self.delivery}, latency={self.latency}, gain={self.gain}{noise}{settles}}}"
        )
