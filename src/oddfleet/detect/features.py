"""The table of features: one row a device, from its own series alone.

Everything here takes a block of devices and needs nothing of the others, so that a fleet of any
size can be summed up block by block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

from oddfleet.detect import moments, ranks, scores, steps
from oddfleet.detect.habits import Habits, of_doubtful_scale, own_days, weekdays
from oddfleet.detect.threads import each, parts
from oddfleet.model import BoolArray, DateArray, FloatArray, IntArray

FEWEST_DAYS = 28
"""A device with fewer observations is not compared: its features would be mostly noise."""
MOST_BATCHES = 10

SCORED = (
    "weekly_score",
    "cycle_score",
    "memory_score",
    "drift_score",
    "shift_score",
    "volatility_score",
)
"""Features that are standard normal, by their known law, for a series without order in time."""
EXTREMES = ("spike_log", "spikes_log")
"""The furthest day and the third furthest: maxima, with a longer tail upwards."""
COMPARED = (*moments.MOMENTS, "distinct_share", *SCORED, *EXTREMES, "spikes_score", "coupling_share")
"""Every feature that is compared with the cohort."""
RANKS = (1, 3)


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of a block of devices.

    Attributes:
        values: float64 (features, devices), rows as in ``COMPARED``; NaN where it cannot be computed.
        errors: the standard deviation that each feature owes to the length of the record alone; same shape.
        batches: number of parts behind the errors of the moments.
    """

    values: FloatArray
    errors: FloatArray
    batches: int

    @classmethod
    def of_all(cls, tables: Sequence[FeatureTable]) -> FeatureTable:
        """The features of the devices of several tables, one table after the other; not of none."""
        values = np.concatenate([table.values for table in tables], axis=1)
        errors = np.concatenate([table.errors for table in tables], axis=1)
        return cls(values, errors, tables[0].batches)

    def of(self, devices: IntArray) -> FeatureTable:
        """The features of some devices."""
        return FeatureTable(self.values[:, devices], self.errors[:, devices], self.batches)

    def row(self, name: str) -> FloatArray:
        """One feature (devices,)."""
        row: FloatArray = self.values[COMPARED.index(name)]
        return row


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The series of a block of devices, as the features look at them; each float64 (days, devices).

    Attributes:
        values: MB a day; NaN = no observation, left out everywhere.
        freed: MB a day, without what the fleet shares; the values themselves where it shares nothing.
        residual: the same on the scale on which the cohort is judged.
        profile: what the fleet shares, as each device sees it; None where it shares nothing.
    """

    values: FloatArray
    freed: FloatArray
    residual: FloatArray
    profile: FloatArray | None = None

    def of(self, devices: IntArray | slice) -> Block:
        """The series of some devices."""
        profile = None if self.profile is None else self.profile[:, devices]
        return Block(self.values[:, devices], self.freed[:, devices], self.residual[:, devices], profile)


def compute(
    block: Block, own: FloatArray, dates: DateArray, habits: Habits, memory: FloatArray | None = None
) -> FeatureTable:
    """Every compared feature of every device.

    Args:
        block: the series.
        own: float64 (days, devices), the residual without those habits, as ``habits.own_days`` leaves it.
        dates: datetime64[D] (days,).
        habits: what is usual in this fleet and taken out of each device first.
        memory: float64 (devices,), the scores of memory, as ``habits.without`` tells them; None = by those days.

    Returns:
        A column a device, all NaN for one with fewer than ``FEWEST_DAYS`` observations or a constant series; the
        coupling, which the fleet has to say, is NaN.
    """
    n_days, devices = block.values.shape
    if n_days < FEWEST_DAYS:
        nothing = np.full((len(COMPARED), devices), np.nan)
        return FeatureTable(nothing, nothing, 2)
    ordered, unknown = np.sort(own, axis=0), np.full((1, devices), np.nan)
    shape, distances = moments.of_sorted(ordered), _distances(own, moments.median_of_sorted(ordered))
    level, scored = moments.level(block.freed), _scored(block, own, dates, habits, memory)
    volatility = steps.change_score(ranks.normal_scores(distances), np.isfinite(own))[None]
    share, share_errors = distinct(block.values)
    far = extremes(ordered, moments.observed_mean(own), np.exp(shape[1]))
    table = np.concatenate([level, shape[1:], share[None], scored, volatility, far, unknown, unknown])
    batches = max(2, min(MOST_BATCHES, n_days // 14))
    errors = _errors(block, own, batches, share_errors)
    comparable = (np.isfinite(block.values).sum(axis=0) >= FEWEST_DAYS) & np.isfinite(table[1])
    return FeatureTable(np.where(comparable, table, np.nan), np.where(comparable, errors, np.nan), batches)


def compute_in_parts(
    block: Block, own: FloatArray, dates: DateArray, habits: Habits, memory: FloatArray | None
) -> FeatureTable:
    """``compute`` of many devices, on all processors, each part of them in the cache of its own."""
    stretches = parts(own.shape[1], len(own))
    if len(stretches) == 1:
        return compute(block, own, dates, habits, memory)

    def of_some(some: slice) -> FeatureTable:
        remembered = None if memory is None else memory[some]
        return compute(block.of(some), own[:, some], dates, habits, remembered)

    return FeatureTable.of_all(list(each(of_some, stretches)))


def _errors(block: Block, own: FloatArray, batches: int, share_errors: FloatArray) -> FloatArray:
    """Sampling errors (features, devices) of ``compute``; NaN for the coupling."""
    devices = own.shape[1]
    level = moments.batch_errors(moments.level, block.freed, batches)
    shape = moments.batch_errors(moments.moments, own, batches)[1:]
    scored, unknown = np.ones((len(SCORED), devices)), np.full((1, devices), np.nan)
    far = extreme_errors(np.isfinite(block.values).sum(axis=0))
    return np.concatenate([level, shape, share_errors[None], scored, far, np.ones((1, devices)), unknown])


def distinct_share(values: FloatArray) -> FloatArray:
    """Number of distinct values over number of observations, float64 (devices,); NaN without observation.

    >>> distinct_share(np.array([[1.0], [1.0], [2.0], [np.nan]])).round(3).tolist()
    [0.667]
    """
    return distinct(values)[0]


def distinct(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``distinct_share`` and its standard error, of one value at least; each (devices,).

    The error is from the number of values seen just once, as the next day would be new at about that rate (Good 1953).
    """
    new, count = _new_values(values)
    days = np.maximum(count, 1)
    last = np.arange(1, len(values) + 1)[:, None] >= count
    followed_by_new = np.concatenate([new[1:], np.ones((1, values.shape[1]), bool)]) | last
    once = (new & followed_by_new).sum(axis=0)
    error: FloatArray = np.sqrt(np.maximum(once * (1 - once / days), 1.0)) / days
    return np.where(count > 0, new.sum(axis=0) / days, np.nan), error


