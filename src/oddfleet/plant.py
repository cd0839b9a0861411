"""Known fleets and known faults, for the demonstration, the tests and the benchmarks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from oddfleet.errors import SettingsError
from oddfleet.model import BoolArray, DeviceId, Fleet, FloatArray, Kind

_PLACES = ("attic", "bridge", "cellar", "depot", "farm", "garage", "harbour", "kiosk", "library", "mill")
_THINGS = ("camera", "counter", "doorbell", "gateway", "lamp", "lock", "meter", "pump", "sensor", "thermostat")
_Fault = Callable[[FloatArray, np.random.Generator], FloatArray]


def steady_fleet(n_devices: int, n_days: int = 366, *, seed: int, first_day: str = "2020-01-01") -> Fleet:
    """A healthy fleet: every device 100 MB a day with normal noise of 5 MB, like the fleet of the exercise.

    Args:
        n_devices: number of devices; their ids are 1 to ``n_devices``.
        n_days: number of days.
        seed: the same seed gives the same fleet.
        first_day: ISO date.
    """
    draw = np.random.default_rng(seed)
    ids = tuple(range(1, n_devices + 1))
    names = tuple(f"{_PLACES[i // 10 % 10]}_{_THINGS[i % 10]}" + (f"_{i // 100 + 1}" if i >= 100 else "") for i in ids)
    dates = np.datetime64(first_day, "D") + np.arange(n_days).astype("timedelta64[D]")
    return Fleet(ids, names, dates, draw.normal(100.0, 5.0, (n_days, n_devices)))


def with_fault(fleet: Fleet, device_id: DeviceId, kind: Kind, *, seed: int) -> Fleet:
    """The fleet with a blatant fault of a kind in one device.

    Args:
        fleet: the fleet; not changed.
        device_id: the device.
        kind: which fault; one of ``FAULTS``.
        seed: the same seed gives the same fault.

    Raises:
        SettingsError: when no fault of this kind can be planted, or there is no such device.
    """
    if kind not in FAULTS:
        raise SettingsError(f"plant: kind must be one of {', '.join(FAULTS)}, got {kind}; choose one of these")
    if device_id not in fleet.device_ids:
        raise SettingsError(f"plant: the fleet must have the device, got {device_id!r}; choose one of device_ids")
    place = fleet.device_ids.index(device_id)
    values = fleet.values.copy()
    values[:, place] = FAULTS[kind](values[:, place], np.random.default_rng(seed))
    return replace(fleet, values=values)


def sample_fleet() -> Fleet:
    """The fleet of ``oddfleet demo``: 60 devices for a year, 6 of them odd, each in its own way."""
    fleet = steady_fleet(60, seed=2020)
    faults = (Kind.LEVEL_SHIFT, Kind.WANDER, Kind.SPIKES, Kind.INACTIVE, Kind.WEEKLY_RHYTHM, Kind.SHAPE)
    for device_id, kind in zip((7, 16, 25, 34, 43, 52), faults, strict=True):
        fleet = with_fault(fleet, device_id, kind, seed=device_id)
    return fleet


def write_folder(fleet: Fleet, folder: Path) -> None:
    """Write a fleet as collectors leave it: ``iot_<id>.csv`` with ``date,traffic``, and ``device_meta.txt``.

    Args:
        fleet: the fleet; a day without observation has no line.
        folder: where to; made when missing. Files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    days = np.datetime_as_string(fleet.dates, "D")
    for place, device_id in enumerate(fleet.device_ids):
        series = fleet.values[:, place].tolist()
        lines = [f"{day},{value!r}" for day, value in zip(days, series, strict=True) if not math.isnan(value)]
        (folder / f"iot_{device_id}.csv").write_text("\n".join(["date,traffic", *lines, ""]), encoding="utf-8")
    entries = [{"id": i, "name": name} for i, name in zip(fleet.device_ids, fleet.names, strict=True)]
    (folder / "device_meta.txt").write_text(json.dumps(entries), encoding="utf-8")


def _spread(series: FloatArray) -> float:
    return float(np.nanstd(series))


def _day(series: FloatArray) -> FloatArray:
    return np.arange(len(series), dtype=float)


def _stretch(series: FloatArray, days: int) -> BoolArray:
    start = len(series) // 3
    inside: BoolArray = (_day(series) >= start) & (_day(series) < start + days)
    return inside


def _spikes(series: FloatArray, draw: np.random.Generator) -> FloatArray:
    days = draw.choice(len(series), 3, replace=False)
    spiked = series.copy()
    spiked[days] += 12 * _spread(series)
    return spiked


def _lost(series: FloatArray, draw: np.random.Generator) -> FloatArray:
    lost = series.copy()
    # The first and last day stay, so that the record keeps its length.
    lost[draw.choice(np.arange(1, len(series) - 1), len(series) // 12, replace=False)] = np.nan
    return lost


def _negative(series: FloatArray, draw: np.random.Generator) -> FloatArray:
    negative = series.copy()
    negative[draw.choice(len(series), 3, replace=False)] *= -1
    return negative


def _centred(series: FloatArray, form: FloatArray) -> FloatArray:
    """A form of mean 0 and standard deviation 1 in the place of a device's noise."""
    return float(np.nanmean(series)) + _spread(series) * form


FAULTS: dict[Kind, _Fault] = {
    Kind.MISSING_DAYS: _lost,
    Kind.NEGATIVE_TRAFFIC: _negative,
    Kind.INACTIVE: lambda x, _: np.where(_stretch(x, 20), 0.0, x),
    Kind.LEVEL: lambda x, _: x + 2 * _spread(x),
    Kind.SPREAD: lambda x, _: np.nanmean(x) + 2 * (x - np.nanmean(x)),
    Kind.SHAPE: lambda x, draw: _centred(x, draw.choice([-1.0, 1.0], len(x)) * 0.95 + draw.normal(0, 0.3, len(x))),
    Kind.ROUNDED: lambda x, _: np.round(x / _spread(x)) * _spread(x),
    Kind.WEEKLY_RHYTHM: lambda x, _: x - 2 * _spread(x) * (_day(x) % 7 >= 5),
    Kind.CYCLE: lambda x, _: x + 2 * _spread(x) * np.sin(2 * np.pi * _day(x) / 17),
    Kind.LEVEL_SHIFT: lambda x, _: x + 2 * _spread(x) * (_day(x) >= 0.6 * len(x)),
    Kind.DRIFT: lambda x, _: x + 4 * _spread(x) * _day(x) / len(x),
    Kind.WANDER: lambda x, draw: _centred(x, 0.3 * np.cumsum(draw.normal(size=len(x)))),
    Kind.VOLATILITY_CHANGE: lambda x, _: np.nanmean(x) + (x - np.nanmean(x)) * np.where(_day(x) >= len(x) / 2, 3, 1),
    Kind.SPIKES: _spikes,
    Kind.FROZEN: lambda x, _: np.where(_stretch(x, 20), x[len(x) // 3], x),
}
"""A fault of each kind that can be planted, blatant: twice the noise of the device or more."""
