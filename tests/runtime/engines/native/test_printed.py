"""Printed loops compute what the arithmetic defines: neurons' instructions, and sums of rules."""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import ir
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import TAG_LOW, EpochValues, accumulate_products
from hebbite.compiler.arithmetic.neuron import execute, new_registers
from hebbite.compiler.program.neuron import OPS, parse_neuron
from hebbite.compiler.program.types import TAG, Plasticity, Widths
from hebbite.rules.loihi import check_loihi
from hebbite.rules.sums import Factor, Product, SumOfProducts, SumTarget, parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.engines.native import llvm
from hebbite.runtime.engines.native.llvm import HELD, Code, Signature, compile_text
from hebbite.runtime.engines.native.neuron_code import Unit, print_step
from hebbite.runtime.engines.native.rule_code import (
    columns_step,
    print_settle,
    print_steps,
    print_update,
    rows_step,
)
from hebbite.runtime.engines.native.rule_tables import CHANGED, CLOCKS, settle_signature
from hebbite.runtime.engines.native.rule_views import Column, Meeting, Row, Rule, Unlearnt, meets

Long = NDArray[np.int64]
EDGES = [0, 1, 2, 7, 12, 30, 31, 63, 127, 128, 255, 4095, 4096, 4097, 2**15, 2**16, 2**23 - 1]
EDGES += [2**23, 2**23 + 1, 2**24, 2**30, 2**31 - 2, 2**31 - 1]
CONSTANTS = sorted({*EDGES, *(-edge for edge in EDGES)})
word = st.one_of(
    st.sampled_from((*CONSTANTS, -(2**31))),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-4100, 4100),
)
lanes = st.lists(st.tuples(word, word, word, st.integers(0, 63)), min_size=1, max_size=12)
curve = st.lists(word, min_size=1, max_size=12)
SHIFTS = ("shl", "shr", "shrz")
TWO = tuple(op for op, (count, _) in OPS.items() if count == 2 and op != "table")


