"""NeuroBench's metrics from a program's counts: by hand, and by NeuroBench itself.

NeuroBench needs PyTorch and snnTorch and runs in an interpreter of its own. To run:

    python3.11 -m venv neurobench && neurobench/bin/pip install neurobench==2.3.0
    HEBBITE_NEUROBENCH_PYTHON=neurobench/bin/python pytest tests/runtime/test_neurobench.py
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.neuron import Instruction, NeuronProgram
from hebbite.compiler.program.types import (
    IntArray,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.errors import UsageError
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.neurobench import (
    activation_sparsity,
    connection_sparsity,
    footprint,
    membrane_updates,
    metrics,
    probes_for,
    synaptic_operations,
)
from hebbite.runtime.recording import Recording

NEUROBENCH_PYTHON = os.environ.get("HEBBITE_NEUROBENCH_PYTHON", "")
HERE = Path(__file__).parent
SECONDS = 300
STEPS = 6
SAMPLED = NeuronProgram(
    "lif_sampled",
    LIF.parameters,
    LIF.tables,
    LIF.states,
    (
        *(Instruction(1, 1, "reset", state, ()) for state in LIF.states),
        *(replace(instruction, first=2) for instruction in LIF.instructions),
    ),
)
"""A LIF unit that starts anew with every sample and does not hear what the last one left."""


def drawn(seed: int, shape: tuple[int, ...], low: int, high: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.4, 0, rng.integers(low, high, shape))


def rectifiers(*, sizes: tuple[int, int, int] = (7, 5, 4)) -> Program:
    """Two graded layers behind each other, each with a bias line of payload 1."""
    first, second = (drawn(n, (sizes[n + 1], sizes[n] + 1), -3, 5) for n in range(2))
    first[:, -1], second[:, -1] = 1, 2
    never = {"shift": 0, "feedback_shift": 0, "feedback": 0}
    relu = NEURONS["relu"]
    hidden, output = (relu.chosen({**never, "fire": fire}) for fire in (2, 3))
    return checked(
        Program(
            "rectifiers",
            "loihi2",
            Schedule(4, 4),
            sources=(Source("x", sizes[0], (1,), bias=((1, 1),)),),
            populations=(
                Population("hidden", sizes[1], relu, hidden, bias=((2, 1),)),
                Population("output", sizes[2], relu, output),
            ),
            synapses=(
                Synapses("to_hidden", "x", "hidden", "first"),
                Synapses("to_output", "hidden", "output", "second"),
            ),
            readout=Readout("output", "p", 3),
            tensors={"first": first.astype(np.int16), "second": second.astype(np.int16)},
        )
    )


CONV = Conv2d((2, 5, 3), (3, 2), stride=(2, 1), padding=(1, 0, 1, 0))
CHANNELS = 3


def convolved() -> Program:
    """The same with a convolution, whose bias line reaches every place, before a matrix."""
    places = CONV.places[0] * CONV.places[1]
    program = rectifiers(sizes=(CONV.lines, CHANNELS * places, 4))
    weight = drawn(9, (CHANNELS, CONV.taps + 1), -3, 5)
    weight[:, -1] = (1, 2, 0)
    group = replace(program.synapses[0], connect=CONV)
    tensors = {**program.tensors, "first": weight.astype(np.int16)}
    return checked(replace(program, synapses=(group, program.synapses[1]), tensors=tensors))


def spiking(*, sizes: tuple[int, int, int] = (8, 6, 3), threshold: int = 9) -> Program:
    """Two layers of leaky units that lose half a step, driven by spikes and by their biases."""
    constants = (("du_keep", 0), ("dv_keep", 2048), ("threshold", 64 * threshold))
    tensors: dict[str, IntArray] = {}
    names = ("x", "hidden", "output")
    for n, name in enumerate(names[1:]):
        tensors[f"to_{name}"] = drawn(10 + n, (sizes[n + 1], sizes[n]), -4, 9).astype(np.int16)
        tensors[f"bias_{name}"] = (64 * drawn(20 + n, sizes[n + 1 : n + 2], 1, 4)).astype(np.int32)
    return checked(
        Program(
            "spiking",
            "loihi2",
            Schedule(STEPS + 1, STEPS + 1),
            sources=(Source("x", sizes[0], tuple(range(1, STEPS + 1))),),
            populations=tuple(
                Population(name, size, SAMPLED, constants, (("bias", f"bias_{name}"),))
                for name, size in zip(names[1:], sizes[1:], strict=True)
            ),
            synapses=tuple(
                Synapses(f"to_{post}", pre, post, f"to_{post}", graded=False)
                for pre, post in (("x", "hidden"), ("hidden", "output"))
            ),
            readout=Readout("output", "s", STEPS + 1, count=True),
            tensors=tensors,
        )
    )


def checked(program: Program) -> Program:
    verify_program(program)
    return program


def images(size: int = 7) -> NDArray[np.int64]:
    """Payloads 0..3; every third sample holds 0 and 1 alone, so that its first call adds."""
    x = drawn(3, (9, 1, size), 1, 4)
    x[::3] = x[::3] != 0
    return x


def events() -> NDArray[np.int64]:
    return (np.random.default_rng(5).random((7, STEPS, 8)) < 0.4).astype(np.int64)


def recorded(program: Program, x: NDArray[np.int64], *, engine: str = "native") -> Recording:
    machine = load_engine(engine).open(program, rounding="independent")
    return machine.run({"x": x}, samples=len(x), learn=False, probes=probes_for(program))


def test_operations_add_where_all_inputs_of_a_call_are_binary_and_multiply_elsewhere() -> None:
    program, x = rectifiers(), images()
    first, second = (program.tensors[name][:, :-1].astype(int) for name in ("first", "second"))
    macs = acs = zeros = 0
    for sample in x[:, 0]:
        hidden = np.maximum(first @ sample + program.tensors["first"][:, -1], 0)
        output = np.maximum(second @ hidden + program.tensors["second"][:, -1], 0)
        for weight, sent in ((first, sample), (second, hidden)):
            count = sum(int(np.count_nonzero(weight[:, line])) for line in np.flatnonzero(sent))
            acs, macs = (acs + count, macs) if sent.max() <= 1 else (acs, macs + count)
        zeros += int((hidden == 0).sum() + (output == 0).sum())
    found = metrics(program, recorded(program, x))
    assert found.synaptic_operations.effective_macs == pytest.approx(macs / 9)
    assert found.synaptic_operations.effective_acs == pytest.approx(acs / 9)
    assert found.synaptic_operations.dense == 7 * 5 + 5 * 4
    assert found.activation_sparsity == zeros / (9 * 9)
    assert found.membrane_updates == 0
    assert min(macs, acs, zeros) > 0


def test_biases_take_memory_and_are_neither_connections_nor_operations() -> None:
    program = rectifiers()
    weights = [program.tensors[name] for name in ("first", "second")]
    zeros = sum(int((weight[:, :-1] == 0).sum()) for weight in weights)
    assert footprint(program) == 2 * (5 * 8 + 4 * 6)
    assert footprint(program, element_bytes=4) == 4 * (5 * 8 + 4 * 6)
    assert connection_sparsity(program) == round(zeros / (35 + 20), 4)
    silent = recorded(program, np.zeros((2, 1, 7), np.int64))
    hidden_only = synaptic_operations(program, silent)
    assert hidden_only.effective_macs == 0
    assert silent.counters.total("syn_ops") > 2 * hidden_only.effective_acs


def test_a_spiking_network_adds_and_its_membranes_are_followed_step_by_step() -> None:
    program, x = spiking(), events()
    w1, w2 = (program.tensors[f"to_{name}"].astype(int) for name in ("hidden", "output"))
    b1, b2 = (program.tensors[f"bias_{name}"].astype(int) for name in ("hidden", "output"))
    acs = spikes = updates = 0
    for sample in x:
        v1, v2 = np.zeros(6, int), np.zeros(3, int)
        arriving = np.zeros(3, int)
        for step, sent in enumerate(sample):
            old1, old2 = v1, v2
            v1 = np.trunc(v1 / 2).astype(int) + 64 * (w1 @ sent) + b1
            v2 = np.trunc(v2 / 2).astype(int) + arriving + b2
            s1, s2 = v1 > 64 * 9, v2 > 64 * 9
            v1, v2 = np.where(s1, 0, v1), np.where(s2, 0, v2)
            arriving = 64 * (w2 @ s1)
            acs += int(((w1 != 0).astype(int) @ sent).sum() + ((w2 != 0).astype(int) @ s1).sum())
            spikes += int(s1.sum() + s2.sum())
            updates += 9 if step == 0 else int((v1 != old1).sum() + (v2 != old2).sum())
    found = metrics(program, recorded(program, x))
    assert found.synaptic_operations.effective_acs == pytest.approx(acs / 7)
    assert found.synaptic_operations.effective_macs == 0
    assert found.synaptic_operations.dense == STEPS * (8 * 6 + 6 * 3)
    assert found.activation_sparsity == pytest.approx(1 - spikes / (7 * STEPS * 9))
    assert found.membrane_updates == pytest.approx(updates / 7)
    assert found.membrane_updates < STEPS * 9
    assert spikes > 0


def test_every_engine_gives_the_same_metrics() -> None:
    for program, x in ours():
        native, reference = (
            metrics(program, recorded(program, x, engine=engine))
            for engine in ("native", "reference")
        )
        assert native == reference


def test_a_convolution_counts_its_shared_weights_once_and_no_padding() -> None:
    conv = Conv2d((2, 4, 3), (3, 3), stride=(2, 1), padding=(1, 1, 1, 1))
    weight = drawn(6, (3, 18), -3, 4).astype(np.int16)
    program = spiking(sizes=(24, 3 * 2 * 3, 3))
    group = replace(program.synapses[0], connect=conv)
    tensors = {**program.tensors, "to_hidden": weight}
    program = checked(replace(program, synapses=(group, program.synapses[1]), tensors=tensors))
    x = (np.random.default_rng(8).random((2, STEPS, 24)) < 0.5).astype(np.int64)
    inside = sum(
        0 <= 2 * oy - 1 + i < 4 and 0 <= ox - 1 + j < 3
        for oy in range(2)
        for ox in range(3)
        for i in range(3)
        for j in range(3)
    )
    found = metrics(program, recorded(program, x))
    assert found.synaptic_operations.dense == STEPS * (inside * 2 * 3 + 18 * 3)
    other = program.tensors["to_output"]
    zeros = int((weight == 0).sum() + (other == 0).sum())
    assert found.connection_sparsity == round(zeros / (weight.size + other.size), 4)
    assert footprint(program, element_bytes=1) == weight.size + other.size + 18 + 3


def test_a_list_counts_as_the_matrix_that_it_stands_for() -> None:
    program = spiking()
    matrix = program.tensors["to_hidden"]
    post, line = np.nonzero(matrix)
    order = np.lexsort((post, line))
    tensors: dict[str, IntArray] = {
        **program.tensors,
        "to_hidden": matrix[post, line][order],
        "starts": np.concatenate([[0], np.cumsum((matrix != 0).sum(axis=0))]).astype(np.int64),
        "targets": post[order].astype(np.int32),
    }
    group = replace(program.synapses[0], connect=Sparse("starts", "targets"))
    listed = checked(replace(program, synapses=(group, program.synapses[1]), tensors=tensors))
    one, other = (metrics(p, recorded(p, events())) for p in (program, listed))
    assert replace(one, footprint=0) == replace(other, footprint=0)
    assert footprint(listed) == footprint(program) - 2 * matrix.size + 2 * post.size + sum(
        tensors[name].nbytes for name in ("starts", "targets")
    )


def test_feedback_and_what_serves_learning_alone_are_left_out() -> None:
    program = spiking()
    late = replace(program, schedule=Schedule(STEPS + 1, STEPS - 1))
    x = events()
    shorter = metrics(late, recorded(late, x))
    assert shorter.synaptic_operations.dense == (STEPS - 1) * 8 * 6 + (STEPS - 2) * 6 * 3
    back = Synapses("back", "output", "hidden", "to_back", port="third", role="feedback")
    tensors = {**program.tensors, "to_back": np.ones((6, 3), np.int16)}
    taught = checked(replace(program, synapses=(*program.synapses, back), tensors=tensors))
    assert metrics(taught, recorded(taught, x)) == metrics(program, recorded(program, x))


def test_a_recording_without_samples_or_without_its_probes_is_refused() -> None:
    program = spiking()
    machine = load_engine("native").open(program, rounding="independent")
    bare = machine.run({"x": events()}, samples=7, learn=False)
    with pytest.raises(UsageError, match=r"HB0540.*lacks hidden\.v, output\.v"):
        metrics(program, bare)
    with pytest.raises(UsageError, match=r"HB0540.*need a sample"):
        metrics(program, replace(bare, samples=0))
    assert activation_sparsity(program, bare) == activation_sparsity(
        program, recorded(program, events())
    )
    assert membrane_updates(program, recorded(program, events())) > 0


beside = pytest.mark.skipif(
    not NEUROBENCH_PYTHON,
    reason="HEBBITE_NEUROBENCH_PYTHON names no interpreter with NeuroBench: python3.11 -m venv "
    "neurobench && neurobench/bin/pip install neurobench==2.3.0",
)


def ours() -> tuple[tuple[Program, NDArray[np.int64]], ...]:
    """Return programs and what they are shown."""
    return (
        (rectifiers(), images()),
        (convolved(), images(CONV.lines)),
        (spiking(), events()),
    )


def asked() -> list[dict[str, Any]]:
    """Return the networks of `ours` as NeuroBench's script takes them."""
    graded, image, leaky = (program for program, _ in ours())
    folded = [graded.tensors[name] for name in ("first", "second")]
    kernel, matrix = (image.tensors[name] for name in ("first", "second"))
    window = {"stride": CONV.stride, "padding": CONV.padding[:2], "bias": kernel[:, -1].tolist()}
    shape = (CHANNELS, CONV.shape[0], *CONV.kernel)
    apart = [(leaky.tensors[f"to_{n}"], leaky.tensors[f"bias_{n}"]) for n in ("hidden", "output")]
    return [
        {
            "kind": "graded",
            "layers": [{"weight": w[:, :-1].tolist(), "bias": w[:, -1].tolist()} for w in folded],
            "samples": images()[:, 0].tolist(),
        },
        {
            "kind": "graded",
            "layers": [
                {"weight": kernel[:, :-1].reshape(shape).tolist(), **window},
                {"weight": matrix[:, :-1].tolist(), "bias": matrix[:, -1].tolist()},
            ],
            "samples": images(CONV.lines).reshape(-1, *CONV.shape).tolist(),
        },
        {
            "kind": "spiking",
            "layers": [{"weight": w.tolist(), "bias": (b // 64).tolist()} for w, b in apart],
            "samples": events().tolist(),
            "beta": 0.5,
            "threshold": 9,
        },
    ]


@beside
def test_the_metrics_are_those_that_neurobench_itself_computes() -> None:
    done = subprocess.run(
        [NEUROBENCH_PYTHON, "-I", str(HERE / "neurobench_script.py")],
        input=json.dumps(asked()),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.splitlines()[-1])
    for (program, x), other in zip(ours(), theirs, strict=True):
        found = metrics(program, recorded(program, x), element_bytes=4).to_json()
        assert other.pop("Footprint") == found.pop("Footprint") + other.pop("buffers")
        if "MembraneUpdates" not in other:
            assert found.pop("MembraneUpdates") == 0
        sparse = other.pop("ActivationSparsity")  # a mean over samples there, one ratio here
        assert found.pop("ActivationSparsity") == pytest.approx(sparse, rel=1e-14)
        assert other == found
