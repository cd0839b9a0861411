"""Odd only in combination: many features a little out, none of them far enough alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc, fdtri, ndtri_exp

from oddfleet.model import BoolArray, FloatArray

DEVICES_A_FEATURE = 3
"""So many devices for every feature tell how features go together."""
MANY, NARROWEST = 100, 0.8
"""So many devices may say that squared distances are narrower than the law, by so much at most: deviates judged with
care are too small."""
_REACH = 3.5
_LEAST = np.exp(-700.0)
_SHRINK = 0.1
_QUANTILES = (0.5, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """How the features of a healthy device of a cohort go together.

    Attributes:
        used: bool (features,), the features that are combined; none where there are too few devices.
        inverse: float64 (used, used), the inverse of their covariance.
        devices: number of devices behind it.
        stretch: how much wider squared distances are than Hotelling's law; of few devices 1 at least.
    """

    used: BoolArray
    inverse: FloatArray
    devices: int
    stretch: float = 1.0

    def log_surprise(self, log_p: FloatArray, above: BoolArray) -> FloatArray:
        """Log p-value of a device's features taken together: Mahalanobis' distance, by Hotelling's (1931) law.

        Args:
            log_p: float64 (features, devices), two-sided log p-values; 0 where a feature is not compared.
            above: bool (features, devices), which side.

        Returns:
            float64 (devices,), at most 0; 0 where there are too few devices.
        """
        if not self.used.any():
            return np.zeros(log_p.shape[1])
        ratio = self._ratio(_deviates(log_p[self.used], above[self.used]))
        chance = fdtrc(*self._freedom, ratio / self.stretch)
        result: FloatArray = np.log(np.maximum(chance, _LEAST))
        return result

    def stretched(self, log_p: FloatArray, above: BoolArray) -> Law:
        """The same law, as wide as the cohort's middle and its upper tenth ask for."""
        if not self.used.any():
            return self
        ratio = self._ratio(_deviates(log_p[self.used], above[self.used]))
        wider = (float(np.quantile(ratio, q) / fdtri(*self._freedom, q)) for q in _QUANTILES)
        least = NARROWEST if self.devices >= MANY else 1.0
        return replace(self, stretch=max(least, *wider))

    @property
    def _freedom(self) -> tuple[int, int]:
        """The degrees of freedom of the F law that the ratio of a healthy device follows."""
        count = int(self.used.sum())
        return count, self.devices - count

    def _ratio(self, deviates: FloatArray) -> FloatArray:
        (count, rest), devices = self._freedom, self.devices
        distance = (deviates * (self.inverse @ deviates)).sum(axis=0)
        ratio: FloatArray = distance * rest / (count * (devices - 1)) * devices / (devices + 1)
        return ratio


def learn(log_p: FloatArray, above: BoolArray) -> Law:
    """Learn from a cohort how its features go together.

    Every feature is a normal deviate by its own p-value and side, held to 3.5, so that one alone is no combination.
    Their correlations are those of the cohort, shrunk a tenth towards none; their variances are 1 at least.

    Args:
        log_p: float64 (features, devices), two-sided log p-values; 0 where a feature is not compared.
        above: bool (features, devices), which side.
    """
    used = (log_p < 0).mean(axis=1) > 0.5
    devices, count = log_p.shape[1], int(used.sum())
    if count < 2 or devices < DEVICES_A_FEATURE * count:
        return Law(np.zeros(len(log_p), bool), np.zeros((0, 0)), devices)
    deviates = _deviates(log_p[used], above[used])
    covariance = deviates @ deviates.T / devices
    # A feature judged with care has deviates that are too small; what is seldom a little out is not odd for it.
    size = np.sqrt(np.diag(covariance))
    covariance *= np.outer(np.maximum(size, 1.0) / size, np.maximum(size, 1.0) / size)
    covariance = (1 - _SHRINK) * covariance + _SHRINK * np.diag(np.diag(covariance))
    return Law(used, np.linalg.inv(covariance), devices).stretched(log_p, above)


def _deviates(log_p: FloatArray, above: BoolArray) -> FloatArray:
    """Normal deviates (features, devices), held to what they may count."""
    size = -ndtri_exp(np.minimum(log_p - np.log(2), -np.log(2)))
    deviates: FloatArray = np.clip(np.where(above, size, -size), -_REACH, _REACH)
    return deviates