@pytest.fixture(autouse=True, scope="module")
def nothing_is_kept() -> Iterator[None]:
    """Compile what chance made without filling the folder of kept code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llvm, "kept", lambda name, make: make())
        yield


def called(
    code: Code, name: str, signature: Signature, arrays: Mapping[str, NDArray[np.generic]],
    numbers: Mapping[str, int], size: int,
) -> dict[str, int]:  # fmt: skip
    """Call a printed kernel; arrays change in place. Return its totals."""
    given_ = [arrays[array.name] for array in signature.arrays]
    for array, values in zip(signature.arrays, given_, strict=True):
        assert 8 * values.itemsize == array.bits
    table = np.array(
        [
            *(values.ctypes.data for values in given_),
            *(numbers[name] for name in signature.numbers),
            *(-1 for _ in signature.totals),
        ],
        np.int64,
    )
    call = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(code.address(name))
    call(table.ctypes.data, size)
    return {name: int(table[signature.slot(name)]) for name in signature.totals}


# Neurons.


@cache
def unit_of(line: str, entries: int) -> tuple[Unit, Code]:
    """Return a neuron with one instruction on the states p, q, z and n, and its code."""
    text = f"neuron one() {{\n table curve, own\n state v, p, q, z, n, r\n always\n {line}\n}}"
    neuron = parse_neuron(text).bind({}, period=1)
    unit = Unit(neuron, {"curve": entries, "own": 64}, {}, {*neuron.kept, "s"}, ("s",), asked=True)
    module = ir.Module("one")
    print_step(module, "one", unit, (0,))
    return unit, compile_text(str(module))


def random_of(lane: int) -> Callable[[int, int], Long]:
    """Return what draws the number of a lane."""
    return lambda index, bits: np.array([7 * lane], np.int64)


def execute_both(
    line: str, drawn: Sequence[tuple[int, int, int, int]], bent: Sequence[int] = (5,)
) -> int:
    """Execute a line on lanes (p, q, z, n) as printed and as defined; return how many lanes have a
    result of 32 bits, and compare those."""
    unit, code = unit_of(line, len(bent))
    size = len(drawn)
    own = np.array([p ^ 12345 for p, _, _, _ in drawn], np.int32)
    values = {
        name: np.array(each, np.int32)
        for name, each in zip("pqzn", zip(*drawn, strict=True), strict=True)
    }
    random = np.array([random_of(k)(0, 9)[0] for k in range(size)], np.int32)
    arrays: dict[str, NDArray[np.generic]] = {
        array.name: np.zeros(size, np.int32 if array.bits == 32 else np.uint8)
        for array in unit.signature.arrays
    }
    arrays |= {**values, "table curve": np.array(bent, np.int32), "table own": own}
    arrays |= {f"random {index}": random for index in unit.random}
    arrays["v"] = np.arange(size, dtype=np.int32) % 3
    arrays["reached"] = (np.arange(size) % 5 == 0).astype(np.uint8)
    busy = (arrays["v"] != 0) | (arrays["reached"] != 0)
    totals = called(code, "one", unit.signature, arrays, {}, size)
    resting = np.count_nonzero(arrays["v"] == 0)
    assert totals == {"active": np.count_nonzero(busy), "unheard": 0, "resting": resting}
    first = arrays["r"].copy()
    again = called(code, "one.everyone", unit.signature, arrays, {}, size)
    assert again == {"active": 0, "unheard": 0, "resting": resting}
    assert np.array_equal(arrays["r"], first)
    compared = 0
    for k, lane in enumerate(drawn):
        registers = new_registers(unit.neuron, 1)
        for name, value in zip("pqzn", lane, strict=True):
            registers[name][:] = value
        tables = {"curve": np.array(bent), "own": own[k : k + 1]}
        if line.startswith("r = shl") and lane[3] > 31 and "n" in line:
            continue
        try:
            execute(unit.neuron, registers, offset=1, tables=tables, random=random_of(k))
        except AssertionError:
            continue
        compared += 1
        assert arrays["r"][k] == registers["r"][0], (line, lane)
    return compared


LINES = {
    **{op: f"r = {op} p" for op, (count, _) in OPS.items() if count == 1},
    **{op: f"r = {op} p, {'n' if op in SHIFTS else 'q'}" for op in TWO},
    "select": "r = select p, q, z",
    "table": "r = table curve, p",
    "each": "r = each own",
    "random": "r = random 9",
    "reset": "r = reset",
}


def test_every_instruction_is_looked_at() -> None:
    assert set(LINES) == set(OPS)


@pytest.mark.parametrize("op", LINES)
@settings(deadline=None, max_examples=40)
@given(drawn=lanes, bent=curve)
def test_an_instruction_is_printed_as_it_is_defined(
    op: str, drawn: list[tuple[int, int, int, int]], bent: list[int]
) -> None:
    known = [(0, 0, 0, 0), (1, 1, 1, 1), (-7, 3, 2, 1)]
    assert execute_both(LINES[op], [*drawn, *known], bent) >= len(known)


@pytest.mark.parametrize("op", TWO)
def test_an_instruction_with_a_constant_is_printed_as_it_is_defined(op: str) -> None:
    top = {"shl": 31, "shr": 63, "shrz": 63}.get(op)
    values: Sequence[int] = (0, 1, -1, 4097, 2**31 - 1)
    if top is not None or op == "decay":
        values = [value for value in CONSTANTS if top is None or 0 <= value <= top]
    drawn = [(value, 0, 0, 0) for value in (*CONSTANTS, -(2**31))]
    compared = sum(execute_both(f"r = {op} p, {value}", drawn) for value in values)
    if op not in SHIFTS:
        drawn = [(0, value, 0, 0) for value in CONSTANTS]
        compared += sum(execute_both(f"r = {op} {value}, q", drawn) for value in values)
    assert compared > 100


# Rules.

TRACES = ("x1", "x2", "y1", "y2", "y3")
SIZE = 37


def products(
    variables: Sequence[str], gates: Sequence[str], *, target: SumTarget = "dw", most: int = 3
) -> st.SearchStrategy[SumOfProducts]:
    """Return sums of 1..most products that a Loihi-class chip takes."""

    def factor(variable: str) -> st.SearchStrategy[Factor]:
        signed = variable in ("w", "t")
        known = [0, 0, 3, -64, 100, -256, 255] if signed else [0, 0, 1, -64, 100, -254, 125]
        known = [0, 0, -1, -2] if variable in ("x0", "y0") else known
        sign = st.booleans() if signed else st.just(False)
        return st.builds(Factor, st.just(variable), st.sampled_from(known), sign)

    factors = st.lists(st.sampled_from(variables).flatmap(factor), min_size=1, max_size=3)
    each = st.builds(
        Product,
        st.integers(-8, 7).filter(bool),
        st.integers(-7, 8),
        st.sampled_from(gates),
        factors.map(tuple),
    )
    return st.lists(each, min_size=1, max_size=most).map(lambda p: SumOfProducts(target, tuple(p)))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Return a rule by chance: some traces, perhaps a tag, 8 or 16 bits, an epoch of 1..5."""
    kept = draw(st.lists(st.sampled_from(TRACES), unique=True, min_size=1))
    gates = ("x0", "y0", f"u{draw(st.integers(0, 2))}")
    tagged = draw(st.booleans())
    known = ("w", "x0", "y0", *kept)
    both = (*known, "t") if tagged else known
    dw = draw(products(both, gates))
    dt = draw(products(both, gates, target="dt")) if tagged else None
    assert not check_loihi(dw, *(() if dt is None else (dt,)))
    traces = tuple((name, Trace(8, 16)) for name in kept)
    plasticity = Plasticity("g", dw, draw(st.integers(1, 5)), traces, dt=dt)
    bits = draw(st.sampled_from((8, 16)))
    return Rule(plasticity, Widths(bits), 16 if bits == 8 else 32)


