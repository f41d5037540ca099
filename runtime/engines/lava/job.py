"""The folder by which caller and child exchange a job.

In: ``job.json`` (``task``, ``steps`` and what the task needs) and ``.npy`` arrays, see `arrays`.
Out: ``.npy`` arrays, then ``done.json``; or ``error.json``, one `Problem`, from whichever process
fails first. JSON is written under another name and renamed, so a file that exists is whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

JOB = "job.json"
DONE = "done.json"
ERROR = "error.json"
STDERR = "stderr.txt"

Json = dict[str, Any]


def write_json(folder: Path, name: str, value: Json) -> None:
    """Write ``folder/name`` whole or not at all."""
    draft = folder / f"{name}.{os.getpid()}"
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(folder / name)


def read_json(folder: Path, name: str) -> Json:
    """Return the object in ``folder/name``."""
    value: Json = json.loads((folder / name).read_text(encoding="utf-8"))
    return value
