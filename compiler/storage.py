"""What groups of synapses take of synaptic memory, neuron by neuron.

A weight takes weight_bits + 1 (sign), + tag_bits + 1 if its rule reads the tag, + delay_bits if its
delay is longer than one step. A static dense group is stored dense (every weight) or as a list
(weights that are not 0, each with the index of its neuron), whichever is smaller; a dense group
that learns or mirrors is dense. A group that is a list is stored as one, with its weights of 0 if
it learns. A convolution is stored unrolled, synapse by synapse: the chip has no word that several
synapses share, so what sharing saves in the program is lost here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import Fan, fan_of
from hebbite.compiler.program.types import Plasticity, Program, Synapses
from hebbite.compiler.targets import Target, load_target


@dataclass(frozen=True, eq=False)
class Stored:
    """A group in synaptic memory: ``bits`` of every receiving neuron, int64 (post,); its synapses
    if it is no matrix."""

    bits: NDArray[np.int64]
    fan: Fan | None


def stored(program: Program) -> Mapping[str, Stored]:
    """Return what every group takes, wherever its neurons stand."""
    target = load_target(program.target)
    rules = {plasticity.synapses: plasticity for plasticity in program.plasticity}
    return {
        group.name: _stored(program, target, group, rules.get(group.name))
        for group in program.synapses
    }


def _stored(program: Program, target: Target, group: Synapses, rule: Plasticity | None) -> Stored:
    weight, fan = program.tensors[group.weight], fan_of(program, group)
    post, lines = program.post_size(group), program.line_count(group)
    bits = program.widths.weight + 1
    bits += int(target.delay_bits) if group.delay > 1 else 0
    if rule is not None and rule.dt is not None:
        bits += int(target.tag_bits) + 1
    dense = np.full(post, lines * bits, np.int64)
    if fan is None:
        if rule is not None or group.mirror:
            return Stored(dense, None)
        counts = np.count_nonzero(weight, axis=1).astype(np.int64)
    else:
        kept = (weight.ravel()[fan.synapses.element] != 0) | (rule is not None)
        counts = np.bincount(fan.synapses.post[kept], minlength=post).astype(np.int64)
    listed = counts * (bits + max(post - 1, 1).bit_length())
    smaller = listed.sum() < dense.sum() or (fan is not None and rule is not None)
    return Stored(listed if smaller else dense, fan)
