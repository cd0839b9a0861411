"""Order in time: rhythm, memory and change, each as a number that is standard normal for a series without any.

All work on normal scores of the ranks (van der Waerden), so that their law under "the days could be
shuffled" is the same whatever the distribution of the traffic. A number of 3 is then what chance
gives one device in 740.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betainc, ndtri, ndtri_exp

from oddfleet.detect import moments
from oddfleet.model import BoolArray, FloatArray, IntArray

SLOWEST_CYCLES = 4
"""A cycle comes round at least this often in the record; slower waves are drift or wander."""

PADDED, LONG = 2, 80
"""Cycles are looked for at so many times the frequencies of a record of so many days: one half way between two of its
own would lose 0.6 of its power. In a shorter record the few ordinates depend on each other too much for that."""

TOLD_APART = 0.05
"""A step or line is looked for beside a profile only where this share of it is not the profile's own form."""


def rhythm_score(scores: FloatArray, seen: BoolArray, weekday: IntArray) -> FloatArray:
    """How much the days of the week differ: analysis of variance on normal scores (van der Waerden's test).

    Over the record or over either half of it, for a week may begin or end; or two days in a row against the other
    five, for most weeks have a weekend: whichever is more surprising.

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
        weekday: int (days,), 0 to 6.

    Returns:
        float64 (devices,), on the normal scale; the best is brought there by Bonferroni's bound, half of it for the
        weekend.
    """
    seen, half = once_if_whole(seen), len(scores) // 2
    first, second = (_week(scores[part], seen[part], weekday[part]) for part in (slice(half), slice(half, None)))
    whole = _Week(first.size + second.size, first.total + second.total, first.square + second.square)
    log_p = [_rhythm_log_p(week) for week in (whole, first, second)]
    any_form, weekend = np.min(log_p, axis=0) + np.log(len(log_p)), _weekend_log_p(whole)
    return normal_deviate(np.minimum(np.minimum(any_form, weekend) + np.log(2), np.log(0.8)))


class _Week(NamedTuple):
    """What the days of the week come to in a stretch of a record: it adds up.

    Attributes:
        size: number of observations on each, int (7, devices or 1).
        total: their sums, float64 (7, devices).
        square: sum of squares of all, float64 (devices,).
    """

    size: IntArray
    total: FloatArray
    square: FloatArray


def _week(scores: FloatArray, seen: BoolArray, weekday: IntArray) -> _Week:
    return _Week(*_by_weekday(scores, seen, weekday), moments.products(scores, scores))


def _weekend_log_p(week: _Week) -> FloatArray:
    """Log p-value (devices,) of two days in a row, whichever, against the other five (Bonferroni over the seven)."""
    size, total = (each + np.roll(each, -1, axis=0) for each in (week.size, week.total))
    count = np.maximum(week.size.sum(axis=0), 3)
    between = (total**2 * count / np.maximum(size * (count - size), 1)).max(axis=0)
    share = between / np.maximum(week.square, 1e-12)
    chance = betainc((count - 2) / 2, 0.5, np.clip(1 - share, 0.0, 1.0))
    log_p: FloatArray = np.log(np.maximum(7 * chance, 1e-300))
    return log_p


def _rhythm_log_p(week: _Week) -> FloatArray:
    """Log p-value (devices,): the share between the weekdays of a random direction follows a beta law."""
    count = np.maximum(week.size.sum(axis=0), 1)
    mean = week.total.sum(axis=0) / count
    share = _between(week.size, week.total - week.size * mean) / np.maximum(week.square - count * mean**2, 1e-12)
    weekdays = (week.size > 0).sum(axis=0)
    rest = np.maximum(count - weekdays, 1)
    chance = betainc(rest / 2, np.maximum(weekdays - 1, 1) / 2, np.clip(1 - share, 0.0, 1.0))
    log_p: FloatArray = np.log(np.maximum(chance, 1e-300))
    return log_p


def between_weekdays(scores: FloatArray, seen: BoolArray, weekday: IntArray) -> FloatArray:
    """Sum of squares between the days of the week (devices,).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
        weekday: int (days,), 0 to 6.
    """
    return _between(*_by_weekday(scores, seen, weekday))


def _between(size: IntArray, total: FloatArray) -> FloatArray:
    """``between_weekdays`` from what ``_by_weekday`` tells of scores whose mean is 0."""
    between: FloatArray = (total**2 / np.maximum(size, 1)).sum(axis=0)
    return between


def _by_weekday(scores: FloatArray, seen: BoolArray, weekday: IntArray) -> tuple[IntArray, FloatArray]:
    """Number of observations and their sum (7, devices) on each day of the week."""
    days = [weekday == day for day in range(7)]
    return np.stack([seen[day].sum(axis=0) for day in days]), np.stack([scores[day].sum(axis=0) for day in days])


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
    # One ordinate is as large with this chance; as if they were independent, which in the tail is Fisher's first term.
    log_one = (places / _times(len(scores)) - 1) * np.log1p(-np.minimum(share, 1 - 1e-12))
    any_of = -np.expm1(places * np.log1p(-np.minimum(np.exp(log_one), 1 - 1e-12)))
    log_p = np.where(log_one < -30, np.log(places) + log_one, np.log(np.maximum(any_of, 1e-300)))
    # To have no cycle at all is no surprise.
    return normal_deviate(np.minimum(log_p, np.log(0.99)))


