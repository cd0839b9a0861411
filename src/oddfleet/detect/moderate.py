"""Sampling errors that ten parts of a record tell badly, moderated by what is usual in the cohort.

The errors of devices scatter by chance alone, and by that an odd device may seem badly known. Smyth (2004, "Linear
models and empirical Bayes methods"): the own variance and the usual one, weighted by what each is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma, psi

from oddfleet.detect.features import FeatureTable
from oddfleet.detect.moments import MOMENTS, middle, robust_spread
from oddfleet.model import FloatArray

FEWEST_DEVICES = 5
"""Fewer devices do not say what is usual; each is left its own errors."""
DOUBT = 2.3
"""Over the root of the number of devices, by how much the scatter of their errors may be underrated: the standard error
of a squared median absolute deviation of normal values."""
_MOST_FREEDOM = 1e6
_ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Moderation:
    """What a cohort says of the errors of its devices, for each feature of ``MOMENTS`` (arrays (features,)).

    Attributes:
        variance: the squared error that is usual.
        freedom: how many degrees of freedom that is worth beside a device's own; a million where the own errors
            scatter no more than so few parts make them.
    """

    variance: FloatArray
    freedom: FloatArray

    def apply(self, table: FeatureTable) -> FeatureTable:
        """The table with the errors of its moments moderated: a weighted mean of the own and the usual variance."""
        errors = table.errors.copy()
        own = table.batches - 1
        rows = slice(len(MOMENTS))
        usual, freedom = self.variance[:, None], self.freedom[:, None]
        errors[rows] = np.sqrt((freedom * usual + own * errors[rows] ** 2) / (freedom + own))
        return FeatureTable(table.values, errors, table.batches)


def learn(table: FeatureTable) -> Moderation:
    """Fit the scaled F law of Smyth to the squared errors of a cohort, by the robust moments of their logs.

    Args:
        table: features of the cohort's devices.
    """
    fitted = [_fit(row, table.batches - 1) for row in table.errors[: len(MOMENTS)]]
    return Moderation(*np.array(fitted, float).T)


def _fit(errors: FloatArray, own: int) -> tuple[float, float]:
    known = errors[np.isfinite(errors) & (errors > 0)]
    if len(known) < FEWEST_DEVICES:
        return 1.0, 0.0
    logs = 2 * np.log(known)
    doubt = 1 + DOUBT / np.sqrt(len(known))
    excess = robust_spread(logs) ** 2 * doubt - float(polygamma(1, own / 2))
    freedom = 2 * _trigamma_inverse(excess) if excess > 1 / _MOST_FREEDOM else _MOST_FREEDOM
    centre = middle(logs) - float(psi(own / 2)) + np.log(own / 2)
    return float(np.exp(centre + psi(freedom / 2) - np.log(freedom / 2))), freedom


def _trigamma_inverse(value: float) -> float:
    """Newton's method of Smyth (2004, appendix)."""
    place = 0.5 + 1 / value
    for _round in range(_ROUNDS):
        tri = float(polygamma(1, place))
        place += tri * (1 - tri / value) / float(polygamma(2, place))
    return place
