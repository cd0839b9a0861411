"""What a device would look like if one thing about it were as usual: one function a kind, each a repair.

A diagnosis follows from them: the repair that leaves the device least surprising names what is odd.
Where it cannot be told which part of a record is the odd one, a repair comes in variants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments, ranks, scores, steps
from oddfleet.detect.habits import without_week
from oddfleet.model import BoolArray, FloatArray, Kind

MOST_SPIKES = 0.1
"""More far days than this share are no spikes but a shape."""
_MOST = 1e9
"""A change of volatility by more is no change but an end."""
_LAST_KNEE = 0.875
_OF_NORMAL = np.sqrt(2 / np.pi)
"""Mean absolute deviation of standard normal noise."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What would be usual for a device: its mean and its mean absolute deviation, on the scale of its cohort."""

    level: float
    spread: float


def variants(kind: Kind, series: FloatArray, usual: Usual) -> list[FloatArray]:
    """The repaired versions of a series.

    Args:
        kind: what to repair.
        series: float64 (days,), NaN = no observation.
        usual: what is usual in the cohort.

    Returns:
        One or more series (days,); NaN stays. Empty where this kind cannot be repaired.
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


def unrounded(values: FloatArray) -> FloatArray:
    """A rounded series (days,), each value anywhere within its step; itself where it has but one value."""
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) < 2:
        return values
    step = float(np.median(np.diff(distinct)))
    spread: FloatArray = values + step * (_noise(len(values)).argsort().argsort() / len(values) - 0.5)
    return spread


def _level(series: FloatArray, usual: Usual) -> list[FloatArray]:
    mean = float(np.nanmean(series))
    scaled = [series * (usual.level / mean)] if mean > 0 and usual.level > 0 else []
    return [series + (usual.level - mean), *scaled]


def _spread(series: FloatArray, usual: Usual) -> list[FloatArray]:
    middle = moments.median(series[:, None])
    spread = _mean_deviation(series)
    return [middle + (series - middle) * (usual.spread / spread)] if spread > 0 else []


def _shape(series: FloatArray, _: Usual) -> list[FloatArray]:
    mean = float(np.nanmean(series))
    spread = _mean_deviation(series)
    drawn = mean + ranks.normal_scores(series[:, None])[:, 0] * spread / _OF_NORMAL
    return [np.where(np.isfinite(series), drawn, np.nan)]


def _weekly_rhythm(series: FloatArray, _: Usual) -> list[FloatArray]:
    # Which day the week begins with does not matter to what is left without it.
    return [without_week(series[:, None], np.arange(len(series)) % 7)[:, 0]]


def _cycle(series: FloatArray, _: Usual) -> list[FloatArray]:
    seen = np.isfinite(series)
    period = scores.cycle_period(ranks.normal_scores(series[:, None])[:, 0])
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
    line = trend(series)[0]
    return [series - line + anchor for anchor in (line[0], line[len(line) // 2], line[-1])]


def _wander(series: FloatArray, usual: Usual) -> list[FloatArray]:
    memory = np.clip(lag_one(series), -1.0, 1.0)
    mean = float(np.nanmean(series))
    fresh = np.full(len(series), np.nan)
    fresh[1:] = (series[1:] - mean) - memory * (series[:-1] - mean)
    fresh[0] = 0.0
    fresh -= np.nanmean(fresh)
    spread = _mean_deviation(fresh)
    usually = fresh * (usual.spread / spread) if spread > 0 else fresh
    return [fresh + mean, fresh + usual.level, usually + mean]


def _volatility_change(series: FloatArray, _: Usual) -> list[FloatArray]:
    change = volatility_change_day(series)
    middle = moments.median(series[:, None])
    away = np.abs(series - middle)
    before, after = float(np.nanmean(away[:change])), float(np.nanmean(away[change:]))
    if not (before > 0 and after > 0 and 1 / _MOST < after / before < _MOST):
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
    return [np.where(days, np.nan, series)] if 0 < days.mean() <= MOST_SPIKES else []


REPAIRS: dict[Kind, Callable[[FloatArray, Usual], list[FloatArray]]] = {
    Kind.LEVEL: _level,
    Kind.SPREAD: _spread,
    Kind.SHAPE: _shape,
    Kind.WEEKLY_RHYTHM: _weekly_rhythm,
    Kind.CYCLE: _cycle,
    Kind.LEVEL_SHIFT: _level_shift,
    Kind.DRIFT: _drift,
    Kind.WANDER: _wander,
    Kind.VOLATILITY_CHANGE: _volatility_change,
    Kind.SPIKES: _spikes,
}


def change_day(series: FloatArray) -> int:
    """Index of the first day after the most likely change of level of a series (days,)."""
    return int(steps.change_point(ranks.normal_scores(series[:, None]), np.isfinite(series)[:, None])[0])


def volatility_change_day(series: FloatArray) -> int:
    """Index of the first day after the most likely change of volatility of a series (days,).

    The likelihood is Laplace's, of distances from the median, which far days move less than squares.
    """
    away = np.abs(series - moments.median(series[:, None]))
    seen = np.isfinite(away)
    known = np.flatnonzero(seen)
    total, before = np.cumsum(away[known]), np.arange(1, len(known) + 1)
    after = len(known) - before
    inside = (before >= steps.SHORTEST_SEGMENT) & (after >= steps.SHORTEST_SEGMENT)
    if not inside.any() or total[-1] == 0:
        return len(series) // 2
    tiny = 1e-12 * total[-1]
    first, rest = total[inside] + tiny, total[-1] - total[inside] + tiny
    cost = before[inside] * np.log(first / before[inside]) + after[inside] * np.log(rest / after[inside])
    return int(known[np.flatnonzero(inside)[cost.argmin()] + 1])


def trend(series: FloatArray) -> tuple[FloatArray, int]:
    """The line (days,) that is level up to a day and straight from then on, closest to a series; and that day.

    The day is 0 unless a later one fits better by far (by the logarithm of the number of days, as Schwarz 1978 has it).

    Args:
        series: float64 (days,) with at least two observations.
    """
    seen = np.isfinite(series)
    day = np.arange(len(series), dtype=float)
    known = series[seen] - series[seen].mean()
    rise = np.maximum(day[seen, None] - np.arange(0, max(1, int(_LAST_KNEE * len(series)))), 0.0)
    rise -= rise.mean(axis=0)
    square = (rise**2).sum(axis=0)
    explained = np.where(square > 0, (rise * known[:, None]).sum(axis=0) ** 2 / np.where(square > 0, square, 1.0), 0.0)
    left = np.maximum((known**2).sum() - explained, 1e-300)
    knee = int(explained.argmax())
    if len(known) * np.log(left[0] / left[knee]) < np.log(len(known)):
        knee = 0
    rising = np.maximum(day - knee, 0.0)
    slope, start = np.polyfit(rising[seen], series[seen], 1)
    line: FloatArray = start + slope * rising
    return line, knee


def drifts(series: FloatArray) -> bool:
    """Whether a line fits a series (days,) better than a step."""
    ranked = np.where(np.isfinite(series), ranks.normal_scores(series[:, None])[:, 0], np.nan)
    late = np.arange(len(series)) >= change_day(series)
    step = np.where(late, np.nanmean(ranked[late]), np.nanmean(ranked[~late]))
    line = trend(ranked)[0]
    return bool(np.nansum((ranked - line) ** 2) < np.nansum((ranked - step) ** 2))


def lag_one(series: FloatArray) -> float:
    """Correlation of each day with the next; 0 where there are no such pairs."""
    centred = series - np.nanmean(series)
    product = centred[1:] * centred[:-1]
    square = centred[:-1] ** 2 * np.isfinite(product)
    total = float(np.nansum(square))
    return float(np.nansum(product)) / total if total > 0 else 0.0


def _mean_deviation(series: FloatArray) -> float:
    return float(moments.mean_deviation(series[:, None])[0])


def _noise(size: int) -> FloatArray:
    """Standard normal noise, always the same, so that a diagnosis can be repeated."""
    return np.random.default_rng(0).standard_normal(size)
