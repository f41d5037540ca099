"""Plots of the results for docs/speed: microseconds a step by synapses, and by activity of A."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.speed.report import ORDER
from benchmarks.speed.results import Results

KINDS = ("A", "B", "C1", "C2")
Row = Mapping[str, Any]


def write_plots(results: Results, folder: Path) -> None:
    """Write ``scale-A.svg`` ... and ``activity.svg``; a plot without two places is left out."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "speed"
    folder.mkdir(parents=True, exist_ok=True)
    rows = results.data["rows"]
    for kind in KINDS:
        chosen = [r for r in rows if r["workload"] == kind and r["activity"] in (None, 0.03)]
        draw(chosen, folder / f"scale-{kind}.svg", "synapses", lambda row: float(row["synapses"]))
    chosen = [r for r in rows if r["workload"] == "A" and r["scale"] == 1]
    label = "spikes a line and step"
    draw(chosen, folder / "activity.svg", label, lambda row: float(row["activity"]))


def draw(rows: list[Row], path: Path, label: str, place: Callable[[Row], float]) -> None:
    """Draw one plot, a line a system, bars from the fastest to the slowest repetition."""
    from matplotlib.figure import Figure

    if len({place(row) for row in rows}) < 2:
        return
    figure = Figure(figsize=(6, 4))
    axes = figure.add_subplot()
    for system in ORDER:
        own = sorted((row for row in rows if row["system"] == system), key=place)
        if not own:
            continue
        times = [row["us_a_step"] for row in own]
        below = [time["median"] - time["low"] for time in times]
        above = [time["high"] - time["median"] for time in times]
        axes.errorbar(
            [place(row) for row in own],
            [time["median"] for time in times],
            yerr=[below, above],
            marker="o",
            label=system,
        )
    axes.set(xscale="log", yscale="log", xlabel=label, ylabel="µs a step")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
