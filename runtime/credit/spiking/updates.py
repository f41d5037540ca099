"""What a rule of spike times does to the weights in a sample: in real numbers, and on the chip.

Real: at frozen weights, with traces that decay exactly,

    u_n = sum_t sum_products  scale * (post factors)_t (pre factors)_t^T * (factors of w)

each line's factors in one vector and each neuron's in another, so that a product of a sample is one
matrix product. Chip: the weights are set back, the sample is shown while the engine learns, and the
difference is read; floors, random rounding and stochastic decays are all in it.

Both are random: by the spikes that code the input, the state that time has left, and the chip's
rounding. Every sample is shown in several rounds, and what differs between them is intrinsic.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.types import Plasticity
from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.sums import Factor, Product, effective_scale
from hebbite.rules.traces import TOP, Trace
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.build import forward_groups
from hebbite.runtime.credit.moments import Moments, Part, Stream
from hebbite.runtime.credit.spiking.build import Shown
from hebbite.runtime.session import Session


def real_updates(compiled: Compiled, shown: Shown) -> list[Moments]:
    """Return the moments of every forward group's update in real numbers.

    Raises:
        UnsupportedError: HB0472 for a rule whose update hangs on earlier samples by its tags.
    """
    if any(plasticity.dt is not None for plasticity in compiled.program.plasticity):
        what = "tags carry an update from sample to sample; it has no mean for each of them"
        raise UnsupportedError(Problem("HB0472", what, f"rule {compiled.rule.name}"))
    rules = {p.synapses: p for p in compiled.program.plasticity}
    spikes = shown.activity.spikes
    found = []
    for group, before, after in zip(
        forward_groups(compiled.program), spikes, spikes[1:], strict=False
    ):
        weight = compiled.program.tensors[group.weight]
        updates = _real(rules[group.name], before, after, weight)
        found.append(_streamed(updates, weight.shape, shown.rounds))
    return found


def chip_updates(
    compiled: Compiled, x: Samples, y: NDArray[np.generic], *, rounds: int
) -> list[Moments]:
    """Return the moments of every forward group's update as an engine writes it, in steps."""
    groups = forward_groups(compiled.program)
    start = {group.weight: compiled.program.tensors[group.weight] for group in groups}
    streams = {name: Rounds(weight.shape, rounds) for name, weight in start.items()}
    with Session(compiled) as session:
        for sample in np.repeat(np.arange(len(x)), rounds):
            for name, weight in start.items():
                session.write(name, weight)
            session.run(x[sample : sample + 1], y[sample : sample + 1], learn=True)
            for name, weight in start.items():
                streams[name].add((session.read(name) - weight).astype(np.float64))
    return [streams[group.weight].moments() for group in groups]


class Rounds:
    """Accumulates updates that come ``rounds`` in a row for every sample; holds two matrices."""

    def __init__(self, shape: tuple[int, ...], rounds: int) -> None:
        self._stream = Stream(shape)
        self._rounds = rounds
        self._begin()

    def _begin(self) -> None:
        self._sum: Real | float = 0.0
        self._square, self._count = 0.0, 0

    def add(self, update: Real) -> None:
        """Add the next update (out, in)."""
        self._sum = self._sum + update
        self._square += float(np.vdot(update, update)) / self._rounds
        self._count += 1
        if self._count == self._rounds:
            self._end()

    def _end(self) -> None:
        mean = np.asarray(self._sum / self._rounds)
        spread = self._square - float(np.vdot(mean, mean))
        between = max(0.0, spread * self._rounds / (self._rounds - 1))
        part = Part(mean, self._square, between, between / self._rounds)
        self._stream.add(part)
        self._begin()

    def moments(self) -> Moments:
        """Return the moments over all samples."""
        return self._stream.moments()


def _streamed(updates: Iterator[Real], shape: tuple[int, ...], rounds: int) -> Moments:
    stream = Rounds(shape, rounds)
    for update in updates:
        stream.add(update)
    return stream.moments()


def _real(
    rule: Plasticity, before: Real, after: Real, weight: NDArray[np.generic]
) -> Iterator[Real]:
    """Yield the update of every sample, in the order in which they were shown."""
    sides = {"x0": before, "y0": after}
    sides |= {name: _trace(trace, before, after, name) for name, trace in rule.traces}
    products = [_of_product(product, sides, weight) for product in rule.dw.products]
    for parts in zip(*products, strict=True):
        yield np.sum(parts, axis=0)


def _of_product(
    product: Product, sides: dict[str, Real], weight: NDArray[np.generic]
) -> Iterator[Real]:
    line, neuron = np.ones_like(sides["x0"]), np.ones_like(sides["y0"])
    synapse = np.full(weight.shape, effective_scale(product))
    gate = () if product.dependency[0] == "u" else (Factor(product.dependency),)
    for factor in (*gate, *product.factors):
        value = sides.get(factor.variable, weight if factor.variable == "w" else np.zeros(()))
        shifted = np.sign(value + factor.constant) if factor.sign else value + factor.constant
        side = {"x": line, "y": neuron}.get(factor.variable[0], synapse)
        side *= shifted
    for sample in range(line.shape[1]):
        yield synapse * (neuron[:, sample].T @ line[:, sample])


def _trace(trace: Trace, before: Real, after: Real, name: str) -> Real:
    """Return a trace over all steps in the order of time, (steps, samples, size): it rises with a
    spike in the same step, saturates at 127, and goes on from sample to sample."""
    spikes = before if name[0] == "x" else after
    steps, samples, size = spikes.shape
    keep = float(np.exp(-1.0 / trace.tau))
    found, value = np.empty_like(spikes), np.zeros(size)
    for sample in range(samples):
        for step in range(steps):
            value = np.minimum(keep * value + trace.impulse * spikes[step, sample], TOP)
            found[step, sample] = value
    return found