def memory_score(scores: FloatArray, seen: BoolArray) -> FloatArray:
    """Correlation of each day with the next, by Fisher's z; float64 (devices,).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
    """
    correlation, pairs = next_day_correlation(scores, once_if_whole(seen))
    return fisher_z(correlation + 1 / np.maximum(pairs, 1), pairs)


def next_day_correlation(scores: FloatArray, seen: BoolArray) -> tuple[FloatArray, IntArray]:
    """Correlation of each day with the next, and the number of such pairs; each (devices,)."""
    pairs: IntArray = (seen[1:] & seen[:-1]).sum(axis=0)
    return moments.products(scores[1:], scores[:-1]) / np.maximum(pairs, 1), pairs


def unit_profile(profile: FloatArray, seen: BoolArray) -> FloatArray:
    """A profile (days, devices) with mean 0 and sum of squares 1 over the observed days, 0 elsewhere."""
    count = np.maximum(seen.sum(axis=0), 1)
    centred = moments.zeroed(profile, seen)
    centred = moments.zeroed(centred - centred.sum(axis=0) / count, seen)
    size = np.sqrt(moments.products(centred, centred))
    unit: FloatArray = centred / np.where(size > 0, size, 1.0)
    return unit


def without(scores: FloatArray, profile: FloatArray, seen: BoolArray) -> FloatArray:
    """Scores (days, devices) without what a unit profile explains of them by least squares, mean square 1 again."""
    beside = profile * -moments.products(scores, profile)
    beside += scores
    size = np.sqrt(moments.products(beside, beside) / np.maximum(seen.sum(axis=0), 1))
    beside /= np.where(size > 0, size, 1.0)
    return beside


def drift_score(scores: FloatArray, seen: BoolArray, profile: FloatArray | None = None) -> FloatArray:
    """Correlation of the series with time, by Fisher's z; float64 (devices,).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
        profile: a unit profile (days, devices) that the scores are ``without``; then it is the partial correlation.
    """
    seen = once_if_whole(seen)
    count, time = seen.sum(axis=0), normal_time(seen)
    along = moments.products(scores, time)
    if profile is not None:
        # What of time is the profile's own does not meet the scores, which are without it: only its size is less.
        own = 1 - moments.products(time, profile) ** 2 / np.maximum(count, 1)
        along = np.where(own > TOLD_APART, along / np.sqrt(np.maximum(own, TOLD_APART)), 0.0)
        count = count - 1
    return fisher_z(along / np.maximum(count, 1), count)


def normal_time(seen: BoolArray) -> FloatArray:
    """Time (days, devices) with mean 0 and mean square 1 over the observed days, 0 elsewhere."""
    count = np.maximum(seen.sum(axis=0), 1)
    day = np.arange(len(seen), dtype=float)[:, None]
    centred = moments.zeroed(day - (day * seen).sum(axis=0) / count, seen)
    size = np.sqrt(moments.products(centred, centred) / count)
    result: FloatArray = centred / np.where(size > 0, size, 1.0)
    return result


def once_if_whole(seen: BoolArray) -> BoolArray:
    """One column (days, 1) that stands for all where every day was seen: what follows from it is worked out once."""
    return seen[:, :1] if seen.all() else seen


def fisher_z(correlation: FloatArray, count: IntArray | FloatArray) -> FloatArray:
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
    times = _times(n_days)
    # A week would stand in the frequencies about its own.
    own = np.array(scores, dtype=float)
    for day in range(min(7, n_days)):
        own[day::7] -= own[day::7].mean(axis=0)
    power = np.abs(np.fft.rfft(own, n=times * n_days, axis=0)) ** 2
    frequency = np.arange(len(power)) / (times * n_days)
    weekly = np.abs(frequency[:, None] * 7 - np.arange(1, 4)).min(axis=1) <= 7.75 / n_days
    keep = (frequency >= SLOWEST_CYCLES / n_days) & (frequency < 0.5) & ~weekly
    return power[keep], frequency[keep]


def _times(n_days: int) -> int:
    return PADDED if n_days >= LONG else 1


def _largest_share(power: FloatArray, n_days: int) -> FloatArray:
    """Share (devices,) of the largest ordinate of each periodogram: Fisher's g."""
    total = power.sum(axis=0)
    # Where all is weekly only rounding is left, and no cycle.
    some = total > 1e-9 * n_days**2
    return np.where(some, power.max(axis=0) / np.where(some, total / _times(n_days), 1.0), 0.0)


def normal_deviate(log_p: FloatArray) -> FloatArray:
    """The normal deviate whose upper tail is ``exp(log_p)``."""
    score: FloatArray = -ndtri_exp(np.minimum(log_p, -1e-12))
    return score
