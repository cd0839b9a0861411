"""The predictive law: how likely a value further out is, given what the *other* devices of a cohort have.

The model of a healthy cohort: a feature of a device is normal about the cohort's centre, with the variance of its
sampling error (known: it follows from the length of the record) plus the variance by which healthy devices truly differ
(unknown). Centre and true variance are integrated out over what the others say of them. With few devices that gives the
heavy tail that ignorance of the variance demands; with many it is normal. It is the random-effects model of
meta-analysis (Higgins, Thompson and Spiegelhalter 2009, "A re-evaluation of random-effects meta-analysis"), read as an
outlier test.

Where the sampling error itself is measured on short parts of a record it is overrated, and many devices say so: they
spread less than it allows. So it may also be a part of what it seems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr, ndtr

from oddfleet.detect.moments import middle, robust_spread
from oddfleet.model import BoolArray, FloatArray

DIFFERENCES = np.geomspace(0.1, 3000, 40)
"""Grid for the standard deviation of true differences between healthy devices, in sampling errors."""
WIDEST = 300
"""Robust spread of a cohort in sampling errors past which the error hardly matters, but the grid would end."""
SKEWED_SHARE = (0.45 / 2) ** (2 / 3)
"""Part of the variance of the log of a maximum taken to be exponential: its skewness is 0.45 for a year of normal
noise, and that of a normal plus an exponential with share f is 2 f**1.5."""
OVERRATED = np.geomspace(0.5, 1.0, 8)[:-1]
"""Grid for the share of its sampling error that a feature truly has, where short parts of a record overrate it."""
_BETWEEN = np.concatenate([np.zeros(len(OVERRATED) + 1), DIFFERENCES])[:, None] ** 2
_SAMPLING = np.concatenate([OVERRATED, np.ones(1 + len(DIFFERENCES))])[:, None] ** 2
"""Both together: true and sampling variance (grid, 1), in squared sampling errors."""
ENOUGH = 10
"""Fewer others cannot say that an error is overrated."""
LEAST_WEIGHT = -745.0
"""A true variance less likely than this (its logarithm) is 0 in the arithmetic of floating point."""
_TINY = 1e-290


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a feature before the others are heard.

    Attributes:
        alike: how likely it is that healthy devices do not truly differ in it.
        scale: if they do, by how much: the scale of a half-Cauchy, the usual weak prior for a spread between groups
            (Gelman 2006), in the feature's unit; the sampling error where that is larger.
        overrated: if they do not, how likely it is that the sampling error is smaller than it seems.
    """

    alike: float
    scale: float = 0.0
    overrated: float = 0.0


USUAL_PRIOR = Prior(0.8)


@dataclass(frozen=True, slots=True)
class Others:
    """What the rest of the cohort's core says of each device's feature (arrays end in (devices,)).

    Attributes:
        away: the device's distance from the mean of the others.
        own: the sampling error of the device's own value.
        between: true variance between devices, (grid,1): 0 for ``OVERRATED``, 0, then ``DIFFERENCES``.
        sampling: variance of the sampling error that is typical, (grid, 1): parts of it for ``OVERRATED``, then all.
        count: number of others.
        squares: sum of the squares of the others about their mean.
    """

    away: FloatArray
    own: FloatArray
    between: FloatArray
    sampling: FloatArray
    count: FloatArray
    squares: FloatArray


@dataclass(frozen=True, slots=True)
class Usual:
    """What the core of a cohort says of one feature to a device that is no member.

    Attributes:
        count: number of devices in the core.
        mean: their mean.
        squares: sum of their squares about it.
        error: the sampling error, raised to where the grid begins.
    """

    count: float
    mean: float
    squares: float
    error: float


