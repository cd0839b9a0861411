"""The course of one number a day: its slow level and its week, and what is left of each day without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments, ranks, scores
from oddfleet.detect.habits import USUAL_SCORE
from oddfleet.model import FloatArray, IntArray

REACH = 10
"""So many days on either side tell the level of a day: three weeks in all, so that each weekday is heard thrice."""
FEWEST_DAYS = 28
"""A shorter record has no course: its level is the median of all days."""
WINDOW = 2 * REACH + 1
_PAIRS = np.triu_indices(WINDOW, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The course of a series (arrays (days,)).

    Attributes:
        usual: slow level and week; NaN where no day about has a number.
        rest: what each day has beyond it; NaN where the day has no number.
        weekly: whether there is a week.
    """

    usual: FloatArray
    rest: FloatArray
    weekly: bool


def find(series: FloatArray, weekday: IntArray | None) -> Course:
    """Find the course of a series.

    The level is a running median (Tukey 1977), which days in a row move only where they are as many as ten; at the
    ends of the record it is a robust line (Theil 1950, Sen 1968). There a day counts for what it has beyond the line
    or beyond the median, whichever is less: the one is misled by what wanders, the other by what grows. The week is
    the median of each weekday, where there is one.

    Args:
        series: float64 (days,); NaN = no number.
        weekday: int (days,), 0 to 6; None where it is known that there is no week.
    """
    if not series.size:
        return Course(series, series, weekly=False)
    if np.isfinite(series).sum() < FEWEST_DAYS:
        level = np.full(len(series), moments.median(series[:, None])[0])
        return Course(level, series - level, weekly=False)
    level, rest = _parts(series)
    if weekday is None or _rhythm(rest, weekday) <= USUAL_SCORE:
        return Course(_smooth(level), rest, weekly=False)
    week = np.array([moments.median(rest[weekday == day][:, None])[0] for day in range(7)])[weekday]
    level, rest = _parts(series - week)
    return Course(_smooth(level) + week, rest, weekly=True)


def _rhythm(rest: FloatArray, weekday: IntArray) -> float:
    """How much the weekdays of a series (days,) differ, on the normal scale."""
    return float(scores.rhythm_score(ranks.normal_scores(rest[:, None]), np.isfinite(rest)[:, None], weekday)[0])


def _parts(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The slow level and what is left of a series, each (days,)."""
    beyond = np.full(REACH, np.nan)
    padded = np.concatenate([beyond, series, beyond])
    level = moments.median(np.lib.stride_tricks.sliding_window_view(padded, WINDOW).T)
    rest = series - level
    lines = _lines(np.stack([series[:WINDOW], series[: -WINDOW - 1 : -1]], axis=1))[:REACH]
    for end, line in zip((slice(REACH), slice(-1, -REACH - 1, -1)), lines.T, strict=True):
        by_median, by_line = rest[end], series[end] - line
        least = np.where(np.abs(by_line) < np.abs(by_median), by_line, by_median)
        rest[end] = np.where(by_line * by_median > 0, least, 0 * by_median)
        level[end] = line
    return level, rest


def _lines(series: FloatArray) -> FloatArray:
    """The robust lines through series of one window (days, series): the median slope of all pairs, the median height.

    NaN where it is fewer than two days.
    """
    first, second = _PAIRS
    slope = moments.median((series[second] - series[first]) / (second - first)[:, None])
    day = np.arange(WINDOW)[:, None]
    lines: FloatArray = moments.median(series - slope * day) + slope * day
    return lines


def _smooth(level: FloatArray) -> FloatArray:
    """Running mean of a level (days,) over as many days, or as few as there are on the shorter side.

    A running median follows the noise of single days wherever the level is steep.
    """
    day = np.arange(len(level))
    reach = np.minimum(np.minimum(day, day[::-1]), REACH)
    seen = np.isfinite(level)
    total = np.concatenate([[0.0], np.cumsum(np.where(seen, level, 0.0))])
    count = np.concatenate([[0], np.cumsum(seen)])
    last, first = day + reach + 1, day - reach
    heard = count[last] - count[first]
    smooth: FloatArray = np.where(heard > 0, (total[last] - total[first]) / np.maximum(heard, 1), np.nan)
    return smooth
