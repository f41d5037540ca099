"""Turns an ONNX graph into ours: the model of a file comes in, nodes, values and problems go out.

Axis 0 of every input is the batch. Shapes are computed here for a batch of one; what the file says
about shapes inside the graph is not used. A node that cannot be imported becomes a problem, the
nodes that depend on it are only looked at for problems of their own, and so all are found at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from hebbite.compiler.frontends.onnx.constants import FOLDABLE, Constants
from hebbite.compiler.frontends.onnx.limits import Limits
from hebbite.compiler.frontends.onnx.names import WEIGHTED, graph_name, input_name, value_name
from hebbite.compiler.frontends.onnx.schema import schema_breach
from hebbite.compiler.frontends.onnx.tail import network_outputs
from hebbite.compiler.frontends.onnx.tensors import TYPES, TensorError, TensorReader
from hebbite.compiler.frontends.onnx.view import GraphView, NodeView, view
from hebbite.compiler.graph import Array, Graph, Shape
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.ops import ONNX_RULES, Emit, OnnxNode, Refusal
from hebbite.compiler.ops.base import Operand
from hebbite.rules.errors import Problem, near

_OLDEST_OPSET = 7
COLUMNS = "give every sample as a row: an input (batch, size)"
_DOMAINS = ("", "ai.onnx.ml")
_MENDS = {
    "MaxPool": "AveragePool, or a Conv with strides: a maximum needs messages compared, not added",
    "GlobalMaxPool": "GlobalAveragePool: a maximum needs messages compared, not added",
    "ConvTranspose": "Conv; an image can be enlarged by no op here",
}
"""What to write instead of an op that is not read."""
_RESULT = {"ai.onnx.ml.LinearClassifier": 1}
"""Which output of an ONNX op our op computes, where it is not the first."""


class Importer:
    """One import; ``problems`` fills as the graph is walked."""

    def __init__(
        self,
        model: onnx.ModelProto,
        path: Path,
        limits: Limits,
        *,
        refused: Mapping[int, str] | None = None,
    ) -> None:
        """Look at a model that came from ``path``; ``refused`` says why nodes cannot be read."""
        self.problems: list[Problem] = []
        self._file = path.name
        self._limits = limits
        self._model = model
        self._view: GraphView = view(model)
        self._constants = Constants(model, TensorReader(path.parent, limits), limits)
        self._build = GraphBuilder(graph_name(path.stem))
        self._data: dict[str, str] = {}
        self._failed: set[str] = set()
        self._refused = refused or {}

    def run(self) -> Graph | None:
        """Return the graph, None if there are problems."""
        self._check_whole()
        outputs = network_outputs(self._view)
        if len(outputs) != 1:
            what = f"the model computes {len(outputs)} outputs: {', '.join(outputs)}"
            self._problem("HB0324", what, hint="export it with one output")
        needed = self._view.needed(outputs)
        if len(needed) > self._limits.nodes:
            what = f"{len(needed)} nodes; the limit is {self._limits.nodes}"
            self._problem("HB0203", what)
            return None
        self._inputs({name for node in needed for name in node.inputs} | set(outputs))
        for node in needed:
            self._node(node)
        return self._finish(outputs[0])

    def _finish(self, output: str) -> Graph | None:
        if not self.problems and output not in self._data:
            self._problem("HB0324", f"the output '{output}' does not depend on any input")
        if self.problems:
            return None
        return self._build.graph(outputs=(self._data[output],))

    def _check_whole(self) -> None:
        newest = onnx.defs.onnx_opset_version()
        if not self._opset_is_read:
            versions = self._view.opsets.get("", frozenset())
            given = ", ".join(map(str, sorted(versions))) or "none"
            what = f"opset {given}; opsets {_OLDEST_OPSET} to {newest} are read"
            self._problem("HB0323", what, hint="onnx.version_converter.convert_version(model, 20)")
        for name in self._view.repeated:
            node = self._view.producers[name]
            self._problem("HB0207", f"'{name}' is computed more than once", node)

    @property
    def _opset(self) -> int:
        return max(self._view.opsets.get("", frozenset()), default=0)

    @property
    def _opset_is_read(self) -> bool:
        one = len(self._view.opsets.get("", frozenset())) == 1
        return one and _OLDEST_OPSET <= self._opset <= onnx.defs.onnx_opset_version()

    def _inputs(self, needed: set[str]) -> None:
        for value in self._model.graph.input:
            if value.name not in needed or value.name in self._constants:
                continue
            origin = f"{self._file}, input '{value.name}'"
            try:
                shape = _sample_shape(value)
                self._bounded(shape)
            except Refusal as refusal:
                problem = Problem(
                    refusal.code or "HB0322", refusal.what, origin=origin, hint=refusal.hint
                )
                self.problems.append(problem)
                self._failed.add(value.name)
                continue
            name = input_name(value.name)
            self._data[value.name] = self._build.add(
                "input", name=name, attributes={"shape": shape, "kind": "real"}, origin=origin
            )

    def _node(self, node: NodeView) -> None:
        try:
            if node.index in self._refused:
                raise Refusal(self._refused[node.index], hint=COLUMNS)
            if self._known(node):
                self._import(node)
                return
        except Refusal as refusal:
            self._problem(refusal.code or "HB0321", refusal.what, node, hint=refusal.hint)
        except TensorError as error:
            problem = error.problem
            self._problem(problem.code, problem.what, node, hint=problem.hint)
        self._failed.update(node.outputs)

    def _known(self, node: NodeView) -> bool:
        """Say whether a node can be looked at: its op is known and so are its operands."""
        if node.type not in ONNX_RULES and node.type not in FOLDABLE:
            raise Refusal(f"unsupported op '{node.type}'", code="HB0320", hint=_instead(node))
        version = max(self._view.opsets.get(node.domain, (1,)), default=1)
        breach = schema_breach(node, version) if self._opset_is_read else ""
        if breach or not any(node.outputs):
            raise Refusal(breach or f"{node.type} without an output", code="HB0207")
        for name in filter(None, node.inputs):
            if name not in self._data and name not in self._constants and name not in self._failed:
                what = f"'{name}' is read, but nothing before this node gives it"
                raise Refusal(what, code="HB0207")
        return not self._failed.intersection(node.inputs)

    def _import(self, node: NodeView) -> None:
        constant = self._constant(node)
        if constant is not None:
            self._constants.define(node.outputs[0], constant)
            return
        if node.type not in ONNX_RULES:
            what = f"{node.type} of computed data has no counterpart here"
            raise Refusal(what, code="HB0320", hint="only constants may pass it")
        further = {
            name for index, name in enumerate(node.outputs) if name and index != _result(node)
        }
        if further.intersection(self._view.read) and node.type not in _RESULT:
            raise Refusal(f"the further outputs of {node.type} have no counterpart here")
        operands = tuple(self._operand(name) for name in node.inputs)
        view = OnnxNode(node.type, self._opset, operands, node.attributes())
        with np.errstate(all="ignore"):
            self._emit(node, ONNX_RULES[node.type](view))

    def _constant(self, node: NodeView) -> Array | None:
        """Return the value of a node that depends on no data."""
        if node.type == "Constant":
            return self._constants.from_node(node)
        names = [name for name in node.inputs if name]
        if node.type == "Shape" and names and names[0] in self._data:
            whole = np.array([1, *self._build.values[self._data[names[0]]].shape], dtype=np.int64)
            attributes = node.attributes()
            start, end = attributes.get("start", 0), attributes.get("end", len(whole))
            if isinstance(start, int) and isinstance(end, int):
                return whole[start:end]
            raise Refusal("Shape needs integers as 'start' and 'end'")
        if node.type in FOLDABLE and names and all(name in self._constants for name in names):
            return self._constants.fold(node, self._opset)
        return None

    def _operand(self, name: str) -> Operand:
        if not name:
            return None
        if name in self._data:
            return self._build.values[self._data[name]]
        array = self._constants.get(name)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            count = int(array.size - np.isfinite(array).sum())
            what = f"the constant '{name}' holds {count} numbers that are NaN or infinite"
            raise Refusal(what, code="HB0206")
        return array

    def _emit(self, node: NodeView, emits: tuple[Emit, ...]) -> None:
        constants = tuple(name for name in node.inputs if name in self._constants)
        previous = ""
        for emit in emits:
            inputs = tuple(
                previous if index < 0 else self._data[node.inputs[index]] for index in emit.operands
            )
            for array in emit.attributes.values():
                if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                    raise Refusal("its constants give NaN or infinite numbers", code="HB0206")
            alone = len(emits) == 1 or emit.op in WEIGHTED
            previous = self._build.add_or_refuse(
                emit.op,
                inputs,
                name=value_name(emit.op, node.name if alone else "", constants),
                attributes=emit.attributes,
                origin=node.origin(self._file),
            )
            self._bounded(self._build.values[previous].shape)
        self._data[node.outputs[_result(node)]] = previous

    def _bounded(self, shape: Shape) -> None:
        count = 1
        for length in shape:
            count *= length
        if count > self._limits.elements:
            what = f"a value of {count} elements; the limit is {self._limits.elements}"
            raise Refusal(what, code="HB0203")

    def _problem(
        self, code: str, what: str, node: NodeView | None = None, *, hint: str = ""
    ) -> None:
        origin = node.origin(self._file) if node else self._file
        at = _printed(node) if node else ""
        self.problems.append(Problem(code, what, at=at, origin=origin, hint=hint))


def _instead(node: NodeView) -> str:
    """Return what to write for an op that is not read; a near name only for one that is unknown."""
    if node.domain not in _DOMAINS:
        return f"ops of the domain '{node.domain}' are not read"
    if node.type in _MENDS:
        return _MENDS[node.type]
    if onnx.defs.has(node.type.rpartition(".")[2], node.domain):
        return "hebbite list ops"
    return near(node.type, {*ONNX_RULES, *FOLDABLE})


def _printed(node: NodeView) -> str:
    """Return an ONNX node as text, cut to one readable line."""
    text = f"{', '.join(node.outputs)} = {node.type}({', '.join(node.inputs)})"
    return text if len(text) <= 120 else text[:117] + "..."


def _result(node: NodeView) -> int:
    index = _RESULT.get(node.type, 0)
    if index >= len(node.outputs):
        raise Refusal(f"{node.type} needs {index + 1} outputs", code="HB0207")
    return index


def _sample_shape(value: onnx.ValueInfoProto) -> Shape:
    """Return the shape of one sample of an input: all axes but the first."""
    if value.type.WhichOneof("value") != "tensor_type":
        raise Refusal("this input is no tensor", code="HB0324")
    tensor = value.type.tensor_type
    if tensor.elem_type not in TYPES or tensor.elem_type == onnx.TensorProto.BOOL:
        raise Refusal("this input does not hold numbers of a type that is read", code="HB0324")
    dims = list(tensor.shape.dim)
    if not tensor.HasField("shape") or not dims:
        raise Refusal("this input has no shape", hint="export it as (batch, size)")
    if dims[0].WhichOneof("value") == "dim_value" and dims[0].dim_value not in (-1, 0, 1):
        what = f"axis 0 is the batch, and it is fixed at {dims[0].dim_value}"
        raise Refusal(what, hint="export with a batch of 1, or with a dynamic batch")
    for axis, dim in enumerate(dims[1:], 1):
        if dim.WhichOneof("value") != "dim_value" or dim.dim_value < 1:
            named = f" '{dim.dim_param}'" if dim.dim_param else ""
            what = f"axis {axis} has the dynamic size{named}; only axis 0, the batch, may have one"
            raise Refusal(what, hint="export with fixed sizes")
    return tuple(int(dim.dim_value) for dim in dims[1:])
