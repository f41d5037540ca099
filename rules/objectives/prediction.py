"""Prediction: outputs say what the input will be ``horizon`` samples on; samples are a series.

    F = sum_j phi(|R x_j(n + horizon) / top - o_j(n)|)

x(n) sample n, top the largest input on the calibration data, R the target rate, phi: see
`hebbite.rules.objectives.objective`. The last ``horizon`` samples of a series teach nothing.

Source: J. L. Elman, "Finding structure in time", Cognitive Science 14, 179-211 (1990), doi
10.1207/s15516709cog1402_1.
"""

from __future__ import annotations

from hebbite.rules.objectives.objective import Objective


def prediction(*, target_rate: int = 100, margin: int = 0, horizon: int = 1) -> Objective:
    """Return the objective of a predictor; target_rate 1..127, margin 0..127, horizon 1 or more."""
    text = f"prediction(target_rate={target_rate}, margin={margin}, horizon={horizon})"
    loss = "squared error of the input that comes"
    return Objective(
        "prediction", text, loss, target_rate, margin, teaches="next-input", horizon=horizon
    )
