"""A program as text, and back: `print_program` and `parse_program` are inverse.

Tensors are named (``@fc1.weight``), not printed; a parsed program is given them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from hebbite.compiler.program.connectivity_text import print_connectivity, scan_connectivity
from hebbite.compiler.program.neuron import NeuronProgram, parse_neuron
from hebbite.compiler.program.scanner import Scanner
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Widths,
    Wire,
)
from hebbite.rules.errors import InputFileError, Problem
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace


def print_program(program: Program) -> str:
    """Return the text of a program."""
    lines = [f"program @{program.name} for {program.target} {{", f"  {_schedule(program)}"]
    lines += [f"  {_source(source)}" for source in program.sources]
    lines += [f"  {_population(population)}" for population in program.populations]
    lines += [f"  {_synapses(program, group)}" for group in program.synapses]
    lines += [f"  wire(%{wire.source} -> %{wire.post}.third)" for wire in program.wires]
    for plasticity in program.plasticity:
        lines += [f"  {line}" for line in _plasticity(plasticity)]
    readout = program.readout
    sign = " count" if readout.count else ""
    lines.append(f"  readout %{readout.population} {readout.register} at {readout.offset}{sign}")
    lines += [f"  probe %{probe}" for probe in program.probes]
    for neuron in {p.neuron.name: p.neuron for p in program.populations}.values():
        lines += [f"  {line}" for line in str(neuron).splitlines()]
    return "\n".join([*lines, "}"]) + "\n"


def _schedule(program: Program) -> str:
    schedule = program.schedule
    events = "".join(f" event {json.dumps(name)} at {at}" for name, at in schedule.events)
    start, end = schedule.inference_start, schedule.inference_end
    begins = f"inference_start={start}, " if start != 1 else ""
    return (
        f"schedule {{period={schedule.period}, {begins}inference_end={end}, "
        f"weight_bits={program.widths.weight}, seed={program.seed}}}{events}"
    )


def _origin(origin: str) -> str:
    return f" from {json.dumps(origin)}" if origin else ""


def _pairs(pairs: Iterable[tuple[int, int]]) -> str:
    return "[" + ", ".join(f"{first}:{second}" for first, second in pairs) + "]"


def _source(source: Source) -> str:
    bias = f" bias {_pairs(source.bias)}" if source.bias else ""
    return (
        f"%{source.name} = source[{source.size}] {source.role} at {list(source.offsets)}"
        f"{bias}{_origin(source.origin)}"
    )


def _population(population: Population) -> str:
    constants = ", ".join(f"{name}={value}" for name, value in population.constants)
    tables = "".join(f" table {name}=@{tensor}" for name, tensor in population.tables)
    bias = f" bias {_pairs(population.bias)}" if population.bias else ""
    cores = f" on core {list(population.cores)}" if population.cores else ""
    return (
        f"%{population.name} = neurons[{population.size}] {population.neuron.name} "
        f"{{{constants}}}{tables}{bias}{cores}{_origin(population.origin)}"
    )


def _synapses(program: Program, group: Synapses) -> str:
    rows, columns = program.post_size(group), program.line_count(group)
    mirror = f", mirror={group.mirror}" if group.mirror else ""
    mirror += f", magnitude={group.magnitude}" if group.magnitude else ""
    return (
        f"%{group.name} = synapses(%{group.pre}.{group.output} -> %{group.post}.{group.port}) "
        f"{{weight=@{group.weight}, post={rows}, lines={columns}, exponent={group.exponent}, "
        f"delay={group.delay}, graded={int(group.graded)}, role={group.role}{mirror}}}"
        f"{print_connectivity(group.connect)}"
    )


def _plasticity(plasticity: Plasticity) -> list[str]:
    head = (
        f"plastic %{plasticity.synapses} every {plasticity.epoch} factors {plasticity.factors} {{"
    )
    traces = [
        f"  trace {name} {{mode={trace.mode}, tau={trace.tau}, impulse={trace.impulse}}}"
        for name, trace in plasticity.traces
    ]
    return [head, *traces, *(f"  {update}" for update in plasticity.sums), "}"]


def parse_program(text: str, tensors: Mapping[str, IntArray]) -> Program:
    """Parse the text that `print_program` returned.

    Raises:
        InputFileError: HB0710, with the line that cannot be read.
    """
    blocks = _blocks(text)
    neurons = {
        neuron.name: neuron for neuron in (parse_neuron(b) for b in blocks if _is(b, "neuron"))
    }
    head = Scanner(blocks[0])
    head.expect("program")
    name = head.name("@")
    head.expect("for")
    target = head.name()
    parts: dict[str, list[str]] = {}
    for block in blocks[1:]:
        parts.setdefault(_kind(block), []).append(block)
    schedule, settings = _parse_schedule(_only(parts, "schedule"))
    return Program(
        name=name,
        target=target,
        schedule=schedule,
        sources=tuple(map(_parse_source, parts.get("source", []))),
        populations=tuple(_parse_population(b, neurons) for b in parts.get("neurons", [])),
        synapses=tuple(map(_parse_synapses, parts.get("synapses", []))),
        wires=tuple(map(_parse_wire, parts.get("wire", []))),
        plasticity=tuple(map(_parse_plasticity, parts.get("plastic", []))),
        readout=_parse_readout(_only(parts, "readout")),
        probes=tuple(b.split("%", 1)[1].strip() for b in parts.get("probe", [])),
        widths=Widths(weight=int(settings["weight_bits"])),
        seed=int(settings["seed"]),
        tensors=dict(tensors),
    )


def _is(block: str, kind: str) -> bool:
    return block.startswith(kind + " ")


def _kind(block: str) -> str:
    first = block.split("\n", 1)[0]
    word = first.split("=", 1)[1] if first.startswith("%") else first
    return Scanner(word).take()


def _blocks(text: str) -> list[str]:
    """Return the head, then every statement; the lines of a braced block stay together."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) < 2 or not _is(lines[0], "program") or lines[-1] != "}":
        raise InputFileError(Problem("HB0710", "this is no program text", at=(lines or [""])[0]))
    blocks, open_block = [lines[0].rstrip("{ ")], False
    for line in lines[1:-1]:
        if open_block:
            blocks[-1] += "\n" + line
        else:
            blocks.append(line)
        open_block = line != "}" if open_block else line.endswith("{")
    return blocks