@st.composite
def stepping_rows(draw: st.DrawFn) -> Rule:
    """Return a rule by chance whose rows have the same steps: one product with x0 and without y0,
    which reads neither weights nor traces of the line, in epochs of one step.
    """
    kept = draw(st.lists(st.sampled_from(TRACES), unique=True, min_size=1))
    post = [name for name in kept if name[0] == "y"]
    own = draw(products(("x0", *post), ("x0",), most=1))
    learnt = draw(st.none() | products(("w", "x0", "y0", *kept), ("y0",)))
    each = draw(st.permutations((*own.products, *(() if learnt is None else learnt.products))))
    traces = tuple((name, Trace(8, 16)) for name in kept)
    plasticity = Plasticity("g", SumOfProducts("dw", tuple(each)), 1, traces)
    bits = draw(st.sampled_from((8, 16)))
    return Rule(plasticity, Widths(bits), 16 if bits == 8 else 32)


@st.composite
def stepping_columns(draw: st.DrawFn) -> Rule:
    """Return a rule by chance whose columns' steps read no weight: one product without x0."""
    kept = draw(st.lists(st.sampled_from(TRACES), unique=True, min_size=1))
    own = draw(products(("y0", *kept), ("y0", "u1"), most=1))
    sent = draw(st.none() | products(("w", "x0", *kept), ("x0",)))
    each = draw(st.permutations((*own.products, *(() if sent is None else sent.products))))
    traces = tuple((name, Trace(8, 16)) for name in kept)
    plasticity = Plasticity("g", SumOfProducts("dw", tuple(each)), draw(st.integers(1, 5)), traces)
    bits = draw(st.sampled_from((8, 16)))
    return Rule(plasticity, Widths(bits), 16 if bits == 8 else 32)


