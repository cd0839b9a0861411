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
FEWEST_REMEMBERING, MOST_REMEMBERING = 30, 1000
"""So many devices, at least, tell by how much they differ in memory; no more are asked."""
FURTHEST_SLOPE = 3.0
"""No device is taken to differ in memory by more than so many spreads of the cohort: more is odd and no habit."""
SEGMENTS = 2
"""Either half of a record has a mean of its own when memory is told, lest a step or drift be taken for it."""
_REACH = 4.0
"""Further days than so many mean deviations say no more of the memory."""
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What the middle device of a cohort does.

    Attributes:
        weekly: whether it has a week.
        memory: float64 (lags,), how its normal scores follow from those of the days before (the coefficients of
            an autoregression); empty where it has no memory.
        differs: the middle and the standard deviation of what the day before truly foretells beyond that, in one
            device or another; None where that cannot be told.
    """

    weekly: bool
    memory: FloatArray
    differs: tuple[float, float] | None = None


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
    found = Habits(weekly, memory)
    many = residual[:, moments.evenly_spaced(residual.shape[1], MOST_REMEMBERING)]
    many = many[:, np.isfinite(many).sum(axis=0) > 4 * LAGS]
    return _differing(many, weekday, found) if memory.size and many.shape[1] >= FEWEST_REMEMBERING else found


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
    if habits.differs is None:
        return innovations(own, habits.memory) if habits.memory.size else own
    middle, spread = habits.differs
    before, fresh, slope, error = _remembering(own, habits.memory)
    trusted = spread**2 / np.maximum(spread**2 + error**2, _TINY)
    more = np.clip(trusted * (slope - middle), -FURTHEST_SLOPE * spread, FURTHEST_SLOPE * spread)
    left: FloatArray = fresh - more * before
    return left


def memory_score(residual: FloatArray, weekday: IntArray, habits: Habits) -> FloatArray:
    """How much more each device remembers than the middle one, by Fisher's z; float64 (devices,).

    Args:
        residual: float64 (days, devices), without what the fleet shares.
        weekday: int (days,), 0 to 6.
        habits: what is usual in a cohort of which it is told how its devices differ in memory.
    """
    middle = habits.differs[0] if habits.differs else 0.0
    own = without_week(residual, weekday) if habits.weekly else residual
    _, fresh, slope, error = _remembering(own, habits.memory)
    count, away = np.isfinite(fresh).sum(axis=0), slope - middle
    # The correlation of innovations and the day before; a constant series has none.
    correlation = np.where(error > 0, away / np.sqrt(np.maximum(away**2 + count * error**2, _TINY)), 0.0)
    return scores.fisher_z(correlation, count)


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


def _differing(residual: FloatArray, weekday: IntArray, habits: Habits) -> Habits:
    """The habits of a cohort that remembers, with how its devices differ in that; the middle one's a little refined."""
    own = without_week(residual, weekday) if habits.weekly else residual
    memory = habits.memory.copy()
    memory[0] += np.median(_slopes(_day_before(own), innovations(own, memory), 1)[0])
    _, _, slope, error = _remembering(own, memory)
    true = moments.robust_spread(slope) ** 2 - float(np.median(error**2))
    return Habits(habits.weekly, memory, (float(np.median(slope)), float(np.sqrt(max(true, 0.0)))))


def _remembering(values: FloatArray, memory: FloatArray) -> tuple[FloatArray, ...]:
    """The day before and the innovations (days, devices), how these follow it and the standard error (devices,)."""
    before, fresh = _day_before(values), innovations(values, memory)
    return before, fresh, *_slopes(before, fresh, SEGMENTS)


def _day_before(values: FloatArray) -> FloatArray:
    """The values (days, devices) of the day before about their mean, 0 where there is none."""
    before = np.zeros(values.shape)
    before[1:] = np.nan_to_num(values[:-1] - moments.observed_mean(values[:-1]))
    return before


def _slopes(before: FloatArray, fresh: FloatArray, segments: int) -> tuple[FloatArray, FloatArray]:
    """How innovations (days, devices) follow the day before, and the standard error; each (devices,).

    By least squares, each of so many segments of the record about its own mean.
    """
    products, squares, rest, count = (np.zeros(fresh.shape[1]) for _ in range(4))
    for x, y in zip(np.array_split(before, segments), np.array_split(fresh, segments), strict=True):
        seen = np.isfinite(y)
        old, new = _held(x, seen), _held(y, seen)
        products += (old * new).sum(axis=0)
        squares += (old**2).sum(axis=0)
        rest += (new**2).sum(axis=0)
        count += seen.sum(axis=0)
    squares = np.maximum(squares, _TINY)
    return products / squares, np.sqrt(rest / np.maximum(count, 1) / squares)


def _held(values: FloatArray, seen: BoolArray) -> FloatArray:
    """Values (days, devices) about their mean, none further out than ``_REACH`` mean deviations, 0 where not seen."""
    count = np.maximum(seen.sum(axis=0), 1)
    known = np.where(seen, values, 0.0)
    centred = np.where(seen, known - known.sum(axis=0) / count, 0.0)
    reach = _REACH * np.abs(centred).sum(axis=0) / count
    held: FloatArray = np.clip(centred, -reach, reach)
    return held


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
