"""Where a finding's number stands among its cohort, as a strip: shares of its width, for the page to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.model import QUANTILES, Finding, FloatArray, Kind
from oddfleet.report import wording
from oddfleet.report.axis import LARGEST, axis_for

_EITHER_WAY = (Kind.LEVEL_SHIFT, Kind.DRIFT)
_LOWEST, _LOW, _MIDDLE, _HIGH, _HIGHEST = (QUANTILES.index(share) for share in (0.0, 0.05, 0.5, 0.95, 1.0))


@dataclass(frozen=True, slots=True)
class Strip:
    """A number among others; places are percent of the width, from the left.

    Attributes:
        all: where the least and the largest of the others are.
        most: where 90 % of them are.
        middle: where their median is.
        own: where the device is.
        text: the same in words.
    """

    all: tuple[float, float]
    most: tuple[float, float]
    middle: float
    own: float
    text: str


def strip(finding: Finding, among: FloatArray | None) -> Strip | None:
    """The strip of a finding; None where there is nothing to compare it with.

    Args:
        finding: its ``value`` is placed; by its size where the others are sizes (steps and drifts).
        among: the ``QUANTILES`` of the others (7,), in the unit of the finding.
    """
    if among is None or not len(among) or not np.isfinite(finding.value):
        return None
    sizes = finding.kind in _EITHER_WAY
    own = np.clip(abs(finding.value) if sizes else finding.value, -LARGEST, LARGEST)
    others = np.clip(among, -LARGEST, LARGEST)
    place = axis_for(np.array([own]), others).place
    at = [round(100 * float(share), 1) for share in place(others)]
    return Strip(
        all=(at[_LOWEST], at[_HIGHEST]),
        most=(at[_LOW], at[_HIGH]),
        middle=at[_MIDDLE],
        own=round(100 * float(place(np.array([own]))[0]), 1),
        text=f"9 in 10 of its cohort: {wording.reach(float(among[_LOW]), float(among[_HIGH]), finding.unit)}",
    )
