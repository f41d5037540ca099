"""The watched child gives an answer or a coded error; no process and no shared memory is left."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from hebbite.rules.errors import EngineError
from hebbite.runtime.engines.lava.arrays import read_array
from hebbite.runtime.engines.lava.job import read_json, write_json
from hebbite.runtime.engines.lava.shim import LavaUnavailable
from hebbite.runtime.engines.lava.watch import run_job

needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
MARK = "HEBBITE_TEST_MARK"
ENDLESS = 50_000_000


class Family:
    """A fresh interpreter that runs a job, and every process that comes of it, found by a mark."""

    def __init__(self, folder: Path, *, steps: int, timeout: float) -> None:
        write_json(folder, "job.json", {"task": "probe", "steps": steps})
        self._mark = f"{MARK}={uuid.uuid4()}".encode()
        name, value = self._mark.decode().split("=")
        self._scratch = tempfile.TemporaryDirectory()  # short: a socket's name must fit in it
        code = (
            "import sys\n"
            "from pathlib import Path\n"
            "from hebbite.runtime.engines.lava.watch import run_job\n"
            "try:\n"
            f"    run_job(Path({str(folder)!r}), timeout={timeout})\n"
            "except Exception as error:\n"
            "    print(error)\n"
        )
        self.caller = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, name: value, "TMPDIR": self._scratch.name},
        )
        self.shared: set[Path] = set()

    def alive(self) -> list[int]:
        """Return the processes of the family and note the shared memory that they hold."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if self._mark not in (entry / "environ").read_bytes():
                    continue
                maps = (entry / "maps").read_text()
            except OSError:
                continue
            found.append(int(entry.name))
            self.shared |= {Path(name) for name in re.findall(r"/dev/shm/psm_\w+", maps)}
        return found

    def wait_until_lava_runs(self, seconds: float) -> bool:
        """Wait until Lava's own processes share memory; return whether they do."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.caller.poll() is None:
            if len(self.alive()) > 6 and len(self.shared) > 6:
                return True
            time.sleep(0.1)
        return False

    def assert_gone(self) -> None:
        """Assert that within three seconds nothing is left, in memory or on disk."""
        deadline = time.monotonic() + 3
        while (left := self.alive()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == []
        assert [path for path in self.shared if path.exists()] == []
        assert os.listdir(self._scratch.name) == []
        self._scratch.cleanup()

    def end(self) -> str:
        """Wait for the caller and return what it printed."""
        out, _ = self.caller.communicate(timeout=60)
        return out


@needs_lava
@needs_linux
def test_a_job_that_ends_gives_its_result_and_leaves_nothing(tmp_path: Path) -> None:
    family = Family(tmp_path, steps=4000, timeout=60)
    assert family.wait_until_lava_runs(30)
    assert family.end() == ""
    family.assert_gone()
    assert read_json(tmp_path, "done.json")["steps"] == 4000
    assert read_array(tmp_path, "v").tolist() == [128 * 3999]


@needs_lava
@needs_linux
def test_a_time_out_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    for timeout in (3, 10, 30):  # long enough for Lava to be running when it is stopped
        family = Family(tmp_path, steps=ENDLESS, timeout=timeout)
        running = family.wait_until_lava_runs(timeout)
        out = family.end()
        family.assert_gone()
        if running:
            break
    assert running
    assert out.startswith(
        f"HB0602: Lava did not finish {ENDLESS} steps within {timeout} s; it was stopped\n"
    )
    assert "raise the time-out" in out


@needs_lava
@needs_linux
def test_the_death_of_the_caller_ends_lava(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    family = Family(folder, steps=ENDLESS, timeout=60)
    assert family.wait_until_lava_runs(30)
    family.caller.kill()
    family.end()
    family.assert_gone()
    assert not folder.exists(), "nobody is left to read the job's folder"


@needs_lava
def test_a_failure_shows_the_last_lines_of_the_child(tmp_path: Path) -> None:
    write_json(tmp_path, "job.json", {"task": "juggle", "steps": 1})
    with pytest.raises(EngineError, match=r"(?s)HB0603: .*exit code 1.*juggle"):
        run_job(tmp_path, timeout=60)


@needs_lava
def test_lava_missing_in_the_child_only_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['lava'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    write_json(tmp_path, "job.json", {"task": "probe", "steps": 1})
    with pytest.raises(LavaUnavailable, match="pip install --no-deps"):
        run_job(tmp_path, timeout=60)


def test_lava_missing_in_the_caller_starts_no_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lava", None)
    with pytest.raises(LavaUnavailable, match="HB0601"):
        run_job(tmp_path, timeout=60)
    assert list(tmp_path.iterdir()) == []
