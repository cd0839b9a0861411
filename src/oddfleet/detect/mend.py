"""What a device would look like if one thing about it were as usual: one function a kind, each a repair.

A diagnosis follows from them: the repair that leaves the device least surprising names what is odd.
Where it cannot be told which part of a record is the odd one, a repair comes in variants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments, runs, scores
from oddfleet.model import BoolArray, FloatArray, Kind

MOST_SPIKES = 0.1
"""More far days than this share are no spikes but a shape."""
_OF_NORMAL = np.sqrt(2 / np.pi)
"""Mean absolute deviation of standard normal noise."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in the device's cohort: the mean and the mean absolute deviation (MB) of its middle device."""

    level_mb: float
    spread_mb: float


def variants(kind: Kind, series: FloatArray, usual: Usual) -> list[FloatArray]:
    """The repaired versions of a series.

    Args:
        kind: what to repair.
        series: float64 (days,), NaN = no observation.
        usual: what is usual in the cohort.

    Returns:
        One or more series (days,); NaN stays where the repair is not about missing days. Empty where this kind
        cannot be repaired.
    """
    repair = REPAIRS.get(kind)
    return [] if repair is None else [version for version in repair(series, usual) if np.isfinite(version).any()]


def spike_days(series: FloatArray) -> BoolArray:
    """Days (days,) that are further out than the furthest of as many normal values is once in a hundred records."""
    away = np.abs(series - moments.median(series[:, None]))
    count = int(np.isfinite(series).sum())
    usual = float(np.nanmean(away)) / _OF_NORMAL if count else 0.0
    limit = float(scores.furthest_of(count)) if count else np.inf
    days: BoolArray = np.nan_to_num(away) > limit * usual
    return days if usual > 0 else np.zeros(len(series), bool)


def _level(series: FloatArray, usual: Usual) -> list[FloatArray]:
    mean = float(np.nanmean(series))
    scaled = [series * (usual.level_mb / mean)] if mean > 0 else []
    return [series + (usual.level_mb - mean), *scaled]


def _spread(series: FloatArray, usual: Usual) -> list[FloatArray]:
    middle = moments.median(series[:, None])
    spread = _mean_deviation(series)
    return [middle + (series - middle) * (usual.spread_mb / spread)] if spread > 0 else []


def _shape(series: FloatArray, _: Usual) -> list[FloatArray]:
    mean = float(np.nanmean(series))
    spread = _mean_deviation(series)
    drawn = mean + scores.normal_scores(series[:, None])[:, 0] * spread / _OF_NORMAL
    return [np.where(np.isfinite(series), drawn, np.nan)]


def _rounded(series: FloatArray, _: Usual) -> list[FloatArray]:
    distinct = np.unique(series[np.isfinite(series)])
    if len(distinct) < 2:
        return []
    step = float(np.median(np.diff(distinct)))
    return [series + step * (_noise(len(series)).argsort().argsort() / len(series) - 0.5)]


def _weekly_rhythm(series: FloatArray, _: Usual) -> list[FloatArray]:
    version = series.copy()
    for weekday in range(7):
        version[weekday::7] -= np.nanmean(series[weekday::7]) if np.isfinite(series[weekday::7]).any() else 0.0
    return [version + float(np.nanmean(series))]


def _cycle(series: FloatArray, _: Usual) -> list[FloatArray]:
    seen = np.isfinite(series)
    period = scores.cycle_period(scores.normal_scores(series[:, None])[:, 0])
    angle = 2 * np.pi * np.arange(len(series)) / period
    wave = np.column_stack([np.ones(len(series)), np.cos(angle), np.sin(angle)])
    fitted = np.linalg.lstsq(wave[seen], series[seen])[0]
    return [series - wave[:, 1:] @ fitted[1:]]


def _level_shift(series: FloatArray, _: Usual) -> list[FloatArray]:
    change = change_day(series)
    before, after = np.nanmean(series[:change]), np.nanmean(series[change:])
    late = np.arange(len(series)) >= change
    return [np.where(late, series - after + before, series), np.where(late, series, series - before + after)]


