"""The promises of the exercise: a device is active all year, its traffic never negative, each day told once.

A broken promise is a fact, not a statistic, and always reported. Whether it makes a device odd is
decided against the fleet: one that breaks what the fleet keeps is odd; where many break it, it is
how this fleet is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betainc

from oddfleet.detect import predictive
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import QUANTILES, BoolArray, Fleet, FloatArray, IntArray, Kind

KINDS = (Kind.NEGATIVE_TRAFFIC, Kind.INVALID_VALUES, Kind.DUPLICATE_DAYS, Kind.MISSING_DAYS)
MOST_BREAKERS = 0.1
"""A promise that more than this share of a fleet (and more than one device) breaks is not one the fleet keeps."""
OFTEN = 3
"""Where the middle device loses so many days, the rates at which devices lose them show how they differ."""
_ROOT_ERROR = 0.5
"""The standard deviation of the root of a Poisson count."""


@dataclass(frozen=True, eq=False)
class Broken:
    """A promise, and how often each device of a fleet breaks it (arrays (devices,)).

    Attributes:
        kind: the promise.
        counts: number of days on which it is broken, int.
        first: index of the first such day, and
        last: of the last one; any where there is none.
        lowest: the least traffic of the device, MB a day, where it is negative; else any number.
    """

    kind: Kind
    counts: IntArray
    first: IntArray
    last: IntArray
    lowest: FloatArray

    @classmethod
    def of(cls, kind: Kind, days: BoolArray, lowest: FloatArray | None = None) -> Broken:
        """From the days (days, devices) on which it is broken, and the least traffic (devices,)."""
        if not days.any():
            return cls.by_nobody(kind, days.shape[1])
        last = len(days) - 1 - days[::-1].argmax(axis=0)
        unknown = np.full(days.shape[1], np.nan)
        return cls(kind, days.sum(axis=0), days.argmax(axis=0), last, unknown if lowest is None else lowest)

    @classmethod
    def by_nobody(cls, kind: Kind, devices: int) -> Broken:
        """A promise that so many devices keep."""
        counts, first, last = (np.zeros(devices, np.int64) for _part in range(3))
        return cls(kind, counts, first, last, np.full(devices, np.nan))

    def note(self, places: IntArray, some: Broken) -> None:
        """Enter what is known of some of the devices."""
        for part in ("counts", "first", "last", "lowest"):
            getattr(self, part)[places] = getattr(some, part)

    def usual(self, device: int) -> float:
        """The median count of the other devices; 0 where there is none."""
        others = len(self._ordered) - 1
        if others < 1:
            return 0.0
        own = int(np.searchsorted(self._ordered, self.counts[device]))
        low, high = ((middle + (middle >= own)) for middle in ((others - 1) // 2, others // 2))
        return float(self._ordered[low] + self._ordered[high]) / 2

    def quantiles(self, device: int) -> FloatArray:
        """The ``model.QUANTILES`` of the counts of the other devices, each the count of one of them; or none (0,)."""
        others = np.delete(self._ordered, np.searchsorted(self._ordered, self.counts[device]))
        return np.quantile(others, QUANTILES, method="nearest").astype(float) if others.size else np.zeros(0)

    @cached_property
    def _ordered(self) -> IntArray:
        return np.sort(self.counts)


def broken(fleet: Fleet, gaps: BoolArray) -> dict[Kind, Broken]:
    """Which promises the devices of a fleet break. A silent stretch is judged in ``lapses``.

    Args:
        fleet: the fleet, or some of its devices.
        gaps: bool (days,), as ``gaps`` finds them in the fleet.
    """
    missing, negative = _missing(fleet) & ~gaps[:, None], fleet.values < 0
    lowest = np.min(fleet.values, axis=0, where=negative, initial=0.0) if negative.any() else None
    return {
        Kind.NEGATIVE_TRAFFIC: Broken.of(Kind.NEGATIVE_TRAFFIC, negative, lowest),
        Kind.INVALID_VALUES: Broken.of(Kind.INVALID_VALUES, fleet.invalid),
        Kind.DUPLICATE_DAYS: Broken.of(Kind.DUPLICATE_DAYS, fleet.duplicated),
        Kind.MISSING_DAYS: Broken.of(Kind.MISSING_DAYS, missing),
    }


def gaps(fleet: Fleet) -> BoolArray:
    """Days (days,) that most of a fleet lacks: gaps in the record, and no device's."""
    if fleet.n_devices < FEWEST_DEVICES:
        return np.zeros(fleet.n_days, bool)
    most: BoolArray = _missing(fleet).mean(axis=1) > 0.5
    return most


