"""The shim mends the import of Lava and nothing else; every case in a fresh interpreter."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)
SHIM = "from hebbite.runtime.engines.lava.shim import ensure_lava, LavaUnavailable\n"


def run_fresh(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SHIM + code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_lava
def test_lava_imports_and_the_interpreter_is_as_before() -> None:
    run_fresh(
        "import dataclasses, inspect, sys\n"
        "decorator, finders = dataclasses.dataclass, list(sys.meta_path)\n"
        "ensure_lava()\n"
        "ensure_lava()\n"
        "assert dataclasses.dataclass is decorator\n"
        "assert sys.meta_path == finders\n"
        "import lava.magma.compiler.var_model as mended\n"
        "assert mended.dataclass is decorator\n"
        "assert mended.CoreEncoder().x == mended.ByteEncoder()\n"
        "assert inspect.getsource(mended.ByteEncoder).startswith('@dataclass')\n"
        "from lava.proc.dense.process import LearningDense\n"
    )


@needs_lava
def test_many_threads_may_ask_at_once() -> None:
    run_fresh(
        "import threading\n"
        "failures, gate = [], threading.Barrier(8)\n"
        "def ask():\n"
        "    gate.wait()\n"
        "    try:\n"
        "        ensure_lava()\n"
        "        from lava.proc.lif.process import LIF\n"
        "    except BaseException as error:\n"
        "        failures.append(error)\n"
        "threads = [threading.Thread(target=ask) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "assert not failures, failures\n"
    )


@needs_lava
@pytest.mark.skipif(sys.version_info < (3, 11), reason="Lava imports by itself on 3.10")
def test_lava_imported_too_early_is_refused_with_the_mend() -> None:
    out = run_fresh(
        "try:\n"
        "    from lava.proc.lif.process import LIF\n"
        "except ValueError:\n"
        "    pass\n"
        "try:\n"
        "    ensure_lava()\n"
        "except LavaUnavailable as error:\n"
        "    print(error)\n"
    )
    assert out.startswith("HB0601: Lava was imported too early")
    assert "before the first 'import lava'" in out


def test_absent_lava_names_the_pip_line() -> None:
    out = run_fresh(
        "import sys\n"
        "sys.modules['lava'] = None\n"
        "try:\n"
        "    ensure_lava()\n"
        "except LavaUnavailable as error:\n"
        "    print(error)\n"
    )
    assert out == (
        "HB0601: Lava is not installed\n"
        "  hint: pip install --no-deps --ignore-requires-python lava-nc==0.10.0 asteval\n"
    )