class Chance:
    """Weights, tags, draws, histories and events of one row (one line) or column (one neuron)."""

    def __init__(self, rule: Rule, seed: int, *, row: bool) -> None:
        rng = np.random.default_rng(seed)
        widths, epoch = rule.widths, rule.plasticity.epoch
        lines, post = (1, SIZE) if row else (SIZE, 1)
        low, high = widths.weight_low, widths.weight_high
        ends = rng.choice([low, low + 1, -1, 0, 0, 1, high - 1, high], SIZE)
        self.weight = np.where(rng.random(SIZE) < 0.5, ends, rng.integers(low, high + 1, SIZE))
        tags = rng.choice([TAG_LOW, TAG_LOW + 1, 0, TAG.weight_high], SIZE)
        chosen = rng.integers(TAG_LOW, TAG.weight_high + 1, SIZE)
        self.tag = np.where(rng.random(SIZE) < 0.5, tags, chosen)
        self.draw, self.tag_draw = rng.integers(0, 256, (2, SIZE)).astype(np.uint8)
        self.tx = rng.integers(0, epoch + 1, lines) * (rng.random(lines) < 0.7)
        self.ty = rng.integers(0, epoch + 1, post) * (rng.random(post) < 0.7)
        if not row:
            self.ty = np.maximum(self.ty, 1)
        self.number = int(rng.integers(1, 9))
        self.histories: dict[str, Long] = {}
        for name in TRACES:
            count = lines if name[0] == "x" else post
            values = rng.integers(0, 128, (epoch + 1, count))
            edge = rng.random(values.shape) < 0.3
            values = np.where(edge, rng.choice([0, 1, 126, 127], values.shape), values)
            self.histories[name] = values * (rule.plasticity.trace(name) is not None)
        self.shape = post, lines

    def wanted(self, rule: Rule) -> tuple[Long, Long]:
        """Return weights and tags as the arithmetic defines them."""
        weight, tag = self.weight.reshape(self.shape), self.tag.reshape(self.shape)
        values = EpochValues(weight, self.tx, self.ty, self.number, self.histories, tag)
        widths, plasticity = rule.widths, rule.plasticity
        total = accumulate_products(plasticity.dw, values, widths).reshape(-1)
        weight = rounded(total, self.draw).clip(widths.weight_low, widths.weight_high)
        if plasticity.dt is None:
            return weight, self.tag
        total = accumulate_products(plasticity.dt, values, widths).reshape(-1)
        return weight, rounded(total, self.tag_draw).clip(TAG_LOW, TAG.weight_high)

    @property
    def clocks(self) -> dict[str, int]:
        """Return which of u0..u9 count in this epoch."""
        return {name: self.number % 2 ** int(name[1:]) == 0 for name in CLOCKS}

    def held(self, rule: Rule) -> dict[str, NDArray[np.generic]]:
        """Return the arrays of every view, to be changed."""
        word_ = np.int16 if rule.bits == 16 else np.int32
        return {
            "w": self.weight.astype(word_),
            "draw w": self.draw,
            "t": self.tag.astype(np.int16),
            "draw t": self.tag_draw,
        }


def rounded(total: Long, draw: NDArray[np.uint8]) -> Long:
    """Return acc / 2^7, up where half of the byte drawn lies below the fraction."""
    return (total >> 7) + (draw >> 1 < (total & 127))


