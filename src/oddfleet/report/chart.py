"""What a picture of one device shows, whatever draws it: its series, the band of its cohort, the marks of its findings.

The PNG and the page draw the same ``Chart``, so they cannot tell different stories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from oddfleet.errors import InputError
from oddfleet.model import AnyFleet, DateArray, DeviceId, Finding, Fleet, FloatArray, IntArray, Kind, Oddities
from oddfleet.report.axis import LARGEST, Axis, axis_for

BAND = (0.05, 0.5, 0.95)
"""Quantiles of the devices of the cohort that are not odd: lower edge, middle line and upper edge of the band."""

FEWEST_IN_BAND = 2
"""One device is no band."""
MOST_IN_BAND = 1000
"""Devices of a cohort that tell its band, where not all are in memory."""
_MOST_DAY_MARKS = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """Where on the days a finding is shown.

    Attributes:
        kind: the kind of the finding.
        style: ``"span"`` shades ``first`` to ``last``, ``"change"`` is a line at ``first`` (what began
            there lasts to the end of the record), ``"day"`` a dot on ``first``.
        first: number of the first day, the first day of the record being 0.
        last: number of the last day.
    """

    kind: Kind
    style: Literal["span", "change", "day"]
    first: int
    last: int


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """What is usual in a cohort from day to day: quantiles of its devices that are not odd.

    Attributes:
        low: 5 % quantile each day (days,), MB a day, NaN where no such device has a value.
        middle: their median (days,).
        high: their 95 % quantile (days,).
    """

    low: FloatArray
    middle: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A device's series against its cohort.

    Attributes:
        device_id: the device.
        name: its name, None where it has none.
        findings: what is said of it, strongest first.
        dates: ``datetime64[D]`` (days,).
        series: float64 (days,), MB a day, NaN = no observation.
        band: what is usual in its cohort; the same ``Band`` for all devices of a cohort.
        axis: the vertical axis.
        marks: the findings that speak of a part of the record.
    """

    device_id: DeviceId
    name: str | None
    findings: tuple[Finding, ...]
    dates: DateArray
    series: FloatArray
    band: Band
    axis: Axis
    marks: tuple[Mark, ...]


def shown(fleet: AnyFleet, result: Oddities) -> Fleet:
    """What charts need of a fleet: all of one in memory; of a larger one the odd devices and some of each cohort."""
    if isinstance(fleet, Fleet):
        return fleet
    if not result.ids:
        return fleet.subset(np.zeros(0, np.int64))
    labels = np.array(result.table["cohort"], object)
    some = [np.flatnonzero(labels == label) for label in sorted(set(result.table["cohort"]))]
    bands = [telling_the_band(places) for places in some]
    return fleet.subset(np.unique(np.concatenate([np.flatnonzero(result.table["odd"]), *bands])))


def telling_the_band(cohort: IntArray) -> IntArray:
    """Of the places of a cohort's devices those that tell its band, where not all are in memory."""
    telling: IntArray = cohort[np.linspace(0, len(cohort) - 1, min(len(cohort), MOST_IN_BAND)).astype(int)]
    return telling


class Charts:
    """Makes the charts of one result; the band of a cohort is made once, however many of its devices are drawn."""

    def __init__(self, fleet: Fleet, result: Oddities) -> None:
        self._fleet = fleet
        self._result = result
        self._column = {device_id: column for column, device_id in enumerate(fleet.device_ids)}
        labels = zip(result.table["id"], result.table["cohort"], strict=True)
        self._cohort = {device_id: label for device_id, label in labels if device_id in self._column}
        self._odd = set(result.ids)
        self._bands: dict[Any, Band] = {}

    def of(self, device_id: DeviceId) -> Chart:
        """The chart of one device, odd or not.

        Raises:
            InputError: when the fleet has no such device.
        """
        if device_id not in self._column:
            raise InputError(f"device {device_id!r}: must be one of the fleet's devices; check the id and its type")
        column = self._column[device_id]
        series = np.clip(self._fleet.values[:, column], -LARGEST, LARGEST)
        band = self._band(device_id)
        findings = self._result.of(device_id)
        return Chart(
            device_id=device_id,
            name=self._fleet.names[column],
            findings=findings,
            dates=self._fleet.dates,
            series=series,
            band=band,
            axis=axis_for(series, np.concatenate([band.low, band.high])),
            marks=tuple(
                dict.fromkeys(
                    mark for finding in findings for mark in marks_of(finding, self._fleet.dates, series, band.middle)
                )
            ),
        )

    def _band(self, device_id: DeviceId) -> Band:
        label = self._cohort.get(device_id)
        if label not in self._bands:
            usual = [
                column
                for other, column in self._column.items()
                if self._cohort.get(other) == label and other not in self._odd
            ]
            self._bands[label] = band_of(np.clip(self._fleet.values[:, usual], -LARGEST, LARGEST))
        return self._bands[label]


