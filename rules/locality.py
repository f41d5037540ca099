"""What a synapse must be told that does not stand beside it: locality in five parts.

Source of the questions: B. A. Richards et al., "A deep learning framework for neuroscience", Nature
Neuroscience 22, 1761-1770 (2019), doi 10.1038/s41593-019-0520-2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WeightTransport = Literal["none", "sign", "full", "learned"]


@dataclass(frozen=True)
class Locality:
    """Five answers about a rule.

    remote                  variables of another synapse or neuron that the update reads
    weight_transport        what must be carried from forward to feedback weights
    phases                  separate passes over a sample
    global_signals          signals that every neuron gets alike
    feedback                the path that errors take, and whether they meet a derivative gate: a
                            path is gated where it says ``derivative``, unless ``no derivative``
    feedback_latency_steps  steps from the output's error to the last neuron, a population
    """

    remote: tuple[str, ...] = ()
    weight_transport: WeightTransport = "none"
    phases: int = 1
    global_signals: tuple[str, ...] = ()
    feedback: str = "none"
    feedback_latency_steps: int = 0

    @property
    def is_gated(self) -> bool:
        """Whether errors are multiplied by a derivative of the activation that they arrive at."""
        return "derivative" in self.feedback and "no derivative" not in self.feedback

    def to_json(self) -> dict[str, object]:
        """Return plain data with the keys of a comparison row."""
        return {
            "remote": list(self.remote),
            "weight_transport": self.weight_transport,
            "phases": self.phases,
            "global_signals": list(self.global_signals),
            "feedback": self.feedback,
            "feedback_latency_steps": self.feedback_latency_steps,
        }