def _only(parts: dict[str, list[str]], kind: str) -> str:
    found = parts.get(kind, [])
    if len(found) != 1:
        raise InputFileError(Problem("HB0710", f"a program has one '{kind}', found {len(found)}"))
    return found[0]


def _parse_schedule(line: str) -> tuple[Schedule, dict[str, int | str]]:
    scan = Scanner(line)
    scan.expect("schedule")
    settings = scan.settings()
    events: list[tuple[str, int]] = []
    while scan.accept("event"):
        label = scan.string()
        scan.expect("at")
        events.append((label, scan.integer()))
    scan.end()
    period, end = int(settings["period"]), int(settings["inference_end"])
    return Schedule(period, end, tuple(events), int(settings.get("inference_start", 1))), settings


def _parse_source(line: str) -> Source:
    scan = Scanner(line)
    name = scan.name("%")
    scan.expect("=", "source", "[")
    size = scan.integer()
    scan.expect("]")
    role = scan.name()
    scan.expect("at")
    offsets = scan.integers()
    bias = scan.pairs() if scan.accept("bias") else ()
    origin = scan.string() if scan.accept("from") else ""
    scan.end()
    return Source(name, size, offsets, bias, role, origin)


def _parse_population(line: str, neurons: Mapping[str, NeuronProgram]) -> Population:
    scan = Scanner(line)
    name = scan.name("%")
    scan.expect("=", "neurons", "[")
    size = scan.integer()
    scan.expect("]")
    neuron = scan.name()
    if neuron not in neurons:
        raise scan.error(f"a neuron that this text defines ({', '.join(neurons)})", neuron)
    constants = tuple((key, int(value)) for key, value in scan.settings().items())
    tables: list[tuple[str, str]] = []
    while scan.accept("table"):
        key = scan.name()
        scan.expect("=")
        tables.append((key, scan.name("@")))
    bias = scan.pairs() if scan.accept("bias") else ()
    cores: tuple[int, ...] = ()
    if scan.accept("on"):
        scan.expect("core")
        cores = scan.integers()
    origin = scan.string() if scan.accept("from") else ""
    scan.end()
    return Population(name, size, neurons[neuron], constants, tuple(tables), bias, cores, origin)


def _parse_synapses(line: str) -> Synapses:
    scan = Scanner(line)
    name = scan.name("%")
    scan.expect("=", "synapses", "(")
    pre, output = scan.name("%").rsplit(".", 1)
    scan.expect("->")
    post, port = scan.name("%").rsplit(".", 1)
    scan.expect(")")
    found = scan.settings()
    connect = scan_connectivity(scan)
    scan.end()
    return Synapses(
        name,
        pre,
        post,
        weight=str(found["weight"])[1:],
        output=output,
        port=port,
        exponent=int(found["exponent"]),
        delay=int(found["delay"]),
        graded=bool(found["graded"]),
        role=str(found["role"]),
        mirror=str(found.get("mirror", "")),
        magnitude=int(found.get("magnitude", 0)),
        connect=connect,
    )


def _parse_wire(line: str) -> Wire:
    scan = Scanner(line)
    scan.expect("wire", "(")
    source = scan.name("%")
    scan.expect("->")
    post = scan.name("%").rsplit(".", 1)[0]
    scan.expect(")")
    scan.end()
    return Wire(source, post)


def _parse_plasticity(block: str) -> Plasticity:
    head, *body = block.splitlines()
    scan = Scanner(head)
    scan.expect("plastic")
    synapses = scan.name("%")
    scan.expect("every")
    epoch = scan.integer()
    scan.expect("factors")
    factors = scan.integer()
    traces = tuple(_parse_trace(line) for line in body if _is(line, "trace"))
    dw, dt = ([line for line in body if _is(line, name)] for name in ("dw", "dt"))
    if len(dw) != 1 or len(dt) > 1:
        raise scan.error("one line 'dw = ...', and at most one 'dt = ...'")
    tag = parse_sum(dt[0]) if dt else None
    return Plasticity(synapses, parse_sum(dw[0]), epoch, traces, factors, tag)


def _parse_trace(line: str) -> tuple[str, Trace]:
    scan = Scanner(line)
    scan.expect("trace")
    name = scan.name()
    found = scan.settings()
    tau, impulse = int(found["tau"]), int(found["impulse"])
    if found["mode"] == "overwrite":
        return name, Trace(tau=tau, impulse=impulse, mode="overwrite")
    return name, Trace(tau=tau, impulse=impulse)


def _parse_readout(line: str) -> Readout:
    scan = Scanner(line)
    scan.expect("readout")
    population, register = scan.name("%"), scan.name()
    scan.expect("at")
    offset = scan.integer()
    count = scan.accept("count")
    scan.end()
    return Readout(population, register, offset, count)
