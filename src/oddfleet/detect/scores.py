"""Order in time: rhythm, memory and change, each as a number that is standard normal for a series without any.

All work on normal scores of the ranks (van der Waerden), so that their law under "the days could be
shuffled" is the same whatever the distribution of the traffic. A number of 3 is then what chance
gives one device in 740.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from scipy import stats
from scipy.special import kolmogorov, ndtri, ndtri_exp

from oddfleet.model import BoolArray, FloatArray, IntArray

SLOWEST_CYCLES = 4
"""A cycle comes round at least this often in the record; slower waves are drift or wander."""

SHORTEST_SEGMENT = 5
"""A step is dated only where this many observations lie on either side; fewer are spikes."""


def normal_scores(values: FloatArray) -> FloatArray:
    """Ranks of each column as normal quantiles, scaled to mean 0 and mean square 1.

    Args:
        values: float64 (days, devices), NaN = no observation.

    Returns:
        float64 (days, devices); 0, which is the mean, where there is no observation, and throughout a constant column.

    >>> np.round(normal_scores(np.array([[1.0], [5.0], [2.0]])), 2)[:, 0].tolist()
    [-1.22, 1.22, 0.0]
    """
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    ranks = stats.rankdata(np.where(seen, values, np.inf), axis=0)
    scores = np.where(seen, ndtri((np.where(seen, ranks, 1) - 0.375) / (count + 0.25)), 0.0)
    scores -= np.where(seen, scores.sum(axis=0) / np.maximum(count, 1), 0.0)
    size = np.sqrt((scores**2).sum(axis=0) / np.maximum(count, 1))
    result: FloatArray = np.where(size > 1e-9, scores / np.where(size > 1e-9, size, 1.0), 0.0)
    return result


def rhythm_score(scores: FloatArray, seen: BoolArray, weekday: IntArray) -> FloatArray:
    """How much the days of the week differ, by the Kruskal-Wallis law (chi-squared with 6 degrees of freedom).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
        weekday: int (days,), 0 to 6.

    Returns:
        float64 (devices,), the cube root brought to the normal scale (Wilson and Hilferty 1931).
    """
    between, weekdays = between_weekdays(scores, seen, weekday)
    freedom = np.maximum(weekdays - 1, 1)
    score: FloatArray = (np.cbrt(between / freedom) - (1 - 2 / (9 * freedom))) / np.sqrt(2 / (9 * freedom))
    return score


def between_weekdays(scores: FloatArray, seen: BoolArray, weekday: IntArray) -> tuple[FloatArray, IntArray]:
    """Sum of squares between the days of the week, and how many of them have observations; each (devices,).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
        weekday: int (days,), 0 to 6.
    """
    member = (weekday[:, None] == np.arange(7)).astype(float)
    size = member.T @ seen
    between: FloatArray = ((member.T @ scores) ** 2 / np.maximum(size, 1)).sum(axis=0)
    return between, (size > 0).sum(axis=0)


def cycle_peak(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The strongest cycle that is neither weekly nor slower than a quarter of the record.

    Args:
        scores: normal scores (days, devices).

    Returns:
        period in days (devices,), and the share (devices,) of the variance at the looked-at frequencies that
        this one holds: Fisher's g.
    """
    power, frequency = _spectrum(scores)
    return 1 / frequency[power.argmax(axis=0)], _largest_share(power, len(scores))


def cycle_period(scores: FloatArray) -> float:
    """The period in days of the strongest cycle of one series, also between the frequencies of the periodogram.

    Args:
        scores: normal scores (days,).
    """
    peak = 1 / float(cycle_peak(scores[:, None])[0][0])
    near = peak + np.linspace(-1, 1, 41) / len(scores)
    wave = np.exp(-2j * np.pi * near[:, None] * np.arange(len(scores)))
    return float(1 / near[np.abs(wave @ scores).argmax()])


def cycle_score(scores: FloatArray) -> FloatArray:
    """Fisher's g (1929) of ``cycle_peak`` on the normal scale, float64 (devices,)."""
    power, frequency = _spectrum(scores)
    share, places = _largest_share(power, len(scores)), len(frequency)
    # The first term of Fisher's sum is an upper bound and exact where it matters, in the tail.
    log_p = np.minimum(np.log(places) + (places - 1) * np.log1p(-np.minimum(share, 1 - 1e-12)), np.log(0.5))
    return _from_log_p(log_p)


def memory_score(scores: FloatArray, seen: BoolArray) -> FloatArray:
    """Correlation of each day with the next, by Fisher's z; float64 (devices,).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
    """
    correlation, pairs = next_day_correlation(scores, seen)
    return fisher_z(correlation + 1 / np.maximum(pairs, 1), pairs)


