"""What every core did in every step: the counts of a placed program, by step, core and counter.

    machine = load_engine("native").open(program, rounding="independent")
    counts = count_by_core(machine, program, inputs, samples=100)
    counts.of("syn_ops")                      int64 (steps, cores)

A window of a session that has learnt begins where `machine.restore(session.state())` puts the
machine; ``inputs`` of samples are ``session.model.coding.inputs(x, y)``.

All engines send, hold and store the same bits, so the counts are taken from what any of them
records; a run that nobody counts by core is not slowed. Summed over cores and steps they are the
`Counters` of the run, component by component.
"""

from __future__ import annotations

from hebbite.runtime.bycore.counts import CORE_COUNTERS, HOST, CoreCounts, Part
from hebbite.runtime.bycore.window import count_by_core

__all__ = ["CORE_COUNTERS", "HOST", "CoreCounts", "Part", "count_by_core"]
