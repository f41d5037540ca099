"""A learning rule, as data: what a chip evaluates, which signal it needs, and what that asks for.

Almost every rule is the same update on the chip, dw = eta * x1 * error, with another signal written
by the neuron and another feedback path. So a rule holds few parts, and its text says all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hebbite.rules.feedback import Feedback
from hebbite.rules.locality import Locality
from hebbite.rules.sums import SumOfProducts
from hebbite.rules.traces import Trace

Learns = Literal["all", "readout", "none"]
WITHOUT_OBJECTIVE = ("spikes", "activity", "sliding-threshold", "winner", "prototype")
"""Signals that say nothing of an objective: what a neuron did, and who won or was right."""


@dataclass(frozen=True)
class LearningRule:
    """One rule.

    name, text     its name, and the text with options that gives it back (``dfa(rate=-6)``)
    equation       what it computes, in the field's notation
    citation       BibTeX of the paper
    dw             the update of a weight; variables that no chip has make it a host reference
    feedback_dw    the update of a feedback weight, where these learn too: x1 the error that is sent
                   back, offset by 64, y1 the activity of the neuron that receives it
    readout_dw     the update of the synapses onto the readout, where it is not ``dw``
    learns         which synapses: all, the readout's only, none
    factors        2: traces of pre and post spikes; 3: the neuron writes y1..y3
    networks       kinds of network it serves: graded, spiking
    signal         what a neuron tells the synapses that end at it: its error, its spikes, ...; with
                   the kind of network it chooses the lowering
    dt             the update of a forward synapse's tag, where the rule keeps one
    constants      numbers that the rule gives to its neurons: rates, bits, thresholds
    traces         time constants and impulses of x1 and y1, for two factors
    feedback       how credit reaches hidden neurons
    real           the real coefficients that the products were asked to have, dw first, then dt and
                   feedback_dw; () for a rule in the chip's own scales. See `hebbite.rules.scale`
    follows        whether copied feedback weights follow the forward weights while these learn
    locality       see `Locality`
    steps          last steps of a sample in which spiking neurons learn from errors
    width          their pseudo-derivative is 1 within 2^width thresholds of the threshold
    reason         why it runs on no chip; '' if it does
    """

    name: str
    text: str
    equation: str
    citation: str
    dw: SumOfProducts
    learns: Learns
    factors: int
    networks: tuple[str, ...]
    signal: str = "error"
    dt: SumOfProducts | None = None
    feedback: Feedback = field(default_factory=Feedback)
    locality: Locality = field(default_factory=Locality)
    traces: tuple[tuple[str, Trace], ...] = ()
    follows: bool = False
    feedback_dw: SumOfProducts | None = None
    steps: int = 2
    width: int = 1
    reason: str = ""
    real: tuple[float, ...] = ()
    readout_dw: SumOfProducts | None = None
    constants: tuple[tuple[str, int], ...] = ()

    @property
    def runs_on_chip(self) -> bool:
        """Whether a chip can evaluate the rule."""
        return not self.reason

    @property
    def updates(self) -> tuple[SumOfProducts, ...]:
        """Every sum that a chip evaluates."""
        return tuple(update for kind in self.kinds for update in kind)

    @property
    def kinds(self) -> tuple[tuple[SumOfProducts, ...], ...]:
        """The sums that a chip evaluates together, for each kind of synapse: forward, feedback,
        onto the readout."""
        forward = (self.dw,) if self.dt is None else (self.dw, self.dt)
        others = (self.feedback_dw, self.readout_dw)
        return (forward, *((update,) for update in others if update is not None))

    @property
    def follows_objective(self) -> bool:
        """Whether its neurons are told what changes the objective; without that no credit."""
        return self.signal not in WITHOUT_OBJECTIVE

    @property
    def is_own(self) -> bool:
        """Whether it was written as text (`hebbite.rules.rule_text`) and has no factory."""
        return self.text.startswith("rule ")

    def __str__(self) -> str:
        """Return the text; `rules.registry.parse_rule` gives the rule back."""
        return self.text