def next_day_correlation(scores: FloatArray, seen: BoolArray) -> tuple[FloatArray, IntArray]:
    """Correlation of each day with the next, and the number of such pairs; each (devices,)."""
    pairs: IntArray = (seen[1:] & seen[:-1]).sum(axis=0)
    return (scores[1:] * scores[:-1]).sum(axis=0) / np.maximum(pairs, 1), pairs


def drift_score(scores: FloatArray, seen: BoolArray) -> FloatArray:
    """Correlation of the series with time, by Fisher's z; float64 (devices,)."""
    count = seen.sum(axis=0)
    time = normal_time(seen)
    return fisher_z((scores * time).sum(axis=0) / np.maximum(count, 1), count)


def normal_time(seen: BoolArray) -> FloatArray:
    """Time (days, devices) with mean 0 and mean square 1 over the observed days, 0 elsewhere."""
    count = np.maximum(seen.sum(axis=0), 1)
    day = np.arange(len(seen), dtype=float)[:, None]
    centred = np.where(seen, day - (day * seen).sum(axis=0) / count, 0.0)
    size = np.sqrt((centred**2).sum(axis=0) / count)
    result: FloatArray = centred / np.where(size > 0, size, 1.0)
    return result


def change_point(scores: FloatArray, seen: BoolArray) -> IntArray:
    """The day from which on the mean most likely differs: the least-squares fit of one step (Hinkley 1970).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.

    Returns:
        index of the first day after the step, int (devices,); at least ``SHORTEST_SEGMENT``
        observations lie on either side, of a series with twice as many.
    """
    before = np.cumsum(seen, axis=0)
    after = before[-1] - before
    gain = np.abs(np.cumsum(scores, axis=0)) / np.sqrt(np.maximum(before * after, 1))
    day: IntArray = np.where(np.minimum(before, after) >= SHORTEST_SEGMENT, gain, -1.0).argmax(axis=0) + 1
    return day


def change_score(scores: FloatArray, seen: BoolArray) -> FloatArray:
    """The largest cumulated sum, by the Kolmogorov law (MacNeill 1974), on the normal scale; float64 (devices,)."""
    count = np.maximum(seen.sum(axis=0), 1)
    # A sum cumulated day by day peaks a little lower than the continuous one of the law (Siegmund 1985).
    size = (np.abs(np.cumsum(scores, axis=0)).max(axis=0) + 0.5826) / np.sqrt(count)
    # kolmogorov() underflows past 18; its first term is exact long before.
    log_p = np.where(size > 2, np.log(2) - 2 * size**2, np.log(np.maximum(kolmogorov(size), 1e-300)))
    return _from_log_p(log_p)


def fisher_z(correlation: FloatArray, count: IntArray) -> FloatArray:
    """Correlations (devices,) over ``count`` observations (devices,) in standard errors above 0 (Fisher 1921)."""
    bounded = np.clip(correlation, -1 + 1e-12, 1 - 1e-12)
    score: FloatArray = np.arctanh(bounded) * np.sqrt(np.maximum(count - 3, 0))
    return score


def furthest_of(count: int, chance: float = 0.01) -> float:
    """How far out, in standard deviations, the furthest of ``count`` normal values is with only this ``chance``."""
    return float(-ndtri(chance / (2 * max(count, 1))))


def _spectrum(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Periodogram and frequencies (a day) without slow waves, the week's own, and the last ordinate."""
    n_days = len(scores)
    power = np.abs(scipy.fft.rfft(scores, axis=0)) ** 2
    frequency = np.arange(len(power)) / n_days
    weekly = np.abs(frequency[:, None] * 7 - np.arange(1, 4)).min(axis=1) <= 7.5 / n_days
    keep = (np.arange(len(power)) >= SLOWEST_CYCLES) & (frequency < 0.5) & ~weekly
    return power[keep], frequency[keep]


def _largest_share(power: FloatArray, n_days: int) -> FloatArray:
    """Share (devices,) of the largest ordinate of each periodogram: Fisher's g."""
    total = power.sum(axis=0)
    # Where all is weekly only rounding is left, and no cycle.
    some = total > 1e-9 * n_days**2
    return np.where(some, power.max(axis=0) / np.where(some, total, 1.0), 0.0)


def _from_log_p(log_p: FloatArray) -> FloatArray:
    """The normal deviate whose upper tail is ``exp(log_p)``."""
    score: FloatArray = -ndtri_exp(np.minimum(log_p, -1e-12))
    return score
