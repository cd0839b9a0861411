"""A spell: a day, or several in a row, that was odd for the whole fleet, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from oddfleet.detect import moments
from oddfleet.detect.habits import weekdays
from oddfleet.model import AnomalousDay, BoolArray, DateArray, FloatArray, IntArray

NEAREST, NEAREST_OF_WEEKDAY = 20, 8
"""So many days tell what is usual for a spell; or so many of its weekdays, where there is a week."""
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Spell:
    """Days in a row that were odd for the whole fleet.

    Attributes:
        days: int, their places in the record, rising by one.
        p_value: chance of any such day in the record of a fleet without one.
        less: whether the fleet carried less than is usual.
    """

    days: IntArray
    p_value: float
    less: bool


def told(spell: Spell, values: FloatArray, dates: DateArray, usual: BoolArray, *, weekly: bool) -> AnomalousDay:
    """Measure a spell against the days about it.

    Args:
        spell: the spell.
        values: float64 (days, devices), MB a day; NaN = no observation.
        dates: datetime64[D] (days,).
        usual: bool (days,), True for days that can be judged and are of no spell; at least one.
        weekly: whether only days of the same weekdays are like those of the spell.
    """
    then, like = values[spell.days], values[_like(spell.days, dates, usual, weekly=weekly)]
    share = _beyond(then, like, less=spell.less)
    change = _change(then, like)
    day, until = (dates[place].astype("datetime64[D]").item() for place in (spell.days[0], spell.days[-1]))
    return AnomalousDay(day, until, change, share, spell.p_value, _sentence(day, until, share, change, less=spell.less))


def _like(days: IntArray, dates: DateArray, usual: BoolArray, *, weekly: bool) -> IntArray:
    """The places of the usual days that are next to some others and like them, in rising order."""
    weekday = weekdays(dates)
    same = usual & np.isin(weekday, weekday[days])
    weekly = weekly and bool(same.any())
    pool = np.flatnonzero(same if weekly else usual)
    near = np.argsort(np.abs(pool - days.mean()), kind="stable")
    return np.sort(pool[near[: NEAREST_OF_WEEKDAY if weekly else NEAREST]])


def _beyond(then: FloatArray, like: FloatArray, *, less: bool) -> float:
    """The share of devices beyond the median of their usual days, from values (days, devices).

    Half of those that are the same count. Of small counts not a half is beyond on usual days either: by so much the
    share is corrected.
    """
    middle = moments.median(like)
    then_beyond, usually = (_share_beyond(some, middle, less=less) for some in (then, like))
    return float(np.clip(then_beyond + (0.5 - usually), 0.0, 1.0))


def _share_beyond(values: FloatArray, middle: FloatArray, *, less: bool) -> float:
    one, other = (values, middle) if less else (middle, values)
    both = int((np.isfinite(one) & np.isfinite(other)).sum())
    return float((one < other).sum() + (one <= other).sum()) / (2 * max(both, 1))


def _change(then: FloatArray, like: FloatArray) -> float:
    """By what share devices carried more than usual, from values (days, devices); NaN where that cannot be said.

    The ratios to a device's own mean are averaged without their outer tenths, for a median of small counts hardly
    moves; and held against the same of the usual days, for in a lopsided law it is not 1.
    """
    level = moments.observed_mean(like)
    carries = level > 0
    part, whole = (_trimmed_mean(some[:, carries] / level[carries]) for some in (then, like))
    return part / whole - 1 if whole > 0 else float("nan")


def _trimmed_mean(ratios: FloatArray) -> float:
    """The mean of numbers (any,) without their outer tenths, NaN left out; NaN where there are none."""
    ordered = np.sort(ratios[np.isfinite(ratios)])
    outer = len(ordered) // 10
    inner = ordered[outer : len(ordered) - outer]
    return float(inner.mean()) if inner.size else float("nan")


def _sentence(day: date, until: date, share: float, change: float, *, less: bool) -> str:
    """The spell in one plain sentence."""
    when = f"On {day}" if day == until else f"From {day} to {until}"
    fleet = "nearly the whole fleet" if share >= NEARLY_ALL else "most of the fleet"
    amount, side = ("less", "below") if less else ("more", "above")
    said = f"{when} {fleet} carried {amount}: {100 * share:.0f} % of its devices were {side} their usual"
    # What rounds to nothing is not told, nor what a few devices turn round.
    size = round(100 * (-change if less else change)) if np.isfinite(change) else 0
    return said + (f", the average one by {size:,} %." if size > 0 else ".")
