"""Fused Lava from outside: sessions, errors, and what happens when a process dies.

That it computes what every engine computes is tested in ``test_conformance``.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import load_compiled
from hebbite.compiler.program.text import print_program
from hebbite.compiler.program.types import IntArray, Program
from hebbite.rules.errors import EngineError, UsageError
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.lava import fused as fused_package
from hebbite.runtime.engines.lava.fused.engine import FusedEngine, FusedMachine
from hebbite.runtime.engines.lava.shim import LavaUnavailable
from hebbite.runtime.session import Session
from hebbite.runtime.verify import verify

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
Data = Mapping[str, IntArray]
MODEL = Path(__file__).parents[4] / "runtime" / "data" / "digits.onnx"
DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:40], DIGITS.y_train[:40]


@pytest.fixture(scope="module")
def model() -> Compiled:
    return compile(MODEL, rule="dfa(rate=-4)", calibration=DIGITS.x_train[:64])


@pytest.fixture
def machine(graded: Program) -> Iterator[FusedMachine]:
    machine = FusedEngine().open(graded, rounding="independent")
    yield machine
    machine.close()


def folder_of(machine: FusedMachine) -> Path:
    return machine._channel._folder


def processes(folder: Path) -> dict[int, list[str]]:
    """Return the processes that a job's folder is an argument of, and theirs: id -> open files."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found[int(entry.name)] = [os.readlink(link) for link in (entry / "fd").iterdir()]
        except OSError:
            continue
    return found


def server(folder: Path) -> int:
    """Return the process that computes: the one that has opened the pipe for replies."""
    (pid,) = [p for p, files in processes(folder).items() if str(folder / "replies") in files]
    return pid


def watcher(folder: Path) -> int:
    """Return the child itself, the first of its group."""
    return min(pid for pid in processes(folder) if os.getpgid(pid) == pid)


def worker(folder: Path) -> int:
    """Return the process that owns Lava's objects: the watcher's one child."""
    parent = watcher(folder)
    (pid,) = [p for p in processes(folder) if _parent(p) == parent]
    return pid


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def run_again(machine: FusedMachine, data: Data) -> None:
    """Run more than once: a reply may have been under way."""
    for _ in range(9):
        machine.run(data, samples=64)


def assert_gone(folder: Path) -> None:
    deadline = time.monotonic() + 5
    while (processes(folder) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)  # a process that closes a file while it is looked at is not seen
    assert not processes(folder)
    assert not folder.exists()


