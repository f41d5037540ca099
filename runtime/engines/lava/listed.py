"""Synapses that are no matrix, as Lava's sparse processes take them.

In: a group. Out: a `scipy.sparse` matrix (post, lines) of its synapses, one by one. Why
convolutions too: Lava's own ``Conv`` ignores exponents, does not clip weights to their word and
wraps sums at 24 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from hebbite.compiler.program.connectivity import synapses_of
from hebbite.compiler.program.types import Program, Synapses

Csr = Any
"""SciPy is untyped."""


def matrix_of(program: Program, group: Synapses) -> Csr:
    """Return the weights of a group, int32; a stored 0 is kept."""
    line, post, element = synapses_of(program, group)
    weight = program.tensors[group.weight].ravel()[element].astype(np.int32)
    shape = (program.post_size(group), program.line_count(group))
    return csr_matrix((weight, (post, line)), shape=shape)


def delays_of(program: Program, group: Synapses) -> Csr:
    """Return Lava's delay of every synapse, ours less the step that a connection itself takes."""
    line, post, _ = synapses_of(program, group)
    delay = np.full(line.size, group.delay - 1, np.int64)
    shape = (program.post_size(group), program.line_count(group))
    return csr_matrix((delay, (post, line)), shape=shape)
