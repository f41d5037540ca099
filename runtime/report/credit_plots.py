"""A credit report as four plots, drawn by matplotlib to SVG.

``bias-variance.svg``: where every rule stands, one point a hidden layer, at the last moment.
``angles.svg``: the angle to the gradient over training, a panel a layer.
``shares.svg``: the share of every layer and, as a map, of every neuron in the last step's change.
``delta-f.svg``: predicted against realised change of the objective.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.credit.credit import CreditReport
from hebbite.runtime.credit.row import Row
from hebbite.runtime.report.credit_table import mean, moments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def need_matplotlib() -> None:
    """Raise UsageError HB0118 if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        hint = "pip install 'hebbite[plots]'"
        raise UsageError(Problem("HB0118", "plots need matplotlib", hint=hint)) from error


def plots_of(found: CreditReport) -> dict[str, bytes]:
    """Return the plots by file name, as SVG."""
    need_matplotlib()
    pictures: dict[str, Callable[[CreditReport], Figure]] = {
        "bias-variance.svg": bias_variance,
        "angles.svg": angles,
        "shares.svg": shares,
        "delta-f.svg": delta_f,
    }
    return {name: _svg(draw(found)) for name, draw in pictures.items()}


def bias_variance(found: CreditReport) -> Figure:
    """Draw variance over bias, the hidden layers in one point a rule, real and chip.

    A rule that leaves them alone has bias 1 and is drawn at variance 0.
    """
    figure, axes = _figure(1, "bias and variance of the hidden layers' updates")
    names: dict[tuple[float, float], list[str]] = {}
    for index, (real, chip) in enumerate(_last(found)):
        for rows, marker in ((real, "o"), (chip, "x")):
            bias = mean([_hidden(row, "bias") for row in rows]) or 0.0
            variance = mean([_hidden(row, "variance") for row in rows]) or 0.0
            axes[0].plot(bias, variance, marker, color=f"C{index}", markersize=8)
            if marker == "o":
                names.setdefault((bias, variance), []).append(real[0].rule)
    for place, rules in names.items():
        side = "left" if place[0] < 0.1 else "right" if place[0] > 0.9 else "center"
        axes[0].annotate(
            ", ".join(rules), place, (0, 9), textcoords="offset points", ha=side, size="small"
        )
    axes[0].set(
        xlabel="bias: |a U - g| / |g| at the best a        (o real, x chip)",
        ylabel="variance: tr Cov(u) / |U|$^2$",
        xlim=(-0.1, 1.1),
    )
    axes[0].set_yscale("symlog", linthresh=1)
    axes[0].margins(y=0.12)
    return figure


def angles(found: CreditReport) -> Figure:
    """Draw the angle over epochs, a panel a layer; solid real, dashed chip."""
    names = [layer.name for layer in found.rows[0].layers]
    figure, axes = _figure(len(names), "angle between update and gradient")
    for at, (name, axis) in enumerate(zip(names, axes, strict=True)):
        for index, rule in enumerate(_rules(found)):
            for arithmetic, style in (("real", "-o"), ("chip", "--x")):
                points = _angle_points(found, rule, arithmetic, at)
                axis.plot(*points, style, color=f"C{index}", label=rule if style == "-o" else None)
        axis.axhline(90, color="0.8", zorder=0)
        axis.set(title=name, xlabel="epoch", ylabel="degrees", ylim=(-5, 185))
    axes[0].legend(title="- real, -- chip", fontsize="small")
    return figure


def shares(found: CreditReport) -> Figure:
    """Draw, for every rule, the share of each neuron, layer by layer, at the last moment."""
    last = [real[0] for real, _ in _last(found)]
    names = [layer.name for layer in last[0].layers]
    figure, axes = _figure(len(names), "share of each neuron in the change of F by one step")
    for at, (name, axis) in enumerate(zip(names, axes, strict=True)):
        size = max(len(row.layers[at].neurons) for row in last) or 1
        rows = [row.layers[at].neurons or (0.0,) * size for row in last]
        image = np.array(rows, np.float64)
        reach = float(np.abs(image).max()) or 1.0
        drawn = axis.imshow(
            image, aspect="auto", cmap="RdBu", vmin=-reach, vmax=reach, interpolation="nearest"
        )
        labels = [f"{row.rule} {_percent(row.layers[at].credit_share)}" for row in last]
        axis.set(title=name, xlabel="neuron", yticks=range(len(last)), yticklabels=labels)
        figure.colorbar(drawn, ax=axis)
    return figure


def delta_f(found: CreditReport) -> Figure:
    """Draw realised over predicted change of F, one point a rule, seed and moment."""
    figure, axes = _figure(1, "change of F by one mean update at the rule's rate")
    for index, rule in enumerate(_rules(found)):
        for arithmetic, marker in (("real", "o"), ("chip", "x")):
            points = [
                (row.step.predicted, row.step.realised)
                for row in found.rows
                if (row.rule, row.arithmetic) == (rule, arithmetic)
                and row.step.realised is not None
            ]
            axes[0].plot(
                [predicted for predicted, _ in points], [realised for _, realised in points],
                marker, color=f"C{index}", label=rule if marker == "o" else None,
            )  # fmt: skip
    low, high = axes[0].get_xlim()
    axes[0].plot([low, high], [low, high], color="0.8", zorder=0)
    axes[0].set(xlabel="predicted, -<g, dw>", ylabel="realised, F(w + dw) - F(w)")
    axes[0].set(xscale="symlog", yscale="symlog")
    axes[0].legend(title="o real, x chip", fontsize="small")
    return figure


def _figure(panels: int, title: str) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(5.5, 4.2 * panels), 4.2), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    return figure, [figure.add_subplot(1, panels, at + 1) for at in range(panels)]


def _svg(figure: Figure) -> bytes:
    """Return a figure as SVG; the same figure gives the same bytes."""
    from matplotlib import rc_context

    out = io.BytesIO()
    with rc_context({"svg.hashsalt": "hebbite", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _rules(found: CreditReport) -> list[str]:
    return list(dict.fromkeys(row.rule for row in found.rows))


def _last(found: CreditReport) -> list[tuple[list[Row], list[Row]]]:
    """Return real and chip rows of every rule at its last moment."""
    epoch = max(row.epoch for row in found.rows)
    return [(real, chip) for real, chip in moments(found) if real[0].epoch == epoch]


def _hidden(row: Row, name: str) -> float | None:
    """Return a measure, mean over the hidden layers; that of the output where there are none."""
    return mean([getattr(layer.measures, name) for layer in row.layers[:-1] or row.layers])


def _angle_points(
    found: CreditReport, rule: str, arithmetic: str, at: int
) -> tuple[list[int], list[float]]:
    """Return epochs and mean angles over seeds, where there is an angle."""
    rows = [row for row in found.rows if (row.rule, row.arithmetic) == (rule, arithmetic)]
    epochs = sorted({row.epoch for row in rows})
    points = [
        (epoch, mean([row.layers[at].measures.angle_deg for row in rows if row.epoch == epoch]))
        for epoch in epochs
    ]
    known = [(epoch, angle) for epoch, angle in points if angle is not None]
    return [epoch for epoch, _ in known], [angle for _, angle in known]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
