"""Compares a node with the schema of its op: how many operands, and which attributes it may have.

What a schema does not know would be ignored in silence, and the model would mean something else.
"""

from __future__ import annotations

import onnx

from hebbite.compiler.frontends.onnx.view import NodeView
from hebbite.rules.errors import near


def schema_breach(node: NodeView, version: int) -> str:
    """Return how a node breaks the schema of its op in that opset version, "" if it does not."""
    op = node.type.rpartition(".")[2]
    try:
        schema = onnx.defs.get_schema(op, version, node.domain)
    except onnx.defs.SchemaError:
        return f"there is no {node.type} in opset {version}"
    inputs, outputs = len(node.inputs), len(node.outputs)
    if not schema.min_input <= inputs <= schema.max_input:
        return (
            f"{node.type} takes {_range(schema.min_input, schema.max_input)} inputs, not {inputs}"
        )
    if not max(1, schema.min_output) <= outputs <= schema.max_output or not any(node.outputs):
        return f"{node.type} with {outputs} outputs"
    for attribute in node.proto.attribute:
        known = schema.attributes.get(attribute.name)
        if known is None:
            hint = near(attribute.name, schema.attributes) if schema.attributes else "it has none"
            return f"{node.type} has no attribute '{attribute.name}': {hint}"
        if known.type.value != attribute.type:
            return f"the attribute '{attribute.name}' of {node.type} has the wrong type"
    return ""


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
