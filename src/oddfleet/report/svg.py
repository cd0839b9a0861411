"""A chart as path data for inline SVG: short text, for two hundred of them must fit into one page.

One unit across is one day, one unit down is 1/200 of the height; the page stretches both. Labels are
not part of it: the page sets them as text, so that they stay readable on a telephone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oddfleet.model import FloatArray
from oddfleet.report.chart import Chart, date_ticks

HEIGHT = 200
_MOST_POINTS = 400
_MOST_BAND_POINTS = 183

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page needs to draw a chart.

    Attributes:
        days: width of the drawing; it begins at -0.5, so that a day is centred on its number.
        series: path of the device's series.
        band: closed path of the cohort's band.
        middle: path of the cohort's median.
        spikes: path of dots on single days.
        spans: shaded stretches, as (left, width).
        changes: days of change.
        rules: heights of the horizontal rules.
        value_labels: labels of the rules, as (share of the height from the top in %, text).
        day_labels: labels of days, as (share of the width in %, text).
        bent: whether the vertical axis is squeezed.
    """

    days: int
    series: str
    band: str
    middle: str
    spikes: str
    spans: tuple[tuple[float, int], ...]
    changes: tuple[int, ...]
    rules: tuple[int, ...]
    value_labels: tuple[tuple[float, str], ...]
    day_labels: tuple[tuple[float, str], ...]
    bent: bool


def drawing(chart: Chart) -> Drawing:
    """The path data of a chart, thinned to what a page a few hundred points wide can show."""
    n_days = len(chart.dates)
    series = _down(chart, chart.series)
    drawn = _telling_days(chart.series)
    low, high, middle = (_averaged(values) for values in (chart.low, chart.high, chart.middle))
    band_days = _bins(n_days, _MOST_BAND_POINTS)
    rules = _down(chart, np.array([value for value, _ in chart.axis.ticks]))
    dots = [mark.first for mark in chart.marks if mark.style == "day"]
    return Drawing(
        days=n_days,
        series=_path(drawn, series[drawn]),
        band=_outline(band_days, _down(chart, low), _down(chart, high)),
        middle=_path(band_days, _down(chart, middle)),
        spikes="".join(f"M{day} {series[day]:.0f}h0" for day in dots),
        spans=tuple((mark.first - 0.5, mark.last - mark.first + 1) for mark in chart.marks if mark.style == "span"),
        changes=tuple(mark.first for mark in chart.marks if mark.style == "change"),
        rules=tuple(int(rule) for rule in rules),
        value_labels=tuple(
            (round(float(rule) / HEIGHT * 100, 1), label)
            for rule, (_, label) in zip(rules, chart.axis.ticks, strict=True)
        ),
        day_labels=tuple(
            (round((day + 0.5) / n_days * 100, 1), label) for day, label in date_ticks(chart.dates, most=5)
        ),
        bent=chart.axis.width is not None,
    )


def _down(chart: Chart, values: FloatArray) -> FloatArray:
    """Distance from the top, in whole units; NaN stays NaN."""
    return np.round(HEIGHT * (1 - chart.axis.place(values)))


def _bins(n_days: int, most: int) -> IntArray:
    """First days of at most ``most`` stretches of equal length."""
    return np.arange(0, n_days, -(-n_days // most))


def _averaged(values: FloatArray) -> FloatArray:
    """Mean of the values of each stretch of the band; NaN where a stretch has none."""
    starts = _bins(len(values), _MOST_BAND_POINTS)
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    counts = np.add.reduceat(known.astype(np.int64), starts)
    means = np.full(len(starts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _telling_days(series: FloatArray) -> IntArray:
    """The days to draw: all of a short record; else the lowest and highest of each stretch, so that no peak is lost."""
    if len(series) <= _MOST_POINTS:
        return np.arange(len(series))
    stretches = np.split(np.arange(len(series)), _bins(len(series), _MOST_POINTS // 2)[1:])
    days: set[int] = set()
    for stretch in stretches:
        known = stretch[np.isfinite(series[stretch])]
        # A stretch without any value is kept as one day without, for the gap to be seen.
        days |= (
            {int(known[series[known].argmin()]), int(known[series[known].argmax()])}
            if len(known)
            else {int(stretch[0])}
        )
    return np.array(sorted(days))


def _path(across: IntArray, down: FloatArray) -> str:
    """Path data through the points, broken where ``down`` is NaN; a lone point becomes a dot."""
    steps: list[str] = []
    for run in _runs(down):
        x, y = across[run], down[run].astype(np.int64)
        # "h0" draws nothing but the round ends of a line, which make a lone day visible.
        steps.append(f"M{x[0]} {y[0]}h0")
        steps += [f"l{dx}{dy}" if dy < 0 else f"l{dx} {dy}" for dx, dy in zip(np.diff(x), np.diff(y), strict=True)]
    return "".join(steps)


def _outline(across: IntArray, low: FloatArray, high: FloatArray) -> str:
    """Closed path data: along the upper edge, back along the lower."""
    outlines = []
    for run in _runs(low):
        back = run[::-1]
        outlines.append(_path(np.r_[across[run], across[back]], np.r_[high[run], low[back]]) + "z")
    return "".join(outlines)


def _runs(values: FloatArray) -> list[IntArray]:
    """The stretches of places without NaN."""
    places = np.flatnonzero(np.isfinite(values))
    if len(places) == 0:
        return []
    return np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
