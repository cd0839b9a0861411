"""The promises of the exercise: a device is active all year, its traffic never negative, each day told once.

A broken promise is a fact, not a statistic, and always reported. Whether it makes a device odd is
decided against the fleet: one that breaks what the fleet keeps is odd; where many break it, it is
how this fleet is recorded.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from oddfleet.detect import surprise
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import BoolArray, Fleet, FloatArray, Kind

MOST_BREAKERS = 0.1
"""A promise that more than this share of a fleet (and more than one device) breaks is not one the fleet keeps."""
OFTEN = 3
"""Where the middle device loses so many days, the rates at which devices lose them show how they differ."""


def broken_days(fleet: Fleet) -> dict[Kind, BoolArray]:
    """The days (days, devices) on which each promise is broken. A silent stretch is judged in ``runs``."""
    return {
        Kind.NEGATIVE_TRAFFIC: fleet.values < 0,
        Kind.INVALID_VALUES: fleet.invalid,
        Kind.DUPLICATE_DAYS: fleet.duplicated,
        Kind.MISSING_DAYS: _missing_days(fleet),
    }


def _missing_days(fleet: Fleet) -> BoolArray:
    """Days without a line. One that most of the fleet lacks is a gap in the record, and no device's."""
    missing: BoolArray = np.isnan(fleet.values) & ~fleet.invalid
    if fleet.n_devices < FEWEST_DEVICES:
        return missing
    missing &= missing.mean(axis=1, keepdims=True) <= 0.5
    return missing


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
    capped = np.minimum(counts, np.sort(counts)[-1 - int(MOST_BREAKERS * len(counts))] + 2)
    total, squares = capped.sum() - capped, (capped**2).sum() - capped**2
    mean = (total + 0.5) / others
    variance = np.maximum(squares - total**2 / others, 0.0) / max(others - 1, 1)
    dispersion = np.maximum(1.0, variance / mean) if others > 1 else np.ones(len(counts))
    chance = betainc(np.maximum(counts, 1e-9) / dispersion, (total + 0.5) / dispersion, 1 / (others + 1))
    log_p = np.where(counts > 0, np.log(np.maximum(chance, 1e-300)), 0.0)
    known = len(counts) >= FEWEST_DEVICES and np.median(counts) >= OFTEN
    return np.maximum(log_p, _log_surprise_of_rates(counts)) if known else log_p


def _log_surprise_of_rates(counts: FloatArray) -> FloatArray:
    """Log p-value (devices,) of counts where all lose days, each at its own rate; on the root, their error is 1/2."""
    roots = np.sqrt(counts)
    others = surprise.hear_others(roots, np.full(len(roots), 0.5), 0.5)
    return np.where(others.away > 0, surprise.log_tail(others), 0.0)
