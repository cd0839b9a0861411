"""The scale on which a cohort is judged: as measured, square root or logarithm, whichever keeps the spread steady.

Traffic that grows with use varies in proportion to its level, and counts vary with its root. On a scale that
stabilises the variance (Bartlett 1947, "The use of transformations") one spread fits all levels, a share of the traffic
is a step, and what the fleet shares can be subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments
from oddfleet.model import FloatArray, IntArray

FEWEST_DEVICES = 4
"""So many devices can show how spread depends on level; fewer are judged by their lopsidedness."""
LEVELS_DIFFER = 0.3, 6.0
"""Robust spread of the log level from which on the dependence shows; and, over their number, what few devices need
more."""
MOST_ZEROS = 0.02
"""With a larger share of zeros in the middle device there is no logarithm."""
LESS_LOPSIDED = 0.03
"""A scale must make the middle device this much more symmetric (L-skewness) than a plainer one."""
MOST_DEVICES = 200
"""So many devices tell which scale fits."""
FLOOR = 0.05
"""Added before a logarithm, as a share of the device's own unit: below it the scale is straight; zero has a place."""
_MOST = 1e300
POWERS = (1.0, 0.5, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """A scale for the devices of a cohort.

    Attributes:
        power: 1 = as measured, 0.5 = square root, 0 = logarithm.
        units: float64 (devices,), MB a day, above 0: the median of each device's positive days, the unit of its
            logarithm.
    """

    power: float
    units: FloatArray

    @property
    def counted(self) -> bool:
        """Whether the traffic is like counts, whose distribution follows from their level."""
        return self.power == 0.5

    def of(self, devices: int | IntArray) -> Scale:
        """The scale of one device or of some."""
        return Scale(self.power, np.atleast_1d(self.units[devices]))

    def for_others(self, values: FloatArray) -> Scale:
        """The same scale for other devices, whose values (days, devices) give the units."""
        return Scale(self.power, _units(values))

    def apply(self, values: FloatArray) -> FloatArray:
        """Values (days, devices), MB a day, on this scale; NaN stays. Below 0 the root and the log are those of 0."""
        if self.power == 1.0:
            return values
        positive = np.maximum(values, 0.0)
        if self.power == 0.5:
            return np.sqrt(positive)
        with np.errstate(over="ignore"):
            times = np.minimum(positive / self.units, _MOST)
        return np.log(times + FLOOR)

    def invert(self, scaled: FloatArray) -> FloatArray:
        """MB a day (days, devices) from this scale; never below 0 but on the scale as measured."""
        if self.power == 1.0:
            return scaled
        if self.power == 0.5:
            return np.maximum(scaled, 0.0) ** 2
        most = np.log(_MOST) - np.maximum(np.log(self.units), 0.0)
        back: FloatArray = np.maximum(np.exp(np.minimum(scaled, most)) - FLOOR, 0.0) * self.units
        return back


def choose(values: FloatArray) -> Scale:
    """The scale that suits a cohort.

    Where devices differ in level, it follows from how their spread does: not at all, as the root or in proportion.
    Elsewhere the plainest scale on which the middle device is nearly symmetric will do.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
    """
    units = _units(values)
    some = values[:, moments.evenly_spaced(values.shape[1], MOST_DEVICES)]
    some = some[:, np.isfinite(some).sum(axis=0) >= 4]
    if some.size == 0 or np.median((some < 0).mean(axis=0)) > 0:
        return Scale(1.0, units)
    power = _power_of_levels(some)
    if power is None:
        power = _most_symmetric(some)
    if power == 0.0 and np.median((some == 0).sum(axis=0) / np.isfinite(some).sum(axis=0)) > MOST_ZEROS:
        power = 0.5
    return Scale(power, units)


def _units(values: FloatArray) -> FloatArray:
    units = moments.median(np.where(values > 0, values, np.nan))
    return np.where(np.isfinite(units), units, 1.0)


def _power_of_levels(some: FloatArray) -> float | None:
    """The power by the slope of log spread on log level between the upper and the lower third; None if unknown."""
    level, spread = moments.observed_mean(some), moments.mean_deviation(some)
    known = (level > 0) & (spread > 0) & np.isfinite(level + spread)
    if known.sum() < FEWEST_DEVICES:
        return None
    x, y = np.log(level[known]), np.log(spread[known])
    if moments.robust_spread(x) < LEVELS_DIFFER[0] + LEVELS_DIFFER[1] / len(x) ** 1.5:
        return None
    low, high = np.quantile(x, [1 / 3, 2 / 3])
    rise, run = (float(np.median(of[x >= high]) - np.median(of[x <= low])) for of in (y, x))
    if run <= 0:
        return None
    slope = rise / run
    return POWERS[int(np.clip(round(2 * slope), 0, 2))]


def _most_symmetric(some: FloatArray) -> float:
    units, best, least = _units(some), 1.0, np.inf
    for power in POWERS:
        skewness = moments.moments(Scale(power, units).apply(some))[2]
        known = skewness[np.isfinite(skewness)]
        if known.size and abs(float(np.median(known))) < least - LESS_LOPSIDED:
            best, least = power, abs(float(np.median(known)))
    return best
