"""A fleet in Parquet files whose rows stand device after device: gone through in parts, never held as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.parquet import ParquetFile, Taken, as_numbers, stamp_of, take
from oddfleet.model import DateArray, DeviceId, Fleet, FloatArray, IntArray
from oddfleet.model.arrays import matrices
from oddfleet.model.fleet import part_of

_Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Some rows of a file that hold whole devices.

    Attributes:
        file: the file.
        start: place of the first row.
        rows: number of rows.
        devices: number of devices.
        days: first day, counted from 1970-01-01, and number of days, where each device has one number for each of
            them, in order; None where some has not.
    """

    file: ParquetFile
    start: int
    rows: int
    devices: int
    days: tuple[int, int] | None

    def take(self) -> Taken:
        """Its rows.

        Raises:
            InputError: when the file was changed since the span was made.
        """
        taken = take(self.file, self.start, self._read())
        if taken is None:
            self._refuse(None)
        return taken

    def values(self) -> FloatArray:
        """The numbers (devices, days) where ``days`` are known.

        Raises:
            InputError: when the file was changed since the span was made.
        """
        values: FloatArray = as_numbers(self._read("value")["value"]).to_numpy().reshape(self.devices, -1)
        return values

    def _read(self, *columns: str) -> pl.DataFrame:
        try:
            if stamp_of(self.file.path) != self.file.stamp:
                self._refuse(None)
            return self.file.read(self.start, self.rows, *columns)
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            self._refuse(error)

    def _refuse(self, error: BaseException | None) -> NoReturn:
        said = f"{self.file.path}: must stay as it is while it is read, got another file; run it again"
        raise InputError(said) from error


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Observations, device after device.

    Attributes:
        day: int (observations,), days since 1970-01-01.
        value: float64 (observations,), MB; NaN = none.
        begins: int (devices + 1,), where each device begins, and the end.
        ids: the devices.
        moved: whether they had to be brought together, for they are not so in the file.
    """

    day: IntArray
    value: FloatArray
    begins: IntArray
    ids: list[Any]
    moved: bool

    @classmethod
    def of(cls, observed: pl.DataFrame) -> Runs:
        """Those of a table with columns ``date``, ``device_id`` and ``value``; each device in the order of its rows."""
        day = observed["date"].to_physical().to_numpy().astype(np.int64)
        value, names = observed["value"].to_numpy(), observed["device_id"]
        firsts = _begins(names.to_numpy() if names.dtype == pl.Int64 else names.rle_id().to_numpy())
        ids = names[firsts].to_list()
        place = {device: at for at, device in reversed(list(enumerate(ids)))}
        moved = len(place) < len(ids)
        if moved:
            # The few rows of a table may stand in any order; and what could not be used stands behind all others.
            code = np.repeat([place[device] for device in ids], np.diff(firsts, append=len(day)))
            order = np.argsort(code, kind="stable")
            day, value, firsts = day[order], value[order], _begins(code[order])
            ids = [device for at, device in enumerate(ids) if place[device] == at]
        return cls(day, value, np.append(firsts, len(day)), ids, moved)

    def usable(self) -> int:
        """Days of devices with a number; one that is told twice counts once."""
        device = np.repeat(np.arange(len(self.ids)), np.diff(self.begins))
        return len(np.unique(((device << 32) + self.day)[np.isfinite(self.value)]))

    def some(self, devices: IntArray, first: int, n_days: int) -> _Arrays:
        """The arrays (days, devices) of a fleet of some of the devices, from its first day on."""
        lengths = self.begins[devices + 1] - self.begins[devices]
        column = np.repeat(np.arange(len(devices)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = np.repeat(self.begins[devices], lengths) + within
        cell = (self.day[rows] - first) * len(devices) + column
        return matrices((n_days, len(devices)), cell, self.value[rows])


@dataclass(frozen=True, slots=True, eq=False)
class StoredFleet:
    """A fleet in Parquet files, as ``AnyFleet``.

    Attributes:
        device_ids: the devices (numbers before words).
        names: their names, None where there is none.
        dates: datetime64[D] (days,), every calendar day from first to last.
        spans: where the devices are.
        places: int, the place in the fleet of each device in the order of the spans; who has no row is not among them.
        attributes: further columns of the meta file.
    """

    device_ids: tuple[DeviceId, ...]
    names: tuple[str | None, ...]
    dates: DateArray
    spans: tuple[Span, ...]
    places: IntArray
    attributes: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    @property
    def n_days(self) -> int:
        """Number of calendar days."""
        return len(self.dates)

    @property
    def n_devices(self) -> int:
        """Number of devices."""
        return len(self.device_ids)

    def blocks(self, devices: int) -> Iterator[tuple[IntArray, Fleet]]:
        """All devices once, at most so many at a time, each block with the places of its devices in the fleet."""
        for span, places in self._placed():
            read = self._reader(span)
            for start in range(0, span.devices, devices):
                some = np.arange(start, min(start + devices, span.devices))
                yield places[some], part_of(self, places[some], read(some))
        silent = np.setdiff1d(np.arange(self.n_devices), self.places)
        for start in range(0, len(silent), devices):
            some = silent[start : start + devices]
            yield some, part_of(self, some, {"values": np.full((self.n_days, len(some)), np.nan)})

    def subset(self, places: IntArray) -> Fleet:
        """The fleet of some devices, in the order wanted, in memory."""
        shape = (self.n_days, len(places))
        found: _Arrays = {"values": np.full(shape, np.nan), "duplicated": np.zeros(shape, bool)}
        found["invalid"] = np.zeros(shape, bool)
        wanted = np.full(self.n_devices, -1)
        wanted[places] = np.arange(len(places))
        for span, own in self._placed():
            some = np.flatnonzero(wanted[own] >= 0)
            if some.size:
                for name, part in self._reader(span)(some).items():
                    found[name][:, wanted[own[some]]] = part
        return part_of(self, places, found)

    def _repr_html_(self) -> str:
        from oddfleet.model.notebook import fleet_html  # noqa: PLC0415 - only a notebook asks for it

        return fleet_html(self)

    def _placed(self) -> Iterator[tuple[Span, IntArray]]:
        """Each span with the places of its devices."""
        begin = 0
        for span in self.spans:
            yield span, self.places[begin : begin + span.devices]
            begin += span.devices

    def _reader(self, span: Span) -> Callable[[IntArray], _Arrays]:
        """Reads a span, and gives the arrays of some of its devices when it is asked."""
        first = int(self.dates[0].astype("datetime64[D]").astype(np.int64))
        if span.days == (first, self.n_days):
            values = span.values()
            return lambda some: {"values": np.ascontiguousarray(values[some].T)}
        runs = Runs.of(span.take().observed())
        return lambda some: runs.some(some, first, self.n_days)


def _begins(runs: npt.NDArray[Any]) -> IntArray:
    """Where each run of equal numbers begins."""
    return np.append(np.zeros(min(len(runs), 1), np.int64), np.flatnonzero(runs[1:] != runs[:-1]) + 1)
