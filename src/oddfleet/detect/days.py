"""The fleet day by day: what it carries in all, what is usual for such a day, and the days odd for all of it.

Which days are odd is not told from the total, which one loud device moves, but from all devices alike: each says how
far a day is from its own usual, and no device says it louder than the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from oddfleet.detect import courses, moments, spells, tails
from oddfleet.detect.groups import Group
from oddfleet.detect.habits import weekdays
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.detect.spells import Spell
from oddfleet.model import AnomalousDay, BoolArray, DateArray, FleetDays, FloatArray, IntArray

MOST_DEVICES = 200
"""So many devices tell how odd a day was."""
MOST_OF_THEM = 0.6
"""A day is one of the whole fleet when so large a share of the devices is beyond its usual: of half without a cause."""
SEEN = 0.5
"""A day on which less than this share of the usual number of devices is seen says nothing of the fleet."""
BAND = 3.0
"""So many spreads on either side of the usual total make its band."""
_OUTER, _FAR = 0.1, 4.0
_CLIP, _CLIP_OF_FEW = 1.25, 3.6
"""What is further out than so many widths counts as that far; or over the root of their number, for few devices must
say it louder together."""
_WORTH = 0.37
"""The median absolute deviation knows a spread as well as the standard deviation does from so large a share of the days
(Rousseeuw and Croux 1993)."""
_LEVEL = 1 + np.pi / 2 / courses.WINDOW
"""The variance of a day less the median of the days about it, over that of the day."""


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """What some devices say of the days (arrays (days,)).

    Attributes:
        rest: how far the day is from its usual, the mean of all devices; NaN where too few were seen.
        square: the variance of the devices about their mean.
        count: how many were seen.
        weekly: whether the days have a week.
    """

    rest: FloatArray
    square: FloatArray
    count: IntArray
    weekly: bool


def totals(values: FloatArray) -> FloatArray:
    """The sum of all devices and the number of those with an observation, float64 (2, days).

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
    """
    total = values.sum(axis=1)
    if np.isfinite(total).all():
        return np.stack([total, np.full(len(values), float(values.shape[1]))])
    seen = np.isfinite(values)
    return np.stack([np.where(seen, values, 0.0).sum(axis=1), np.count_nonzero(seen, axis=1)])


def of_fleet(total: FloatArray, dates: DateArray, anomalous: tuple[AnomalousDay, ...]) -> FleetDays:
    """What is usual for the totals of a fleet.

    Args:
        total: float64 (2, days), as ``totals`` has it.
        dates: datetime64[D] (days,).
        anomalous: the days that were odd.
    """
    sums, observed = total[0], total[1].astype(np.int64)
    known = np.where(observed > 0, sums, np.nan)
    # A fleet that grows or has a week varies in proportion; days of nothing at all have no logarithm, and no say.
    in_proportion = bool((known > 0).sum() > len(known) / 2)
    series = np.log(np.where(known > 0, known, np.nan)) if in_proportion else known
    course = courses.find(series, weekdays(dates))
    rest = (series - course.usual)[np.isfinite(series)]
    reach = BAND * moments.robust_spread(rest) if rest.size else np.nan
    band = np.stack([course.usual, course.usual - reach, course.usual + reach])
    usual, low, high = np.exp(band) if in_proportion else band
    return FleetDays(sums, observed, usual, low, high, anomalous)


def anomalous(groups: Sequence[Group], dates: DateArray, alpha: float) -> tuple[AnomalousDay, ...]:
    """The days that were odd for the whole fleet: of fleets without any, at most ``alpha`` have one.

    Args:
        groups: the cohorts, with their tests.
        dates: datetime64[D] (days,).
        alpha: the false-alarm rate.
    """
    if sum(len(group.members) for group in groups) < FEWEST_DEVICES:
        return ()
    values, scaled = _some(groups)
    heard = _hear(scaled, dates)
    if heard is None:
        return ()
    found = _spells(heard, alpha)
    usual = np.isfinite(heard.rest) & ~np.isin(np.arange(len(dates)), [day for spell in found for day in spell.days])
    told = [spells.told(spell, values, dates, usual, weekly=heard.weekly) for spell in found]
    return tuple(one for one in told if one.devices >= MOST_OF_THEM)


def _some(groups: Sequence[Group]) -> tuple[FloatArray, FloatArray]:
    """Devices of all cohorts in proportion (days, devices): as measured, and on the scale of their cohort."""
    chosen = moments.evenly_spaced(sum(len(group.members) for group in groups), MOST_DEVICES)
    values, scaled, before = [], [], 0
    for group in groups:
        end = before + len(group.members)
        own = chosen[(chosen >= before) & (chosen < end)] - before
        values.append(np.take(group.judgement.block.values, own, axis=1))
        scaled.append(group.judgement.scale.of(own).apply(values[-1]))
        before = end
    return np.concatenate(values, axis=1), np.concatenate(scaled, axis=1)


def _hear(scaled: FloatArray, dates: DateArray) -> _Heard | None:
    """What devices (days, devices) say of the days; None where they or the days are too few."""
    middle, width, count = _middle_and_width(scaled)
    told = (width > 0) & (count >= courses.FEWEST_DAYS)
    if told.sum() < FEWEST_DEVICES:
        return None
    if not told.all():
        scaled, middle, width = scaled[:, told], middle[told], width[told]
    away = (scaled - middle) / width
    seen, weekday = np.isfinite(away), weekdays(dates)
    devices = np.count_nonzero(seen, axis=1)
    enough = devices >= max(FEWEST_DEVICES, SEEN * np.median(devices))
    if enough.sum() < courses.FEWEST_DAYS:
        return None
    common = courses.find(_mean(np.clip(away, -_FAR, _FAR), seen, enough)[0], weekday)
    mean, square = _mean(_alike(_without(away, seen, np.nan_to_num(common.usual))), seen, enough)
    return _Heard(courses.find(mean, None).rest, square, devices, common.weekly)


def _alike(rest: FloatArray) -> FloatArray:
    """Series (days, devices) in their own widths, of which none speaks louder than another (Huber 1964)."""
    middle, width, _count = _middle_and_width(rest)
    most = max(_CLIP, _CLIP_OF_FEW / np.sqrt(rest.shape[1]))
    held: FloatArray = np.clip((rest - middle) / np.where(width > 0, width, 1.0), -most, most)
    return held


def _without(away: FloatArray, seen: BoolArray, course: FloatArray) -> FloatArray:
    """Series (days, devices) without a course (days,) that each follows as strongly as it does."""
    centred = course - course.mean()
    if seen.all():
        product, square = np.einsum("t,td->d", centred, away), np.asarray((centred**2).sum())
    else:
        product = np.einsum("t,td->d", centred, np.where(seen, away, 0.0))
        square = np.einsum("t,td->d", centred**2, seen.astype(float))
    without: FloatArray = away - centred[:, None] * (product / np.where(square > 0, square, 1.0))
    return without


def _middle_and_width(values: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Median, half the distance of the outer tenths, and number of observations, each (devices,)."""
    ordered = np.sort(values, axis=0)
    count = np.count_nonzero(np.isfinite(ordered), axis=0)
    last = np.maximum(count - 1, 0)
    outer = (_OUTER * last).astype(np.int64)
    low, high, below, above = (
        np.take_along_axis(ordered, place[None], axis=0)[0]
        for place in (outer, last - outer, last // 2, last - last // 2)
    )
    return (below + above) / 2, (high - low) / 2, count


def _mean(away: FloatArray, seen: BoolArray, enough: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean of the devices on each day, NaN where they are not enough, and their variance about it; (days,)."""
    known = away if seen.all() else np.where(seen, away, 0.0)
    count = np.maximum(np.count_nonzero(seen, axis=1), 2)
    mean = known.sum(axis=1) / count
    square = np.einsum("td,td->t", known, known) - count * mean**2
    return np.where(enough, mean, np.nan), np.maximum(square, 0.0) / (count - 1)


def _log_p(heard: _Heard) -> FloatArray:
    """Log p-value (days,) of each day by itself; 0 where it cannot be judged.

    The rest of a day is as uncertain as the rests of all days are; or, where by luck these lie too close together, as
    the mean of so many devices is; more so where fewer were seen. By Student's law, its tail as heavy as the days show.
    """
    known = np.isfinite(heard.rest)
    noise, usual = _LEVEL * heard.square[known].mean(), float(np.median(heard.count[known]))
    fewer = noise / np.maximum(heard.count, 1) - noise / usual
    variance = max(moments.robust_spread(heard.rest[known]) ** 2, noise / usual) + fewer
    distance = np.abs(heard.rest) / np.sqrt(np.where(variance > 0, variance, 1.0))
    chance = 2 * stdtr(_WORTH * known.sum(), -np.where(known, distance, 0.0))
    log_p = np.log(np.maximum(chance, 1e-300))[None]
    heavier: FloatArray = tails.learn(log_p).apply(log_p)[0]
    return heavier


def _spells(heard: _Heard, alpha: float) -> list[Spell]:
    """The days that are odd, at ``alpha`` for the whole record, with those next to them that are so by themselves."""
    log_p, judged = _log_p(heard), float(np.log(np.isfinite(heard.rest).sum()))
    sign = np.where(log_p <= np.log(alpha), np.sign(heard.rest), 0.0)
    found = []
    for days in np.split(np.arange(len(sign)), np.flatnonzero(np.diff(sign)) + 1):
        least = float(log_p[days].min()) + judged
        if least <= np.log(alpha):
            found.append(Spell(days, float(np.exp(least)), bool(sign[days[0]] < 0)))
    return found
