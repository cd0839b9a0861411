"""What is usual in a fleet though no two devices do it on the same day: a week of one's own, and memory.

Where the middle device has a week, each device's own is taken out before anything else is looked for in it; where
it remembers, features of change are computed on what the past does not foretell. Otherwise every device of such
a fleet would seem to drift, and one that does would not stand out.

No two devices remember alike, and where memory is long a little more of it is much more drift. So each is freed of its
own: its slope on the day before, shrunken towards the cohort's by what each is worth (a random coefficient, Swamy 1970,
"Efficient inference in a random coefficient regression model"). What is left unknown of it makes the scale of its drift
doubtful, as that of a mean is with few values: by Student's law.
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
FEWEST_REMEMBERING, MOST_REMEMBERING = 30, 500
"""So many devices, at least, tell by how much they differ in memory; no more are asked."""
FURTHEST_SLOPE = 3.0
"""No device is taken to differ in memory by more than so many spreads of the cohort: more is odd and no habit."""
LEAST_FORGOTTEN = 0.01
"""No cohort is taken to remember more of the days before than all but this."""
_REACH = 4.0
"""Further days than so many mean deviations say no more of the memory."""
_TINY = 1e-100


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What the middle device of a cohort does.

    Attributes:
        weekly: whether it has a week.
        memory: float64 (lags,), how its normal scores follow from those of the days before (the coefficients of
            an autoregression); empty where it has no memory.
        differs: the middle and the standard deviation of what the day before truly foretells beyond that, in one
            device or another; None where that cannot be told.
        freedom: how many degrees of freedom the scale of slow changes is known with; infinite where that is sure.
    """

    weekly: bool
    memory: FloatArray
    differs: tuple[float, float] | None = None
    freedom: float = np.inf


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
    return without(residual, weekday, habits, weekly=weekly)[0]


def without(
    residual: FloatArray, weekday: IntArray, habits: Habits, *, weekly: bool = False
) -> tuple[FloatArray, FloatArray | None]:
    """``own_days``, and how much more each device remembers than the middle one, by Fisher's z; float64 (devices,).

    The latter is None where it is not told how devices differ in memory.
    """
    own = without_week(residual, weekday) if habits.weekly and not weekly else residual
    if habits.differs is None:
        return innovations(own, habits.memory) if habits.memory.size else own, None
    middle, spread = habits.differs
    fresh, before = innovations(own, habits.memory), _day_before(own)
    _, slope, error, count = _slopes(before, fresh, len(habits.memory))
    away, trusted = slope - middle, spread**2 / np.maximum(spread**2 + error**2, _TINY)
    before *= np.clip(trusted * away, -FURTHEST_SLOPE * spread, FURTHEST_SLOPE * spread)
    # The correlation of innovations and the day before; a constant series has none.
    correlation = np.where(error > 0, away / np.sqrt(np.maximum(away**2 + count * error**2, _TINY)), 0.0)
    fresh -= before
    return fresh, scores.fisher_z(correlation, count)


def of_doubtful_scale(score: FloatArray, freedom: float) -> FloatArray:
    """Scores (devices,) whose scale is known with so many degrees of freedom, on the normal scale again.

    Student's deviate as a normal one, by Wallace's (1959) approximation.
    """
    if np.isinf(freedom):
        return score
    size = np.sqrt(freedom * np.log1p(score**2 / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return np.copysign(size, score)


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
    memory, fresh = habits.memory.copy(), innovations(own, habits.memory)
    whole, slope, error, _ = _slopes(_day_before(own), fresh, len(memory))
    missed = float(np.median(whole))
    memory[0] += missed
    sampling = float(np.median(error**2))
    true = max(moments.robust_spread(slope) ** 2 - sampling, 0.0)
    # What is left unknown of a slope, as a share of what a device forgets: so badly the scale of its drift is known.
    unknown = true * sampling / max(true + sampling, _TINY) / max(1 - float(memory.sum()), LEAST_FORGOTTEN) ** 2
    return Habits(habits.weekly, memory, (float(np.median(slope)) - missed, true**0.5), 0.5 / max(unknown, 1e-6))


def _day_before(values: FloatArray) -> FloatArray:
    """The values (days, devices) of the day before about their mean, 0 where there is none."""
    before = np.zeros(values.shape)
    np.subtract(values[:-1], moments.observed_mean(values), out=before[1:])
    return np.nan_to_num(before, copy=False)


def _slopes(before: FloatArray, fresh: FloatArray, first: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """How innovations (days, devices) follow the day before from a first day on, by least squares; each (devices,).

    Returns:
        The slope; the slope where either half of the record has a mean of its own, its standard error, and the number
        of days behind it.
    """
    seen = np.isfinite(fresh[first:])
    old, new = before[first:], fresh[first:] - moments.observed_mean(fresh[first:])
    whole_record = bool(seen.all())
    if not whole_record:
        old, new = np.where(seen, old, 0.0), np.where(seen, new, 0.0)
    old, new = _held(old), _held(new)
    sums = np.zeros((6, fresh.shape[1]))
    squares, products, rest = np.zeros((3, fresh.shape[1]))
    for half in (slice(len(seen) // 2), slice(len(seen) // 2, None)):
        x, y = old[half], new[half]
        count = np.full(x.shape[1], len(x)) if whole_record else np.maximum(seen[half].sum(axis=0), 1)
        pairs = [np.einsum("td,td->d", one, other) for one, other in ((x, x), (x, y), (y, y))]
        part = np.stack([count, x.sum(axis=0), y.sum(axis=0), *pairs])
        sums += part
        squares, products, rest = (
            total + more for total, more in zip((squares, products, rest), _about_mean(part), strict=True)
        )
    whole = _about_mean(sums)
    error = np.sqrt(np.maximum(rest, 0.0) / sums[0] / np.maximum(squares, _TINY))
    return whole[1] / np.maximum(whole[0], _TINY), products / np.maximum(squares, _TINY), error, sums[0]


def _about_mean(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of squares and products (devices,) about the means, from the count, the sums and those about 0."""
    count, x, y, xx, xy, yy = sums
    return xx - x**2 / count, xy - x * y / count, yy - y**2 / count


def _held(centred: FloatArray) -> FloatArray:
    """Values (days, devices) about 0, none further out than ``_REACH`` mean deviations."""
    reach = _REACH * np.abs(centred).mean(axis=0)
    held: FloatArray = np.minimum(np.maximum(centred, -reach), reach)
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