def core(values: FloatArray, error: float) -> BoolArray:
    """Which devices (bool, same shape) the others are compared with: those not far out themselves.

    Far out is beyond what the furthest of so many normal values reaches about once in a hundred cohorts,
    so that a clean cohort is left whole; the allowance is wide for a small one, whose spread is badly known. Of few
    devices none can be left out: where one of four others is far, to be far is not unusual.
    """
    count = len(values)
    reach = (4 + 40 / max(count - 3, 0.5)) * max(robust_spread(values), error)
    away = np.abs(values - middle(values))
    most = min(count // 3, count**2 // 100)
    inside: BoolArray = (away <= reach) | (away < np.sort(away)[count - most] if most else True)
    return inside


def hear_others(values: FloatArray, own_error: FloatArray, error: float, least: float = -np.inf) -> Others:
    """Summarise, for every device, what the others say of one feature.

    Args:
        values: float64 (devices,), no NaN, at least ``FEWEST_DEVICES``.
        own_error: float64 (devices,), sampling errors; NaN = the typical one.
        error: the sampling error typical of the cohort, above 0. A device's own error counts only where it is larger.
        least: the mean of the others is taken to be this at least.
    """
    error = _on_grid(values, error)
    centre = middle(values)
    member = core(values, error)
    centred = np.where(member, values - centre, 0.0)
    count = (member.sum() - member).astype(float)
    mean = (centred.sum() - centred) / count
    squares = np.maximum((centred**2).sum() - centred**2 - count * mean**2, 0.0)
    return _said(values - np.maximum(centre + mean, least), own_error, error, count, squares)


def usual(values: FloatArray, error: float) -> Usual:
    """Sum up one feature (devices,), no NaN, of a cohort whose typical sampling error is ``error``, above 0."""
    error = _on_grid(values, error)
    member = values[core(values, error)]
    mean = float(member.mean())
    return Usual(float(len(member)), mean, float(((member - mean) ** 2).sum()), error)


def hear(said: Usual, probes: FloatArray, probe_errors: FloatArray, least: float = -np.inf) -> Others:
    """The same for probes (probes,) that are no members: all of the cohort's core are the others."""
    # What they say is the same to all: one column stands for every probe.
    count, squares = np.array([said.count]), np.array([said.squares])
    return _said(probes - max(said.mean, least), probe_errors, said.error, count, squares)


def _on_grid(values: FloatArray, error: float) -> float:
    """The sampling error, raised where the cohort spreads so far beyond it that the grid would not reach."""
    member = values[core(values, error)]
    return max(error, robust_spread(values) / WIDEST, float(np.std(member)) / WIDEST)


def _said(away: FloatArray, own_error: FloatArray, error: float, count: FloatArray, squares: FloatArray) -> Others:
    own = np.maximum(np.nan_to_num(own_error, nan=error), error)
    return Others(away, own, _BETWEEN * error**2, _SAMPLING * error**2, count, squares)


def log_upper_tail(others: Others) -> FloatArray:
    """``log_tail`` (devices,) where only more than usual is a surprise."""
    return np.where(others.away > 0, log_tail(others), 0.0)


def log_tail(
    others: Others, prior: Prior = USUAL_PRIOR, *, skewed: bool = False, one_sided: bool = False
) -> FloatArray:
    """Log of the predictive p-value (devices,), two-sided unless said otherwise.

    Args:
        others: what the others say.
        prior: what is believed of the feature before.
        skewed: True for a maximum: true differences, and part of the error, are then exponential upwards.
        one_sided: True where only more is a surprise.
    """
    if others.count.max() < ENOUGH:
        prior = replace(prior, overrated=0.0)
    log_prior = _log_prior(prior, others.between)
    possible = _possible(others, log_prior)
    between, sampling = others.between[possible], others.sampling[possible]
    weight = _log_likelihood(others.count, others.squares, between + sampling) + log_prior[possible]
    weight -= _log_sum(weight)
    # What a device is known worse than others stays unknown, whatever the others say of their own errors.
    own = sampling + np.maximum(others.own**2 - others.sampling[-1], 0.0)
    noise = np.sqrt((sampling + between) / others.count + own)
    deviate = others.away / np.sqrt(noise**2 + between)
    if one_sided:
        log_p = _log_normal_tail(weight, deviate)
    elif skewed:
        # A furthest day that is near is no spike.
        lopsided = SKEWED_SHARE * own
        rest = np.sqrt(noise**2 - lopsided)
        upper = _log_exponential_tail(others.away / rest, np.sqrt(between + lopsided) / rest)
        tail = np.where(deviate > 0, np.maximum(log_ndtr(-np.abs(deviate)), upper), -np.log(2))
        log_p = np.log(2) + _log_sum(weight + tail)
    else:
        log_p = np.log(2) + _log_normal_tail(weight, np.abs(deviate))
    result: FloatArray = np.minimum(log_p, 0.0)
    return result


def _possible(others: Others, log_prior: FloatArray) -> BoolArray:
    """Which true variances (grid,) are possible for some device, by what the others say and the log prior (grid, 1).

    Many devices leave few; the rest would cost most of the time and count for nothing. How much less likely one is than
    another is linear in number and squares of the others, so it is least for one of four extreme devices.
    """
    count = np.repeat([others.count.min(), others.count.max()], 2)
    squares = np.tile([others.squares.min(), others.squares.max()], 2)
    weight = _log_likelihood(count, squares, others.between + others.sampling) + log_prior
    likely = weight[weight.sum(axis=1).argmax()]
    possible: BoolArray = (weight - likely > LEAST_WEIGHT).any(axis=1)
    return possible


def _log_likelihood(count: FloatArray, squares: FloatArray, spread: FloatArray) -> FloatArray:
    """Log likelihood (grid, devices) of others (devices,) of which each has the variance ``spread`` (grid, 1)."""
    likelihood: FloatArray = -(count - 1) / 2 * np.log(spread) - squares / (2 * spread)
    return likelihood


def _log_normal_tail(weight: FloatArray, deviate: FloatArray) -> FloatArray:
    """Log (devices,) of the upper tail of a mixture of normal laws.

    Args:
        weight: logs of their weights, (grid, devices or 1).
        deviate: how far out in their standard deviations, (grid, devices).
    """
    chance = (np.exp(weight) * ndtr(-deviate)).sum(axis=0)
    # What is too small to be a number needs its log from the start, which takes three times as long.
    tiny = chance < _TINY
    logs: FloatArray = np.log(np.maximum(chance, _TINY))
    if tiny.any():
        logs[tiny] = _log_sum(np.broadcast_to(weight, deviate.shape)[:, tiny] + log_ndtr(-deviate[:, tiny]))
    return logs


def _log_sum(logs: FloatArray) -> FloatArray:
    """Log (devices,) of the sum of the exponentials of each column, as ``scipy.special.logsumexp`` without checks."""
    largest = np.maximum(logs.max(axis=0), -np.finfo(float).max)
    with np.errstate(divide="ignore"):
        total: FloatArray = largest + np.log(np.exp(logs - largest).sum(axis=0))
    return total


def _log_prior(prior: Prior, between: FloatArray) -> FloatArray:
    """Log prior (grid, 1) of the true variances (grid, 1)."""
    differences = np.sqrt(between[len(OVERRATED) + 1 :])
    error = differences[0] / DIFFERENCES[0]
    far = differences / max(prior.scale, float(error[0]))
    # On a logarithmic grid a density counts times its place.
    slab = far / (1 + far**2)
    smaller = np.full((len(OVERRATED), 1), prior.alike * prior.overrated / len(OVERRATED))
    as_seems = [[prior.alike * (1 - prior.overrated)]]
    with np.errstate(divide="ignore"):
        log_prior: FloatArray = np.log(np.concatenate([smaller, as_seems, (1 - prior.alike) * slab / slab.sum()]))
    return log_prior


def _log_exponential_tail(deviate: FloatArray, scale: FloatArray) -> FloatArray:
    """Log of the upper tail of standard normal noise plus a centred exponential of standard deviation ``scale``.

    The exponentially modified Gaussian (Grushka 1972); below a scale of 0.03 the exponential is no longer seen.
    """
    rate = 1 / np.maximum(scale, 0.03)
    at = deviate + 1 / rate
    tail: FloatArray = np.logaddexp(log_ndtr(-at), -rate * at + rate**2 / 2 + log_ndtr(at - rate))
    return tail
