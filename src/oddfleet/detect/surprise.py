"""How surprising each feature of a device is, given its cohort: predictive p-values.

The model of a healthy cohort: a feature of a device is normal about the cohort's centre, with the
variance of its sampling error (known: it follows from the length of the record) plus the variance
by which healthy devices truly differ (unknown). Centre and true variance are integrated out over
what the *other* devices say of them. With few devices that gives the heavy tail that ignorance of the
variance demands; with many it is normal. It is the random-effects model of meta-analysis (Higgins,
Thompson and Spiegelhalter 2009, "A re-evaluation of random-effects meta-analysis"), read as an outlier test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, logsumexp

from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.detect.moments import MOMENTS, pooled_error
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import BoolArray, FloatArray


def _slab() -> FloatArray:
    """Density of a half-Cauchy of scale 1 on the logarithmic grid ``DIFFERENCES``, not normed."""
    density: FloatArray = DIFFERENCES / (1 + DIFFERENCES**2)
    return density


DIFFERENCES = np.geomspace(0.1, 3000, 60)
"""Grid for the standard deviation of true differences between healthy devices, in sampling errors."""
WIDEST = 300
"""Robust spread of a cohort in sampling errors past which the error hardly matters, but the grid would end."""
SKEWED_SHARE = (0.45 / 2) ** (2 / 3)
"""Part of the variance of the log of a maximum taken to be exponential: its skewness is 0.45 for a year of normal
noise, and that of a normal plus an exponential with share f is 2 f**1.5."""
LOG_PRIOR = np.log(np.concatenate([[0.5], 0.5 * _slab() / _slab().sum()]))[:, None]
"""Before the others are heard: as likely as not that healthy devices do not truly differ; if they do, a
half-Cauchy of scale 1, the usual weak prior for a spread between groups (Gelman 2006)."""


@dataclass(frozen=True, slots=True)
class _Others:
    """What the rest of the cohort's core says of each device's feature (arrays end in (devices,)).

    Attributes:
        away: the device's distance from the mean of the others.
        own: the sampling error of the device's own value.
        between: true variance between devices, (grid,1): 0 first, then ``DIFFERENCES``.
        spread: variance of the others' values for each entry of the grid, (grid, 1).
        count: number of others.
        likelihood: log likelihood of the others' values, (grid, devices).
    """

    away: FloatArray
    own: FloatArray
    between: FloatArray
    spread: FloatArray
    count: FloatArray
    likelihood: FloatArray


def log_surprises(table: FeatureTable) -> FloatArray:
    """Log of the two-sided p-value of every feature of every device of one cohort.

    Args:
        table: the features of the cohort's devices.

    Returns:
        float64 (features, devices); 0, no surprise, where a feature is NaN, where fewer than ``FEWEST_DEVICES``
        devices have it.
    """
    result = np.zeros(table.values.shape)
    for place, name in enumerate(COMPARED):
        values, own, error = table.values[place], table.errors[place], typical_error(table, place)
        judged = np.isfinite(values)
        if judged.sum() >= FEWEST_DEVICES and error > 0:
            others = hear_others(values[judged], own[judged], error)
            result[place, judged] = log_tail(others, skewed=name == "spike_log")
    return result


def log_surprises_of(probe: FeatureTable, others: FeatureTable) -> FloatArray:
    """Log p-values of series that are no members of the cohort, as if each were its next device.

    Args:
        probe: the features of the series to judge.
        others: the features of the cohort's devices.

    Returns:
        float64 (features, probes), 0 as in ``log_surprises``.
    """
    result = np.zeros(probe.values.shape)
    for place, name in enumerate(COMPARED):
        known = np.isfinite(others.values[place])
        error = typical_error(others, place)
        judged = np.isfinite(probe.values[place])
        if known.sum() >= FEWEST_DEVICES - 1 and error > 0 and judged.any():
            said = hear(others.values[place, known], probe.values[place, judged], probe.errors[place, judged], error)
            result[place, judged] = log_tail(said, skewed=name == "spike_log")
    return result


def typical_error(table: FeatureTable, place: int) -> float:
    """The sampling error of a feature that is typical of a cohort; 0 where no device has one."""
    own = table.errors[place]
    known = own[np.isfinite(own)]
    if known.size == 0:
        return 0.0
    return pooled_error(known, table.batches) if COMPARED[place] in MOMENTS else float(np.median(known))


def core(values: FloatArray, error: float) -> BoolArray:
    """Which devices (bool, same shape) the others are compared with: those not far out themselves.

    Far out is beyond what the furthest of so many normal values reaches about once in a hundred cohorts,
    so that a clean cohort is left whole; the allowance is wide for a small one, whose spread is badly known.
    """
    reach = (4 + 40 / max(len(values) - 3, 0.5)) * max(_robust_spread(values), error)
    inside: BoolArray = np.abs(values - np.median(values)) <= reach
    return inside


def hear_others(values: FloatArray, own_error: FloatArray, error: float) -> _Others:
    """Summarise, for every device, what the others say of one feature.

    Args:
        values: float64 (devices,), no NaN, at least ``FEWEST_DEVICES``.
        own_error: float64 (devices,), sampling errors; NaN = the typical one.
        error: the sampling error typical of the cohort, above 0. A device's own error counts only where it is larger.
    """
    error = _on_grid(values, error)
    middle = np.median(values)
    member = core(values, error)
    centred = np.where(member, values - middle, 0.0)
    count = (member.sum() - member).astype(float)
    mean = (centred.sum() - centred) / count
    squares = np.maximum((centred**2).sum() - centred**2 - count * mean**2, 0.0)
    return _said(values - middle - mean, own_error, error, count, squares)


def hear(values: FloatArray, probes: FloatArray, probe_errors: FloatArray, error: float) -> _Others:
    """The same for probes (probes,) that are no members: all of the cohort's core ``values`` are the others."""
    error = _on_grid(values, error)
    member = values[core(values, error)]
    count = np.full(len(probes), float(len(member)))
    squares = np.full(len(probes), ((member - member.mean()) ** 2).sum())
    return _said(probes - member.mean(), probe_errors, error, count, squares)


