"""Export an untrained multilayer perceptron for the 8x8 digits to one ONNX file.

In: the sizes of the hidden layers. Out: 64 inputs, Linear and ReLU a hidden layer, Linear to 10
outputs, with PyTorch's own initial weights of seed 0; input `image` of (batch, 64), output
`logits`, weights inside the file, no traces of the machine that made it.

    pip install torch==2.13.0 onnx onnxscript
    python examples/export_digits_mlp.py runtime/data/digits.onnx --hidden 32
    python examples/export_digits_mlp.py tests/data/onnx/digits_64_32_16_10.onnx --hidden 32 16
"""

from __future__ import annotations

import argparse
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch  # type: ignore[import-not-found]

INPUTS, OUTPUTS = 64, 10
TRACES = (b"/work", b"/tmp", b"/home", b"site-packages", b"stack_trace")


def build(hidden: Sequence[int], *, seed: int = 0) -> Any:
    """Return the network: fc1, relu1, fc2, relu2 ... and a last linear layer."""
    torch.manual_seed(seed)
    sizes = [INPUTS, *hidden, OUTPUTS]
    layers: OrderedDict[str, Any] = OrderedDict()
    for number in range(1, len(sizes)):
        layers[f"fc{number}"] = torch.nn.Linear(sizes[number - 1], sizes[number])
        if number < len(sizes) - 1:
            layers[f"relu{number}"] = torch.nn.ReLU()
    return torch.nn.Sequential(layers).eval()


def export(network: Any) -> onnx.ModelProto:
    """Return the network as ONNX, its nodes named like its modules."""
    exported = torch.onnx.export(
        network,
        (torch.zeros(2, INPUTS),),
        dynamo=True,
        external_data=False,
        verbose=False,
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    model = exported.model_proto
    strip(model)
    for index, node in enumerate(model.graph.node):  # linear and ReLU take turns
        node.name = f"{'relu' if index % 2 else 'fc'}{index // 2 + 1}"
    return model


def strip(message: Any) -> None:
    """Clear every doc string and every piece of exporter metadata, at any depth."""
    for name in ("doc_string", "metadata_props"):
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in value if isinstance(value, Sequence) else [value]:
                strip(child)


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description="Export an untrained digits network to ONNX.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--hidden", type=int, nargs="+", default=[32])
    options = parser.parse_args()
    model = export(build(options.hidden))
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    if left := [trace for trace in TRACES if trace in data]:
        raise SystemExit(f"the exporter left {left}")
    options.output.write_bytes(data)
    print(f"{options.output}: {' '.join(node.op_type for node in model.graph.node)}, {len(data)} B")


if __name__ == "__main__":
    main()
