"""Healthy fleets of nine kinds. What each looks like in particular is drawn from its seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oddfleet.errors import SettingsError
from oddfleet.model import DateArray, Fleet, FloatArray, Kind
from oddfleet.plant.faults import with_fault

_PLACES = ("attic", "bridge", "cellar", "depot", "farm", "garage", "harbour", "kiosk", "library", "mill")
_THINGS = ("camera", "counter", "doorbell", "gateway", "lamp", "lock", "meter", "pump", "sensor", "thermostat")
_Maker = Callable[[int, int, np.random.Generator], FloatArray]


def steady_fleet(n_devices: int, n_days: int = 366, *, seed: int, first_day: str = "2020-01-01") -> Fleet:
    """A healthy fleet: every device 100 MB a day with normal noise of 5 MB, like the fleet of the exercise.

    Args:
        n_devices: number of devices; their ids are 1 to ``n_devices``.
        n_days: number of days.
        seed: the same seed gives the same fleet.
        first_day: ISO date.
    """
    return healthy_fleet("steady", n_devices, n_days, seed=seed, first_day=first_day)


def healthy_fleet(kind: str, n_devices: int, n_days: int = 366, *, seed: int, first_day: str = "2020-01-01") -> Fleet:
    """A healthy fleet of one of nine kinds; no device of it is odd for being what it is.

    Args:
        kind: one of ``FLEETS``.
        n_devices: number of devices; their ids are 1 to ``n_devices``.
        n_days: number of days.
        seed: the same seed gives the same fleet.
        first_day: ISO date.

    Raises:
        SettingsError: when there is no such kind.
    """
    if kind not in FLEETS:
        raise SettingsError(f"plant: the fleet must be one of {', '.join(FLEETS)}, got {kind}; choose one of these")
    ids = tuple(range(1, n_devices + 1))
    names = tuple(f"{_PLACES[i // 10 % 10]}_{_THINGS[i % 10]}" + (f"_{i // 100 + 1}" if i >= 100 else "") for i in ids)
    dates: DateArray = np.datetime64(first_day, "D") + np.arange(n_days).astype("timedelta64[D]")
    return Fleet(ids, names, dates, FLEETS[kind](n_days, n_devices, np.random.default_rng(seed)))


def sample_fleet() -> Fleet:
    """The fleet of ``oddfleet demo``: 60 devices for a year, 6 of them odd, each in its own way."""
    fleet = steady_fleet(60, seed=2020)
    faults = (Kind.LEVEL_SHIFT, Kind.WANDER, Kind.SPIKES, Kind.INACTIVE, Kind.WEEKLY_RHYTHM, Kind.SHAPE)
    for device_id, kind in zip((7, 16, 25, 34, 43, 52), faults, strict=True):
        fleet = with_fault(fleet, device_id, kind, seed=device_id)
    return fleet


def _steady(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Independent normal noise."""
    return draw.normal(100.0, 5.0, (days, devices))


def _weekly(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """A week that all share, more or less strongly, on levels over orders of magnitude."""
    level = np.exp(draw.normal(4.0, 1.5, devices))
    week = _week(days, draw)[:, None] * draw.uniform(0.7, 1.3, devices)
    return level * np.exp(week + draw.normal(0.0, draw.uniform(0.08, 0.2), (days, devices)))


def _counts(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Small whole numbers with many zeros."""
    rate = np.exp(draw.normal(np.log(draw.uniform(0.6, 2.0)), 0.5, devices))
    return draw.poisson(rate, (days, devices)).astype(float)


def _seasonal(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """A season and growth that all share, with the heavy tails of Student's t."""
    level = np.exp(draw.normal(4.0, 0.4, devices))
    year = np.arange(days) / 365.25
    season = draw.uniform(0.1, 0.4) * np.sin(2 * np.pi * (year - draw.uniform()))
    growth = draw.uniform(0.1, 0.6) * year
    common = np.exp((season + growth)[:, None] * draw.uniform(0.9, 1.1, devices))
    noise = 0.05 * np.clip(draw.standard_t(3, (days, devices)), -15, 15)
    return level * common * (1 + noise)


def _bursty(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Log-normal: most days quiet, some many times as busy."""
    middle = draw.normal(3.0, 0.3, devices)
    return np.exp(middle + draw.uniform(0.6, 1.2) * draw.uniform(0.9, 1.1, devices) * draw.normal(size=(days, devices)))


def _mixed(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Three kinds of devices, 60, 30 and 10 in a hundred; each a healthy fleet of its own."""
    makers = (_steady, _office, _gateway)
    scale = np.exp(draw.permutation([0.0, 2.0, 4.0]) + draw.normal(0.0, 0.2, 3))
    share = np.array([0.6, 0.3, 0.1])[draw.permutation(3)]
    kinds = draw.permutation(np.repeat(np.arange(3), _shares(devices, share)))
    values = np.zeros((days, devices))
    for kind, maker in enumerate(makers):
        members = kinds == kind
        values[:, members] = scale[kind] * maker(days, int(members.sum()), draw)
    return values


def _drop_days(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """A few days on which the whole fleet drops."""
    share = np.ones(days)
    share[draw.choice(days, max(2, days // 80), replace=False)] = draw.uniform(0.1, 0.6)
    return 50.0 * np.exp(draw.normal(0, 0.3, devices)) * share[:, None] * (1 + draw.normal(0, 0.08, (days, devices)))


def _wandering(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Each day much like the day before: slow wander is normal here."""
    memory = np.clip(draw.uniform(0.8, 0.97) + draw.normal(0, 0.01, devices), 0.7, 0.99)
    series = np.empty((days, devices))
    series[0] = draw.normal(size=devices)
    for day in range(1, days):
        series[day] = memory * series[day - 1] + np.sqrt(1 - memory**2) * draw.normal(size=devices)
    return 100.0 + 10.0 * series


def _lossy(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Every device loses days, some more than others."""
    values = _steady(days, devices, draw)
    rate = draw.uniform(0.01, 0.04) * draw.gamma(4.0, 0.25, devices)
    return np.where(draw.uniform(size=values.shape) < rate, np.nan, values)


def _office(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Busy on working days."""
    week = _week(days, draw)[:, None]
    return np.exp(draw.normal(2.0, 0.2, devices) + week + draw.normal(0, 0.1, (days, devices)))


def _gateway(days: int, devices: int, draw: np.random.Generator) -> FloatArray:
    """Bursts about a level of its own."""
    return np.exp(draw.normal(2.0, 0.2, devices) + 0.5 * draw.normal(size=(days, devices)))


def _week(days: int, draw: np.random.Generator) -> FloatArray:
    """Log of a week's form (days,): five working days and a weekend."""
    form = np.concatenate([draw.normal(0, 0.05, 5), np.log(draw.uniform(0.3, 0.7)) + draw.normal(0, 0.05, 2)])
    return np.asarray(form[np.arange(days) % 7])


def _shares(devices: int, share: FloatArray) -> list[int]:
    """Whole numbers that add up to the devices, close to their shares."""
    edges = np.round(np.cumsum(share) * devices).astype(int)
    shares: list[int] = np.diff(edges, prepend=0).tolist()
    return shares


FLEETS: dict[str, _Maker] = {
    "steady": _steady,
    "weekly": _weekly,
    "counts": _counts,
    "seasonal": _seasonal,
    "bursty": _bursty,
    "mixed": _mixed,
    "drop_days": _drop_days,
    "wandering": _wandering,
    "lossy": _lossy,
}
"""Nine kinds of healthy fleets: each draws values (days, devices) in MB a day."""
