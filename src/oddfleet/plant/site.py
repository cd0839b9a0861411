"""Where a fault is planted: one device, what it shares with its fleet, and how large its own noise is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.errors import SettingsError
from oddfleet.model import BoolArray, Fleet, FloatArray, IntArray

FEWEST_OTHERS = 3
"""What a device shares with its fleet can be told from as many others."""
FEWEST_DAYS = 2
MUCH_NOISE = 0.3
"""Noise that is a larger share of the level comes in factors, not in MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where a fault is to be planted.

    Sizes are on the scale of the noise: as measured, the logarithm where noise comes in factors, the root for counts.

    Attributes:
        fleet: the healthy fleet.
        place: the column of the device.
        scaled: float64 (days, devices), the fleet on the scale of its noise.
        usual: float64 (days,), what the device shares with the fleet, its own mean included; on that scale.
        noise: standard deviation of the rest without its far days; on that scale.
        strength: 1 = blatant, 0.5 = subtle.
        draw: the source of all that is random.
        start: index of a day in the middle half of the record, for what begins.
    """

    fleet: Fleet
    place: int
    scaled: FloatArray
    usual: FloatArray
    noise: float
    strength: float
    draw: np.random.Generator
    start: int

    @property
    def values(self) -> FloatArray:
        """The device's days (days,), MB."""
        values: FloatArray = self.fleet.values[:, self.place]
        return values

    @property
    def series(self) -> FloatArray:
        """The device's days (days,) on the scale of the noise."""
        series: FloatArray = self.scaled[:, self.place]
        return series

    @property
    def own(self) -> FloatArray:
        """The device's days (days,) without what it shares, on the scale of the noise."""
        return self.series - self.usual

    @property
    def days(self) -> IntArray:
        """0, 1, … (days,)."""
        return np.arange(len(self.values))

    @property
    def late(self) -> BoolArray:
        """The days (days,) from the start on."""
        return self.days >= self.start

    @property
    def size(self) -> float:
        """The noise times the strength."""
        return self.noise * self.strength

    def some_days(self, count: int) -> IntArray:
        """Days with an observation, the first and the last apart, so that the record keeps its length."""
        seen = np.flatnonzero(np.isfinite(self.values))[1:-1]
        return np.sort(self.draw.choice(seen, min(count, len(seen)), replace=False))

    def stretch(self, length: float) -> BoolArray:
        """So many days (days,) from the start on; the record's last day stays."""
        inside: BoolArray = self.late & (self.days < self.start + max(2, round(length)))
        inside[-1] = False
        return inside

    def in_mb(self, scaled: FloatArray) -> FloatArray:
        """MB a day (days,) from the scale of the noise."""
        return _from_scale(scaled, _power(self.fleet.values))


def choose(fleet: Fleet, place: int, strength: float, draw: np.random.Generator) -> Site:
    """Look at a device (a column of the fleet) before something is planted there.

    Raises:
        SettingsError: when the device has too few days for a fault to show.
    """
    if np.isfinite(fleet.values[:, place]).sum() < FEWEST_DAYS:
        raise SettingsError(
            f"plant: the device must have traffic on record on {FEWEST_DAYS} days, "
            f"{fleet.device_ids[place]!r} has not; choose another"
        )
    scaled = _to_scale(fleet.values, _power(fleet.values))
    series = scaled[:, place]
    others = np.delete(scaled, place, axis=1)
    usual = _shared(series, others[:, np.isfinite(others).any(axis=0)])
    own = series - usual
    # Half of a quiet or a counting device's days may be the same: then its far days must do.
    noise = 1.4826 * float(np.nanmedian(np.abs(own - np.nanmedian(own)))) or float(np.nanstd(own))
    start = int(draw.integers(len(series) // 4, len(series) - len(series) // 4))
    return Site(fleet, place, scaled, usual, noise, strength, draw, start)


def _power(values: FloatArray) -> float:
    """1 as measured, 0 for the logarithm, 0.5 for the root."""
    known = values[np.isfinite(values)]
    if known.size == 0 or np.median((values < 0).mean(axis=0)) > 0:
        return 1.0
    if (known == np.round(known)).all() or np.median((values == 0).mean(axis=0)) > 0:
        return 0.5
    steps = np.diff(values, axis=0)
    noise = np.nanmedian(np.nanstd(steps[:, np.isfinite(steps).any(axis=0)], axis=0)) / np.sqrt(2)
    return 0.0 if noise > MUCH_NOISE * np.median(known) else 1.0


def _to_scale(values: FloatArray, power: float) -> FloatArray:
    if power == 1:
        return values
    lowest = values[values > 0].min(initial=np.inf)
    # Zeros of a few broken devices have no logarithm.
    return np.sqrt(np.maximum(values, 0.0)) if power == 0.5 else np.log(np.maximum(values, lowest))


def _from_scale(scaled: FloatArray, power: float) -> FloatArray:
    if power == 1:
        return scaled
    mb: FloatArray = np.maximum(scaled, 0.0) ** 2 if power == 0.5 else np.exp(scaled)
    return mb


def _shared(series: FloatArray, others: FloatArray) -> FloatArray:
    """The part (days,) of a series that the median day of the others explains; its mean where that is none."""
    mean = float(np.nanmean(series))
    flat = np.full(len(series), mean)
    if others.shape[1] < FEWEST_OTHERS:
        return flat
    away = others - np.nanmedian(others, axis=0)
    scale = np.nanmean(np.abs(away), axis=0)
    told = np.isfinite(away).any(axis=1)
    profile = np.full(len(series), np.nan)
    profile[told] = np.nanmedian(away[told] / np.where(scale > 0, scale, 1.0), axis=1)
    seen = np.isfinite(series) & told
    x, y = profile[seen] - profile[seen].mean(), series[seen] - mean
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    if size == 0 or (x * y).sum() / size < 4 / np.sqrt(seen.sum()):
        return flat
    shared: FloatArray = flat + np.nan_to_num(profile - profile[seen].mean()) * float((x * y).sum() / (x**2).sum())
    return shared
