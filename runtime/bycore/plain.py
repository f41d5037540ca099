"""Counts by core as plain data that JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbite.runtime.bycore.counts import CORE_COUNTERS, CoreCounts, GroupTraffic, Part

Plain = dict[str, Any]


def to_plain(counts: CoreCounts) -> Plain:
    """Return the counts as numbers, texts and lists."""
    return {
        "program": counts.program,
        "steps": counts.steps,
        "counters": list(CORE_COUNTERS),
        "parts": {
            name: {"cores": list(part.cores), "values": part.values.tolist()}
            for name, part in counts.parts.items()
        },
        "traffic": {
            name: {
                "senders": list(sent.senders),
                "receivers": list(sent.receivers),
                "messages": sent.messages.tolist(),
            }
            for name, sent in counts.traffic.items()
        },
    }


def from_plain(found: Mapping[str, Any]) -> CoreCounts:
    """Return the counts that `to_plain` wrote.

    Raises:
        ValueError, TypeError, LookupError: if it did not write them.
    """
    steps = int(found["steps"])
    if tuple(found["counters"]) != CORE_COUNTERS:
        raise ValueError("the counts are of another version")
    parts = {}
    for name, part in found["parts"].items():
        cores = tuple(int(core) for core in part["cores"])
        values = _shaped(part["values"], (steps, len(cores), len(CORE_COUNTERS)))
        parts[str(name)] = Part(cores, values)
    traffic = {}
    for name, sent in found["traffic"].items():
        ends = [tuple(int(core) for core in sent[key]) for key in ("senders", "receivers")]
        shape = steps, max(len(ends[0]), 1), len(ends[1])  # no sender: the host
        messages = _shaped(sent["messages"], shape)
        traffic[str(name)] = GroupTraffic(ends[0], ends[1], messages)
    return CoreCounts(str(found["program"]), steps, parts, traffic)


def _shaped(values: Any, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    array = np.array(values, np.int64).reshape(shape)
    if (array < 0).any():
        raise ValueError("a count is below 0")
    return array
