"""What the fleet shares from day to day, and the series without it.

A holiday, an outage of the collector or a season moves every device at once. What all follow says
nothing about any one of them, and hides what does; so it is taken out before the features are computed. It is
found as a factor model finds it: the profile of days that most devices follow, each as strongly as it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from oddfleet.detect import moments, scores
from oddfleet.model import BoolArray, FloatArray, IntArray

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
        said: what the devices say to one that is none of them.
    """

    part: FloatArray
    excess: FloatArray
    coupling: FloatArray
    errors: FloatArray
    pull: FloatArray
    profile: FloatArray | None
    said: Said

    def of(self, devices: IntArray) -> Shared:
        """The same of some devices."""
        profile = None if self.profile is None else self.profile[:, devices]
        return Shared(
            self.part[:, devices],
            self.excess[:, devices],
            self.coupling[devices],
            self.errors[devices],
            self.pull[:, devices],
            profile,
            self.said,
        )

    @property
    def profiles(self) -> int:
        """How many profiles are shared."""
        return len(self.said.profiles)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What the devices of a fleet say of its days to one that is none of them.

    Attributes:
        factors: as given to ``find``.
        day: float64 (days,), the median of the standardised values on each day; 0 where no device has one.
        profiles: for each shared profile the profile itself, float64 (days, 1), and the least and the most that a
            device is taken to follow it.
    """

    factors: bool
    day: FloatArray
    profiles: tuple[tuple[FloatArray, float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One profile as devices follow it: without the device itself, so that none follows its own noise.

    Attributes:
        profile: float64 (days, devices), or (days, 1) where it is the same for all.
        slope: how strongly each follows it, in its own deviations (devices,), and
        error: the standard error.
        follows: bool (devices,), whether it does.
    """

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
    if values.shape[1] < FEWEST_DEVICES or len(values) <= 3:
        return _nothing(values.shape, Said(factors, np.zeros(len(values)), ()))
    following = _Following(values, None, factors=factors)
    for _place in range(MOST_PROFILES if values.shape[1] >= FEWEST_FOR_SEVERAL else 1):
        found = _fit(following.standard, following.seen)
        if found is None or found[0].follows.mean() < 0.5:
            break
        fit, profile = found
        following.follow(fit, profile, *_usual(fit.slope * following.unit, fit.error * following.unit))
    return following.shared


def followed_by(values: FloatArray, said: Said) -> Shared:
    """What a fleet shares, as devices follow it that are none of those who say so.

    Args:
        values: float64 (days, devices), on the scale of the fleet; NaN = no observation.
        said: what the fleet says.
    """
    if not said.profiles:
        return _nothing(values.shape, said)
    following = _Following(values, said.day, factors=said.factors)
    for profile, least, most in said.profiles:
        following.follow(_followed(following.standard, following.seen, profile), profile, least, most)
    return following.shared


def _nothing(shape: tuple[int, ...], said: Said) -> Shared:
    unknown, nothing = np.full(shape[1], np.nan), np.zeros(shape)
    return Shared(nothing, nothing, unknown, unknown, nothing, None, said)


class _Following:
    """Devices that follow one profile after the other: what they share so far, and what is left of them."""

    def __init__(self, values: FloatArray, day: FloatArray | None, *, factors: bool) -> None:
        self.seen = np.isfinite(values)
        self.standard, self._scale, day = _standardised(values, day)
        self._safe = np.where(self._scale > 0, self._scale, 1.0)
        self.unit = self._safe if factors else np.ones(len(self._scale))
        self.shared = _nothing(values.shape, Said(factors, day, ()))

    def follow(self, fit: _Fit, profile: FloatArray, least: float, most: float) -> None:
        """Take out one more profile, which no device is taken to follow less or more than so."""
        so_far, coupling = self.shared, fit.slope * self.unit
        used = np.clip(coupling, least, most) / self.unit
        followed = used * fit.profile
        part, excess = self._scale * followed, self._scale * (fit.slope - used) * fit.profile
        said = replace(so_far.said, profiles=(*so_far.said.profiles, (profile, least, most)))
        if so_far.profiles == 0:
            observed = moments.zeroed(fit.profile, self.seen)
            pull = observed * (_over(self.unit, moments.products(observed, observed) + 0 * self.unit) / self._safe)
            as_seen = np.broadcast_to(fit.profile, part.shape)
            self.shared = Shared(part, excess, coupling, fit.error * self.unit, pull, as_seen, said)
        else:
            self.shared = replace(so_far, part=so_far.part + part, excess=so_far.excess + excess, said=said)
        left = self.standard - followed
        self.standard = moments.zeroed(left, self.seen)


