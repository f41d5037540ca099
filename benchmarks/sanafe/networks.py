"""Random placed networks of LIF neurons that SANA-FE simulates spike by spike: see `NETWORKS`.

The first population is driven by its own biases, or by the host where the name says so. Weights are
integers of both signs, leaks dv_keep / 2^12; cores are drawn from the whole chip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Connectivity, Conv2d, Dense, Sparse
from hebbite.compiler.program.types import (
    IntArray,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program

Rng = np.random.Generator
PERIOD, SAMPLES = 25, 4


class Network(NamedTuple):
    """A program, what its host sends, and the core where the host's lines stand in SANA-FE."""

    program: Program
    inputs: Mapping[str, IntArray]
    host: int


@dataclass
class _Draft:
    """A network as it grows."""

    rng: Rng
    cores: list[int]
    populations: list[Population] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    groups: list[Synapses] = field(default_factory=list)
    tensors: dict[str, IntArray] = field(default_factory=dict)

    def neurons(
        self, name: str, size: int, *, cores: int = 1, keep: int = 4096, drive: int = 0
    ) -> None:
        """Add a population on so many cores; ``drive``: the largest bias, in units of 1/64."""
        constants = (("du_keep", 0), ("dv_keep", keep), ("threshold", 64 * 200))
        bias = self.rng.integers(0, drive + 1, size) * (self.rng.random(size) < 0.9)
        self.tensors[f"{name}.bias"] = bias.astype(np.int64)
        held, self.cores = tuple(self.cores[:cores]), self.cores[cores:]
        tables = (("bias", f"{name}.bias"),)
        self.populations.append(
            Population(name, size, NEURONS["lif"], constants, tables, cores=held)
        )

    def lines(self, name: str, size: int) -> None:
        """Add lines of the host, which may send in every step."""
        self.sources.append(Source(name, size, tuple(range(1, PERIOD + 1))))

    def join(self, pre: str, post: str, how: float | Conv2d, *, zeros: float = 0.0) -> None:
        """Add synapses: a convolution, or a matrix (1.0) or a list of so many of them."""
        name = f"{pre}_{post}"
        sizes = {p.name: p.size for p in self.populations}
        sizes |= {source.name: source.size for source in self.sources}
        connect: Connectivity = Dense()
        if isinstance(how, Conv2d):
            connect, places = how, how.places[0] * how.places[1]
            weight = self._weights((sizes[post] // places, how.taps), zeros)
        elif how == 1.0:
            weight = self._weights((sizes[post], sizes[pre]), zeros)
        else:
            connect = Sparse(f"{name}.starts", f"{name}.targets")
            kept = self.rng.random((sizes[pre], sizes[post])) < how
            self.tensors[connect.starts] = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
            self.tensors[connect.targets] = np.nonzero(kept)[1].astype(np.int32)
            weight = self._weights((int(kept.sum()),), zeros)
        self.tensors[name] = weight
        self.groups.append(Synapses(name, pre, post, name, graded=False, connect=connect))

    def _weights(self, shape: tuple[int, ...], zeros: float) -> IntArray:
        size = self.rng.integers(1, 100, shape) * self.rng.choice([1, 1, -1], shape)
        weight: IntArray = (size * (self.rng.random(shape) >= zeros)).astype(np.int16)
        return weight

    def done(self, name: str) -> Network:
        """Return the network, and the host's spikes by chance."""
        last = self.populations[-1].name
        program = Program(
            name,
            "loihi1",
            Schedule(PERIOD, PERIOD),
            tuple(self.sources),
            tuple(self.populations),
            tuple(self.groups),
            Readout(last, "s", PERIOD, count=True),
            tensors=self.tensors,
        )
        verify_program(program)
        inputs = {
            source.name: (self.rng.random((SAMPLES, PERIOD, source.size)) < 0.2).astype(np.int64)
            for source in self.sources
        }
        return Network(program, inputs, self.cores[0])


def _chain(net: _Draft) -> None:
    """Three layers of matrices."""
    net.neurons("a", 60, drive=2000)
    net.neurons("b", 80, cores=2)
    net.neurons("c", 30)
    net.join("a", "b", 1.0)
    net.join("b", "c", 1.0)


def _recurrent(net: _Draft) -> None:
    """Two populations of leaky neurons that excite and inhibit each other through lists."""
    net.neurons("a", 120, cores=3, keep=3700, drive=4000)
    net.neurons("b", 90, cores=2, keep=3900, drive=1500)
    net.join("a", "b", 0.2)
    net.join("b", "a", 0.3)
    net.join("b", "b", 0.1)


def _convolutions(net: _Draft) -> None:
    """Two convolutions, the first with stride and padding, receivers on several cores."""
    first = Conv2d((2, 10, 10), (3, 3), (2, 2), (1, 1, 1, 1))
    second = Conv2d((4, 5, 5), (2, 2))
    net.neurons("a", 200, cores=2, keep=4000, drive=4000)
    net.neurons("b", 100, cores=3, keep=4000)
    net.neurons("c", 128, cores=2, keep=4000)
    net.join("a", "b", first)
    net.join("b", "c", second)


def _mixed(net: _Draft) -> None:
    """A convolution, a list and a matrix one after the other, some weights of the matrix 0."""
    net.neurons("a", 144, cores=2, drive=5000, keep=4050)
    net.neurons("b", 100, cores=2)
    net.neurons("c", 70, cores=2)
    net.neurons("d", 20)
    net.join("a", "b", Conv2d((1, 12, 12), (3, 3)))
    net.join("b", "c", 0.4)
    net.join("c", "d", 1.0, zeros=0.2)


def _wide(net: _Draft) -> None:
    """A hundred cores, most tiles of the chip in use."""
    net.neurons("a", 200, cores=40, drive=5000)
    net.neurons("b", 240, cores=40, keep=4000)
    net.neurons("c", 100, cores=20)
    net.join("a", "b", 0.3)
    net.join("b", "c", 0.5)
    net.join("c", "a", 0.1)


def _alone(net: _Draft) -> None:
    """One population on one core, a matrix onto itself."""
    net.neurons("a", 70, keep=2048, drive=9000)
    net.join("a", "a", 1.0)


def _hosted(net: _Draft) -> None:
    """Lines of the host into two layers."""
    net.lines("image", 50)
    net.neurons("a", 80, cores=3, keep=4000)
    net.neurons("b", 40, cores=2)
    net.join("image", "a", 1.0)
    net.join("a", "b", 0.3)


NETWORKS: dict[str, Callable[[_Draft], None]] = {
    "chain": _chain,
    "recurrent": _recurrent,
    "convolutions": _convolutions,
    "mixed": _mixed,
    "wide": _wide,
    "alone": _alone,
    "host": _hosted,
}
CORES = 128


def network(name: str, *, seed: int, near: bool = False) -> Network:
    """Return a network by chance; ``near``: on the first cores of the chip, else anywhere."""
    rng = np.random.default_rng([seed, *name.encode()])
    places = np.random.default_rng([seed, CORES])
    draft = _Draft(rng, list(range(CORES)) if near else places.permutation(CORES).tolist())
    NETWORKS[name](draft)
    made = draft.done(name)
    return made._replace(host=_beside(made.program)) if made.program.sources else made


def _beside(program: Program) -> int:
    """Return a free core on a tile that is in use: the host's lines add none to the barrier."""
    used: NDArray[np.int64] = np.array([core for p in program.populations for core in p.cores])
    tiles = {core // 4 for core in used.tolist()}
    return min(core for core in range(CORES) if core not in used and core // 4 in tiles)