def of_row(rule: Rule, found: Chance, order: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a row whose synapse k ends at neuron order[k]."""
    back = np.argsort(order)
    arrays = found.held(rule)
    arrays |= {"ty": found.ty.astype(np.uint8)[back], "target": order.astype(np.uint16)}
    arrays["changes"] = np.zeros(SIZE, np.int16)
    if rule.target == 32:
        arrays["target"] = order.astype(np.int32)
    for name, history in found.histories.items():
        if name[0] == "x":
            arrays[f"times {name}"] = history[:, 0].astype(np.int32)
            continue
        at = {"sent": history[found.tx[0]], "end": history[-1]}
        at["own"] = history[found.ty, np.arange(SIZE)]
        arrays |= {f"{when} {name}": each.astype(np.int32)[back] for when, each in at.items()}
    return arrays


def of_line(found: Chance) -> dict[str, int]:
    """Return the numbers of a row."""
    numbers = {"x0": int(found.tx[0] > 0), **found.clocks}
    for name in ("x1", "x2"):
        numbers[f"sent {name}"] = int(found.histories[name][found.tx[0], 0])
        numbers[f"end {name}"] = int(found.histories[name][-1, 0])
    return numbers


def of_column(
    rule: Rule, found: Chance, line: NDArray[np.integer]
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a column; ``line`` is where each synapse starts."""
    arrays = found.held(rule) | {"line": line.astype(np.int32)}
    arrays["tx"] = np.zeros(SIZE, np.uint8)
    arrays["tx"][line] = found.tx
    for name in ("x1", "x2"):
        history = found.histories[name]
        for moment, values in (("own", history[found.ty[0]]), ("end", history[-1])):
            arrays[f"{moment} {name}"] = np.zeros(SIZE, np.int32)
            arrays[f"{moment} {name}"][line] = values
    return arrays


def of_meetings(rule: Rule, found: Chance) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of synapses onto one neuron."""
    ends = {name: found.histories[name][-1] for name in TRACES}
    spread = {name: np.broadcast_to(each, SIZE).astype(np.int32) for name, each in ends.items()}
    return found.held(rule) | spread


def of_neuron(found: Chance) -> dict[str, int]:
    """Return the numbers of a column."""
    numbers: dict[str, int] = dict(found.clocks)
    for name in ("y1", "y2", "y3"):
        numbers[f"own {name}"] = int(found.histories[name][found.ty[0], 0])
        numbers[f"end {name}"] = int(found.histories[name][-1, 0])
    return numbers


seeds = st.lists(st.integers(0, 2**32), min_size=4, max_size=4)
by_chance = settings(deadline=None, max_examples=25)


def totals_of(found: Chance, weight: Long, tag: Long, rule: Rule) -> dict[str, int]:
    """Return what a kernel counts: changed weights, low tags gained."""
    low, lower = int(np.count_nonzero(found.tag == TAG_LOW)), int(np.count_nonzero(tag == TAG_LOW))
    below, changed = lower - low, int(np.count_nonzero(weight != found.weight))
    return {CHANGED: changed, "below": below if rule.tagged else 0}


@by_chance
@given(rule=rules(), target=st.sampled_from((0, 16, 32)), drawn=seeds)
def test_a_row_learns_what_the_sums_define(rule: Rule, target: int, drawn: list[int]) -> None:
    rule = Rule(rule.plasticity, rule.widths, rule.bits, target)
    module = ir.Module("row")
    print_update(module, "row", Row(rule))
    code = compile_text(str(module))
    for seed in drawn:
        found = Chance(rule, seed, row=True)
        order = np.arange(SIZE)
        if target:
            np.random.default_rng(seed + 1).shuffle(order)
        arrays, (weight, tag) = of_row(rule, found, order), found.wanted(rule)
        totals = called(code, "row", Row(rule).signature, arrays, of_line(found), SIZE)
        assert np.array_equal(arrays["w"], weight)
        assert np.array_equal(arrays["t"], tag)
        assert np.array_equal(arrays["changes"], HELD * (weight != found.weight))
        assert totals == {**totals_of(found, weight, tag, rule), CHANGED: 0}


@by_chance
@given(rule=rules(), listed=st.booleans(), drawn=seeds)
def test_a_column_learns_what_the_sums_define_where_its_line_did_not_send(
    rule: Rule, listed: bool, drawn: list[int]
) -> None:
    rule = Rule(rule.plasticity, rule.widths, rule.bits, 16 * listed)
    module = ir.Module("column")
    print_update(module, "column", Column(rule))
    code = compile_text(str(module))
    for seed in drawn:
        found = Chance(rule, seed, row=False)
        line = np.arange(SIZE)
        if listed:
            np.random.default_rng(seed + 1).shuffle(line)
        arrays, (weight, tag) = of_column(rule, found, line), found.wanted(rule)
        weight = np.where(found.tx > 0, found.weight, weight)
        tag = np.where(found.tx > 0, found.tag, tag)
        totals = called(code, "column", Column(rule).signature, arrays, of_neuron(found), SIZE)
        assert np.array_equal(arrays["w"], weight)
        assert np.array_equal(arrays["t"], tag)
        assert totals == totals_of(found, weight, tag, rule)


@by_chance
@given(rule=rules(), drawn=seeds)
def test_lines_that_sent_meet_a_neuron_that_learnt_as_the_sums_define(
    rule: Rule, drawn: list[int]
) -> None:
    plasticity = dataclasses.replace(rule.plasticity, epoch=1)
    rule = dataclasses.replace(rule, plasticity=plasticity)
    module = ir.Module("meeting")
    print_update(module, "meeting", Meeting(rule))
    code = compile_text(str(module))
    for seed in drawn:
        found = Chance(rule, seed, row=False)
        found.tx[:] = 1
        arrays, (weight, tag) = of_meetings(rule, found), found.wanted(rule)
        totals = called(code, "meeting", Meeting(rule).signature, arrays, found.clocks, SIZE)
        assert np.array_equal(arrays["w"], weight)
        assert np.array_equal(arrays["t"], tag)
        assert totals == totals_of(found, weight, tag, rule)


@by_chance
@given(rule=stepping_columns(), drawn=seeds)
def test_steps_are_what_a_column_adds_to_its_weights(rule: Rule, drawn: list[int]) -> None:
    assert columns_step(rule.plasticity)
    module = ir.Module("steps")
    print_steps(module, "steps", Column(rule))
    code = compile_text(str(module))
    for seed in drawn:
        found = Chance(rule, seed, row=False)
        arrays, (weight, _) = of_column(rule, found, np.arange(SIZE)), found.wanted(rule)
        totals = called(code, "steps", Column(rule).signature, arrays, of_neuron(found), SIZE)
        assert totals == {CHANGED: np.count_nonzero(arrays["w"]), "below": 0}
        steps = arrays["w"].astype(np.int64)
        low, high = rule.widths.weight_low, rule.widths.weight_high
        assert np.array_equal(
            (found.weight + steps).clip(low, high), np.where(found.tx > 0, found.weight, weight)
        )


@by_chance
@given(rule=stepping_rows(), drawn=seeds)
def test_steps_are_what_every_row_adds_to_its_weights_but_where_a_neuron_learnt(
    rule: Rule, drawn: list[int]
) -> None:
    assert rows_step(rule.plasticity)
    module = ir.Module("steps")
    print_steps(module, "steps", Unlearnt(rule))
    print_settle(module, "settle", Row(rule))
    code = compile_text(str(module))
    for seed in drawn:
        found = Chance(rule, seed, row=True)
        found.tx[:] = 1
        arrays, (weight, _) = of_row(rule, found, np.arange(SIZE)), found.wanted(rule)
        totals = called(code, "steps", Unlearnt(rule).signature, arrays, of_line(found), SIZE)
        assert totals == {CHANGED: np.count_nonzero(arrays["w"]), "below": 0}
        wanted = np.where((found.ty > 0) & meets(rule.plasticity), found.weight, weight)
        summed = {"w": found.weight.astype(arrays["w"].dtype) + arrays["w"], "step": arrays["w"]}
        summed["changes"] = np.ones(SIZE, np.int16)
        called(code, "settle", settle_signature(rule.bits), summed, {}, SIZE)
        assert np.array_equal(summed["w"], wanted)
        assert np.array_equal(summed["changes"], 1 + HELD * (wanted != found.weight))


def test_rows_step_by_a_rule_that_reads_nothing_of_its_line_where_no_neuron_learnt() -> None:
    def steps(dw: str, epoch: int = 1) -> bool:
        traces = tuple((name, Trace(8, 16)) for name in ("x1", "y1"))
        return rows_step(Plasticity("g", parse_sum(f"dw = {dw}"), epoch, traces))

    assert steps("2^-6 * y0 * x1 - 2^-6 * x0 * y1")
    assert steps("u0 * x0 * y1")
    assert not steps("2^-6 * y0 * x1 - 2^-6 * x0 * y1", epoch=2)
    assert not steps("x0 * x1")
    assert not steps("x0 * w")
    assert not steps("u0 * y1")
    assert not steps("x0 * y1 - x0")
    assert not steps("y0 * x1")