def _new_values(values: FloatArray) -> tuple[BoolArray, IntArray]:
    """Which of the sorted values (days, devices) differ from the one before, and the number of observations."""
    ordered = np.sort(values, axis=0)
    new = np.isfinite(ordered)
    count = new.sum(axis=0)
    if not len(ordered):
        return new, count
    # What differs by rounding alone is one value.
    ends = np.stack([ordered[0], np.take_along_axis(ordered, np.maximum(count - 1, 0)[None], axis=0)[0]])
    tiny = 1e-12 * np.nan_to_num(np.abs(ends)).max(axis=0)
    new[1:] &= ~(ordered[1:] - ordered[:-1] <= tiny)
    return new, count


def extremes(ordered: FloatArray, mean: FloatArray, spread: FloatArray) -> FloatArray:
    """Logs of the distances of the furthest and the third furthest day from the mean, (2, devices).

    In standard deviations of normal noise by the yardstick ``spread``, a mean absolute deviation, which a few far
    values hardly move; NaN for a constant series.

    Args:
        ordered: float64 (days, devices), each column in rising order, NaN last.
        mean: float64 (devices,), of the columns.
        spread: float64 (devices,).
    """
    last = np.isfinite(ordered).sum(axis=0)
    # Both ends of a shorter record are the same days; it has no third furthest.
    ends = max(min(max(RANKS), len(ordered) // 2), 1)
    highest = np.take_along_axis(ordered, np.maximum(last - 1 - np.arange(ends)[:, None], 0), axis=0)
    away = np.abs(np.concatenate([ordered[:ends], highest]) - mean)
    near = np.sort(np.where(np.isfinite(away), away, 0.0), axis=0)
    far = np.stack([near[-min(rank, len(near))] for rank in RANKS])
    usual = spread * np.sqrt(np.pi / 2)
    return np.where(usual > 0, np.log(np.maximum(far, 1e-300) / np.where(usual > 0, usual, 1.0)), np.nan)


def extreme_errors(count: IntArray) -> FloatArray:
    """Standard deviations (2, devices) of ``extremes`` for normal noise: half the central 68 % of their law."""
    errors = []
    for rank in RANKS:
        days = np.maximum(count, rank + 1)
        # The share of days nearer than the rank-th furthest follows a beta law.
        low, high = (ndtri((1 + betaincinv(days - rank + 1, rank, chance)) / 2) for chance in ndtr([-1.0, 1.0]))
        errors.append(np.log(high / low) / 2)
    return np.stack(errors)


def _distances(values: FloatArray, middle: FloatArray) -> FloatArray:
    """Distances from the medians (devices,), in mean distances, rounded so that equal ones stay equal in any unit."""
    away = np.abs(values - middle)
    mean = moments.observed_mean(away)
    distances: FloatArray = np.round(away / np.where(mean > 0, mean, 1.0), 9)
    return distances


def _slow_scores(block: Block, fresh: FloatArray, seen: BoolArray, habits: Habits) -> tuple[FloatArray, FloatArray]:
    """Drift and step of normal scores (days, devices), each (devices,).

    Least squares take a part of a step for following a season or growth. So both are also looked for beside the
    profile, where a step counts as much as is left of it when the following is fitted at the same time.
    """
    drift, step = scores.drift_score(fresh, seen), steps.change_score(fresh, seen)
    if habits.memory.size:
        return of_doubtful_scale(drift, habits.freedom), of_doubtful_scale(step, habits.freedom)
    if block.profile is None:
        return drift, step
    profile = scores.unit_profile(block.profile, seen)
    beside = scores.without(fresh, profile, seen)
    partial = scores.drift_score(beside, seen, profile)
    return (
        np.where(np.abs(partial) > np.abs(drift), partial, drift),
        np.maximum(step, steps.change_score(beside, seen, profile)),
    )


def _scored(block: Block, own: FloatArray, dates: DateArray, habits: Habits, memory: FloatArray | None) -> FloatArray:
    """The features of ``SCORED`` but for the change of volatility, (features, devices)."""
    seen, fresh = np.isfinite(own), ranks.normal_scores(own)
    with_week = own_days(block.residual, weekdays(dates), habits, weekly=True) if habits.weekly else own
    ranked = ranks.normal_scores(with_week) if habits.weekly else fresh
    return np.stack(
        [
            scores.rhythm_score(ranked, np.isfinite(with_week), weekdays(dates)),
            scores.cycle_score(fresh),
            scores.memory_score(fresh, seen) if memory is None else memory,
            *_slow_scores(block, fresh, seen, habits),
        ]
    )
