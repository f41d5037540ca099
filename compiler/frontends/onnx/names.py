"""Short names for values: from the weight's name, else from the node's name, else from the op."""

from __future__ import annotations

import re

from hebbite.compiler.ops import ONNX_RULES

_LONGEST = 24
WEIGHTED = ("linear", "conv2d")
"""Ops that are named after their weight."""
_OP_TYPES = frozenset(name.rpartition(".")[2].lower() for name in ONNX_RULES)
_WEIGHT = re.compile(r"(.+)\.(?:weight|kernel)")


def value_name(op: str, node: str, constants: tuple[str, ...]) -> str:
    """Return the wished name of what a node computes.

    Args:
        op: the op of ours; the name where nothing better is found.
        node: the name of the ONNX node, such as ``/net/fc1/Gemm`` or ``node_relu``.
        constants: names of its constant operands, such as ``net.fc1.weight``.
    """
    modules = [match[1] for match in map(_WEIGHT.fullmatch, constants) if match]
    if op in WEIGHTED and modules:
        return _identifier(_last(modules[0].split("."))) or op
    *path, last = node.strip("/").split("/")
    if path:
        return _identifier(_last(path[-1].split("."))) or op
    return _identifier(last.removeprefix("node_")) or op


def input_name(name: str) -> str:
    """Return the name of an input; an exporter's own name such as ``onnx::Gemm_0`` is dropped."""
    return _identifier(name.rpartition("::")[2]) or "input"


def graph_name(stem: str) -> str:
    """Return the name of a graph from that of its file."""
    text = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")
    return text if text and not text[0].isdigit() else f"graph_{text}".strip("_")


def _last(parts: list[str]) -> str:
    """Return the last part of a dotted name, with the one before where it is a number."""
    return "_".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]


def _identifier(text: str) -> str:
    """Return the text as a name, "" if it is none, too long, or only some op's type."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    generic = name.rstrip("0123456789_").lower() in _OP_TYPES and name != name.lower()
    usable = name and not name[0].isdigit() and len(name) <= _LONGEST and not generic
    return name if usable else ""
