"""From the surprise of every feature to the devices that are odd."""

from __future__ import annotations

import numpy as np

from oddfleet.model import BoolArray, FloatArray

WRONG_NAMES = 3.0
"""In a fleet that has an odd device, so many times ``alpha`` is the share of the named that may be healthy."""
MANY, TRUSTED = 30, 0.5
"""From so many devices on it takes p-values so small to call a fleet sick that no law is trusted there: measured, they
come up to twice as often, and ten times at a millionth (docs/method.md). So half of ``alpha`` is asked, for the promise
is about what is measured; from four times as many on less, as the root of their number grows."""


def device_log_p(surprises: FloatArray) -> FloatArray:
    """Log of one p-value a device: the smallest of its features', times their number (Bonferroni).

    The features of a device depend on each other in ways that differ from fleet to fleet; Bonferroni's bound
    holds whatever the dependence.

    Args:
        surprises: log p-values, float64 (features, devices).

    Returns:
        float64 (devices,), at most 0.
    """
    return of_most_surprising(surprises.min(axis=0), len(surprises))


def of_most_surprising(log_p: FloatArray, tests: int) -> FloatArray:
    """The same from the smallest log p-value of each device (devices,), of so many tests."""
    result: FloatArray = np.minimum(log_p + np.log(tests), 0.0)
    return result


def discoveries(log_p: FloatArray, alpha: float) -> BoolArray:
    """Devices that are odd by their p-values, by Benjamini and Hochberg (1995) in two steps.

    At ``alpha``, in large fleets at half of it and less, it is decided whether any device is odd: a clean fleet raises
    an alarm with a chance of at most ``alpha``. Where one is, devices are named at three times ``alpha``: of those
    named at most so many are healthy, on average.

    Args:
        log_p: float64 (devices,).
        alpha: the false-alarm rate.

    >>> discoveries(np.log([1e-6, 0.2, 0.9]), 0.01).tolist()
    [True, False, False]
    >>> discoveries(np.log([1e-6, 0.012, 0.9]), 0.01).tolist(), discoveries(np.log([0.012, 0.2, 0.9]), 0.01).tolist()
    ([True, True, False], [False, False, False])
    """
    adjusted = _adjusted(np.exp(log_p))
    if not (adjusted <= asked(alpha, len(log_p))).any():
        return np.zeros(len(log_p), bool)
    odd: BoolArray = adjusted <= WRONG_NAMES * alpha
    return odd


def limit(log_p: FloatArray, alpha: float) -> float:
    """The log p-value up to which devices are named by ``discoveries``; minus infinity where none is.

    Of ``k`` named among ``n`` it is the step of Benjamini and Hochberg at ``k / n``, and so holds for another device of
    the same fleet, too.
    """
    named = int(discoveries(log_p, alpha).sum())
    return float(np.log(WRONG_NAMES * alpha * named / len(log_p))) if named else -np.inf


def asked(alpha: float, devices: int) -> float:
    """At which rate it is decided whether any of so many devices is odd."""
    return alpha * min(TRUSTED, (MANY / devices) ** 0.5) if devices >= MANY else alpha


def _adjusted(p: FloatArray) -> FloatArray:
    """P-values (devices,) adjusted for the rate of false discoveries, as ``scipy.stats.false_discovery_control`` does.

    Written out, for the import of ``scipy.stats`` alone takes longer than to judge a thousand devices.
    """
    order = np.argsort(p)
    falling = (p[order] * len(p) / np.arange(1, len(p) + 1))[::-1]
    adjusted = np.empty(len(p))
    adjusted[order[::-1]] = np.minimum(np.minimum.accumulate(falling), 1.0)
    return adjusted