def _drift(series: FloatArray, _: Usual) -> list[FloatArray]:
    line = trend(series)
    return [series - line + anchor for anchor in (line[0], line[len(line) // 2], line[-1])]


def _wander(series: FloatArray, usual: Usual) -> list[FloatArray]:
    memory = np.clip(lag_one(series), -1.0, 1.0)
    mean = float(np.nanmean(series))
    fresh = np.full(len(series), np.nan)
    fresh[1:] = (series[1:] - mean) - memory * (series[:-1] - mean)
    fresh[0] = 0.0
    fresh -= np.nanmean(fresh)
    return [fresh + mean, fresh + usual.level_mb]


def _volatility_change(series: FloatArray, _: Usual) -> list[FloatArray]:
    change = volatility_change_day(series)
    middle = moments.median(series[:, None])
    away = np.abs(series - middle)
    before, after = float(np.nanmean(away[:change])), float(np.nanmean(away[change:]))
    if not (before > 0 and after > 0):
        return []
    late = np.arange(len(series)) >= change
    ratio = after / before
    centred = series - middle
    return [middle + np.where(late, centred / ratio, centred), middle + np.where(late, centred, centred * ratio)]


def _spikes(series: FloatArray, _: Usual) -> list[FloatArray]:
    days = spike_days(series)
    # Only what changes most is asked for: with the largest gone, smaller ones may come to light.
    for _round in range(3):
        more = days | spike_days(np.where(days, np.nan, series))
        if (more == days).all() or more.mean() > MOST_SPIKES:
            break
        days = more
    return [_filled(series, days)] if 0 < days.mean() <= MOST_SPIKES else []


def _frozen(series: FloatArray, usual: Usual) -> list[FloatArray]:
    return [_filled_run(series, runs.stuck_days(series[:, None]), usual)]


def _inactive(series: FloatArray, usual: Usual) -> list[FloatArray]:
    return [_filled_run(series, runs.quiet_days(series[:, None]), usual)]


def _missing_days(series: FloatArray, _: Usual) -> list[FloatArray]:
    return [_filled(series, np.isnan(series))]


REPAIRS: dict[Kind, Callable[[FloatArray, Usual], list[FloatArray]]] = {
    Kind.LEVEL: _level,
    Kind.SPREAD: _spread,
    Kind.SHAPE: _shape,
    Kind.ROUNDED: _rounded,
    Kind.WEEKLY_RHYTHM: _weekly_rhythm,
    Kind.CYCLE: _cycle,
    Kind.LEVEL_SHIFT: _level_shift,
    Kind.DRIFT: _drift,
    Kind.WANDER: _wander,
    Kind.VOLATILITY_CHANGE: _volatility_change,
    Kind.SPIKES: _spikes,
    Kind.FROZEN: _frozen,
    Kind.INACTIVE: _inactive,
    Kind.MISSING_DAYS: _missing_days,
}


def change_day(series: FloatArray) -> int:
    """Index of the first day after the most likely change of level of a series (days,)."""
    return int(scores.change_point(scores.normal_scores(series[:, None]), np.isfinite(series)[:, None])[0])


def volatility_change_day(series: FloatArray) -> int:
    """Index of the first day after the most likely change of volatility of a series (days,)."""
    away = np.abs(series - moments.median(series[:, None]))
    return int(scores.change_point(scores.normal_scores(away[:, None]), np.isfinite(series)[:, None])[0])


def trend(series: FloatArray) -> FloatArray:
    """The straight line (days,) closest to a series (days,) with at least two observations."""
    seen = np.isfinite(series)
    day = np.arange(len(series), dtype=float)
    slope, start = np.polyfit(day[seen], series[seen], 1)
    line: FloatArray = start + slope * day
    return line


def lag_one(series: FloatArray) -> float:
    """Correlation of each day with the next; 0 where there are no such pairs."""
    centred = series - np.nanmean(series)
    product = centred[1:] * centred[:-1]
    square = centred[:-1] ** 2 * np.isfinite(product)
    total = float(np.nansum(square))
    return float(np.nansum(product)) / total if total > 0 else 0.0


def _mean_deviation(series: FloatArray) -> float:
    return float(moments.mean_deviation(series[:, None])[0])


def _filled_run(series: FloatArray, flags: BoolArray, usual: Usual) -> FloatArray:
    start, length = runs.longest_run(flags)
    days = np.zeros(len(series), bool)
    days[int(start[0]) : int(start[0]) + int(length[0])] = True
    return _filled(series, days, usual)


def _filled(series: FloatArray, days: BoolArray, usual: Usual | None = None) -> FloatArray:
    """The series with some days drawn anew, like its other days, or like the cohort where none is left."""
    rest = series[~days & np.isfinite(series)]
    if len(rest) >= 2 or usual is None:
        middle, spread = float(np.median(rest)), _mean_deviation(rest)
    else:
        middle, spread = usual.level_mb, usual.spread_mb
    return np.where(days, middle + _noise(len(series)) * spread / _OF_NORMAL, series)


def _noise(size: int) -> FloatArray:
    """Standard normal noise, always the same, so that a diagnosis can be repeated."""
    return np.random.default_rng(0).standard_normal(size)
