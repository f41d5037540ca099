"""What messages cost: those of each cost are counted, and multiplied once, at the end of a call."""

from __future__ import annotations

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.language import apart, kernel, part
from hebbite.runtime.engines.native.plan import (
    C_COMPONENT,
    G_COMPONENT,
    G_COST,
    G_COST_OF,
    TURNS,
    Long,
    Word,
)

SYN_OPS, FIRST = INDEX["syn_ops"], INDEX["spikes_in"]
"""What is counted here; the counters of a message stand together."""


@part
def count_messages(m: int, g: int, ids: Word, count: int, met: int, phase: int) -> None:
    """Count the messages of ``count`` lines of group ``g`` by what they cost, and the weights
    ``met`` that are not 0.
    """
    groups = at.groups(m)
    at.counts(m)[2 * groups[g, G_COMPONENT] + phase, SYN_OPS] += met
    sent, of_lines = at.sent_at(m)[phase][TURNS * groups[g, G_COST] :], groups[g, G_COST_OF]
    if of_lines < 0:
        sent[0] += count
    else:
        count_each(sent, at.cost_of(m)[of_lines:], ids, count)


@apart
def count_each(sent: Long, cost_of: Word, ids: Word, count: int) -> None:
    """Count ``count`` lines by their costs; in turn in `TURNS` places, for to add again where was
    just added takes longer.
    """
    for k in range(count):
        sent[TURNS * cost_of[ids[k]] + (k & TURNS - 1)] += 1


@kernel
def complete_costs(m: int) -> None:
    """Count what the messages of a call cost."""
    cost = at.cost(m)
    for phase in range(2):
        for r in range(cost.shape[0]):
            messages, row = 0, at.counts(m)[2 * cost[r, C_COMPONENT] + phase]
            for turn in range(TURNS):
                messages += at.sent_at(m)[phase, TURNS * r + turn]
            for c in range(C_COMPONENT):
                row[FIRST + c] += messages * cost[r, c]
