"""How much, how spread, and in what shape: the distribution of a series in four numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import chdtri

from oddfleet.model import FloatArray, IntArray

MOMENTS = ("level_log_mb", "spread_log_mb", "skewness_l", "kurtosis_l")


def moments(values: FloatArray) -> FloatArray:
    """Level, spread and shape of every series.

    The level is the log of the mean, the spread the log of the L-scale (half Gini's mean difference) times the root of
    2, which for normal noise is the mean absolute deviation; both are NaN where they would be the log of nothing. The
    shape is the L-skewness and the
    L-kurtosis (Hosking 1990, "L-moments"): bounded, little moved by single values, and close to
    normal at a few dozen observations, as the classical skewness and kurtosis are not.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation, left out.

    Returns:
        float64 (4, devices), in the order of ``MOMENTS``; shapes are NaN with fewer than 4 distinct days.

    >>> np.round(moments(np.arange(1.0, 6.0)[:, None]), 3)[:, 0].tolist()
    [1.099, 0.347, 0.0, 0.0]
    """
    ordered = np.sort(values, axis=0)
    seen = np.isfinite(ordered)
    count = seen.sum(axis=0)
    known = np.where(seen, ordered, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = known.sum(axis=0) / count
        scale, skewness, kurtosis = _l_ratios(known, count, mean)
        return np.stack([_log(mean), _log(np.sqrt(2) * scale), skewness, kurtosis])


def median(values: FloatArray) -> FloatArray:
    """Median (devices,) of each column (days, devices), NaN left out; NaN where all are NaN."""
    ordered = np.sort(values, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    middle = np.maximum(count - 1, 0)
    low = np.take_along_axis(ordered, (middle // 2)[None], axis=0)[0]
    high = np.take_along_axis(ordered, (middle - middle // 2)[None], axis=0)[0]
    median: FloatArray = low + (high - low) / 2
    return median


def observed_mean(values: FloatArray) -> FloatArray:
    """Mean (devices,) of each column (days, devices), NaN left out; NaN where all are NaN."""
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    total = np.where(seen, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_deviation(values: FloatArray) -> FloatArray:
    """Mean absolute deviation from the median (devices,), NaN left out; NaN where all are NaN."""
    return observed_mean(np.abs(values - median(values)))


def robust_spread(values: FloatArray) -> float:
    """Median absolute deviation of numbers (any,) without NaN, as a standard deviation of normal ones."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def level(values: FloatArray) -> FloatArray:
    """Log of the mean (1, devices), NaN left out; NaN where the mean is not above 0."""
    return _log(observed_mean(values))[None]


def evenly_spaced(count: int, most: int) -> IntArray:
    """Places among ``count`` in rising order: all, or ``most`` of them from the first to the last.

    >>> evenly_spaced(3, 5).tolist(), evenly_spaced(9, 3).tolist()
    ([0, 1, 2], [0, 4, 8])
    """
    return np.linspace(0, count - 1, min(most, count)).astype(int)


def batch_errors(statistic: Callable[[FloatArray], FloatArray], values: FloatArray, batches: int) -> FloatArray:
    """Sampling error of a statistic by the method of batch means.

    The record is cut into consecutive parts; the scatter of a feature over the parts, divided by
    the root of their number, is its standard error. Unlike a formula it holds for any distribution
    and for series with memory shorter than a part (Schmeiser 1982).

    Args:
        statistic: from values (days, devices) to (features, devices), such as ``moments``.
        values: float64 (days, devices), NaN = no observation.
        batches: number of parts, at least 2.

    Returns:
        Standard errors, float64 (features, devices); NaN where fewer than two parts can be summed up.
    """
    parts = np.stack([statistic(part) for part in np.array_split(values, batches)])
    known = np.isfinite(parts)
    count = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.where(known, parts, 0.0).sum(axis=0) / count
        squares = np.where(known, (parts - centre) ** 2, 0.0).sum(axis=0)
        errors = np.sqrt(squares / (count - 1) / count)
    # What a strictly periodic series leaves is rounding, not sampling.
    return np.where(count > 1, np.where(errors > 1e-9, errors, 0.0), np.nan)


def pooled_error(errors: FloatArray, batches: int) -> float:
    """The error typical of a cohort: the median over its devices (devices,), made unbiased for normal parts.

    Returns:
        NaN where no device has an error.
    """
    known = errors[np.isfinite(errors)]
    if known.size == 0:
        return float("nan")
    return float(np.median(known) / np.sqrt(chdtri(batches - 1, 0.5) / (batches - 1)))


def _l_ratios(known: FloatArray, count: FloatArray, mean: FloatArray) -> tuple[FloatArray, ...]:
    """L-scale, L-skewness and L-kurtosis from sorted columns whose tail of non-observations is filled with 0."""
    rank = np.arange(len(known), dtype=float)[:, None]
    b1 = (rank * known).sum(axis=0) / (count * (count - 1))
    b2 = (rank * (rank - 1) * known).sum(axis=0) / (count * (count - 1) * (count - 2))
    b3 = (rank * (rank - 1) * (rank - 2) * known).sum(axis=0) / (count * (count - 1) * (count - 2) * (count - 3))
    scale = 2 * b1 - mean
    flat = scale <= 1e-12 * np.abs(mean)
    skewness = np.where(flat, np.nan, (6 * b2 - 6 * b1 + mean) / scale)
    kurtosis = np.where(flat, np.nan, (20 * b3 - 30 * b2 + 12 * b1 - mean) / scale)
    return np.where(flat, 0.0, scale), skewness, kurtosis


def _log(numbers: FloatArray) -> FloatArray:
    """Natural log, NaN instead of minus infinity or an error."""
    return np.log(np.where(numbers > 0, numbers, np.nan))
