from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.layout import placement_report
from hebbite.compiler.passes.arrange import Arrange
from hebbite.compiler.program.types import Program
from hebbite.rules.errors import UsageError
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import Recording
from hebbite.runtime.traffic import messages_of, probes_of_messages

DIGITS = Path(__file__).parents[2] / "runtime" / "data" / "digits.onnx"
Run = Callable[[Program], Recording]


@pytest.fixture(scope="module")
def ran() -> tuple[Program, Run]:
    """A program whose parts stand far apart, and what runs it."""
    data = load_dataset("digits", seed=0)
    x, y = data.x_train[:20], data.y_train[:20]
    made = compile(DIGITS, rule="fa", calibration=x)
    far = {p.name: (40 * n, 40 * n + 130) for n, p in enumerate(made.program.populations)}
    populations = tuple(replace(p, cores=far[p.name]) for p in made.program.populations)
    program, inputs = replace(made.program, populations=populations), made.coding.inputs(x, y)

    def run(program: Program) -> Recording:
        machine = load_engine("native").open(program, rounding="independent")
        return machine.run(inputs, samples=20, learn=True, probes=probes_of_messages(program))

    return program, run


def test_messages_seen_in_a_run_give_the_hops_that_the_run_counted(
    ran: tuple[Program, Run],
) -> None:
    program, run = ran
    recording = run(program)
    found = placement_report(program, messages=messages_of(program, recording)).chosen
    assert found.hops_ew == recording.counters.total("hops_ew") > 0
    assert found.hops_ns == recording.counters.total("hops_ns") > 0
    assert found.interchip == recording.counters.total("interchip") > 0


def test_a_program_arranged_by_them_takes_the_hops_that_were_promised(
    ran: tuple[Program, Run],
) -> None:
    program, run = ran
    messages = messages_of(program, run(program))
    made = Arrange().apply(program, messages=messages)
    promised = placement_report(made, messages=messages)
    counted = run(made).counters
    assert promised.chosen.hops == counted.total("hops_ew") + counted.total("hops_ns")
    assert promised.chosen.at_most(promised.linear)


def test_a_recording_without_an_output_is_refused_by_its_name(ran: tuple[Program, Run]) -> None:
    program, _ = ran
    machine = load_engine("reference").open(program, rounding="independent")
    silent = {s.name: np.zeros((1, len(s.offsets), s.size), np.int64) for s in program.sources}
    recording = machine.run(silent, samples=1, learn=False, probes=())
    with pytest.raises(UsageError, match="no messages of image") as caught:
        messages_of(program, recording)
    assert caught.value.code == "HB0506"
