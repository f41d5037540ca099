"""What every program holds in which neurons write y1..y3 and the host teaches."""

from __future__ import annotations

from hebbite.rules.traces import LONGEST_TAU, Trace

TEACHER = "target"
"""Source of target codes."""
HELD = Trace(tau=LONGEST_TAU, mode="overwrite")
"""Of x1: the last payload of a line."""
WRITTEN = Trace(tau=LONGEST_TAU)
"""Of y1..y3. Lava has no trace that stands still; this is the slowest that it knows."""
