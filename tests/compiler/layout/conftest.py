"""Programs of which only cores and synapses matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from hebbite.compiler.neurons.relu import RELU
from hebbite.compiler.program.types import Population, Program, Readout, Schedule, Source, Synapses

Joined = Callable[..., Program]


def joined(
    cores: Sequence[tuple[int, ...]], pairs: Sequence[tuple[int, int]], *, each: int = 1
) -> Program:
    """Populations p0, p1, ... with ``each`` neurons a core, and a dense group of every pair."""
    sizes = [each * len(held) for held in cores]
    groups = [Synapses("in", "image", "p0", "in")]
    tensors = {"in": np.ones((sizes[0], 2), np.int8)}
    for pre, post in pairs:
        name = f"g{pre}.{post}"
        groups.append(Synapses(name, f"p{pre}", f"p{post}", name))
        tensors[name] = np.broadcast_to(np.ones((), np.int8), (sizes[post], sizes[pre]))
    return Program(
        "p",
        "loihi2",
        Schedule(4, 3),
        sources=(Source("image", 2, (1,)),),
        populations=tuple(
            Population(f"p{n}", size, RELU, cores=held)
            for n, (size, held) in enumerate(zip(sizes, cores, strict=True))
        ),
        synapses=tuple(groups),
        readout=Readout("p0", "v", 3),
        tensors=tensors,
    )


@pytest.fixture
def make() -> Joined:
    """Give the maker of programs."""
    return joined
