"""One step, in level or in how far days are from it: on which day, and how surprising, on the normal scale."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from oddfleet.detect import moments
from oddfleet.detect.scores import TOLD_APART, normal_deviate, once_if_whole
from oddfleet.model import BoolArray, FloatArray, IntArray

SHORTEST_SEGMENT = 5
"""A step is dated only where this many observations lie on either side; fewer are spikes."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


def change_point(scores: FloatArray, seen: BoolArray) -> IntArray:
    """The day from which on the mean most likely differs: the least-squares fit of one step (Hinkley 1970).

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.

    Returns:
        index of the first day after the step, int (devices,); at least ``SHORTEST_SEGMENT``
        observations lie on either side, of a series with twice as many.
    """
    day: IntArray = _step_gain(scores, seen).argmax(axis=0) + 1
    return day


def change_score(scores: FloatArray, seen: BoolArray, profile: FloatArray | None = None) -> FloatArray:
    """The largest difference in mean between before and after any day, on the normal scale; float64 (devices,).

    Hinkley's (1970) likelihood ratio for one step, at least ``SHORTEST_SEGMENT`` observations on either side. Its tail
    is that of the maximum of a standardised Brownian bridge (James, James and Siegmund 1987) at the days of the record
    (Siegmund and Yakir 2007), with the beta law of a share of a fixed variance (Worsley 1979) for the normal.

    Args:
        scores: normal scores (days, devices).
        seen: bool (days, devices), True where there is an observation.
        profile: as in ``scores.drift_score``.
    """
    seen = once_if_whole(seen)
    count = np.maximum(seen.sum(axis=0), 2 * SHORTEST_SEGMENT + 1)
    share = np.minimum(_step_gain(scores, seen, profile).max(axis=0) / count, 1 - 1e-12)
    size = np.sqrt(count * share)
    bounded = np.maximum(size, 1.5)
    crossings = 2 * np.log(count / SHORTEST_SEGMENT - 1) * (1 - 1 / bounded**2) * _between_days(bounded, count)
    bound = bounded * (crossings + 4 / bounded**2) / np.sqrt(2 * np.pi)
    log_p = np.log(bound) + (count - 3) / 2 * np.log1p(-share)
    return normal_deviate(np.minimum(log_p, np.log(0.9) - 0.1 * size))


def _between_days(size: FloatArray, count: IntArray) -> FloatArray:
    """By how much less (devices,) the bridge is beyond ``size`` on one of ``count`` days than at any time between.

    The mean over all crossings of Siegmund and Yakir's (2007) ``nu``, by Gauss and Legendre's rule.
    """
    half = np.log(count / SHORTEST_SEGMENT - 1)
    # The log odds of the part of the record that is before: crossings come as often at each.
    odds = (_NODES[:, None] + 1) / 2 * half
    step = size * np.sqrt((1 + np.cosh(odds)) / (2 * count))
    density = np.exp(-(step**2) / 2) / np.sqrt(2 * np.pi)
    share: FloatArray = (_WEIGHTS[:, None] * (ndtr(step) - 0.5) / step / (step * ndtr(step) + density)).sum(axis=0) / 2
    return share


def _step_gain(scores: FloatArray, seen: BoolArray, profile: FloatArray | None = None) -> FloatArray:
    """How much of the sum of squares a step after each day explains, (days, devices); 0 too near the ends.

    Beside a unit profile that the scores are without: then a step counts as what is left of it without the profile.
    """
    before = moments.running(np.add, seen.astype(np.int64))
    after = before[-1] - before
    inside = np.minimum(before, after) >= SHORTEST_SEGMENT
    size = before * after / np.maximum(before[-1], 1)
    if profile is not None:
        own = size - moments.running(np.add, profile) ** 2
        inside = inside & (own > TOLD_APART * size)
        size = own
    gain = moments.running(np.add, scores)
    np.square(gain, out=gain)
    gain *= inside / np.where(inside, size, 1.0)
    return gain
