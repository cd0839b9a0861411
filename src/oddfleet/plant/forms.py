"""What each fault does to a device's days: one function a kind, from a site to the changed series in MB."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oddfleet.detect import moments
from oddfleet.errors import SettingsError
from oddfleet.model import FloatArray, Kind
from oddfleet.plant.site import Site

_FAR_LEVEL = 12.0
_CYCLES = (5.5, 9.0, 11.0, 17.0, 23.0)


def changed(site: Site, kind: Kind) -> FloatArray:
    """The device's days (days,), MB, with the fault; counts stay whole and traffic that never was negative stays so."""
    if kind in AS_RECORDED:
        series = AS_RECORDED[kind](site)
    else:
        scaled = ON_SCALE[kind](site)
        series = np.where(scaled == site.series, site.values, site.in_mb(scaled))
    if kind is Kind.NEGATIVE_TRAFFIC:
        return series
    known = site.values[np.isfinite(site.values)]
    if (known == np.round(known)).all():
        series = np.round(series)
    if (known >= 0).all():
        lowest = known[known > 0].min(initial=np.inf)
        series = np.where(series < 0, lowest if known.all() and np.isfinite(lowest) else 0.0, series)
    return series


def _lost(site: Site) -> FloatArray:
    lost = site.values.copy()
    usual = float(np.median(np.isnan(site.fleet.values).sum(axis=0)))
    lost[site.some_days(round(site.strength * (2 * usual + len(lost) / 12)))] = np.nan
    return lost


def _negative(site: Site) -> FloatArray:
    negative = site.values.copy()
    days = np.flatnonzero(np.nan_to_num(negative) > 0)
    negative[site.draw.choice(days, min(len(days), max(1, round(4 * site.strength))), replace=False)] *= -1
    return negative


def _rounded(site: Site) -> FloatArray:
    """To a step of twice the noise, in MB; whole numbers to threes at least."""
    noise = 1.4826 * float(np.nanmedian(np.abs(site.values - np.nanmedian(site.values)))) or 1.0
    whole = (np.nan_to_num(site.values) % 1 == 0).all()
    step = max(2 * noise * site.strength, 3.0 if whole else 0.0)
    return np.round(site.values / step) * step


def _frozen(site: Site) -> FloatArray:
    stuck = site.values.copy()
    seen = np.flatnonzero(np.nan_to_num(stuck[site.start :]) != 0)
    value = stuck[site.start + seen[0]] if len(seen) else float(np.nanmax(stuck))
    stuck[site.stretch(30 * site.strength)] = value
    return stuck


def _inactive(site: Site) -> FloatArray:
    return np.where(site.stretch(60 * site.strength), 0.0, site.values)


def _replayed(site: Site) -> FloatArray:
    """The days before the start once more, as far as they reach."""
    length = min(round(90 * site.strength), site.start, len(site.values) - site.start)
    replayed = site.values.copy()
    replayed[site.start : site.start + length] = site.values[site.start - length : site.start]
    return replayed


def _copied(site: Site) -> FloatArray:
    if site.fleet.n_devices < 2:
        raise SettingsError("plant: a fleet of one has no device to copy; choose another kind")
    source = site.draw.choice(np.delete(np.arange(site.fleet.n_devices), site.place))
    return np.where(site.days >= copy_start(site), site.fleet.values[:, source], site.values)


def copy_start(site: Site) -> int:
    """The day from which on a copy is one: the stronger, the earlier."""
    return round(len(site.values) * max(0.0, 1 - site.strength))


def _level(site: Site) -> FloatArray:
    """Past the fleet's own levels, by far: what differs between healthy devices is no oddity."""
    others = moments.observed_mean(np.delete(site.fleet.values, site.place, axis=1))
    others, mean = others[np.nan_to_num(others) > 0], float(np.nanmean(site.values))
    if mean <= 0 or not others.size:
        return site.values + 3 * float(np.nanstd(site.values)) * site.strength
    levels = np.log(others)
    noise = float(np.nanstd(site.values)) / mean
    away = site.strength * max(_FAR_LEVEL * float(np.std(levels)), float(np.log1p(3 * noise)))
    factor = float(np.exp(float(np.median(levels)) + away)) / mean
    return site.values * factor


def _spread(site: Site) -> FloatArray:
    middle = float(np.nanmedian(site.own))
    return site.usual + middle + (1 + 2 * site.strength) * (site.own - middle)


