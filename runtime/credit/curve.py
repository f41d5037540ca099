"""Credit over a training: how the rule's update stands to the exact gradient at a few moments.

In: marks of every moment. Out: a `CreditCurve` of one training with a stored form that comes back
bit for bit, and the `CreditMeans` of several trainings as plain data.

    alignment   cos of the angle between the mean update U and g = -grad F, in [-1, 1]
    angle_deg   that angle, 0 to 180 degrees; bias in [0, 1] and variance >= 0: see `measures`

once for all layers laid end to end and once for every layer; of the rule in real numbers, and of
the integer update that the chip writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

from hebbite.runtime.credit.measures import Measures
from hebbite.runtime.credit.row import Arithmetic
from hebbite.runtime.credit.twin import SURROGATE

NOTHING = "at a moment there was no update or no gradient to compare"


@dataclass(frozen=True)
class Marks:
    """The marks of the module; None where there is none, as of a layer that does not learn."""

    alignment: float | None = None
    angle_deg: float | None = None
    bias: float | None = None
    variance: float | None = None


@dataclass(frozen=True)
class LayerMarks:
    """The marks of one layer; ``name`` is the population's."""

    name: str
    marks: Marks


@dataclass(frozen=True)
class Sheet:
    """Marks of all layers laid end to end, and of every layer, the output last."""

    total: Marks
    layers: tuple[LayerMarks, ...]


@dataclass(frozen=True)
class CreditMoment:
    """What was measured after an epoch, counted from 1, in both arithmetics."""

    epoch: int
    real: Sheet
    chip: Sheet


@dataclass(frozen=True)
class CreditCurve:
    """What was measured in one training.

    samples  training samples that gradient and updates are means over
    draws    how often each was run for the chip's marks: more than once where neurons draw noise
    reason   why nothing was measured, '' if something was
    """

    moments: tuple[CreditMoment, ...]
    samples: int
    draws: int
    reason: str = ""


def marks_of(found: Measures) -> Marks:
    """Return the marks that are kept of all measures."""
    angle = found.angle_deg
    cosine = None if angle is None else math.cos(math.radians(angle))
    return Marks(cosine, angle, found.bias, found.variance)


def to_plain(curve: CreditCurve) -> dict[str, object]:
    """Return a curve as plain data; `from_plain` reads it."""
    return asdict(curve)


def from_plain(found: Mapping[str, Any]) -> CreditCurve:
    """Return a curve from its plain data.

    Raises:
        ValueError, TypeError, LookupError: if it is none.
    """
    moments = tuple(
        CreditMoment(int(part["epoch"]), _sheet(part["real"]), _sheet(part["chip"]))
        for part in found["moments"]
    )
    return CreditCurve(moments, int(found["samples"]), int(found["draws"]), str(found["reason"]))


def _sheet(found: Mapping[str, Any]) -> Sheet:
    layers = (LayerMarks(str(part["name"]), _marks(part["marks"])) for part in found["layers"])
    return Sheet(_marks(found["total"]), tuple(layers))


def _marks(found: Mapping[str, Any]) -> Marks:
    names = ("alignment", "angle_deg", "bias", "variance")
    return Marks(*(None if found[name] is None else float(found[name]) for name in names))


@dataclass(frozen=True)
class CreditMeans:
    """Means over the moments of several trainings of one rule, one a seed.

    A mark that one moment of one seed does not have, the mean does not have either.
    """

    curves: tuple[CreditCurve, ...]

    @property
    def unmeasured(self) -> str:
        """Why nothing was measured, '' if something was."""
        return next((curve.reason for curve in self.curves if curve.reason), "")

    @property
    def reason(self) -> str:
        """Why there is no alignment of all layers, '' if there is one."""
        if self.unmeasured or self.total("real").alignment is not None:
            return self.unmeasured
        return NOTHING

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs after which was measured."""
        return tuple(moment.epoch for moment in self.curves[0].moments)

    @property
    def samples(self) -> int:
        """Training samples a moment."""
        return self.curves[0].samples

    @property
    def draws(self) -> int:
        """Runs of each sample for the chip's marks."""
        return self.curves[0].draws

    def total(self, arithmetic: Arithmetic) -> Marks:
        """Return the means of all layers laid end to end."""
        return _mean([sheet.total for sheet in self._sheets(arithmetic)])

    def layers(self, arithmetic: Arithmetic) -> tuple[LayerMarks, ...]:
        """Return the means of every layer; () if nothing was measured."""
        by_layer = zip(*(sheet.layers for sheet in self._sheets(arithmetic)), strict=True)
        return tuple(
            LayerMarks(layers[0].name, _mean([layer.marks for layer in layers]))
            for layers in by_layer
        )

    def hidden_deg(self, arithmetic: Arithmetic) -> float | None:
        """Return the mean angle of the hidden layers; None without one that learns, everywhere."""
        hidden = [layer.marks for layer in self.layers(arithmetic)[:-1]]
        return _mean(hidden).angle_deg

    def _sheets(self, arithmetic: Arithmetic) -> list[Sheet]:
        moments = [moment for curve in self.curves for moment in curve.moments]
        return [moment.real if arithmetic == "real" else moment.chip for moment in moments]

    def to_json(self) -> dict[str, object]:
        """Return the ``credit`` of a row: the real update, and under ``chip`` the integer one."""
        measured = not self.unmeasured
        return {
            **self._json("real"),
            "chip": {**self._json("chip"), "draws": self.draws},
            "moments": list(self.epochs),
            "samples": self.samples,
            "surrogate": SURROGATE if measured else None,
            "reason": self.reason,
        }

    def _json(self, arithmetic: Arithmetic) -> dict[str, object]:
        layers = self.layers(arithmetic)
        return {
            **asdict(self.total(arithmetic)),
            "layers": [{"name": layer.name, **asdict(layer.marks)} for layer in layers],
        }


def _mean(found: Sequence[Marks]) -> Marks:
    columns = zip(*map(astuple, found), strict=True)
    return Marks(*(None if None in column else float(np.mean(column)) for column in columns))