@needs_linux
@pytest.mark.parametrize("who", [server, watcher, worker])
def test_a_process_that_is_killed_is_an_error_at_once(
    machine: FusedMachine, graded_data: Data, who: Callable[[Path], int]
) -> None:
    machine.run(graded_data, samples=64)
    folder = folder_of(machine)
    os.kill(who(folder), signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(EngineError, match="HB0603: the Lava process failed"):
        run_again(machine, graded_data)
    assert time.monotonic() - began < 20
    assert_gone(folder)
    with pytest.raises(EngineError, match=r"HB0608: .* it was closed, or has failed"):
        machine.state()


@needs_linux
def test_a_process_that_hangs_is_an_error_within_the_limit(
    graded: Program, graded_data: Data
) -> None:
    machine = FusedEngine().open(graded, rounding="independent")
    folder = folder_of(machine)
    machine._timeout = 1.0
    os.kill(server(folder), signal.SIGSTOP)
    with pytest.raises(EngineError, match="HB0602: Lava did not finish 320 steps within 1 s"):
        machine.run(graded_data, samples=64)
    assert_gone(folder)


CALLER = """
import sys, time
import numpy as np
from pathlib import Path
from hebbite.compiler.program.text import parse_program
from hebbite.runtime.engines.lava.fused.engine import FusedEngine
folder = Path(sys.argv[1])
program = parse_program((folder / "program.txt").read_text(), dict(np.load(folder / "t.npz")))
machine = FusedEngine().open(program, rounding="independent")
print(machine._channel._folder, flush=True)
time.sleep(300)
"""


@needs_linux
def test_the_death_of_the_caller_ends_lava(graded: Program, tmp_path: Path) -> None:
    (tmp_path / "program.txt").write_text(print_program(graded))
    np.savez(tmp_path / "t.npz", **graded.tensors)  # type: ignore[arg-type]
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None
        folder = Path(caller.stdout.readline().strip())
        assert len(processes(folder)) > 3
        caller.kill()
    assert_gone(folder)


def test_a_start_that_takes_too_long_is_an_error(graded: Program) -> None:
    with pytest.raises(EngineError, match="HB0602"):
        FusedEngine(timeout=0.2).open(graded, rounding="independent")


def test_an_error_inside_is_told_with_its_code(graded: Program) -> None:
    with pytest.raises(EngineError, match="HB0101: unknown engine 'nativ'"):
        FusedEngine(inside="nativ").open(graded, rounding="independent")


def test_a_failure_inside_is_told_with_its_place(machine: FusedMachine) -> None:
    with pytest.raises(EngineError, match=r"(?s)HB0603: a process of Lava failed: KeyError.*read"):
        machine.read("nothing")


def test_inputs_that_do_not_fit_are_refused_before_lava_sees_them(
    machine: FusedMachine, graded_data: Data
) -> None:
    with pytest.raises(UsageError, match="HB0110"):
        machine.run(graded_data, samples=3)
    assert machine.run(graded_data, samples=64).steps == 320, "the machine goes on"


@needs_linux
def test_a_machine_that_is_closed_or_forgotten_leaves_nothing(graded: Program) -> None:
    machine = FusedEngine().open(graded, rounding="independent")
    folder = folder_of(machine)
    assert len(processes(folder)) > 3
    machine.close()
    machine.close()
    assert_gone(folder)
    folder = folder_of(FusedEngine().open(graded, rounding="independent"))
    gc.collect()
    assert_gone(folder)


def test_a_shared_lava_serves_the_program_that_was_opened_last(
    graded: Program, graded_data: Data, fused: FusedEngine
) -> None:
    first = fused.open(graded, rounding="independent")
    first.close()
    first.run(graded_data, samples=64)
    second = fused.open(graded, rounding="independent")
    with pytest.raises(EngineError, match=r"HB0608: .* it runs another program"):
        first.state()
    assert second.state()["clock"].tolist() == [0, 0]


def test_lava_missing_is_named(graded: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lava", None)
    with pytest.raises(LavaUnavailable, match="HB0601"):
        FusedEngine().open(graded, rounding="independent")


def test_verify_compares_it_like_any_engine(model: Compiled) -> None:
    inputs = model.coding.inputs(X, Y)
    engines = ("reference", "native", "lava-fused")
    for rounding in ("lava-exact", "independent"):
        found = verify(model.program, inputs, engines=engines, steps=160, rounding=rounding)
        assert found.equal
        assert found.engines == engines


def test_stock_and_fused_lava_give_the_same_bits(model: Compiled) -> None:
    inputs = model.coding.inputs(X, Y)
    found = verify(model.program, inputs, engines=("lava", "lava-fused"), steps=160)
    assert found.equal
    assert found.compared["weights"] > 90_000


def test_a_session_learns_saves_and_goes_on_in_another_engine(
    model: Compiled, tmp_path: Path
) -> None:
    with Session(model, engine="native") as whole:
        whole.fit(X, Y, epochs=2)
        wanted = whole.state()
    with Session(model, engine="lava-fused") as first:
        first.fit(X, Y, epochs=1, validation=(X, Y))
        first.save(tmp_path / "half.hbt")
    with Session(load_compiled(tmp_path / "half.hbt"), engine="native") as second:
        second.fit(X, Y, epochs=1, first_epoch=1)
        found = second.state()
    with Session(load_compiled(tmp_path / "half.hbt"), engine="lava-fused") as third:
        third.fit(X, Y, epochs=1, first_epoch=1)
        again = third.state()
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
        np.testing.assert_array_equal(again[name], value, err_msg=name)


def test_the_caller_never_imports_lava(machine: FusedMachine) -> None:
    assert not any(name.startswith("lava.") for name in sys.modules)


def test_the_folder_that_lava_executes_holds_one_file() -> None:
    folder = Path(fused_package.__file__).parent / "process"
    assert [path.name for path in folder.glob("*.py")] == ["__init__.py"]


def test_an_engine_is_a_value() -> None:
    assert replace(FusedEngine(), timeout=3.0) == FusedEngine(timeout=3.0)
