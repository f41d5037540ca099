"""Machine code kept from one process to the next, in a folder of the user's cache.

A file is named by the SHA-256 of what it was compiled from (text, processor, LLVM) and begins with
the SHA-256 of its code, so that a damaged one is compiled anew. The folder is the user's own, mode
0700: code from a folder that others may write is never run. ``HEBBITE_CACHE`` names another folder;
where none can be made, every process compiles for itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import platformdirs

DIGEST = hashlib.sha256().digest_size


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the code called ``name``, made if it is not kept; ``name`` tells all it depends on."""
    folder = cache_folder()
    if folder is None:
        return make()
    path = folder / hashlib.sha256(name.encode()).hexdigest()
    found = _read(path)
    if found is None:
        found = make()
        _write(path, found)
    return found


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """Return the folder, made if need be; None if it cannot be made, or is not the user's alone."""
    named = os.environ.get("HEBBITE_CACHE")
    folder = Path(named) if named else platformdirs.user_cache_path("hebbite") / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_private(folder) else None
    except OSError:
        return None


def _is_private(folder: Path) -> bool:
    """Whether nobody but this user may write into a folder; on Windows the profile sees to that."""
    if not hasattr(os, "getuid"):
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _read(path: Path) -> bytes | None:
    """Return the code of a file; None if there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:DIGEST], content[DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(path: Path, code: bytes) -> None:
    """Write a file in one piece; where that fails nothing stays, and the next process compiles."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
