"""The table of features: one row a device, from its own series alone.

Everything here takes a block of devices and needs nothing of the others, so that a fleet of any
size can be summed up block by block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from oddfleet.detect import moments, scores
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
COMPARED = (*moments.MOMENTS, "distinct_share", *SCORED, "spike_log")
"""Every feature that is compared with the cohort."""


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

    def row(self, name: str) -> FloatArray:
        """One feature (devices,)."""
        row: FloatArray = self.values[COMPARED.index(name)]
        return row


def compute(values: FloatArray, residual: FloatArray, dates: DateArray) -> FeatureTable:
    """Every compared feature of every device.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation, left out everywhere.
        residual: the same without what the fleet shares; the values themselves where it shares nothing.
        dates: datetime64[D] (days,).

    Returns:
        A column a device, all NaN for one with fewer than ``FEWEST_DAYS`` observations or a constant series.
    """
    if len(values) < FEWEST_DAYS:
        nothing = np.full((len(COMPARED), values.shape[1]), np.nan)
        return FeatureTable(nothing, nothing, 2)
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    batches = max(2, min(MOST_BATCHES, len(values) // 14))
    table = np.concatenate(
        [moments.moments(residual), [distinct_share(values)], _scored(residual, seen, dates), [spike_log(residual)]]
    )
    errors = np.concatenate(
        [
            moments.batch_errors(residual, batches),
            [1 / np.maximum(count, 1)],
            np.ones((len(SCORED), len(count))),
            [spike_error(count)],
        ]
    )
    comparable = (count >= FEWEST_DAYS) & np.isfinite(table[1])
    return FeatureTable(np.where(comparable, table, np.nan), np.where(comparable, errors, np.nan), batches)


def distinct_share(values: FloatArray) -> FloatArray:
    """Number of distinct values over number of observations, float64 (devices,); NaN without observation.

    >>> distinct_share(np.array([[1.0], [1.0], [2.0], [np.nan]])).round(3).tolist()
    [0.667]
    """
    ordered = np.sort(values, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    steps = (np.diff(ordered, axis=0) > 0).sum(axis=0)
    return np.where(count > 0, (steps + 1) / np.maximum(count, 1), np.nan)


def spike_log(values: FloatArray) -> FloatArray:
    """Log of the distance of the furthest value from the median, in standard deviations of normal noise, (devices,).

    The yardstick is the mean absolute deviation, which a few far values hardly move; NaN for a constant series.
    """
    away = np.abs(values - moments.median(values))
    known = np.where(np.isfinite(away), away, 0.0)
    usual = moments.observed_mean(away) * np.sqrt(np.pi / 2)
    furthest = known.max(axis=0, initial=0.0)
    return np.where(usual > 0, np.log(np.maximum(furthest, 1e-300) / np.where(usual > 0, usual, 1.0)), np.nan)


def spike_error(count: IntArray) -> FloatArray:
    """Standard deviation of ``spike_log`` for normal noise (devices,): half the central 68 % of its law's quantiles."""
    low, high = (ndtri((1 + chance ** (1 / np.maximum(count, 1))) / 2) for chance in ndtr([-1.0, 1.0]))
    error: FloatArray = np.log(high / low) / 2
    return error


def _distances(values: FloatArray) -> FloatArray:
    """Distances from the median, in mean distances, rounded so that equal ones stay equal in any unit."""
    away = np.abs(values - moments.median(values))
    mean = moments.observed_mean(away)
    distances: FloatArray = np.round(away / np.where(mean > 0, mean, 1.0), 9)
    return distances


def _scored(values: FloatArray, seen: BoolArray, dates: DateArray) -> FloatArray:
    """The features of ``SCORED``, (features, devices)."""
    ranked = scores.normal_scores(values)
    folded = scores.normal_scores(_distances(values))
    # Day 0 of numpy's calendar, 1970-01-01, was a Thursday: so 0 is Monday here.
    weekday = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return np.stack(
        [
            scores.rhythm_score(ranked, seen, weekday),
            scores.cycle_score(ranked),
            scores.memory_score(ranked, seen),
            scores.drift_score(ranked, seen),
            scores.change_score(ranked, seen),
            scores.change_score(folded, seen),
        ]
    )
