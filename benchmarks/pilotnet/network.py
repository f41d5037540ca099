"""What a lava-dl network file says, as arrays: the layers of leaky units in their order.

In: an HDF5 file as lava-dl's ``Network.export_hdf5`` writes it (read with h5py). Out: a `Network`.
Images are (channel, y, x), as the file has them; a kernel is (output, channel, y, x); strides,
padding and dilation are (y, x). A flattening layer only joins these three axes, in C order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int32]
Pair = tuple[int, int]
Shape = tuple[int, int, int]
PASSED = ("flatten",)
"""Layers that hold no neurons and move nothing."""


@dataclass(frozen=True)
class Unit:
    """Constants of a leaky unit as Loihi has them: decays of 4096, the mantissa of a threshold."""

    current_decay: int
    voltage_decay: int
    threshold: int


@dataclass(frozen=True, eq=False)
class Layer:
    """Neurons and what leads to them.

    ``weight`` (outputs, channels, ky, kx) of a convolution, (outputs, inputs) of a dense layer,
    None of the first layer; ``bias`` (channels,), mantissas.
    """

    name: str
    shape: Shape
    unit: Unit
    bias: Words
    weight: Words | None = None
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def kind(self) -> str:
        """``input``, ``conv`` or ``dense``."""
        if self.weight is None:
            return "input"
        return "conv" if self.weight.ndim == 4 else "dense"


@dataclass(frozen=True, eq=False)
class Network:
    """Layers behind each other; a frame takes ``steps`` steps."""

    layers: tuple[Layer, ...]
    steps: int


def read_network(path: Path) -> Network:
    """Return the network of a file.

    Raises:
        ValueError: a layer, a unit or a number that no program of leaky units expresses exactly.
        ModuleNotFoundError: h5py is not installed: ``pip install h5py``.
    """
    with import_module("h5py").File(path, "r") as file:
        return network_of(file)


def network_of(file: Any) -> Network:
    """Return the network of an open file, or of dictionaries of arrays as it is laid out.

    Raises:
        ValueError: as `read_network`.
    """
    stored = [file["layer"][key] for key in sorted(file["layer"], key=int)]
    kinds = [_text(layer["type"]) for layer in stored]
    named = zip(_names(kinds), kinds, stored, strict=True)
    layers = tuple(_layer(name, kind, it) for name, kind, it in named if kind not in PASSED)
    return Network(layers, int(file["simulation"]["tSample"][()]))


def _names(kinds: Iterable[str]) -> list[str]:
    """Return conv1, conv2, ..., dense1, ...: each kind counted; ``input`` stands once."""
    names: list[str] = []
    for kind in kinds:
        number = 1 + sum(name.startswith(kind) for name in names)
        names.append(kind if kind == "input" else f"{kind}{number}")
    return names


def _text(stored: Any) -> str:
    value = np.asarray(stored[()]).ravel()[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def _layer(name: str, kind: str, stored: Any) -> Layer:
    channels, height, width = (int(n) for n in stored["shape"][()])
    shape = (channels, height, width)
    unit = _unit(name, stored["neuron"])
    if kind == "input":
        return Layer(name, shape, unit, np.full(channels, _whole(name, stored["bias"]), np.int32))
    weight, bias = _whole(name, stored["weight"]), _whole(name, stored["bias"])
    if kind == "dense":
        return Layer(name, shape, unit, bias, weight.reshape(channels, -1))
    if kind != "conv":
        raise ValueError(f"layer {name}: a '{kind}' is no layer of leaky units")
    stride, padding, dilation = (_pair(stored[key]) for key in ("stride", "padding", "dilation"))
    groups = int(stored["groups"][()])
    return Layer(name, shape, unit, bias, weight, stride, padding, dilation, groups)


def _pair(stored: Any) -> Pair:
    """Return (y, x)."""
    down, across = (int(n) for n in stored[()])
    return down, across


def _unit(name: str, stored: Any) -> Unit:
    wanted = {"type": "LOIHI", "refDelay": "1", "wgtExp": "0"}
    for key, value in wanted.items():
        if (found := _text(stored[key])) != value:
            raise ValueError(f"layer {name}: {key} is {found}, only {value} is understood")
    numbers = (int(stored[key][()]) for key in ("iDecay", "vDecay", "vThMant"))
    return Unit(*numbers)


def _whole(name: str, stored: Any) -> Words:
    """Return numbers that are stored as floats and must be integers."""
    values = np.asarray(stored[()])
    if (values != np.rint(values)).any():
        raise ValueError(f"layer {name}: a weight or bias is no integer")
    return values.astype(np.int32)
