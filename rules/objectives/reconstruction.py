"""Reconstruction: outputs give back the inputs, as an autoencoder does; as many outputs as inputs.

    F = sum_j phi(|R x_j / top - o_j|)

x the sample, top the largest input on the calibration data, R the target rate, phi: see
`hebbite.rules.objectives.objective`.

Source: D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating
errors", Nature 323, 533-536 (1986), doi 10.1038/323533a0.
"""

from __future__ import annotations

from hebbite.rules.objectives.objective import Objective


def reconstruction(*, target_rate: int = 100, margin: int = 0) -> Objective:
    """Return the objective of an autoencoder; target_rate 1..127, margin 0..127."""
    text = f"reconstruction(target_rate={target_rate}, margin={margin})"
    loss = "squared error of the input given back"
    return Objective("reconstruction", text, loss, target_rate, margin, teaches="input")
