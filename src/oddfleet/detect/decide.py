"""From the surprise of every feature to the devices that are odd."""

from __future__ import annotations

import numpy as np
from scipy import stats

from oddfleet.model import BoolArray, FloatArray


def device_log_p(surprises: FloatArray) -> FloatArray:
    """Log of one p-value a device: the smallest of its features', times their number (Bonferroni).

    The features of a device depend on each other in ways that differ from fleet to fleet; Bonferroni's bound
    holds whatever the dependence.

    Args:
        surprises: log p-values, float64 (features, devices).

    Returns:
        float64 (devices,), at most 0.
    """
    result: FloatArray = np.minimum(surprises.min(axis=0) + np.log(len(surprises)), 0.0)
    return result


def discoveries(log_p: FloatArray, alpha: float) -> BoolArray:
    """Devices that are odd by their p-values: Benjamini and Hochberg (1995) at ``alpha``.

    On a clean fleet it raises any alarm with a chance of at most ``alpha``; on a sick one at most that share of
    the devices it names is healthy, on average.

    Args:
        log_p: float64 (devices,).
        alpha: the false-alarm rate.

    >>> discoveries(np.log([1e-6, 0.2, 0.9]), 0.01).tolist()
    [True, False, False]
    """
    odd: BoolArray = stats.false_discovery_control(np.exp(log_p)) <= alpha
    return odd
