"""The adjoints of both twins against the automatic differentiation of JAX, in double precision.

The same forward pass is written here a second time, in JAX; only the forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.rules.objectives import classification
from hebbite.runtime.credit.activations import Activation, Clipped, Logistic, Tanh
from hebbite.runtime.credit.spiking.surrogate import Surrogate
from hebbite.runtime.credit.spiking.twin import LifLayer, Reset, SpikeReadout, SpikingTwin
from hebbite.runtime.credit.twin import Layer, Twin

Real = NDArray[np.float64]
MARGIN = 12


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def loss(output: jax.Array, target: Real) -> jax.Array:
    """Return phi, elementwise: half the squared error with a dead zone and a linear end."""
    d = jnp.abs(target - output)
    beyond = 127.0 * d - (127.0**2 + MARGIN**2) / 2
    return jnp.where(d < MARGIN, 0.0, jnp.where(d <= 127.0, (d**2 - MARGIN**2) / 2, beyond))


def activated(activation: Activation, v: jax.Array) -> jax.Array:
    if isinstance(activation, Clipped):
        return jnp.clip(activation.scale * v, activation.low, activation.high)
    if isinstance(activation, Tanh):
        return activation.top * jnp.tanh(activation.scale * v)
    assert isinstance(activation, Logistic)
    return activation.top * jax.nn.sigmoid(activation.scale * v)


@pytest.mark.parametrize(
    "hidden", [Clipped(0.05, 0.0, 254.0), Tanh(0.02, 63.0), Logistic(0.02, 254.0)], ids=str
)
def test_the_graded_twin_has_the_gradient_of_jax(hidden: Activation) -> None:
    rng = np.random.default_rng(0)
    sizes = (6, 9, 8, 4)
    layers = tuple(
        Layer(
            f"p{index}",
            rng.normal(0, 40, (outputs, inputs + 1)),
            63.0,
            hidden if index < 2 else Clipped(0.004, -127.0, 127.0),
        )
        for index, (inputs, outputs) in enumerate(pairwise(sizes))
    )
    twin = Twin(layers, classification(margin=MARGIN))
    x, target = rng.uniform(0, 100, (20, 6)), rng.uniform(-100, 100, (20, 4))

    def value(weights: list[jax.Array]) -> jax.Array:
        payload = jnp.asarray(x)
        for weight, layer in zip(weights, layers, strict=True):
            lines = jnp.column_stack([payload, jnp.full(len(x), layer.bias)])
            payload = activated(layer.activation, lines @ weight.T)
        return loss(payload, target).sum(axis=1).mean()

    start = [jnp.asarray(layer.weight) for layer in layers]
    assert float(value(start)) == pytest.approx(twin.value(x, target), rel=1e-12)
    ours = twin.gradient(twin.forward(x), target)
    for mine, theirs in zip(ours, jax.grad(value)(start), strict=True):
        assert np.abs(mine).max() > 0
        np.testing.assert_allclose(mine, -np.asarray(theirs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("reset", "shape"), [("zero", "triangle"), ("subtract", "boxcar")])
def test_the_spiking_twin_has_the_surrogate_gradient_of_jax(reset: Reset, shape: str) -> None:
    rng = np.random.default_rng(0)
    surrogate = Surrogate("boxcar" if shape == "boxcar" else "triangle", 0.9)
    sizes = (10, 8, 6)
    layers = tuple(
        LifLayer(
            f"p{index}", rng.normal(0.05, 0.3, (outputs, inputs)), rng.normal(0.02, 0.01, outputs),
            0.5, 0.8, 1.0, gain=1.5, reset=reset,
        )
        for index, (inputs, outputs) in enumerate(pairwise(sizes))
    )  # fmt: skip
    readout = SpikeReadout(rng.normal(0, 8, (3, 6)), 0.9, every=True)
    twin = SpikingTwin(layers, readout, classification(margin=MARGIN), surrogate)
    spikes = (rng.random((12, 4, 10)) < 0.3).astype(np.float64)
    target = rng.uniform(-60, 60, (4, 3))

    def fires(v: jax.Array) -> jax.Array:
        return (v > 1.0).astype(v.dtype)

    def slope(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
        (v,), (dv,) = primals, tangents
        off = jnp.abs(v - 1.0) / surrogate.width
        box = jnp.where(off < 1, 0.5 / surrogate.width, 0.0)
        psi = box if shape == "boxcar" else jnp.maximum(0.0, 1 - off) / surrogate.width
        return spike(v), psi * dv

    spike = jax.custom_jvp(fires)
    spike.defjvp(slope)

    def value(weights: list[jax.Array]) -> jax.Array:
        below = jnp.asarray(spikes)
        for weight, layer in zip(weights, layers, strict=True):
            below = population(weight, layer, below)
        r, total = jnp.zeros((4, 3)), jnp.zeros(())
        for row in below:
            r = readout.keep * r + row @ readout.weight.T
            total = total + loss(r, target).sum(axis=1).mean()
        return total

    def population(weight: jax.Array, layer: LifLayer, below: jax.Array) -> jax.Array:
        u = v = jnp.zeros((4, len(layer.bias)))
        found = []
        for step in range(len(below)):
            arrived = below[step - 1] @ weight.T if step else jnp.zeros_like(u)
            u = layer.keep_u * u + layer.gain * arrived
            v = layer.keep_v * v + u + layer.bias
            found.append(spike(v))
            held = jax.lax.stop_gradient(found[-1])
            v = v * (1 - held) if reset == "zero" else v - layer.threshold * held
        return jnp.stack(found)

    start = [jnp.asarray(layer.weight) for layer in layers]
    activity = twin.forward(spikes)
    assert float(value(start)) == pytest.approx(twin.value(activity, target), rel=1e-12)
    ours = twin.gradient(activity, target)
    for mine, theirs in zip(ours, jax.grad(value)(start), strict=True):
        assert np.abs(mine).max() > 0
        np.testing.assert_allclose(mine, -np.asarray(theirs), rtol=1e-9, atol=1e-9)