def _on_grid(values: FloatArray, error: float) -> float:
    """The sampling error, raised where the cohort spreads so far beyond it that the grid would not reach."""
    return max(error, _robust_spread(values) / WIDEST)


def _robust_spread(values: FloatArray) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _said(away: FloatArray, own_error: FloatArray, error: float, count: FloatArray, squares: FloatArray) -> _Others:
    """Likelihood of the others over the grid, from their number and their squares about their mean."""
    between = (np.concatenate([[0.0], DIFFERENCES]) * error)[:, None] ** 2
    spread = between + error**2
    likelihood = -(count - 1) / 2 * np.log(spread) - squares / (2 * spread)
    own = np.maximum(np.nan_to_num(own_error, nan=error), error)
    return _Others(away, own, between, spread, count, likelihood)


def log_tail(others: _Others, *, skewed: bool) -> FloatArray:
    """Log of the two-sided predictive p-value (devices,).

    Args:
        others: what the others say.
        skewed: True for a maximum: true differences, and part of the error, are then exponential upwards.
    """
    weight = others.likelihood + LOG_PRIOR
    weight -= logsumexp(weight, axis=0)
    noise = np.sqrt(others.spread / others.count + others.own**2)
    deviate = others.away / np.hypot(noise, np.sqrt(others.between))
    tail = log_ndtr(-np.abs(deviate))
    if skewed:
        lopsided = SKEWED_SHARE * others.own**2
        rest = np.sqrt(noise**2 - lopsided)
        upper = _log_exponential_tail(others.away / rest, np.sqrt(others.between + lopsided) / rest)
        tail = np.where(deviate > 0, np.maximum(tail, upper), tail)
    result: FloatArray = np.minimum(np.log(2) + logsumexp(weight + tail, axis=0), 0.0)
    return result


def _log_exponential_tail(deviate: FloatArray, scale: FloatArray) -> FloatArray:
    """Log of the upper tail of standard normal noise plus a centred exponential of standard deviation ``scale``.

    The exponentially modified Gaussian (Grushka 1972); below a scale of 0.03 the exponential is no longer seen.
    """
    rate = 1 / np.maximum(scale, 0.03)
    at = deviate + 1 / rate
    tail: FloatArray = np.logaddexp(log_ndtr(-at), -rate * at + rate**2 / 2 + log_ndtr(at - rate))
    return tail
