"""What a finding quotes: each kind measured in the units people read, for one device or a whole cohort."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oddfleet.detect import features, moments, runs, scores
from oddfleet.model import FloatArray, IntArray, Kind

UNITS: dict[Kind, str] = {
    Kind.MISSING_DAYS: "days",
    Kind.DUPLICATE_DAYS: "days",
    Kind.INVALID_VALUES: "days",
    Kind.NEGATIVE_TRAFFIC: "days",
    Kind.INACTIVE: "days",
    Kind.LEVEL: "MB a day",
    Kind.SPREAD: "MB",
    Kind.SHAPE: "L-kurtosis",
    Kind.ROUNDED: "distinct values",
    Kind.WEEKLY_RHYTHM: "share of variance",
    Kind.CYCLE: "share of variance",
    Kind.DETACHED: "correlation",
    Kind.LEVEL_SHIFT: "MB a day",
    Kind.DRIFT: "MB a day",
    Kind.WANDER: "correlation",
    Kind.VOLATILITY_CHANGE: "ratio",
    Kind.SPIKES: "MB",
    Kind.FROZEN: "days",
}


def unit(kind: Kind, test: str) -> str:
    """The unit of ``measure``."""
    return "L-skewness" if test == "skewness_l" else UNITS[kind]


def measure(kind: Kind, values: FloatArray, test: str) -> FloatArray:
    """One number a device, in ``unit(kind, test)``.

    Args:
        kind: what to measure.
        test: the test that was surprising; it tells the two measures of shape apart.
        values: float64 (days, devices), MB a day; NaN = no observation.

    Returns:
        float64 (devices,); NaN where it cannot be measured.
    """
    measured: FloatArray = _skewness(values) if test == "skewness_l" else _MEASURES[kind](values)
    return measured


def mean_mb(values: FloatArray) -> FloatArray:
    """Mean of the observed days (devices,); NaN where there is none."""
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    total = np.where(seen, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def spread_mb(values: FloatArray) -> FloatArray:
    """Mean absolute deviation from the median (devices,); NaN where nothing is observed."""
    return mean_mb(np.abs(values - moments.median(values)))


def shift_mb(values: FloatArray) -> FloatArray:
    """Mean after the most likely change of level minus the mean before it, (devices,)."""
    late = np.arange(len(values))[:, None] >= scores.change_point(scores.normal_scores(values), np.isfinite(values))
    return mean_mb(np.where(late, values, np.nan)) - mean_mb(np.where(late, np.nan, values))


def following(values: FloatArray, others: FloatArray) -> FloatArray:
    """Rank correlation of each series (days, devices) with the median day of ``others`` (days, any), (devices,)."""
    profile: FloatArray = scores.normal_scores(moments.median(others.T)[:, None])
    correlation: FloatArray = (scores.normal_scores(values) * profile).mean(axis=0)
    return correlation


def _skewness(values: FloatArray) -> FloatArray:
    skewness: FloatArray = moments.moments(values)[2]
    return skewness


def _kurtosis(values: FloatArray) -> FloatArray:
    kurtosis: FloatArray = moments.moments(values)[3]
    return kurtosis


def _distinct(values: FloatArray) -> FloatArray:
    distinct: FloatArray = np.round(features.distinct_share(values) * np.isfinite(values).sum(axis=0))
    return distinct


def _weekly_share(values: FloatArray) -> FloatArray:
    ranked, seen = scores.normal_scores(values), np.isfinite(values)
    weekday = (np.arange(len(values)) % 7)[:, None] == np.arange(7)
    size = weekday.T.astype(float) @ seen
    between = ((weekday.T.astype(float) @ ranked) ** 2 / np.maximum(size, 1)).sum(axis=0)
    share: FloatArray = between / np.maximum(seen.sum(axis=0), 1)
    return share


def _cycle_share(values: FloatArray) -> FloatArray:
    share: FloatArray = scores.cycle_peak(scores.normal_scores(values))[1]
    return share


def _memory(values: FloatArray) -> FloatArray:
    ranked, seen = scores.normal_scores(values), np.isfinite(values)
    pairs = (seen[1:] & seen[:-1]).sum(axis=0)
    memory: FloatArray = (ranked[1:] * ranked[:-1]).sum(axis=0) / np.maximum(pairs, 1)
    return memory


def _drift(values: FloatArray) -> FloatArray:
    seen = np.isfinite(values)
    time = scores.normal_time(seen)
    slope = np.where(seen, values * time, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    change: FloatArray = slope * (time.max(axis=0) - time.min(axis=0))
    return change


def _volatility_ratio(values: FloatArray) -> FloatArray:
    away = np.abs(values - moments.median(values))
    late = np.arange(len(values))[:, None] >= scores.change_point(scores.normal_scores(away), np.isfinite(away))
    before, after = mean_mb(np.where(late, np.nan, away)), mean_mb(np.where(late, away, np.nan))
    return np.where(before > 0, after / np.where(before > 0, before, 1.0), np.nan)


def _furthest_mb(values: FloatArray) -> FloatArray:
    away = np.abs(values - moments.median(values))
    furthest: FloatArray = np.where(np.isfinite(away), away, 0.0).max(axis=0)
    return furthest


def _days_of(count: Callable[[FloatArray], IntArray]) -> Callable[[FloatArray], FloatArray]:
    return lambda values: count(values).astype(float)


_MEASURES: dict[Kind, Callable[[FloatArray], FloatArray]] = {
    Kind.MISSING_DAYS: _days_of(lambda values: np.isnan(values).sum(axis=0)),
    Kind.INACTIVE: _days_of(lambda values: runs.longest_run(runs.quiet_days(values))[1]),
    Kind.FROZEN: _days_of(lambda values: runs.longest_run(runs.stuck_days(values))[1] + 1),
    Kind.LEVEL: mean_mb,
    Kind.SPREAD: spread_mb,
    Kind.SHAPE: _kurtosis,
    Kind.ROUNDED: _distinct,
    Kind.WEEKLY_RHYTHM: _weekly_share,
    Kind.CYCLE: _cycle_share,
    Kind.LEVEL_SHIFT: shift_mb,
    Kind.DRIFT: _drift,
    Kind.WANDER: _memory,
    Kind.VOLATILITY_CHANGE: _volatility_ratio,
    Kind.SPIKES: _furthest_mb,
}