def band_of(values: FloatArray) -> Band:
    """The daily quantiles ``BAND`` of some devices, as ``numpy.nanquantile`` has them, by one sort; of one, none.

    Args:
        values: float64 (days, devices), MB a day, NaN = no observation.

    >>> float(band_of(np.array([[3.0, 1.0, np.nan, 2.0]])).middle[0])
    2.0
    """
    if values.shape[1] < FEWEST_IN_BAND:
        return Band(*(np.full(len(values), np.nan) for _ in BAND))
    rising = np.sort(values, axis=1)  # NaN last
    last = np.isfinite(values).sum(axis=1) - 1
    days = np.arange(len(values))

    def quantile(share: float) -> FloatArray:
        place = share * np.maximum(last, 0)
        below = np.floor(place).astype(np.int64)
        lower, upper = rising[days, below], rising[days, np.minimum(below + 1, np.maximum(last, 0))]
        between: FloatArray = lower + (place - below) * (upper - lower)
        return between

    return Band(*(quantile(share) for share in BAND))


def marks_of(finding: Finding, dates: DateArray, series: FloatArray, middle: FloatArray) -> list[Mark]:
    """Where a finding is shown; nowhere when it speaks of the whole record or of days outside it."""
    end = len(dates) - 1
    first = 0 if finding.since is None else _day_number(finding.since, dates)
    last = end if finding.until is None else _day_number(finding.until, dates)
    if first > end or last < 0:
        return []
    first, last = max(first, 0), min(last, end)
    if finding.kind is Kind.SPIKES:
        days = _furthest_days(series, middle, first, last, min(finding.days, _MOST_DAY_MARKS))
        return [Mark(finding.kind, "day", day, day) for day in days]
    if first == 0 and last == end:
        return []
    return [Mark(finding.kind, "change" if last == end else "span", first, last)]


def date_ticks(dates: DateArray, most: int) -> list[tuple[int, str]]:
    """At most ``most`` days to name on the time axis, as (number of the day, label).

    Whole months where the record has more than two of them, else days.
    """
    months = dates.astype("datetime64[M]")
    starts = np.flatnonzero(dates == months.astype("datetime64[D]"))
    if len(starts) > 2:
        step = next(step for step in (1, 2, 3, 4, 6, *range(12, 1212, 12)) if len(starts) <= step * most)
        # Counted from January, so that steps of 3 or 12 months fall on quarters and years.
        starts = starts[months[starts].astype(np.int64) % step == 0]
        return [(int(day), str(months[day])) for day in starts]
    step = -(-len(dates) // most)
    return [(day, str(dates[day])) for day in range(0, len(dates), step)]


def _day_number(day: Any, dates: DateArray) -> int:
    return int((np.datetime64(day, "D") - dates[0]).astype(np.int64))


def _furthest_days(series: FloatArray, middle: FloatArray, first: int, last: int, how_many: int) -> list[int]:
    """The days of a stretch on which the device is furthest from its usual distance to its cohort."""
    apart = series - np.nan_to_num(middle)
    days = first + np.flatnonzero(np.isfinite(apart[first : last + 1]))
    if len(days) == 0:
        return []
    usual = np.median(apart[np.isfinite(apart)])
    order = np.argsort(-np.abs(apart[days] - usual), kind="stable")
    return sorted(int(day) for day in days[order[:how_many]])
