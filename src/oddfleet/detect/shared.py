"""What the fleet shares from day to day, and the series without it.

A holiday, an outage of the collector or a season moves every device at once. What all follow says
nothing about any one of them, and hides what does; so it is taken out before the features are computed. It is
found as a factor model finds it: the profile of days that most devices follow, each as strongly as it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from oddfleet.detect import moments, scores
from oddfleet.model import BoolArray, FloatArray

FEWEST_DEVICES = 5
FEWEST_FOR_SEVERAL = 10
"""Fewer devices, each left out of its own profile, seem to share what is left of it."""
FOLLOWS_SCORE = 3.0
"""A device follows a profile when its correlation with it is this many standard errors from 0."""
MOST_PROFILES = 3
"""A season, a week and the outages are three."""
_CLIP = 4.0
_ROUNDS = 8
"""Power iterations: a profile that most devices follow stands out enough for a few."""


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What the fleet shares, as each device follows it.

    Attributes:
        part: float64 (days, devices), on the scale of the values, mean about 0, known on every day; all 0 where nothing
            is shared. No device is taken to follow a profile much more or less than is usual, lest what is odd
            about it be taken for following.
        excess: float64 (days, devices), what the device's own following of the profiles would add to ``part``.
        coupling: float64 (devices,), how strongly each device follows the first profile; NaN where nothing is shared.
        errors: float64 (devices,), the standard errors of ``coupling``.
        pull: float64 (days, devices), by how much a unit on each day moves ``coupling``.
        profile: float64 (days, devices), the first profile as found without each device; None where nothing is shared.
        profiles: how many profiles are shared.
    """

    part: FloatArray
    excess: FloatArray
    coupling: FloatArray
    errors: FloatArray
    pull: FloatArray
    profile: FloatArray | None
    profiles: int


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One profile as the devices follow it: without the device itself, so that none follows its own noise."""

    profile: FloatArray
    slope: FloatArray
    error: FloatArray
    follows: BoolArray


def find(values: FloatArray, *, factors: bool) -> Shared:
    """Find the profiles that at least half of the devices follow, one after the other.

    A profile is the first principal component of the standardised values, each clipped about the day's median; a
    device's correlation with it leaves its own part out, and counts as many days as its memory leaves independent
    (Bartlett 1935).

    Args:
        values: float64 (days, devices), on a scale that steadies the variance; NaN = no observation.
        factors: whether that scale is the logarithm: then what is shared moves all alike, by factors, whatever their
            noise; elsewhere in proportion to it.
    """
    nothing = np.full(values.shape[1], np.nan)
    found = Shared(np.zeros(values.shape), np.zeros(values.shape), nothing, nothing, np.zeros(values.shape), None, 0)
    if values.shape[1] < FEWEST_DEVICES or len(values) <= 3:
        return found
    standard, scale = _standardised(values)
    seen = np.isfinite(values)
    for _place in range(MOST_PROFILES if values.shape[1] >= FEWEST_FOR_SEVERAL else 1):
        fit = _fit(standard, seen)
        if fit is None or fit.follows.mean() < 0.5:
            break
        unit = np.where(scale > 0, scale, 1.0) if factors else np.ones(len(scale))
        coupling, error = fit.slope * unit, fit.error * unit
        used = _usual(coupling, error) / unit
        followed = used * fit.profile
        part = found.part + scale * followed
        excess = found.excess + scale * (fit.slope - used) * fit.profile
        if found.profiles == 0:
            observed = np.where(seen, fit.profile, 0.0)
            pull = _over(observed, (observed**2).sum(axis=0) + 0 * observed) * (unit / np.where(scale > 0, scale, 1.0))
            found = Shared(part, excess, coupling, error, pull, fit.profile, 1)
        else:
            found = replace(found, part=part, excess=excess, profiles=found.profiles + 1)
        standard = np.where(seen, standard - followed, 0.0)
    return found


def _usual(coupling: FloatArray, error: FloatArray) -> FloatArray:
    """The coupling (devices,) held to three spreads from the middle."""
    middle = float(np.median(coupling))
    reach = 3 * max(moments.robust_spread(coupling), float(np.median(error)))
    return np.clip(coupling, middle - reach, middle + reach)


def _fit(standard: FloatArray, seen: BoolArray) -> _Fit | None:
    """The strongest profile of standardised values (days, devices), 0 where not seen; None where all is flat."""
    weight = np.ones(standard.shape[1])
    known, whole = seen.astype(float), bool(seen.all())

    def heard(square: FloatArray) -> FloatArray:
        return np.asarray(square.sum()) if whole else np.einsum("td,d->t", known, square)

    for _round in range(_ROUNDS):
        profile = _over(np.einsum("td,d->t", standard, weight), heard(weight**2))
        told = (profile**2).sum() if whole else np.einsum("td,t->d", known, profile**2)
        weight = _over(np.einsum("td,t->d", standard, profile), told)
        usual = float(np.median(np.abs(weight)))
        if usual == 0:
            return None
        # No device speaks louder than three usual ones: one with a fault of its own makes no profile.
        weight = np.clip(weight / usual, -3.0, 3.0)
    mine, square = standard * weight, weight**2
    of_others = np.reshape(heard(square), (-1, 1)) - (square if whole else known * square)
    profile = _over(mine.sum(axis=1, keepdims=True) - mine, of_others)
    return _followed(standard, seen, profile)


def _followed(standard: FloatArray, seen: BoolArray, profile: FloatArray) -> _Fit:
    """How each device follows its profile, both (days, devices)."""
    observed = np.where(seen, profile, 0.0)
    product, square, own = (standard * observed).sum(axis=0), (observed**2).sum(axis=0), (standard**2).sum(axis=0)
    slope = _over(product, square)
    correlation = _over(product, np.sqrt(square * own))
    days = _independent_days(standard, observed, seen)
    error = np.sqrt(_over(np.maximum(own - slope * product, 0.0), square * np.maximum(days - 2, 1)))
    follows = np.abs(scores.fisher_z(correlation, days)) > FOLLOWS_SCORE
    return _Fit(profile, slope, error, follows)


def _independent_days(standard: FloatArray, profile: FloatArray, seen: BoolArray) -> FloatArray:
    """How many independent days a correlation of two series with memory is worth (devices,): Bartlett (1935)."""
    memory = np.clip(_lag_one(standard) * _lag_one(profile), 0.0, 0.999)
    days: FloatArray = seen.sum(axis=0) * (1 - memory) / (1 + memory)
    return days


def _lag_one(values: FloatArray) -> FloatArray:
    return _over((values[1:] * values[:-1]).sum(axis=0), (values**2).sum(axis=0))


def _over(part: FloatArray, whole: FloatArray) -> FloatArray:
    """A quotient; 0 where the divisor is."""
    safe = whole > 0
    quotient: FloatArray = part / whole if safe.all() else np.where(safe, part, 0.0) / np.where(safe, whole, 1.0)
    return quotient


def _standardised(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distances from the median in mean absolute deviations, clipped and centred, 0 for NaN; and that deviation.

    Clipped is what strays from the day's median, not the day: a shock that all feel stays whole.
    """
    away = values - moments.median(values)
    seen = np.isfinite(away)
    count = np.maximum(seen.sum(axis=0), 1)
    scale = np.nan_to_num(moments.observed_mean(np.abs(away)))
    away /= np.where(scale > 0, scale, 1.0)
    day = np.nan_to_num(moments.median(away.T))[:, None]
    clipped = np.where(seen, day + np.clip(away - day, -_CLIP, _CLIP), 0.0)
    standard: FloatArray = np.where(seen, clipped - clipped.sum(axis=0) / count, 0.0)
    return standard, scale
