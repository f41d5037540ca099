"""Every choice of a compilation that is no part of network, objective or rule."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hebbite.rules.errors import Problem, UsageError, near

NEURONS = ("graded", "lif")
ENCODINGS = ("none", "rate")
STARTS = ("keep", "random")


@dataclass(frozen=True)
class Settings:
    """Options of `hebbite.compile`; the command line reaches every one of them.

    target         chip, a name of `hebbite list targets`
    neuron         ``graded`` (integer payloads) or ``lif`` (binary spikes)
    encode         ``none`` (payloads) or ``rate`` (Bernoulli spikes; what ``lif`` needs)
    init           ``keep`` the weights of the file, or ``random``: uniform within
                   +-sqrt(6 / (n_in + n_out)); convolutions keep theirs, for they cannot learn
    seed           of random weights, feedback, rate code and rounding
    weight_rms     root mean square that forward weights get, in steps of the chip's weight (2..120)
    payload_rms    root mean square of hidden payloads before rectification, on calibration data
    output_rms     the same of the output before learning; the target rate is 100 of 127
    feedback_rms   standard deviation of random feedback weights, in steps
    error_shift    the output learns from error / 2^error_shift (0..7)
    bias_payload   payload of the bias line, 2..254 and even
    window         steps of a sample that spike (``lif``), 1..62
    tau_mem        membrane time constant in steps of ``lif`` units that learn from errors, 1..62
    tau_out        that of the integrators they are read out by, 1..62
    recurrent      random recurrent synapses of every hidden population of ``lif`` units
    """

    target: str = "loihi2"
    neuron: str = "graded"
    encode: str = "none"
    init: str = "keep"
    seed: int = 0
    weight_rms: int = 40
    payload_rms: int = 80
    output_rms: int = 40
    feedback_rms: int = 64
    error_shift: int = 3
    bias_payload: int = 128
    window: int = 32
    tau_mem: int = 5
    tau_out: int = 24
    recurrent: bool = False

    def __post_init__(self) -> None:
        """Check names and ranges (HB0120, HB0121)."""
        for field, known in (("neuron", NEURONS), ("encode", ENCODINGS), ("init", STARTS)):
            value = getattr(self, field)
            if value not in known:
                raise UsageError(
                    Problem("HB0120", f"unknown {field} '{value}'", hint=near(value, known))
                )
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if not low <= value <= high:
                text = f"{field} = {value} is not in {low}..{high}"
                raise UsageError(Problem("HB0121", text))


_RANGES = (
    ("seed", 0, 2**62),
    ("weight_rms", 2, 120),
    ("payload_rms", 1, 127),
    ("output_rms", 1, 127),
    ("feedback_rms", 2, 120),
    ("error_shift", 0, 7),
    ("bias_payload", 2, 254),
    ("window", 1, 62),
    ("tau_mem", 1, 62),
    ("tau_out", 1, 62),
)
assert {name for name, _, _ in _RANGES} <= {field.name for field in fields(Settings)}
