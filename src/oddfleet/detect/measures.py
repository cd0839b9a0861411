"""What a finding quotes: each kind measured in the units people read, for one device or a whole cohort."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oddfleet.detect import features, moments, ranks, runs, scores, steps
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
    Kind.DETACHED: "times the usual",
    Kind.LEVEL_SHIFT: "MB a day",
    Kind.DRIFT: "MB a day",
    Kind.WANDER: "correlation",
    Kind.VOLATILITY_CHANGE: "ratio",
    Kind.SPIKES: "MB",
    Kind.FROZEN: "days",
    Kind.REPLAYED: "days",
    Kind.COPIED: "days",
    Kind.MIXTURE: "features",
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
    seen = np.isfinite(values)
    # Which day the week begins with does not matter to how much its days differ.
    between = scores.between_weekdays(ranks.normal_scores(values), seen, np.arange(len(values)) % 7)
    share: FloatArray = between / np.maximum(seen.sum(axis=0), 1)
    return share


def _cycle_share(values: FloatArray) -> FloatArray:
    share: FloatArray = scores.cycle_peak(ranks.normal_scores(values))[1]
    return share


def _memory(values: FloatArray) -> FloatArray:
    return scores.next_day_correlation(ranks.normal_scores(values), np.isfinite(values))[0]


def _drift(values: FloatArray) -> FloatArray:
    seen = np.isfinite(values)
    time = scores.normal_time(seen)
    slope = np.where(seen, values * time, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    change: FloatArray = slope * (time.max(axis=0) - time.min(axis=0))
    return change


def _volatility_ratio(values: FloatArray) -> FloatArray:
    before, after = _either_side(np.abs(values - moments.median(values)))
    return np.where(before > 0, after / np.where(before > 0, before, 1.0), np.nan)


def _furthest_mb(values: FloatArray) -> FloatArray:
    away = np.abs(values - moments.median(values))
    furthest: FloatArray = np.where(np.isfinite(away), away, 0.0).max(axis=0)
    return furthest


def _shift(values: FloatArray) -> FloatArray:
    before, after = _either_side(values)
    return after - before


def _either_side(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean before and after the most likely change of level, each (devices,)."""
    late = np.arange(len(values))[:, None] >= steps.change_point(ranks.normal_scores(values), np.isfinite(values))
    return moments.observed_mean(np.where(late, np.nan, values)), moments.observed_mean(np.where(late, values, np.nan))


def _days_of(count: Callable[[FloatArray], IntArray]) -> Callable[[FloatArray], FloatArray]:
    return lambda values: count(values).astype(float)


_MEASURES: dict[Kind, Callable[[FloatArray], FloatArray]] = {
    Kind.MISSING_DAYS: _days_of(lambda values: np.isnan(values).sum(axis=0)),
    Kind.INACTIVE: _days_of(lambda values: runs.longest_run(runs.quiet_days(values))[1]),
    Kind.FROZEN: _days_of(lambda values: runs.longest_run(runs.stuck_days(values))[1] + 1),
    Kind.LEVEL: moments.observed_mean,
    Kind.SPREAD: moments.mean_deviation,
    Kind.SHAPE: _kurtosis,
    Kind.ROUNDED: _distinct,
    Kind.WEEKLY_RHYTHM: _weekly_share,
    Kind.CYCLE: _cycle_share,
    Kind.LEVEL_SHIFT: _shift,
    Kind.DRIFT: _drift,
    Kind.WANDER: _memory,
    Kind.VOLATILITY_CHANGE: _volatility_ratio,
    Kind.SPIKES: _furthest_mb,
}
