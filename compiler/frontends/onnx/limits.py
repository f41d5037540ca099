"""How much a model file may hold before it is refused: nothing larger is ever read into memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Caps on one ONNX model.

    ``file_bytes``: the file without external data. ``elements``: of all arrays, and of one value.
    ``folded``: elements of one constant that is computed. ``nodes``: nodes that the output depends
    on. ``listed``: all nodes.
    """

    file_bytes: int = 2**31
    elements: int = 2**28
    folded: int = 2**25
    nodes: int = 1000
    listed: int = 100_000
