"""The cards of the page, one an odd device: what is said of it, where it stands, what its chart is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from oddfleet.model import DeviceId, Finding, FloatArray, Oddities
from oddfleet.report import wording
from oddfleet.report.axis import Axis
from oddfleet.report.chart import Band, Chart, Charts
from oddfleet.report.page.packing import packed, telling_days
from oddfleet.report.page.strip import Strip, strip

MOST_POINTS = 80_000
"""Points of all series of a page together: with many cards long series are thinned, peaks and all gaps kept."""
MOST_BAND_POINTS = 183


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """What the page shows of one odd device.

    Attributes:
        chart: what is drawn.
        findings: the strongest findings first, each with its strip.
    """

    chart: Chart
    findings: tuple[tuple[Finding, Strip | None], ...]


def card(charts: Charts, result: Oddities, device_id: DeviceId) -> Card:
    """The card of an odd device."""
    chart = charts.of(device_id)
    strips = (strip(finding, result.among.get((device_id, finding.kind))) for finding in chart.findings)
    return Card(chart, tuple(zip(chart.findings, strips, strict=True)))


def drawn(cards: list[Card]) -> dict[str, Any]:
    """What the page's script draws the charts of these cards from: ``bands`` of cohorts, and a ``card`` each."""
    bands: dict[int, int] = {}
    shown: list[Band] = []
    for one in cards:
        if bands.setdefault(id(one.chart.band), len(shown)) == len(shown):
            shown.append(one.chart.band)
    most = max(MOST_POINTS // max(len(cards), 1), 2)
    return {
        "bands": [_band(band) for band in shown],
        "cards": [{"band": bands[id(one.chart.band)], **_series(one.chart, most)} for one in cards],
    }


def _series(chart: Chart, most: int) -> dict[str, Any]:
    days = telling_days(chart.series, most)
    return {
        "days": None if len(days) == len(chart.series) else days.tolist(),
        "series": packed(chart.series[days]),
        "axis": _axis(chart.axis),
        "marks": [
            {"style": mark.style, "first": mark.first, "last": mark.last, "kind": wording.kind_words(mark.kind)}
            for mark in chart.marks
        ],
    }


def _axis(axis: Axis) -> dict[str, Any]:
    """A bent axis with its ticks; a straight one finds its own as one looks closer."""
    ticks = None if axis.width is None else [[value, label] for value, label in axis.ticks]
    return {"low": axis.low, "high": axis.high, "width": axis.width, "ticks": ticks}


def _band(band: Band) -> dict[str, Any]:
    step = -(-len(band.low) // MOST_BAND_POINTS)
    return {
        "step": step,
        **{name: packed(_averaged(getattr(band, name), step)) for name in ("low", "middle", "high")},
    }


def _averaged(values: FloatArray, step: int) -> FloatArray:
    """Mean of each ``step`` days in a row; NaN where none of them has a value."""
    starts = np.arange(0, len(values), step)
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    counts = np.add.reduceat(known.astype(np.int64), starts)
    means = np.full(len(starts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