def breakers(counts: IntArray) -> BoolArray:
    """The devices that break a promise which the fleet keeps.

    Args:
        counts: int (devices,), on how many days each breaks it.

    Returns:
        bool (devices,), all False where more than ``MOST_BREAKERS`` of the fleet break it.
    """
    breaks: BoolArray = counts > 0
    kept = int(breaks.sum()) <= max(1.0, MOST_BREAKERS * len(breaks))
    return breaks if kept else np.zeros_like(breaks)


def _missing(fleet: Fleet) -> BoolArray:
    """Days without a line (days, devices)."""
    return np.isnan(fleet.values) & ~fleet.invalid


def log_surprise_of_lost(lost: BoolArray) -> FloatArray:
    """Log of the chance that a device loses so many days, given how many the others lose.

    Any collector loses a day now and then, so the number is judged as a count. What is usual is the mean of the
    others, those of the worst tenth held to two days above the rest, and half a day in all added for what was not seen
    yet; the predictive law of a Poisson count whose rate is known from so few is the negative binomial (Gelman et al.
    2013, 2.6), stretched by the dispersion of the others where days are lost in clusters.

    Args:
        lost: bool (days, devices).

    Returns:
        float64 (devices,), at most 0; 0 where there is no other device.
    """
    counts = lost.sum(axis=0).astype(float)
    others = len(counts) - 1
    if others < 1:
        return np.zeros(len(counts))
    capped = _capped(counts)
    total, squares = capped.sum() - capped, (capped**2).sum() - capped**2
    log_p = _log_surprise_of_counts(counts, total, squares, others)
    return np.maximum(log_p, _log_surprise_of_rates(counts)) if _all_lose(counts) else log_p


@dataclass(frozen=True, slots=True)
class UsualLoss:
    """How many days the devices of a cohort lose, as it is said to one that is no member.

    Attributes:
        total: number of days, and
        squares: sum of their squares, the worst tenth held as in ``log_surprise_of_lost``.
        devices: number of devices.
        rates: what their roots say, where all lose days; else None.
    """

    total: float
    squares: float
    devices: int
    rates: predictive.Usual | None


def usual_loss(lost: BoolArray) -> UsualLoss:
    """Sum up the days (days, devices) that the devices of a cohort lose."""
    counts = lost.sum(axis=0).astype(float)
    capped = _capped(counts)
    rates = predictive.usual(np.sqrt(counts), _ROOT_ERROR) if _all_lose(counts) else None
    return UsualLoss(float(capped.sum()), float((capped**2).sum()), len(counts), rates)


def log_surprise_of_loss(lost: BoolArray, usual: UsualLoss) -> FloatArray:
    """``log_surprise_of_lost`` of devices that are no members of the cohort."""
    counts = lost.sum(axis=0).astype(float)
    log_p = _log_surprise_of_counts(counts, np.array(usual.total), np.array(usual.squares), usual.devices)
    if usual.rates is None:
        return log_p
    heard = predictive.hear(usual.rates, np.sqrt(counts), np.full(len(counts), _ROOT_ERROR))
    return np.maximum(log_p, predictive.log_upper_tail(heard))


def _capped(counts: FloatArray) -> FloatArray:
    """The counts, those of the worst tenth held to two days above the rest."""
    capped: FloatArray = np.minimum(counts, np.sort(counts)[-1 - int(MOST_BREAKERS * len(counts))] + 2)
    return capped


def _all_lose(counts: FloatArray) -> bool:
    return len(counts) >= FEWEST_DEVICES and bool(np.median(counts) >= OFTEN)


def _log_surprise_of_counts(counts: FloatArray, total: FloatArray, squares: FloatArray, others: int) -> FloatArray:
    """Log p-value (devices,) of counts, from the days that others lose (any shape that fits)."""
    mean = (total + 0.5) / others
    variance = np.maximum(squares - total**2 / others, 0.0) / max(others - 1, 1)
    dispersion = np.maximum(1.0, variance / mean) if others > 1 else 1.0
    chance = betainc(np.maximum(counts, 1e-9) / dispersion, (total + 0.5) / dispersion, 1 / (others + 1))
    log_p: FloatArray = np.where(counts > 0, np.log(np.maximum(chance, 1e-300)), 0.0)
    return log_p


def _log_surprise_of_rates(counts: FloatArray) -> FloatArray:
    """Log p-value (devices,) of counts where all lose days, each at its own rate; on the root, their error is 1/2."""
    roots = np.sqrt(counts)
    return predictive.log_upper_tail(predictive.hear_others(roots, np.full(len(roots), _ROOT_ERROR), _ROOT_ERROR))
