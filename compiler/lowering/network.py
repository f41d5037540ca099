"""A graph as the chain of stages that lowering works on: weights, bias, activation, origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """y = activation(W x + b). weight (out, in), bias (out,); activation relu|tanh|sigmoid|none.

    ``name`` is the population's name, ``synapses`` that of its synapses; ``origin`` the user's
    node. ``recurrent`` (out, out) are weights U of y(t) = activation(W x(t) + U y(t-1) + b), None
    where the stage does not hear itself.
    """

    name: str
    synapses: str
    weight: Real
    bias: Real
    activation: str
    origin: str
    recurrent: Real | None = None


@dataclass(frozen=True, eq=False)
class Network:
    """Stages in order, the last one the output; ``head`` is the separated softmax or sigmoid."""

    name: str
    input_name: str
    input_size: int
    stages: tuple[Stage, ...]
    head: str = ""
    input_origin: str = ""

    @property
    def is_recurrent(self) -> bool:
        """Whether a stage hears itself."""
        return any(stage.recurrent is not None for stage in self.stages)
