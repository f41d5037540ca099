"""How often lines were seen to send: what placement weighs instead of an equal rate.

A run that recorded `probes_of_messages` gives `messages_of`, which `Place`, `Arrange` and
`placement_report` take.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.types import Program, Synapses
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.recording import Recording


def probes_of_messages(program: Program) -> tuple[str, ...]:
    """Return the probes that a run must record: every output that a group of synapses hears."""
    return tuple(dict.fromkeys(_probe(group) for group in program.synapses))


def messages_of(program: Program, recording: Recording) -> dict[str, NDArray[np.int64]]:
    """Return group -> messages that each of its lines sent, int64 (lines,).

    Raises:
        UsageError: HB0506, the recording lacks an output.
    """
    missing = [probe for probe in probes_of_messages(program) if probe not in recording.values]
    if missing:
        what = f"no messages of {', '.join(missing)} were recorded"
        hint = "run with probes=probes_of_messages(program)"
        raise UsageError(Problem("HB0506", what, hint=hint))
    return {
        group.name: np.count_nonzero(recording.values[_probe(group)], axis=0).astype(np.int64)
        for group in program.synapses
    }


def _probe(group: Synapses) -> str:
    return f"{group.pre}.{group.output}"
