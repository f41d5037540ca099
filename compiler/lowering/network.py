"""A graph as the chain of stages that lowering works on: weights, bias, activation, origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Conv2d, Dense

Real = NDArray[np.float64]
Long = NDArray[np.int64]
Kind = Literal["linear", "conv2d", "pool"]


@dataclass(frozen=True, eq=False)
class Stage:
    """y = activation(W x + b). weight (out, in), bias (out,); activation relu|tanh|sigmoid|none.

    ``name`` is the population's name, ``synapses`` that of its synapses; ``origin`` the user's
    node. ``recurrent`` (out, out) are weights U of y(t) = activation(W x(t) + U y(t-1) + b), None
    where the stage does not hear itself.

    A convolution (``connect``) has weight (K, C / groups * kh * kw) and bias (K,), shared by all
    places of an output channel. A pool is one whose channels are groups and whose weights are
    equal; it has no bias and no activation. Weights that are shared do not learn.
    """

    name: str
    synapses: str
    weight: Real
    bias: Real
    activation: str
    origin: str
    recurrent: Real | None = None
    connect: Dense | Conv2d = field(default_factory=Dense)
    kind: Kind = "linear"

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.weight) * self.places

    @property
    def places(self) -> int:
        """Number of units that share the weights of an output."""
        if isinstance(self.connect, Dense):
            return 1
        height, width = self.connect.places
        return height * width

    @property
    def is_shared(self) -> bool:
        """Whether places share their weights, which therefore stay as they are."""
        return isinstance(self.connect, Conv2d)


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

    @property
    def hidden(self) -> tuple[int, ...]:
        """Numbers of the stages below the output that can learn."""
        return tuple(n for n, stage in enumerate(self.stages[:-1]) if not stage.is_shared)

    def sign_before(self, index: int, signed_input: bool) -> bool:
        """Whether the payloads that stage ``index`` receives have a sign; a pool keeps it."""
        while index > 0 and self.stages[index - 1].kind == "pool":
            index -= 1
        return self.stages[index - 1].activation == "tanh" if index else signed_input
