"""How much, how spread, and in what shape: the distribution of a series in four numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from oddfleet.model import BoolArray, FloatArray, IntArray

_WIDE = 64
_GOLDEN = (np.sqrt(5) - 1) / 2
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
    return of_sorted(np.sort(values, axis=0))


def of_sorted(known: FloatArray) -> FloatArray:
    """``moments`` of values (days, devices) of which each column is in rising order, NaN last."""
    count = np.full(known.shape[1], len(known))
    if not _is_whole(known):
        seen = np.isfinite(known)
        count, known = seen.sum(axis=0), np.where(seen, known, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = known.sum(axis=0) / count
        scale, skewness, kurtosis = _l_ratios(known, count, mean)
        return np.stack([_log(mean), _log(np.sqrt(2) * scale), skewness, kurtosis])


def median(values: FloatArray) -> FloatArray:
    """Median (devices,) of each column (days, devices), NaN left out; NaN where all are NaN."""
    return median_of_sorted(np.sort(values, axis=0))


def median_of_sorted(ordered: FloatArray) -> FloatArray:
    """``median`` of values (days, devices) of which each column is in rising order, NaN last."""
    if _is_whole(ordered):
        lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        between: FloatArray = lower + (upper - lower) / 2
        return between
    count = np.isfinite(ordered).sum(axis=0)
    middle = np.maximum(count - 1, 0)
    low = np.take_along_axis(ordered, (middle // 2)[None], axis=0)[0]
    high = np.take_along_axis(ordered, (middle - middle // 2)[None], axis=0)[0]
    median: FloatArray = low + (high - low) / 2
    return median


def observed_mean(values: FloatArray) -> FloatArray:
    """Mean (devices,) of each column (days, devices), NaN left out; NaN where all are NaN."""
    total = values.sum(axis=0)
    if len(values) and np.isfinite(total).all():
        # A sum is finite only where all of its terms are.
        mean: FloatArray = total / len(values)
        return mean
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    total = zeroed(values, seen).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def products(one: FloatArray, other: FloatArray) -> FloatArray:
    """Sum of the products down each column (days, devices or 1), (devices,), without a matrix of them."""
    summed: FloatArray = np.einsum("td,td->d", one, other)
    return summed


def zeroed(values: FloatArray, seen: BoolArray) -> FloatArray:
    """Values (days, devices), 0 where not seen; themselves where all is seen, for to look is quicker than to copy."""
    return values if seen.all() else np.where(seen, values, 0.0)


def mean_deviation(values: FloatArray) -> FloatArray:
    """Mean absolute deviation from the median (devices,), NaN left out; NaN where all are NaN."""
    return observed_mean(np.abs(values - median(values)))


def robust_spread(values: FloatArray) -> float:
    """Median absolute deviation of numbers (any,) without NaN, as a standard deviation of normal ones."""
    return 1.4826 * middle(np.abs(values - middle(values)))


def middle(numbers: FloatArray) -> float:
    """Median of numbers (any,) without NaN, NaN where there are none: of a thousand ten times as quick as numpy's."""
    return middle_of_sorted(np.sort(numbers))


def middle_of_sorted(rising: FloatArray) -> float:
    """Median of numbers (any,) in rising order, NaN where there are none.

    >>> middle_of_sorted(np.array([1.0, 2.0, 4.0, 9.0])), middle_of_sorted(np.array([1.0, 2.0, 4.0]))
    (3.0, 2.0)
    """
    many = len(rising)
    return float(rising[(many - 1) // 2] + rising[many // 2]) / 2 if many else float("nan")


def level(values: FloatArray) -> FloatArray:
    """Log of the mean (1, devices), NaN left out; NaN where the mean is not above 0."""
    return _log(observed_mean(values))[None]


def running(function: np.ufunc, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What a function such as ``np.add`` makes of all rows so far, (rows, columns), as its ``accumulate`` along axis 0.

    Which goes down column by column: over wide rows a loop over the days is several times faster.
    """
    if rows.shape[1] < _WIDE:
        accumulated: npt.NDArray[Any] = function.accumulate(rows, axis=0)
        return accumulated
    result = rows.copy()
    for day in range(1, len(rows)):
        function(result[day - 1], result[day], out=result[day])
    return result


def evenly_spaced(count: int, most: int) -> IntArray:
    """Places among ``count`` in rising order: all, or ``most`` of them, one of each of so many equal stretches.

    Where in its stretch goes by the golden ratio, so that no rhythm in the order of devices, such as two kinds that
    take turns, is met or missed by all of them.

    >>> evenly_spaced(3, 5).tolist(), evenly_spaced(12, 3).tolist()
    ([0, 1, 2], [0, 6, 8])
    """
    if count <= most:
        return np.arange(count)
    if count < 2 * most:
        # Of most only a few are left out: then these are to keep to no rhythm.
        return np.delete(np.arange(count), evenly_spaced(count, count - most))
    begins = np.arange(most + 1) * count // most
    within = np.arange(most) * _GOLDEN % 1
    places: IntArray = begins[:-1] + (within * np.diff(begins)).astype(np.int64)
    return places


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
    return float(middle(known) / np.sqrt(chdtri(batches - 1, 0.5) / (batches - 1)))


def _is_whole(ordered: FloatArray) -> bool:
    """Whether sorted columns (days, devices), in which NaN and infinity come last, hold finite numbers alone."""
    return bool(len(ordered)) and bool(np.isfinite(ordered[-1]).all() and np.isfinite(ordered[0]).all())


def _l_ratios(known: FloatArray, count: FloatArray, mean: FloatArray) -> tuple[FloatArray, ...]:
    """L-scale, L-skewness and L-kurtosis from sorted columns whose tail of non-observations is filled with 0."""
    rank = np.arange(len(known), dtype=float)
    weights = np.cumprod([rank, rank - 1, rank - 2], axis=0)
    b1, b2, b3 = np.einsum("wt,td->wd", weights, known) / np.cumprod(
        [count * (count - 1), count - 2, count - 3], axis=0
    )
    scale = 2 * b1 - mean
    flat = scale <= 1e-12 * np.abs(mean)
    skewness = np.where(flat, np.nan, (6 * b2 - 6 * b1 + mean) / scale)
    kurtosis = np.where(flat, np.nan, (20 * b3 - 30 * b2 + 12 * b1 - mean) / scale)
    return np.where(flat, 0.0, scale), skewness, kurtosis


def _log(numbers: FloatArray) -> FloatArray:
    """Natural log, NaN instead of minus infinity or an error."""
    return np.log(np.where(numbers > 0, numbers, np.nan))
