from __future__ import annotations

import contextlib
import string

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hebbite.compiler.graph import Attribute, Graph, Node, TensorRef, Value
from hebbite.compiler.graph_text import parse
from hebbite.rules.errors import InputFileError

NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=8)
SHAPES = st.lists(st.integers(0, 10**12), max_size=3).map(tuple)
KINDS = st.sampled_from(("real", "spike", "graded"))
VALUES = st.builds(Value, NAMES, SHAPES, KINDS, st.sampled_from(("static", "step")))
ATTRIBUTES: st.SearchStrategy[Attribute] = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(["inf", "nan", "1e5", "", "[2]", "@w", 'a"b', "a}b", "a, b=c", "\u2028"]),
    st.lists(st.integers(-99, 10**12), max_size=3).map(tuple),
    st.lists(NAMES, min_size=1, max_size=3).map(".".join).map(TensorRef),
)
NODES = st.builds(
    Node,
    NAMES,
    st.lists(NAMES, max_size=3).map(tuple),
    st.lists(VALUES, min_size=1, max_size=3).map(tuple),
    st.lists(st.tuples(NAMES, ATTRIBUTES), max_size=3).map(tuple),
    st.text(max_size=20),
)
GRAPHS = st.builds(
    Graph,
    NAMES,
    st.lists(NODES, max_size=4).map(tuple),
    st.dictionaries(NAMES, st.lists(st.integers(-9, 9), max_size=3).map(np.array), max_size=2),
    st.lists(NAMES, max_size=2).map(tuple),
    st.one_of(NAMES, st.just("")),
)


@given(GRAPHS)
def test_every_graph_parses_back_from_its_text(graph: Graph) -> None:
    again = parse(str(graph), graph.tensors)
    assert again == graph
    assert str(again) == str(graph)


@given(st.text(alphabet='graph @{}%x=relu()[],:"\\\n 0-.', max_size=200))
@example("graph @g {\n}\n}")
def test_any_text_is_a_graph_or_is_refused(text: str) -> None:
    with contextlib.suppress(InputFileError):
        graph = parse(f"graph @g {{\n{text}\n return %x\n}}")
        assert parse(str(graph)) == graph
