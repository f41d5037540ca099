"""Reads the text of a graph: the inverse of ``str(graph)``.

Text and arrays come in, a graph goes out that prints as the same text. Only the form is read here;
`hebbite.compiler.graph_verify.verify` says whether the graph makes sense. A ``#`` at the start of a
line begins a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from hebbite.compiler.graph import (
    NAME,
    TENSOR_NAME,
    Array,
    Attribute,
    Graph,
    Kind,
    Node,
    Shape,
    TensorRef,
    Value,
)
from hebbite.rules.errors import InputFileError, Problem

_STRING = r'"(?:[^"\\]|\\.)*"'
_WORD = rf"%{NAME}"
_WORDS = rf"{_WORD}(?:\s*,\s*{_WORD})*"
_ATTRIBUTES = rf"\{{(?P<attributes>(?:[^{{}}\"]|{_STRING})*)\}}"
_TYPE = r"(?P<kind>real|spike|graded)\[(?P<shape>[0-9, ]*)\](?P<step> per step)?"
_HEAD = re.compile(rf"graph\s+@({NAME})\s*\{{")
_RETURN = re.compile(rf"return\b\s*(?P<outputs>{_WORDS})?\s*(?:{_ATTRIBUTES})?")
_NODE = re.compile(
    rf"(?P<outputs>{_WORDS})\s*=\s*(?P<op>{NAME})\s*(?:\((?P<inputs>{_WORDS})\))?"
    rf"\s*(?:{_ATTRIBUTES})?\s*:\s*(?P<types>[^\"]*?)\s*(?:from\s+(?P<origin>{_STRING}))?"
)
_PAIR = re.compile(rf"\s*({NAME})\s*=\s*(\[[^\[\]]*\]|{_STRING}|[^,\s\[\]\"]+)\s*(?:,|$)")
_LONGEST = 10_000
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FLOAT = re.compile(r"-?(?:[0-9]+\.[0-9]*(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+|inf|nan)")
_FORM = "%name = op(%input, ...) {attribute=value, ...} : real[size]"


class _Unreadable(Exception):
    """A line that has not the form of its place; carries what was expected."""


def parse(text: str, tensors: Mapping[str, Array] | None = None, *, origin: str = "") -> Graph:
    """Return the graph that a text describes, with ``tensors`` as its arrays.

    Raises:
        InputFileError: HB0210, with the first line that cannot be read.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    number, line = lines[0] if lines else (1, "")
    try:
        head = _HEAD.fullmatch(line)
        if head is None:
            raise _Unreadable("graph @name {")
        if lines[-1][1] != "}" or len(lines) < 3:
            number, line = lines[-1]
            raise _Unreadable("nodes, 'return %name' and '}' at the end")
        nodes: list[Node] = []
        for number, line in lines[1:-2]:  # noqa: B007 - names the line in the error below
            nodes.append(_node(line))
        number, line = lines[-2]
        outputs, head_name = _return(line)
    except (_Unreadable, json.JSONDecodeError) as error:
        where = f"{origin}, line {number}" if origin else f"line {number}"
        what = "this line of a graph text cannot be read"
        problem = Problem("HB0210", what, at=line, origin=where, hint=f"expected {error}")
        raise InputFileError(problem) from error
    return Graph(head.group(1), tuple(nodes), tensors or {}, outputs, head_name)


def _node(line: str) -> Node:
    match = _NODE.fullmatch(line) if len(line) <= _LONGEST else None
    if match is None:
        raise _Unreadable(_FORM)
    names = _names(match["outputs"])
    types = re.split(r",\s*(?=[a-z])", match["types"])
    if len(types) != len(names):
        raise _Unreadable(f"{len(names)} types after ':', one for each output")
    outputs = tuple(_value(name, text) for name, text in zip(names, types, strict=True))
    origin = str(json.loads(match["origin"])) if match["origin"] else ""
    attributes = tuple(_attributes(match["attributes"] or ""))
    return Node(match["op"], _names(match["inputs"]), outputs, attributes, origin)


def _return(line: str) -> tuple[tuple[str, ...], str]:
    match = _RETURN.fullmatch(line) if len(line) <= _LONGEST else None
    pairs = dict(_attributes(match["attributes"] or "")) if match else {}
    head = pairs.pop("head", "")
    if match is None or pairs or not isinstance(head, str):
        raise _Unreadable("return %name {head=softmax}")
    return _names(match["outputs"]), head


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip()[1:] for name in text.split(",")) if text else ()


def _value(name: str, text: str) -> Value:
    match = re.fullmatch(_TYPE, text.strip())
    if match is None:
        raise _Unreadable("a type such as real[32], spike[8] or graded[2, 3] per step")
    kinds: dict[str, Kind] = {"real": "real", "spike": "spike", "graded": "graded"}
    time = match["step"]
    return Value(name, _shape(match["shape"]), kinds[match["kind"]], "step" if time else "static")


def _shape(text: str) -> Shape:
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(_INTEGER.fullmatch(part) for part in parts):
        raise _Unreadable("integers between '[' and ']'")
    return tuple(int(part) for part in parts)


def _attributes(text: str) -> list[tuple[str, Attribute]]:
    pairs: list[tuple[str, Attribute]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise _Unreadable("attributes as {name=value, name=value}")
        pairs.append((match[1], _attribute(match[2])))
        position = match.end()
    return pairs


def _attribute(text: str) -> Attribute:
    if text.startswith("["):
        return _shape(text[1:-1])
    if text.startswith('"'):
        return str(json.loads(text))
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if re.fullmatch(rf"@{TENSOR_NAME}", text):
        return TensorRef(text[1:])
    if re.fullmatch(NAME, text):
        return text
    raise _Unreadable('a value such as 3, 0.5, name, [2, 3], @tensor or "text"')