def _shape(site: Site) -> FloatArray:
    """Two humps instead of one, the subtler the more noise is left about them; the order of the days stays."""
    hump = min(0.95, 0.7 + 0.25 * site.strength)
    humps = site.draw.choice([-1.0, 1.0], len(site.series)) * hump
    form = np.sort(humps + np.sqrt(1 - hump**2) * site.draw.normal(size=len(humps)))
    return _in_place(site, form[site.own.argsort(kind="stable").argsort()])


def _in_place(site: Site, form: FloatArray) -> FloatArray:
    """A form with mean 0 and standard deviation 1 in the place of the device's own noise."""
    mean = float(np.nanmean(site.own))
    return np.where(np.isfinite(site.series), site.usual + mean + float(np.nanstd(site.own)) * form, np.nan)


def _weekly_rhythm(site: Site) -> FloatArray:
    return site.series + 2 * site.size * (site.days % 7 >= 5)


def _cycle(site: Site) -> FloatArray:
    turns = site.days / float(site.draw.choice(_CYCLES)) + site.draw.uniform()
    wave: FloatArray = np.sin(2 * np.pi * turns)
    return site.series + 2 * site.size * wave


def _detached(site: Site) -> FloatArray:
    if np.ptp(site.usual) == 0:
        raise SettingsError("plant: a device can be detached only where the fleet shares something; choose another")
    return site.series - min(site.strength, 1.0) * (site.usual - float(np.mean(site.usual)))


def _wander(site: Site) -> FloatArray:
    """A share of random walk: memory that closes most of the gap between the fleet's own and 1."""
    own = site.scaled - moments.observed_mean(site.scaled)
    product, square = np.nansum(own[1:] * own[:-1], axis=0), np.nansum(own**2, axis=0)
    usual = float(np.clip(np.median(product / np.where(square > 0, square, 1.0)), 0.0, 0.99))
    memory = usual + (1 - usual) * min(0.97, 0.95 * float(np.sqrt(site.strength)))
    form = np.empty(len(site.series))
    form[0] = site.draw.normal()
    for day in range(1, len(form)):
        form[day] = memory * form[day - 1] + np.sqrt(1 - memory**2) * site.draw.normal()
    return _in_place(site, form)


def _volatility_change(site: Site) -> FloatArray:
    middle = float(np.nanmedian(site.own))
    return site.usual + middle + (site.own - middle) * np.where(site.late, 1 + 2.5 * site.strength, 1.0)


def _spikes(site: Site) -> FloatArray:
    """A few days, far beyond the furthest day of the fleet's middle device."""
    away = site.scaled - moments.median(site.scaled)
    # What all do on a day is nobody's spike.
    away = np.abs(away - moments.median(away.T)[:, None])
    noise = 1.4826 * moments.median(away)
    known = np.nan_to_num(noise) > 0
    furthest = float(np.median(np.nanmax(away[:, known], axis=0) / noise[known])) if known.any() else 3.0
    spiked = site.series.copy()
    spiked[site.some_days(4)] += 4 * max(3.0, furthest) * site.size
    return spiked


def _mixture(site: Site) -> FloatArray:
    """A little of everything: spread, week, drift and memory."""
    spread = site.usual + (1 + 0.25 * site.strength) * site.own
    time = site.days / len(site.days) - 0.5
    memory = np.zeros(len(site.series))
    memory[1:] = 0.3 * site.strength * np.nan_to_num(site.own[:-1])
    return spread + memory + site.size * (0.4 * (site.days % 7 >= 5) + 0.9 * time)


_Form = Callable[[Site], FloatArray]
AS_RECORDED: dict[Kind, _Form] = {
    Kind.MISSING_DAYS: _lost,
    Kind.NEGATIVE_TRAFFIC: _negative,
    Kind.INACTIVE: _inactive,
    Kind.LEVEL: _level,
    Kind.ROUNDED: _rounded,
    Kind.FROZEN: _frozen,
    Kind.REPLAYED: _replayed,
    Kind.COPIED: _copied,
}
"""Faults of the record, in MB."""
ON_SCALE: dict[Kind, _Form] = {
    Kind.SPREAD: _spread,
    Kind.SHAPE: _shape,
    Kind.WEEKLY_RHYTHM: _weekly_rhythm,
    Kind.CYCLE: _cycle,
    Kind.DETACHED: _detached,
    Kind.LEVEL_SHIFT: lambda site: site.series + 3 * site.size * site.late,
    Kind.DRIFT: lambda site: site.series + 5 * site.size * site.days / len(site.days),
    Kind.WANDER: _wander,
    Kind.VOLATILITY_CHANGE: _volatility_change,
    Kind.SPIKES: _spikes,
    Kind.MIXTURE: _mixture,
}
"""Faults of the traffic, on the scale of its noise."""
