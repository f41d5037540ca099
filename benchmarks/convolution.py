"""A small convolutional network on the 8x8 digits: what its conversion costs, and what learns.

python benchmarks/convolution.py --train tests/data/onnx/digits_conv.onnx
python benchmarks/convolution.py --model tests/data/onnx/digits_conv.onnx [--epochs 10]

``--train`` trains it with JAX (`pip install jax`) on the training part of the split of seed 0:
conv 3x3 to 8 channels, batch normalisation, ReLU, average pool 2x2, conv 3x3 to 16 channels, the
same again, linear to 32, ReLU, linear to 10; cross-entropy, Adam, 30 epochs. Rate and epochs were
chosen on the validation part.

Without it two things are measured, as JSON lines: the accuracy of the real network and of its chip
program on the test part of that split (scales set by training data), with the differing answers
and the size of the program; and, for each rule and five seeds, the accuracy on the test part before
and after the linear ops have learned anew from random weights, above convolutions that keep theirs.
The convolutions have seen the training part of the split of seed 0, so that the rules are run on
that split alone: the seeds differ in weights, order and rounding.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hebbite.compiler.capacity import footprint
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.frontends import load_model
from hebbite.compiler.settings import Settings
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.session import Session

Real = NDArray[np.float32]
Parameters = dict[str, Any]
CHANNELS, HIDDEN = (8, 16), 32
RULES = ("frozen", "delta", "dfa", "backprop", "node-perturbation")
EPSILON, MOMENTUM = 1e-5, 0.9


def main() -> None:
    """Train, or measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--train", type=Path, help="write the trained network to this file")
    options.add_argument("--model", type=Path)
    options.add_argument("--rate", type=float, default=3e-3)
    options.add_argument("--epochs", type=int, default=0, help="30 to train, 10 to learn")
    options.add_argument("--rules", default=",".join(RULES))
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--engine", default="reference")
    chosen = options.parse_args()
    data = load_dataset("digits", seed=0)
    if chosen.train:
        weights = trained(data, rate=chosen.rate, epochs=chosen.epochs or 30)
        chosen.train.write_bytes(exported(weights).SerializeToString(deterministic=True))
    model = chosen.train or chosen.model
    show(converted(model, data, engine=chosen.engine))
    for rule in () if chosen.train else chosen.rules.split(","):
        epochs, seeds = chosen.epochs or 10, range(chosen.seeds)
        show(learned(model, data, rule, epochs=epochs, seeds=seeds, engine=chosen.engine))


def show(row: dict[str, object]) -> None:
    """Print one line."""
    print(json.dumps(row), flush=True)


def converted(model: Path, data: Dataset, *, engine: str) -> dict[str, object]:
    """Return what is lost when a trained network becomes a chip program."""
    graph = load_model(model)
    made = compile(graph, rule="frozen", calibration=data.x_train)
    report: dict[str, object] = {"model": model.name, "split": data.split}
    for part in ("validation", "test"):
        x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        images = x.reshape(len(x), *graph.inputs[0].shape)
        real = evaluate(graph, images)[graph.outputs[0]].argmax(axis=1)
        chip = answers(made, x, engine)
        report[part] = {
            "real": round(float((real == y).mean()), 4),
            "chip": round(float((chip == y).mean()), 4),
            "other_answers": int((real != chip).sum()),
            "samples": len(y),
        }
    used = footprint(made.program)
    return {
        **report,
        "steps_per_sample": made.program.schedule.period,
        "neurons": sum(population.size for population in made.program.populations),
        "stored_weights": sum(made.program.tensors[g.weight].size for g in made.program.synapses),
        "cores": used.cores,
        "weight_error": {k: round(v, 4) for k, v in made.report.items() if "weight_error" in k},
    }


def answers(made: Compiled, x: Real, engine: str) -> NDArray[np.int64]:
    """Return the answers of the chip program."""
    with Session(made, engine=engine) as session:
        chosen: NDArray[np.int64] = session.answers(x).argmax(axis=1)
        return chosen


def learned(
    model: Path, data: Dataset, rule: str, *, epochs: int, seeds: Iterable[int], engine: str
) -> dict[str, object]:
    """Return accuracies on the test part before and after learning, by seed."""
    before, after = [], []
    for seed in seeds:
        settings = Settings(init="random", seed=seed)
        made = compile(model, rule=rule, settings=settings, calibration=data.x_train)
        with Session(made, engine=engine) as session:
            before.append(session.evaluate(data.x_test, data.y_test))
            if made.program.plasticity:
                session.fit(data.x_train, data.y_train, epochs=epochs)
            after.append(session.evaluate(data.x_test, data.y_test))
    return {"rule": rule, "epochs": epochs, "before": before, "after": after}


