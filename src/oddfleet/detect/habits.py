"""What is usual in a fleet though no two devices do it on the same day: a week of one's own, and memory.

Where the middle device has a week, each device's own is taken out before anything else is looked for in it; where
it remembers, features of change are computed on what the past does not foretell. Otherwise every device of such
a fleet would seem to drift, and one that does would not stand out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments, ranks, scores
from oddfleet.model import BoolArray, DateArray, FloatArray, IntArray

USUAL_SCORE = 3.0
"""The middle device has a habit when its score, standard normal without one, is beyond this."""
LAGS = 7
_RIDGE = 1e-3
MOST_DEVICES = 200
"""So many devices tell what the middle one does."""


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What the middle device of a cohort does.

    Attributes:
        weekly: whether it has a week.
        memory: float64 (lags,), how its normal scores follow from those of the days before (the coefficients of
            an autoregression); empty where it has no memory.
    """

    weekly: bool
    memory: FloatArray


def find(residual: FloatArray, dates: DateArray) -> Habits:
    """Find the habits of a cohort.

    Args:
        residual: float64 (days, devices), without what the fleet shares; NaN = no observation.
        dates: datetime64[D] (days,).
    """
    some = residual[:, moments.evenly_spaced(residual.shape[1], MOST_DEVICES)]
    some = some[:, np.isfinite(some).sum(axis=0) > 4 * LAGS]
    if some.size == 0:
        return Habits(weekly=False, memory=np.zeros(0))
    seen, weekday = np.isfinite(some), weekdays(dates)
    ranked = ranks.normal_scores(some)
    weekly = bool(np.median(scores.rhythm_score(ranked, seen, weekday)) > USUAL_SCORE)
    if weekly:
        ranked = ranks.normal_scores(without_week(some, weekday))
    memory = np.zeros(0)
    if np.median(scores.memory_score(ranked, seen)) > USUAL_SCORE:
        memory = _autoregression(ranked, seen)
    return Habits(weekly, memory)


def weekdays(dates: DateArray) -> IntArray:
    """Day of the week (days,), 0 = Monday."""
    # Day 0 of numpy's calendar, 1970-01-01, was a Thursday.
    days: IntArray = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return days


def without_week(values: FloatArray, weekday: IntArray) -> FloatArray:
    """Values (days, devices) less the mean of their day of the week, the mean of all days kept."""
    week = np.stack([moments.observed_mean(values[weekday == day]) for day in range(7)])
    own: FloatArray = values - week[weekday] + moments.observed_mean(values)
    return own


def own_days(residual: FloatArray, weekday: IntArray, habits: Habits, *, weekly: bool = False) -> FloatArray:
    """What is left of each device's days without its habits, (days, devices); NaN where nothing was observed.

    Args:
        residual: float64 (days, devices), without what the fleet shares.
        weekday: int (days,), 0 to 6.
        habits: what is usual in the cohort.
        weekly: True keeps the week in.
    """
    own = without_week(residual, weekday) if habits.weekly and not weekly else residual
    return innovations(own, habits.memory) if habits.memory.size else own


def innovations(values: FloatArray, memory: FloatArray) -> FloatArray:
    """What the days before do not foretell, about the mean of each device; NaN on the first days.

    Args:
        values: float64 (days, devices); NaN = no observation, of which the mean is foretold.
        memory: as in ``Habits``, not empty.
    """
    mean = moments.observed_mean(values)
    past = np.where(np.isfinite(values), values - mean, 0.0)
    fresh = values.copy()
    for lag, weight in enumerate(memory, 1):
        fresh[lag:] -= weight * past[:-lag]
    fresh[: len(memory)] = np.nan
    return fresh


def _autoregression(ranked: FloatArray, seen: BoolArray) -> FloatArray:
    """Yule-Walker coefficients (lags,) of the middle device's autocorrelations."""
    days = np.maximum(seen.sum(axis=0), 1)
    # Over all days, not over the pairs: so that the matrix is positive definite, whatever the series.
    middle = np.array(
        [np.median((ranked[lag:] * ranked[: len(ranked) - lag]).sum(axis=0) / days) for lag in range(LAGS + 1)]
    )
    middle[0] += _RIDGE
    toeplitz = middle[np.abs(np.subtract.outer(np.arange(LAGS), np.arange(LAGS)))]
    coefficients: FloatArray = np.linalg.solve(toeplitz, middle[1:])
    return coefficients
