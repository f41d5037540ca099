"""What stands for the derivative of a spike, which has none.

    psi(v) = 1 / (2 width)  where |v - threshold| < width,  else 0   (boxcar)
    psi(v) = max(0, 1 - |v - threshold| / width) / width             (triangle)

Both have the area 1, as the derivative of a step has. v in units of the potential.

Source: E. O. Neftci, H. Mostafa, F. Zenke, "Surrogate gradient learning in spiking neural
networks", IEEE Signal Processing Magazine 36 (2019), doi 10.1109/MSP.2019.2931595.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hebbite.runtime.credit.activations import Real

Shape = Literal["boxcar", "triangle"]


@dataclass(frozen=True)
class Surrogate:
    """A shape, and its half width as a part of the threshold, above 0."""

    shape: Shape = "triangle"
    width: float = 1.0

    def slope(self, v: Real, threshold: float) -> Real:
        """Return psi, same shape as v (the potential before its reset)."""
        width = self.width * threshold
        off = np.abs(v - threshold) / width
        if self.shape == "boxcar":
            return np.where(off < 1.0, 0.5 / width, 0.0)
        return np.maximum(0.0, 1.0 - off) / width

    def __str__(self) -> str:
        """Return the name that a report prints."""
        return (
            f"{self.shape} derivative of the spike, half width {self.width:g} thresholds; "
            "resets taken as constant"
        )
