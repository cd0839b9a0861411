"""The promises of the exercise: a device is active all year, its traffic never negative, each day told once.

A broken promise is a fact, not a statistic, and always reported. Whether it makes a device odd is
decided against the fleet: one that breaks what the fleet keeps is odd; where many break it, it is
how this fleet is recorded.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc

from oddfleet.model import BoolArray, Fleet, FloatArray, Kind

MOST_BREAKERS = 0.1
"""A promise that more than this share of a fleet (and more than one device) breaks is not one the fleet keeps."""


def broken_days(fleet: Fleet) -> dict[Kind, BoolArray]:
    """The days (days, devices) on which each promise is broken. A silent stretch is judged in ``runs``."""
    return {
        Kind.NEGATIVE_TRAFFIC: fleet.values < 0,
        Kind.INVALID_VALUES: fleet.invalid,
        Kind.DUPLICATE_DAYS: fleet.duplicated,
        Kind.MISSING_DAYS: np.isnan(fleet.values) & ~fleet.invalid,
    }


def breakers(broken: BoolArray) -> BoolArray:
    """The devices that break a promise which the fleet keeps.

    Args:
        broken: bool (days, devices).

    Returns:
        bool (devices,), all False where more than ``MOST_BREAKERS`` of the fleet break it.
    """
    breaks: BoolArray = np.any(broken, axis=0)
    kept = int(breaks.sum()) <= max(1.0, MOST_BREAKERS * len(breaks))
    return breaks if kept else np.zeros_like(breaks)


def log_surprise_of_lost(lost: BoolArray) -> FloatArray:
    """Log of the chance that a device of this fleet loses so many days.

    Days are lost now and then by any collector, so their number is judged as a count: Poisson with the rate of
    the fleet's better nine tenths, half a day in all added for what was not seen yet, and stretched by their
    dispersion where losses come in clusters (quasi-Poisson, McCullagh and Nelder 1989).

    Args:
        lost: bool (days, devices).

    Returns:
        float64 (devices,), at most 0.
    """
    counts = lost.sum(axis=0).astype(float)
    kept = np.sort(counts)[: max(1, int(np.floor((1 - MOST_BREAKERS) * (len(counts) - 1))))]
    rate = (kept.sum() + 0.5) / len(kept)
    dispersion = max(1.0, float(kept.var() / rate))
    chance = gammainc(np.maximum(counts, 1e-9) / dispersion, rate / dispersion)
    return np.where(counts > 0, np.log(np.maximum(chance, 1e-300)), 0.0)
