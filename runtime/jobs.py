"""Finished jobs in one small SQLite file, so that a comparison that is run again goes on.

In: a key (sha256 of all that decides a job) and its outcome as text. Out: the text, later and in
any process. Every job is committed by itself: what was finished before a crash is kept. Several
processes may share a file; of two that finish the same job the last one is kept, and both hold the
same results.

A file is opened only if it is empty or says in its header that it is such a store. Anything else is
refused as it is; nothing is ever overwritten.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from hebbite.rules.errors import InputFileError, Problem

NAME = "hebbite-jobs.sqlite"
APPLICATION = 0x48424A42
"""``application_id`` of a store, "HBJB", at byte 68 of the file."""
VERSION = 1
WAIT_S = 30.0
_MAGIC = b"SQLite format 3\0"
_HEADER = 100
ANOTHER = "--store OTHER.sqlite, or move this file away"


class JobStore:
    """Finished jobs: key -> text. ``note`` is told when jobs can no longer be kept.

    Raises:
        InputFileError: HB0715 for a file that cannot be opened, HB0716 for one that is damaged or
            no store of this version.
    """

    def __init__(self, path: Path, *, note: Callable[[str], None] | None = None) -> None:
        self.path = path
        self._note = note
        self._writes = True
        _check_header(path)
        try:
            self._base = _opened(path)
        except sqlite3.OperationalError as error:
            raise _unopened(path, str(error)) from error
        except sqlite3.DatabaseError as error:
            raise _damaged(path, str(error)) from error

    def __enter__(self) -> JobStore:
        """Use the store as a context that closes itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._base.close()

    def get(self, key: str) -> str | None:
        """Return the text of a finished job, None if there is none (HB0716 if it is damaged)."""
        try:
            query = "SELECT value, sha256 FROM jobs WHERE key = ?"
            row = self._base.execute(query, (key,)).fetchone()
        except sqlite3.OperationalError as error:
            raise _unopened(self.path, str(error)) from error
        except sqlite3.DatabaseError as error:
            raise _damaged(self.path, str(error)) from error
        if row is None:
            return None
        value, digest = row
        if not isinstance(value, str) or _sha256(value) != digest:
            raise self.damaged(key)
        return value

    def put(self, key: str, value: str) -> None:
        """Keep a finished job. A store that can no longer be written stops no comparison."""
        if not self._writes:
            return
        try:
            with self._base:
                self._base.execute(
                    "INSERT OR REPLACE INTO jobs (key, value, sha256) VALUES (?, ?, ?)",
                    (key, value, _sha256(value)),
                )
        except sqlite3.Error as error:
            self._writes = False
            if self._note is not None:
                self._note(f"finished jobs are no longer kept: {self.path}: {error}")

    def damaged(self, key: str) -> InputFileError:
        """Return the error of a job that cannot be what was stored."""
        return _damaged(self.path, f"the job {key[:12]} is not what was stored")


def default_path() -> Path:
    """Return the file in the user's cache folder, $XDG_CACHE_HOME or else ~/.cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(given) if os.path.isabs(given) else Path("~/.cache").expanduser()
    return folder / "hebbite" / NAME


def default_store(*, note: Callable[[str], None]) -> JobStore | None:
    """Return the store of the user's cache folder, None where nothing can be written.

    Raises:
        InputFileError: HB0716 if the file there is damaged or no store.
    """
    try:
        path = default_path()
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        writable = os.access(path.parent, os.W_OK | os.X_OK)
        if not writable or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
            raise PermissionError(13, "permission denied", str(path))
        return JobStore(path, note=note)
    except (OSError, RuntimeError) as error:  # RuntimeError: a user without a home
        note(f"finished jobs are not kept: {error}")
    except InputFileError as error:
        if error.code == "HB0716":
            raise
        note(f"finished jobs are not kept: {error.problems[0].what}")
    return None


def _check_header(path: Path) -> None:
    """Refuse a file that is neither empty nor a store, before SQLite touches it."""
    try:
        if path.exists() and not path.is_file():
            raise _unopened(path, "not a file")
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise _unopened(path, getattr(error, "strerror", "") or str(error)) from error
    if not header:
        return
    ours = header[68:72] == APPLICATION.to_bytes(4, "big")
    if len(header) < _HEADER or not header.startswith(_MAGIC) or not ours:
        raise _damaged(path, "it is no store of finished jobs")
    version = int.from_bytes(header[60:64], "big")
    if version != VERSION:
        raise _damaged(path, f"its version is {version}; this hebbite reads version {VERSION}")


def _opened(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    try:
        base.execute("BEGIN IMMEDIATE")
        if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            base.execute(f"PRAGMA application_id = {APPLICATION}")
            base.execute(f"PRAGMA user_version = {VERSION}")
            base.execute(
                "CREATE TABLE jobs (key TEXT PRIMARY KEY, value TEXT NOT NULL, "
                "sha256 TEXT NOT NULL) WITHOUT ROWID"
            )
        base.execute("COMMIT")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        (found,) = base.execute("PRAGMA quick_check(1)").fetchone()
        base.execute("SELECT key, value, sha256 FROM jobs LIMIT 1").fetchone()
    except BaseException:
        base.close()
        raise
    if found != "ok":
        base.close()
        raise _damaged(path, str(found))
    return base


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _unopened(path: Path, why: str) -> InputFileError:
    what = f"cannot open the store of finished jobs: {why}"
    return InputFileError(Problem("HB0715", what, at=str(path), hint=ANOTHER))


def _damaged(path: Path, why: str) -> InputFileError:
    what = f"the store of finished jobs is damaged, or another file: {why}"
    return InputFileError(Problem("HB0716", what, at=str(path), hint=ANOTHER))
