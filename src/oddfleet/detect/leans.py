"""What true differences between healthy devices look like where they reach further to one side than to the other.

The law of surprise takes true differences to be normal. Where they are not, the longer side holds more devices than
the spread of all lets expect, and a large cohort reaches far into it. How a cohort leans shows in its body; so what
leans is straightened before it is judged, as on a scale on which the cohort is even.

It is looked for where devices remember. Who remembers a little more than the others varies much less from what its past
foretells (by the root of ``1 - memory**2``), and the more so the longer all remember; who remembers less, hardly more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.detect.moments import robust_spread
from oddfleet.model import FloatArray

LEANING = ("level_log_mb", "spread_log_mb", "memory_score")
"""The features in which healthy devices truly differ, each by itself."""
FEWEST_DEVICES = 500
"""Among fewer a handful of odd ones bend what is usual; and they do not reach far into their tails."""
BEYOND = 0.05
"""So many on either side of the body are not asked how they lie: the odd ones are among them."""
MOST_BEND = 1.0
REACH = 4.0
"""Devices further out than so many robust spreads, when straightened, are not heard: they are odd, not a lean."""
_DEVIATE = float(-ndtri(BEYOND))


@dataclass(frozen=True, slots=True)
class Lean:
    """How one feature leans.

    Attributes:
        middle: the median of the cohort.
        bend: of the longer side; 0 where the feature lies evenly.
        side: 1 where that is the upper one, else -1.
        longer: the scale of the longer side, in the unit of the feature.
        shorter: by how much the shorter side is stretched to be as long as the straightened one.
    """

    middle: float
    bend: float
    side: float = 1.0
    longer: float = 1.0
    shorter: float = 1.0

    def straighten(self, values: FloatArray) -> FloatArray:
        """Values (devices,) as they would lie in a cohort that is even about its median; their order is kept."""
        if self.bend == 0:
            return values
        away = self.side * (values - self.middle)
        far = self.longer * np.log1p(self.bend * np.maximum(away, 0.0) / self.longer) / self.bend
        even: FloatArray = self.middle + self.side * np.where(away > 0, far, away * self.shorter)
        return even


@dataclass(frozen=True, slots=True)
class Leans:
    """How the features of ``LEANING`` lean in a cohort, in that order."""

    leans: tuple[Lean, ...]

    def straighten(self, table: FeatureTable) -> FeatureTable:
        """The table with what leans made even; the sampling errors stay."""
        values = table.values.copy()
        for name, lean in zip(LEANING, self.leans, strict=True):
            row = COMPARED.index(name)
            values[row] = lean.straighten(values[row])
        return FeatureTable(values, table.errors, table.batches)


def learn(table: FeatureTable, *, remembering: bool) -> Leans:
    """Learn how a cohort leans from its body, as Tukey's g distribution tells it by its letter values.

    That is ``(exp(g z) - 1) / g`` of a normal ``z`` (Hoaglin 1985, "Summarizing shape numerically: the g-and-h
    distributions"); ``g`` is the log of how much further one twentieth of the devices begins from the median than the
    opposite one, over its deviate.

    Args:
        table: features of the cohort's devices.
        remembering: whether they differ in how well they remember the days before; elsewhere nothing leans.
    """
    return Leans(tuple(_lean(table.row(name)) if remembering else Lean(0.0, 0.0) for name in LEANING))


def _lean(values: FloatArray) -> Lean:
    known = values[np.isfinite(values)]
    if len(known) < FEWEST_DEVICES:
        return Lean(0.0, 0.0)
    even = _body(known).straighten(known)
    return _body(known[np.abs(even - np.median(even)) <= REACH * robust_spread(even)])


def _body(known: FloatArray) -> Lean:
    lower, middle, upper = (float(place) for place in np.quantile(known, [BEYOND, 0.5, 1 - BEYOND]))
    short, long = sorted([middle - lower, upper - middle])
    if short <= 0:
        return Lean(middle, 0.0)
    bend = min(float(np.log(long / short)) / _DEVIATE, MOST_BEND)
    if bend <= 0:
        return Lean(middle, 0.0)
    longer = bend * long / float(np.expm1(bend * _DEVIATE))
    side = 1.0 if long == upper - middle else -1.0
    return Lean(middle, bend, side, longer, longer * _DEVIATE / short)
