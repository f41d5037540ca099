"""The law of a program. Every pass may expect it, and must leave it.

* Parts are wired as `wiring` says: every name that is used stands for something, shapes agree.
* Every group of synapses keeps the law of `groups`; every input sum fits int32.
* Every guard lies in the period; all plastic groups share one epoch that divides the period; on a
  Loihi-class chip the epoch has at most 63 steps, and a plastic group has delay 1.
* A neuron program has every constant and table that it names, of a shape that it can read. What it
  reads lives: an input, an output, y1..y3, a state, or what the same step wrote before.
* A rule keeps every trace that it reads, and a tag if it reads t; delays do not learn. Its products
  fit 31 bits; on a Loihi-class chip dw and dt together obey the chip's grammar. Ranges are proven
  as `ranges` says.
* In a graded sample a message arrives no later than its receiver fires, the receiver's y is cleared
  in the sample's first step and written within the sample: x and y of a product are of one sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hebbite.compiler.program.groups import group_problems
from hebbite.compiler.program.neuron import TRACES, check_neuron, check_steps
from hebbite.compiler.program.ranges import range_problems
from hebbite.compiler.program.types import Plasticity, Population, Program, Synapses
from hebbite.compiler.program.wiring import wiring_problems
from hebbite.rules.errors import Problem, VerifyError
from hebbite.rules.loihi import check_loihi
from hebbite.rules.sums import Product

LONGEST_EPOCH = 63
LOWEST_EXPONENT = -7
PASSES = (("fire", "feedback"), ("noisy", "heard"))
"""Names of the offsets at which a unit sends and hears back, for each pass of a sample."""


def verify_program(program: Program, *, running: str = "") -> None:
    """Raise VerifyError (HB0430..HB0439, HB0461..HB0469) with everything that breaks the law.

    ``running`` names the pass that was at work, for the report.
    """
    problems = tuple(problems_of(program))
    if running:
        problems = tuple(
            Problem(p.code, f"{p.what} (after pass '{running}')", p.at, p.origin, p.hint)
            for p in problems
        )
    if problems:
        raise VerifyError(*problems)


def problems_of(program: Program) -> Iterator[Problem]:
    """Yield everything that breaks the law; ranges are proven once all else is sound."""
    found = tuple(_structure(program))
    yield from found or range_problems(program)


def _structure(program: Program) -> Iterator[Problem]:
    yield from wiring_problems(program)
    for population in program.populations:
        yield from _population(program, population)
    known = {p.name for p in program.populations}
    senders = known | {s.name for s in program.sources}
    wired = {g.name for g in program.synapses if g.post in known and g.pre in senders}
    for group in program.synapses:
        if group.name in wired:
            yield from group_problems(program, group)
            yield from _in_time(program, group)
    yield from _schedule(program)
    for plasticity in program.plasticity:
        if plasticity.synapses in wired:
            yield from _plasticity(program, plasticity)


def _population(program: Program, population: Population) -> Iterator[Problem]:
    at = f"%{population.name} = neurons[{population.size}] {population.neuron.name}"
    yield from check_neuron(population.neuron)
    if "v" not in population.neuron.states:
        what = f"the neuron program '{population.neuron.name}' keeps no v, by which engines count"
        yield Problem("HB0469", what, at, population.origin, "add v to its line 'state ...'")
    constants = dict(population.constants)
    for name in population.neuron.parameters:
        if name not in constants:
            yield Problem("HB0432", f"the constant '{name}' is missing", at, population.origin)
    yield from _tables(program, population, at)
    period = program.schedule.period
    for instruction in population.neuron.instructions:
        for bound in (instruction.first, instruction.last):
            value = constants.get(bound, period) if isinstance(bound, str) else bound
            if not 0 <= value <= period:
                what = f"'{instruction.guard}' lies outside of the period of {period} steps"
                yield Problem("HB0433", what, at, population.origin)
    for problem in check_steps(population.neuron.bind(constants, period=period), period=period):
        yield replace(problem, origin=population.origin)


def _tables(program: Program, population: Population, at: str) -> Iterator[Problem]:
    tables = dict(population.tables)
    code = population.neuron.instructions
    each = {i.arguments[0] for i in code if i.op == "each" and i.arguments}
    for name in dict.fromkeys((*population.neuron.tables, *tables)):
        values = program.tensors.get(tables.get(name, ""))
        if values is None:
            yield Problem("HB0432", f"the table '{name}' is missing", at, population.origin)
            continue
        own = name in each or name not in population.neuron.tables
        wanted = population.size if own else max(values.size, 1)
        if values.shape != (wanted,) or values.dtype.kind != "i":
            what = f"the table '{name}' must be integers ({wanted},), not {values.dtype}"
            yield Problem("HB0432", f"{what} {values.shape}", at, population.origin)


def _in_time(program: Program, group: Synapses) -> Iterator[Problem]:
    """A message of a graded sample reaches its receiver before this fires, in every pass."""
    at = f"%{group.name} = synapses(%{group.pre}.{group.output} -> %{group.post}.{group.port})"
    for fire, feedback in PASSES:
        need = fire if group.port == "a" else feedback
        due = dict(program.population(group.post).constants).get(need, 0)
        sent = _send_offset(program, group, fire, feedback)
        if due and sent and sent + group.delay > due:
            what = f"%{group.pre} sends at {sent}, too late for %{group.post} at {due}"
            yield Problem("HB0436", what, at)


def _send_offset(program: Program, group: Synapses, fire: str, feedback: str) -> int:
    for source in program.sources:
        if source.name == group.pre:
            once = 0 < len(source.offsets) < program.schedule.period
            return source.offsets[0] if once else 0
    constants = dict(program.population(group.pre).constants)
    if group.output == "e":
        return constants.get(feedback, constants.get(fire, 0))
    return constants.get(fire, 0)


def _schedule(program: Program) -> Iterator[Problem]:
    period = program.schedule.period
    for source in program.sources:
        offsets = [*source.offsets, *(offset for offset, _ in source.bias)]
        if not all(1 <= offset <= period for offset in offsets):
            at = f"%{source.name} = source[{source.size}]"
            yield Problem("HB0433", f"offsets {offsets} leave the period of {period} steps", at)
    for population in program.populations:
        offsets = [offset for offset, _ in population.bias]
        if not all(1 <= offset <= period for offset in offsets):
            at = f"%{population.name} = neurons[{population.size}]"
            yield Problem("HB0433", f"offsets {offsets} leave the period of {period} steps", at)
    epochs = {p.epoch for p in program.plasticity}
    if len(epochs) > 1:
        yield Problem("HB0437", f"plastic groups have several epochs: {sorted(epochs)}")
    for epoch in epochs:
        if epoch < 1 or period % epoch:
            yield Problem("HB0437", f"an epoch of {epoch} steps does not divide {period}")
        if epoch > LONGEST_EPOCH and program.target != "ideal":
            what = f"a learning epoch of {epoch} steps; a Loihi-class chip holds {LONGEST_EPOCH}"
            yield Problem("HB0437", what, hint="use fewer hidden populations or a shorter window")


def _plasticity(program: Program, plasticity: Plasticity) -> Iterator[Problem]:
    at = f"plastic %{plasticity.synapses} {{ {'; '.join(map(str, plasticity.sums))} }}"
    if program.target != "ideal":
        yield from check_loihi(*plasticity.sums)
        if program.group(plasticity.synapses).delay != 1:
            yield Problem("HB0438", "a plastic group has delay 1 on this chip", at)
    names = [name for name, _ in plasticity.traces]
    kept = set(names)
    targets = tuple(update.target for update in plasticity.sums)
    if (
        len(names) > len(kept)
        or kept - {"x1", "x2", *TRACES}
        or targets != ("dw", "dt")[: len(targets)]
    ):
        what = "a group learns its weight, from traces x1 x2 y1 y2 y3, each kept once"
        yield Problem("HB0438", f"{what}, and perhaps its tag", at)
    held = kept if plasticity.dt is None else {*kept, "t"}
    for update in plasticity.sums:
        for product in update.products:
            yield from _product(product, held, at)
    if plasticity.factors == 3 and plasticity.epoch == program.schedule.period:
        yield from _same_sample(program, plasticity, at)


def _product(product: Product, held: set[str], at: str) -> Iterator[Problem]:
    """Check one product of a rule that keeps the traces, and perhaps the tag, of ``held``."""
    if product.exponent < LOWEST_EXPONENT:
        what = f"the product '{product}' is finer than the accumulator, 2^{LOWEST_EXPONENT}"
        yield Problem("HB0438", what, at)
    if sum(factor.width for factor in product.factors) + 4 > 31:
        yield Problem("HB0438", f"the product '{product}' can leave 31 bits", at)
    for factor in product.factors:
        name = factor.variable
        if name in ("x1", "x2", *TRACES) and name not in held:
            yield Problem("HB0438", f"the rule reads {name} and keeps no such trace", at)
        if name == "t" and name not in held:
            yield Problem("HB0438", "the rule reads t and keeps no tag", at, hint="dt = ...")
        if name == "d":
            yield Problem("HB0438", "the rule reads d; a delay is no variable here", at)


def _same_sample(program: Program, plasticity: Plasticity, at: str) -> Iterator[Problem]:
    post = program.population(program.group(plasticity.synapses).post)
    constants = {**dict(post.constants), "period": program.schedule.period}
    for trace in (name for name, _ in plasticity.traces if name in TRACES):
        writes = [
            constants.get(i.last, 0) if isinstance(i.last, str) else i.last
            for i in post.neuron.instructions
            if i.result == trace
        ]
        if 1 not in writes or max(writes, default=0) <= 1:
            what = f"%{post.name} must clear {trace} at 1 and write it later in the sample"
            yield Problem("HB0439", what, at, post.origin)
