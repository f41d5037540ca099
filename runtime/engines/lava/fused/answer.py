"""What each request does to the machine inside Lava.

In: a machine of an ordinary engine and a request. Out: the reply. Why: the arithmetic of a program
is defined once; the Lava process that holds the machine adds none of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.base import Machine
from hebbite.runtime.engines.lava.fused.message import Message
from hebbite.runtime.engines.registry import load_engine

DONE = Message("done")


def open_message(program: Program, *, rounding: Rounding, seed: int, inside: str) -> Message:
    """Return the request to open a machine of the engine ``inside`` on a program."""
    request = relearn_message(program)
    fields = {**request.fields, "rounding": rounding, "seed": seed, "inside": inside}
    return Message("open", fields, request.arrays)


def relearn_message(program: Program) -> Message:
    """Return the request to go on with a program that differs in constants of rules."""
    arrays = {f"tensor.{name}": value for name, value in program.tensors.items()}
    return Message("relearn", {"program": print_program(program)}, arrays)


def opened(request: Message) -> Machine:
    """Return the machine that a request to open one asks for."""
    asked = request.fields
    engine = load_engine(asked["inside"])
    machine = engine.open(_program_of(request), rounding=asked["rounding"], seed=asked["seed"])
    machine.run({}, samples=0)  # kernels are compiled now, not in the first run
    return machine


def answer(machine: Machine, request: Message) -> Message:
    """Do what is asked for and return the reply."""
    return _ANSWERS[request.kind](machine, request)


def _program_of(request: Message) -> Program:
    return parse_program(request.fields["program"], request.under("tensor"))


def _run(machine: Machine, request: Message) -> Message:
    asked = request.fields
    found = machine.run(
        request.under("event"),
        samples=int(asked["samples"]),
        learn=bool(asked["learn"]),
        probes=asked["probes"],
    )
    arrays = {f"value.{probe}": rows for probe, rows in found.values.items()}
    arrays |= {"answers": found.answers, "counters": found.counters.values}
    return Message("done", arrays=arrays)


def _read(machine: Machine, request: Message) -> Message:
    return Message("done", arrays={"tensor": machine.read(request.fields["tensor"])})


def _write(machine: Machine, request: Message) -> Message:
    machine.write(request.fields["tensor"], request.arrays["tensor"])
    return DONE


def _relearn(machine: Machine, request: Message) -> Message:
    machine.relearn(_program_of(request))
    return DONE


def _state(machine: Machine, _request: Message) -> Message:
    return Message("done", arrays=machine.state())


def _restore(machine: Machine, request: Message) -> Message:
    machine.restore(request.arrays)
    return DONE


_ANSWERS: dict[str, Callable[[Machine, Message], Message]] = {
    "run": _run,
    "read": _read,
    "write": _write,
    "relearn": _relearn,
    "state": _state,
    "restore": _restore,
}
