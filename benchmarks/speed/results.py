"""The file of results: one a machine, every row with the commit that it was measured at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.machine import ROOT, description, slug

KEY = ("workload", "scale", "activity", "system")


def default_file() -> Path:
    """Return the file of this machine."""
    return ROOT / "benchmarks" / "results" / f"speed-{slug()}.json"


@dataclass
class Results:
    """What was measured; written after every change."""

    path: Path
    data: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Results:
        """Return the results of a file, none if it is not there."""
        if path.exists():
            return cls(path, json.loads(path.read_text()))
        return cls(path, {"machine": description(), "limits": {}, "rows": [], "extra": {}})

    @property
    def limits(self) -> dict[str, float]:
        """Additions a second that the machine can do."""
        return dict(self.data["limits"])

    def put_limits(self, limits: dict[str, float]) -> None:
        """Keep the largest limits ever seen, for they are what is possible."""
        kept = self.data["limits"]
        self.data["limits"] = {name: max(x, kept.get(name, 0.0)) for name, x in limits.items()}
        self.data["machine"] = description()
        self._save()

    def put_row(self, row: dict[str, Any]) -> None:
        """Keep a row in place of an older one of the same workload and system."""
        key = [row[name] for name in KEY]
        rows = [old for old in self.data["rows"] if [old[name] for name in KEY] != key]
        self.data["rows"] = [*rows, row]
        self._save()

    def put_extra(self, name: str, found: dict[str, Any]) -> None:
        """Keep another measurement by name."""
        self.data["extra"][name] = found
        self._save()

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.data, indent=1) + "\n")