def _usual(coupling: FloatArray, error: FloatArray) -> tuple[float, float]:
    """The least and the most coupling that is usual: three spreads from the middle of those (devices,)."""
    middle = moments.middle(coupling)
    reach = 3 * max(moments.robust_spread(coupling), moments.middle(error))
    return middle - reach, middle + reach


def _fit(standard: FloatArray, seen: BoolArray) -> tuple[_Fit, FloatArray] | None:
    """The strongest profile of standardised values (days, devices), 0 where not seen; None where all is flat.

    Returns:
        How each device follows what the others make of it, and what all make of it, (days, 1).
    """
    weight = np.ones(standard.shape[1])
    known, whole = seen.astype(float), bool(seen.all())

    def heard(square: FloatArray) -> FloatArray:
        return np.asarray(square.sum()) if whole else np.einsum("td,d->t", known, square)

    for _round in range(_ROUNDS):
        profile = _over(np.einsum("td,d->t", standard, weight), heard(weight**2))
        told = (profile**2).sum() if whole else np.einsum("td,t->d", known, profile**2)
        weight = _over(np.einsum("td,t->d", standard, profile), told)
        usual = moments.middle(np.abs(weight))
        if usual == 0:
            return None
        # No device speaks louder than three usual ones: one with a fault of its own makes no profile.
        weight = np.clip(weight / usual, -3.0, 3.0)
    mine, square = standard * weight, weight**2
    sums, of_all = mine.sum(axis=1, keepdims=True), np.reshape(heard(square), (-1, 1))
    profile = _over(sums - mine, of_all - (square if whole else known * square))
    return _followed(standard, seen, profile), _over(sums, np.broadcast_to(of_all, sums.shape))


def _followed(standard: FloatArray, seen: BoolArray, profile: FloatArray) -> _Fit:
    """How each device follows its profile, both (days, devices)."""
    observed = moments.zeroed(profile, seen)
    product, square = moments.products(standard, observed), moments.products(observed, observed)
    own = moments.products(standard, standard)
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
    return _over(moments.products(values[1:], values[:-1]), moments.products(values, values))


def _over(part: FloatArray, whole: FloatArray) -> FloatArray:
    """A quotient; 0 where the divisor is."""
    safe = whole > 0
    quotient: FloatArray = part / whole if safe.all() else np.where(safe, part, 0.0) / np.where(safe, whole, 1.0)
    return quotient


def _standardised(values: FloatArray, day: FloatArray | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distances from the median in mean absolute deviations, clipped and centred, 0 for NaN.

    Clipped is what strays from the day's median, not the day: a shock that all feel stays whole.

    Args:
        values: float64 (days, devices).
        day: the median distance on each day (days,); None = that of these devices.

    Returns:
        The distances (days, devices), those mean deviations (devices,), and the median on each day (days,).
    """
    away = values - moments.median(values)
    seen = np.isfinite(away)
    count = np.maximum(seen.sum(axis=0), 1)
    scale = np.nan_to_num(moments.observed_mean(np.abs(away)))
    away /= np.where(scale > 0, scale, 1.0)
    day = np.nan_to_num(moments.median(away.T)) if day is None else day
    clipped = moments.zeroed(np.clip(away, day[:, None] - _CLIP, day[:, None] + _CLIP), seen)
    return moments.zeroed(clipped - clipped.sum(axis=0) / count, seen), scale, day
