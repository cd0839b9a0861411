"""Far days by the cohort's own tail: how many of the furthest days of all devices are one device's.

Two or three far days are nothing in a fleet where every device has some, and much where none has. No law of the noise
says which; the furthest days of the others do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtri_exp

from oddfleet.detect import moments
from oddfleet.model import BoolArray, FloatArray, IntArray

MOST_HEARD = 32
"""No device speaks of more far days than this."""
RANKS = 6
"""Looked at are the furthest day of a device, its second furthest, and so on to this."""
FAR_OUT = 4.0
"""Devices with a higher score do not say what is usual for the others, unless more than a quarter have one."""
DOUBT = 2.0
"""A device's days are taken to be nearer by so many standard errors of its mean and of its deviation: the furthest day
of all is any device's with the same chance, but what a deviation is underrated by moves all days of its device."""
OUTER = 0.05
"""So large a share of a device's days on either side does not say what is usual for it: among them are its far days."""


@dataclass(frozen=True, slots=True, eq=False)
class Farthest:
    """The furthest days of some devices.

    Attributes:
        above: float64 (heard, devices), distances above the mean in mean deviations of the device's inner days, in
            rising order.
        below: the same of distances below.
        days: int (devices,), observations.
        mean_error: float64 (devices,), the standard error of the mean, in the same unit.
        scale_error: float64 (devices,), that of the unit itself.
    """

    above: FloatArray
    below: FloatArray
    days: IntArray
    mean_error: FloatArray
    scale_error: FloatArray

    def of(self, devices: BoolArray | IntArray) -> Farthest:
        """Those of some devices alone."""
        errors = self.mean_error[devices], self.scale_error[devices]
        return Farthest(self.above[:, devices], self.below[:, devices], self.days[devices], *errors)

    def pool(self) -> Pool:
        """All of them together, as others are judged by them."""
        return Pool(np.sort(self.above, axis=None), np.sort(self.below, axis=None), int(self.days.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The furthest days of all devices of a cohort together.

    Attributes:
        above: float64 (heard * devices,), distances above the means, in rising order.
        below: the same of distances below.
        days: observations of all devices.
    """

    above: FloatArray
    below: FloatArray
    days: int


def find(own: FloatArray) -> Farthest:
    """The furthest days of a block of devices.

    Args:
        own: float64 (days, devices), on the scale of the cohort, without what is shared or habit; NaN = no observation.
    """
    away = own - moments.observed_mean(own)
    days = np.isfinite(own).sum(axis=0)
    ordered = np.sort(np.nan_to_num(away, copy=False, posinf=0.0, neginf=0.0), axis=0)
    left_out = np.ceil(OUTER * days)
    inner, count = _without_ends(ordered, left_out), np.maximum(days - 2 * left_out, 1)
    usual = np.abs(inner).sum(axis=0) / count
    usual = np.where(usual > 0, usual, 1.0)
    square = moments.products(inner, inner) / count / usual**2
    root = np.sqrt(np.maximum(days, 1))
    heard = min(MOST_HEARD, len(ordered))
    return Farthest(
        ordered[len(ordered) - heard :] / usual,
        -ordered[:heard][::-1] / usual,
        days,
        np.sqrt(square) / root,
        np.sqrt(np.maximum(square - 1, 0.0)) / root,
    )


def _without_ends(ordered: FloatArray, left_out: FloatArray) -> FloatArray:
    """Sorted columns (days, devices) without so many (devices,) at either end: cut off, or 0."""
    same = np.unique(left_out)
    if len(same) == 1:
        return ordered[int(same[0]) : len(ordered) - int(same[0])]
    place = np.arange(len(ordered))[:, None]
    return ordered * ((place >= left_out) & (place < len(ordered) - left_out))


def members_score(cohort: Farthest) -> FloatArray:
    """How surprising the far days of each device are among those of the others, on the normal scale; (devices,).

    Were the days of all devices exchangeable, each of the furthest ``k + m`` days on one side would be a given
    device's with the chance of its share of all days. That its k-th furthest day has no more than ``m`` further days
    of others before it has then the tail of a binomial law (which bounds the hypergeometric's). The best of the ranks
    and sides is brought to the normal scale by Bonferroni's bound. A device whose deviation is underrated has its days
    too far out; so each is taken to be nearer (``DOUBT``).

    Args:
        cohort: the furthest days of its devices.
    """
    pool = cohort.pool()
    score = _score(cohort, pool, members=True)
    far_out = score > FAR_OUT
    if not _some_left_out(far_out):
        return score
    rest = cohort.of(~far_out).pool()
    return np.where(far_out, _score(cohort, rest, members=False), _score(cohort, rest, members=True))


def usual_pool(cohort: Farthest) -> Pool:
    """What says to others what is usual: the cohort, without the devices that are far out themselves."""
    pool = cohort.pool()
    far_out = _score(cohort, pool, members=True) > FAR_OUT
    return cohort.of(~far_out).pool() if _some_left_out(far_out) else pool


def probes_score(probes: Farthest, pool: Pool) -> FloatArray:
    """The same for series (probes,) that are no members of the cohort."""
    return _score(probes, pool, members=False)


def _some_left_out(far_out: BoolArray) -> bool:
    return bool(0 < far_out.sum() <= len(far_out) / 4)


def _score(probes: Farthest, pool: Pool, *, members: bool) -> FloatArray:
    """The score of probes (probes,) against those who are heard, of whom each is one itself if they are members."""
    share = probes.days / np.maximum(pool.days if members else pool.days + probes.days, 1)
    sides = ((probes.above, pool.above), (probes.below, pool.below))
    log_p = np.min([_log_p(probes, own, heard, share, members=members) for own, heard in sides], axis=0)
    # To have no far day is no surprise.
    score: FloatArray = -ndtri_exp(np.minimum(log_p + np.log(len(sides)), np.log(0.9)))
    return score


def _log_p(probes: Farthest, own: FloatArray, pool: FloatArray, share: FloatArray, *, members: bool) -> FloatArray:
    """Log p-value (probes,) of the best rank on one side, of which these are the distances; the pool is sorted."""
    rank = np.arange(1, min(RANKS, len(own)) + 1)[:, None]
    far = (own[-rank[:, 0]] - DOUBT * probes.mean_error) / (1 + DOUBT * probes.scale_error)
    before = len(pool) - np.searchsorted(pool, far.ravel()).reshape(far.shape)
    others = before - (own[:, None] >= far).sum(axis=0) if members else before
    # A series that never leaves its mean has no far day.
    chance = np.where(far > 0, betainc(rank, others + 1, share), 1.0)
    best: FloatArray = np.log(np.maximum(chance, 1e-300)).min(axis=0) + np.log(len(rank))
    return best