def trained(data: Dataset, *, rate: float, epochs: int, seed: int = 0) -> Parameters:
    """Return the parameters of the trained network, running statistics among them."""
    import jax
    import jax.numpy as jnp

    def convolve(x: Any, weight: Any) -> Any:
        axes = ("NCHW", "OIHW", "NCHW")
        return jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=axes)

    def forward(p: Parameters, statistics: Parameters, x: Any, learning: bool) -> Any:
        seen = {}
        for n in (1, 2):
            x = convolve(x, p[f"conv{n}.weight"]) + p[f"conv{n}.bias"][:, None, None]
            if learning:
                seen[f"bn{n}.mean"], seen[f"bn{n}.var"] = x.mean((0, 2, 3)), x.var((0, 2, 3))
            use = seen if learning else statistics
            mean, var = use[f"bn{n}.mean"], use[f"bn{n}.var"]
            scale = p[f"bn{n}.weight"] / jnp.sqrt(var + EPSILON)
            x = (x - mean[:, None, None]) * scale[:, None, None] + p[f"bn{n}.bias"][:, None, None]
            x = jax.nn.relu(x)
            x = x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean((3, 5))
        x = x.reshape(len(x), -1)
        x = jax.nn.relu(x @ p["fc1.weight"].T + p["fc1.bias"])
        return x @ p["fc2.weight"].T + p["fc2.bias"], seen

    def loss(p: Parameters, x: Any, y: Any) -> Any:
        logits, seen = forward(p, {}, x, True)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
        return -chosen.mean(), seen

    def step(p: Parameters, m: Parameters, v: Parameters, t: Any, lr: Any, x: Any, y: Any) -> Any:
        (_, seen), gradient = jax.value_and_grad(loss, has_aux=True)(p, x, y)
        m = {k: 0.9 * m[k] + 0.1 * g for k, g in gradient.items()}
        v = {k: 0.999 * v[k] + 0.001 * g * g for k, g in gradient.items()}
        moved = {
            k: p[k] - lr * m[k] / (1 - 0.9**t) / (jnp.sqrt(v[k] / (1 - 0.999**t)) + 1e-8) for k in p
        }
        return moved, m, v, seen

    quick = jax.jit(step)
    rng = np.random.default_rng(seed)
    p = initial(rng)
    m = v = {k: jnp.zeros_like(a) for k, a in p.items()}
    statistics: Parameters = {}
    x_all, y_all = data.x_train.reshape(-1, 1, 8, 8), data.y_train
    total, done, batch = epochs * (len(x_all) // 32), 0, 32
    for epoch in range(epochs):
        order = rng.permutation(len(x_all))
        for first in range(0, len(order) - batch + 1, batch):
            some = order[first : first + batch]
            lr = rate * 0.5 * (1 + np.cos(np.pi * done / total))
            done += 1
            p, m, v, seen = quick(p, m, v, done, lr, x_all[some], y_all[some])
            statistics = {
                k: MOMENTUM * statistics[k] + (1 - MOMENTUM) * s if statistics else s
                for k, s in seen.items()
            }
        if epoch % 5 == 4:
            x, y = data.x_validation.reshape(-1, 1, 8, 8), data.y_validation
            logits, _ = forward(p, statistics, x, False)
            right = float((np.asarray(logits).argmax(1) == y).mean())
            show({"epoch": epoch + 1, "validation": round(right, 4)})
    return {k: np.asarray(a, np.float32) for k, a in {**p, **statistics}.items()}


def initial(rng: np.random.Generator) -> Parameters:
    """Return He-scaled weights, biases of 0 and batch normalisation that does nothing."""
    shapes = {
        "conv1": (CHANNELS[0], 1, 3, 3),
        "conv2": (CHANNELS[1], CHANNELS[0], 3, 3),
        "fc1": (HIDDEN, CHANNELS[1] * 4),
        "fc2": (10, HIDDEN),
    }
    p: Parameters = {}
    for name, shape in shapes.items():
        spread = np.sqrt(2 / np.prod(shape[1:]))
        p[f"{name}.weight"] = rng.normal(0, spread, shape).astype(np.float32)
        p[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    for n, size in enumerate(CHANNELS, start=1):
        p[f"bn{n}.weight"], p[f"bn{n}.bias"] = np.ones(size, np.float32), np.zeros(size, np.float32)
    return p


def exported(weights: Parameters) -> onnx.ModelProto:
    """Return the network as ONNX: input `image` (batch, 1, 8, 8), output `logits`."""
    nodes, last = [], "image"

    def add(op: str, name: str, *constants: str, **attributes: Any) -> str:
        output = "logits" if name == "fc2" else name
        given = [last, *(f"{name}.{constant}" for constant in constants)]
        nodes.append(helper.make_node(op, given, [output], name=name, **attributes))
        return output

    for n in (1, 2):
        last = add("Conv", f"conv{n}", "weight", "bias", pads=(1, 1, 1, 1), kernel_shape=(3, 3))
        last = add("BatchNormalization", f"bn{n}", "weight", "bias", "mean", "var", epsilon=EPSILON)
        last = add("Relu", f"relu{n}")
        last = add("AveragePool", f"pool{n}", kernel_shape=(2, 2), strides=(2, 2))
    last = add("Flatten", "flat")
    last = add("Gemm", "fc1", "weight", "bias", transB=1)
    last = add("Relu", "relu3")
    last = add("Gemm", "fc2", "weight", "bias", transB=1)
    info, kind = helper.make_tensor_value_info, TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "digits_conv",
        [info("image", kind, ["batch", 1, 8, 8])],
        [info("logits", kind, ["batch", 10])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    main()
