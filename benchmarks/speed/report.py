"""Results as text: lines while they are measured, tables for docs/speed.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.markdown import table, write_marked
from benchmarks.speed.results import Results

Row = Mapping[str, Any]
ORDER = ("native", "native-exact", "native-dense", "handwritten", "brian2", "nest", "snntorch",
         "lava", "lava-float", "reference")  # fmt: skip
ABSENT = "Not measured yet."
PLACES = ("A", "B", "C1", "C2", "scale", "activity", "startup", "memory", "mnist", "batch",
          "cliffs", "counting")  # fmt: skip


def row_text(row: Row, limits: Mapping[str, float]) -> str:
    """Return one row as a line."""
    time, cells = row["us_a_step"], cells_of(row, limits)
    where = f"{row['workload']} x{row['scale']:g}" + (
        f" p={row['activity']:g}" if row["activity"] is not None else ""
    )
    span = f"{time['low']:.3g}..{time['high']:.3g}"
    return f"{where:18} {cells[0]:20} {time['median']:>10.4g} us a step ({span})  " + "  ".join(
        cells[2:]
    )


def cells_of(row: Row, limits: Mapping[str, float]) -> list[str]:
    """Return the cells of a row of a table, from the name of the system on."""
    time = row["us_a_step"]
    ratio = row.get("times_native")
    operations, share = row["synaptic_operations_a_step"], ""
    if operations is not None and limits:
        share = f"{operations / time['median'] * 1e6 / max(limits.values()):.1%}"
    rates = ", ".join(f"{rate:.4f}" for rate in row["rates"])
    return [
        row["system"] + (" (busy)" if row["busy"] else ""),
        f"{time['median']:.4g} ({time['low']:.4g}-{time['high']:.4g})",
        "" if ratio is None else f"{ratio['median']:.3g} ({ratio['low']:.3g}-{ratio['high']:.3g})",
        share,
        rates,
        f"{row['setup_s']:.1f}",
        row["version"],
    ]


HEAD = ("system", "µs a step", "times native", "share of the limit", "spikes a neuron and step",
        "set-up, s", "version")  # fmt: skip


def main_table(results: Results, kind: str) -> str:
    """Return the systems on one workload of the usual size, nothing if none was measured."""
    rows = [
        row
        for row in results.data["rows"]
        if row["workload"] == kind and row["scale"] == 1 and row["activity"] in (None, 0.03)
    ]
    rows.sort(key=lambda row: ORDER.index(row["system"]))
    return table(HEAD, [cells_of(row, results.limits) for row in rows])


def varied_table(results: Results, key: str) -> str:
    """Return microseconds a step by ``scale`` or ``activity``, a column a system."""
    rows = [row for row in results.data["rows"] if key == "scale" or row["workload"] == "A"]
    usual = {"scale": ("activity", (None, 0.03)), "activity": ("scale", (1,))}[key]
    rows = [row for row in rows if row[usual[0]] in usual[1]]
    systems = [name for name in ORDER if any(row["system"] == name for row in rows)]
    places = sorted({(row["workload"], row[key]) for row in rows})
    found = {(r["workload"], r[key], r["system"]): r["us_a_step"]["median"] for r in rows}

    def cell(place: tuple[str, float], system: str) -> str:
        value = found.get((*place, system))
        return "" if value is None else f"{value:.4g}"

    lines = [[p[0], f"{p[1]:g}", *(cell(p, system) for system in systems)] for p in places]
    return table(["workload", key, *systems], lines)


def extra_text(name: str, found: Mapping[str, Any]) -> str:
    """Return another measurement as a table."""
    rows = found["rows"]
    head = list(rows[0])
    return (
        f"{name}\n\n"
        + table(
            (key.replace("_", " ") for key in head),
            [[_short(row[key]) for key in head] for row in rows],
        )
        + (f"\n\n{found['note']}" if found.get("note") else "")
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def machine_text(results: Results) -> str:
    """Return where the figures were measured."""
    m = results.data["machine"]
    measurements = [*results.data["rows"], *results.data["extra"].values()]
    commits = sorted({each["commit"] for each in measurements})
    limits = ", ".join(
        f"{value / 1e9:.0f} G additions a second onto {name}"
        for name, value in results.limits.items()
    )
    busy = any(row["busy"] for row in results.data["rows"])
    return "\n".join(
        [
            f"- {m['cpu']}, {m['cores']} cores, {m['system']}; Python {m['python']}, NumPy "
            f"{m['numpy']}, Numba {m['numba']}; commit {', '.join(commits)}.",
            f"- The limit, one thread, rows of bytes in L2: {limits}.",
            *(["- **The machine was busy: these figures are no measurement.**"] if busy else []),
        ]
    )


def write_tables(results: Results, page: Path) -> None:
    """Replace what stands between the marks ``<!-- name -->`` and ``<!-- end -->`` of a page."""
    texts = {kind: main_table(results, kind) for kind in ("A", "B", "C1", "C2")}
    texts |= {key: varied_table(results, key) for key in ("scale", "activity")}
    texts["machine"] = machine_text(results)
    for name, found in results.data["extra"].items():
        texts[name] = extra_text(name, found).split("\n\n", 1)[1]

    write_marked(page, dict.fromkeys(PLACES, ABSENT) | {k: v for k, v in texts.items() if v})
