"""One look through Parquet files: where each device stands in them, how much traffic it has, what cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from oddfleet.ingest.exact import EARLIEST, LATEST
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.parquet import ParquetFile, Taken, take
from oddfleet.ingest.stored import Runs, Span
from oddfleet.model import DeviceId, FloatArray

ROWS_AT_ONCE = 1 << 21
"""Rows held at a time: some hundred MB while they are read, and as fast as all at once."""
_FIRST = (EARLIEST - date(1970, 1, 1)).days
_DAYS = (LATEST - EARLIEST).days + 1


@dataclass(slots=True)
class Index:
    """What a look through all files tells.

    Attributes:
        spans: the stretches of rows, each of whole devices.
        ids: the devices in the order of the spans: all numbers or all words.
        totals: traffic of each of them, in MB; NaN where it has no row that can be used.
        rows: rows met.
        rejected: rows that cannot be used.
        usable: days of devices with a number.
        recorded: number of rows (possible days,) that can be used on each day, and
        observed: those with a day and device, usable or not; and
        by_day: traffic of all devices on each day, in MB, where it is recorded.
    """

    spans: list[Span] = field(default_factory=list)
    ids: list[DeviceId] = field(default_factory=list)
    totals: list[FloatArray] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    usable: int = 0
    recorded: FloatArray = field(default_factory=lambda: np.zeros(_DAYS))
    observed: FloatArray = field(default_factory=lambda: np.zeros(_DAYS))
    by_day: FloatArray = field(default_factory=lambda: np.zeros(_DAYS))

    def add(self, span: Span, taken: Taken, runs: Runs) -> None:
        """Enter a span."""
        self.spans.append(span)
        self.ids += [device_id(device) if isinstance(device, str) else device for device in runs.ids]
        self.rows += span.rows
        self.rejected += len(taken.issues)
        if span.days is not None:
            self._add_days(runs.value.reshape(span.devices, -1), span.days[0] - _FIRST)
            return
        self.usable += runs.usable()
        value = np.nan_to_num(runs.value)
        if len(value):
            totals = np.add.reduceat(value, runs.begins[:-1])
            if taken.invalid.height:
                used = set(taken.rows["device_id"].unique().to_list())
                totals[[device not in used for device in runs.ids]] = np.nan
            self.totals.append(totals)
        recorded = taken.rows["date"].to_physical().to_numpy().astype(np.int64) - _FIRST
        self.recorded += np.bincount(recorded, minlength=_DAYS)
        self.observed += np.bincount(runs.day - _FIRST, minlength=_DAYS)
        self.by_day += np.bincount(runs.day - _FIRST, value, minlength=_DAYS)

    def _add_days(self, values: FloatArray, first: int) -> None:
        """Enter devices with a number on each day, (devices, days), which is much faster."""
        self.usable += values.size
        self.totals.append(values.sum(axis=1))
        days = slice(first, first + values.shape[1])
        self.by_day[days] += values.sum(axis=0)
        for count in (self.recorded, self.observed):
            count[days] += len(values)

    def days(self) -> tuple[date, date]:
        """The first and the last day that is observed."""
        days = np.flatnonzero(self.observed)
        return _date(days[0]), _date(days[-1])

    def first_day(self) -> tuple[date, float]:
        """The first day on record, and the traffic of all devices on it, in MB."""
        place = np.flatnonzero(self.recorded)[0]
        return _date(place), float(self.by_day[place])


def _date(place: np.intp) -> date:
    """The day at a place of ``recorded`` and the like."""
    return EARLIEST + timedelta(int(place))


def index(files: Sequence[ParquetFile], progress: Callable[[int, int], None] | None) -> Index | None:
    """Look through files.

    Args:
        files: the files.
        progress: called with (rows done, rows in all).

    Returns:
        None where the rows of a device do not stand together, or columns are of types that must be read as lines.
    """
    found, total = Index(), sum(file.rows for file in files)
    if progress is not None:
        progress(0, total)
    for file in files:
        for part in _spans(file):
            if part is None:
                return None
            found.add(*part)
            if progress is not None:
                progress(found.rows, total)
    if any(isinstance(device, str) for device in found.ids):
        found.ids = [str(device) for device in found.ids]
    return found if len(set(found.ids)) == len(found.ids) else None


def _spans(file: ParquetFile) -> Iterator[tuple[Span, Taken, Runs] | None]:
    """The spans of a file, with what is in them; None where the rows are of types that must be read as lines."""
    start, size = 0, ROWS_AT_ONCE
    while start < file.rows:
        rows = file.read(start, size)
        whole = _whole_devices(rows, more=start + rows.height < file.rows)
        if whole == 0:
            # One device with more rows than that.
            size *= 2
            continue
        taken = take(file, start, rows[:whole])
        if taken is None:
            yield None
            return
        runs = Runs.of(taken.observed())
        yield Span(file, start, whole, len(runs.ids), _days(taken, runs)), taken, runs
        start, size = start + whole, ROWS_AT_ONCE


def _whole_devices(rows: pl.DataFrame, *, more: bool) -> int:
    """How many of the rows belong to devices that end among them."""
    if not more:
        return rows.height
    ids = rows["device_id"]
    return int(ids.eq_missing(ids[-1]).arg_max() or 0)


def _days(taken: Taken, runs: Runs) -> tuple[int, int] | None:
    """First day and number of days, where each device has a number for each of them, in order."""
    if taken.issues or runs.moved or not len(runs.day) or taken.rows["value"].null_count():
        return None
    lengths = np.diff(runs.begins)
    first, n_days = int(runs.day[0]), int(lengths[0])
    if (lengths != n_days).any():
        return None
    regular = (runs.day.reshape(-1, n_days) == first + np.arange(n_days)).all()
    return (first, n_days) if regular else None
