"""Machine code is kept, taken again, and never taken from where others may write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from hebbite.runtime.engines.native import traces
from hebbite.runtime.engines.native.compiled import digest
from hebbite.runtime.engines.native.llvm import load
from hebbite.runtime.engines.native.store import cache_folder, kept

CODE = b"code \x00 of a machine"
posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes of folders are those of POSIX")


class Maker:
    """Makes code, and counts how often it is asked to."""

    def __init__(self, code: bytes = CODE) -> None:
        self.code = code
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return self.code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder that does not exist yet, named as the cache."""
    named = tmp_path / "cache" / "kernels"
    monkeypatch.setenv("HEBBITE_CACHE", str(named))
    cache_folder.cache_clear()
    yield named
    cache_folder.cache_clear()


def test_what_was_made_once_is_kept(folder: Path) -> None:
    make = Maker()
    assert kept("name", make) == kept("name", make) == CODE
    assert make.calls == 1
    assert len(list(folder.iterdir())) == 1


def test_another_name_is_other_code(folder: Path) -> None:
    other = Maker(b"other")
    assert kept("one", Maker()) == CODE
    assert kept("two", other) == b"other"
    assert kept("two", other) == b"other"
    assert other.calls == 1
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "longer"])
def test_a_damaged_file_is_made_anew(folder: Path, damage: str) -> None:
    make = Maker()
    kept("name", make)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    damaged = {"flipped": flipped, "cut": whole[:-3], "empty": b"", "longer": whole + b"x"}
    file.write_bytes(damaged[damage])
    assert kept("name", make) == CODE
    assert make.calls == 2
    assert file.read_bytes() == whole
    kept("name", make)
    assert make.calls == 2


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_not_used(folder: Path, mode: int) -> None:
    trap = Maker(b"theirs")
    kept("name", trap)
    folder.chmod(mode)
    cache_folder.cache_clear()
    make = Maker()
    assert kept("name", make) == CODE
    assert kept("name", make) == CODE
    assert make.calls == 2
    assert len(list(folder.iterdir())) == 1


@posix
def test_a_folder_of_somebody_else_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept("name", Maker(b"theirs"))
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    cache_folder.cache_clear()
    assert kept("name", Maker()) == CODE


@posix
def test_the_folder_is_made_for_the_user_alone(folder: Path) -> None:
    kept("name", Maker())
    assert folder.stat().st_mode & 0o777 == 0o700


def test_without_a_folder_every_call_makes_its_code(folder: Path) -> None:
    folder.parent.parent.joinpath("cache").write_text("a file stands where the folder would")
    make = Maker()
    assert kept("name", make) == kept("name", make) == CODE
    assert make.calls == 2


def test_a_folder_that_takes_no_file_is_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    make = Maker()
    assert kept("name", make) == kept("name", make) == CODE
    assert make.calls == 2


@pytest.mark.parametrize("at_fault", ["write", "replace"])
def test_a_file_that_cannot_be_finished_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at_fault: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    class Full:
        def __init__(self, handle: int, mode: str) -> None:
            os.close(handle)

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        write = fail

    if at_fault == "write":
        monkeypatch.setattr(os, "fdopen", Full)
    else:
        monkeypatch.setattr(os, "replace", fail)
    assert kept("name", Maker()) == CODE
    assert list(folder.iterdir()) == []


def test_code_that_cannot_be_made_leaves_nothing_behind(folder: Path) -> None:
    def crash() -> bytes:
        raise RuntimeError("LLVM has crashed")

    with pytest.raises(RuntimeError, match="crashed"):
        kept("name", crash)
    assert list(folder.iterdir()) == []
    assert kept("name", Maker()) == CODE


def test_the_folder_is_the_users_own_unless_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert cache_folder() == folder
    monkeypatch.delenv("HEBBITE_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    cache_folder.cache_clear()
    assert cache_folder() == tmp_path / "hebbite" / "kernels"


def test_compiled_text_is_asked_for_once_and_runs_again(folder: Path) -> None:
    text = "define i64 @three() {\n  ret i64 3\n}\n"
    asked = []

    def tell() -> str:
        asked.append(1)
        return text

    for _ in range(2):
        code = load("three of test_store", tell)
        assert code.address("three") > 0
    assert len(asked) == 1


SECOND = """
from hebbite.runtime.engines.native import llvm
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.spread import lower
from hebbite.runtime.engines.native.language import Kind
import numpy as np
def never(*_): raise AssertionError("compiled again")
import sys
import tempfile
if sys.argv[1] == "second": llvm._compiled = never
values = np.array([9, -9], np.int32)
compiled(lower, Kind(32), None)(values, 1)
print(*values)
"""


def test_another_process_does_not_compile_again(folder: Path) -> None:
    for which in ("first", "second"):
        command = [sys.executable, "-c", SECOND, which]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout == "4 -5\n", done.stderr


def test_a_number_that_kernels_take_from_elsewhere_is_part_of_their_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest.cache_clear()
    name = digest()
    monkeypatch.setattr(traces, "RANDOM_BITS", 52)
    digest.cache_clear()
    assert digest() != name
    monkeypatch.undo()
    digest.cache_clear()
    assert digest() == name
