"""How much heavier the tails of a cohort's features are than their law has it, learnt from the cohort's body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.model import FloatArray

FEWEST_FOR_TAILS = 100
MOST_STRETCH = 3.0
_BODY = (0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """How much heavier the tail of each feature is in a cohort than the predictive law has it.

    Attributes:
        begins: float64 (features,), surprise (-log p) from which on the cohort was heard.
        stretch: float64 (features,), at least 1: further surprise is worth that much less.
    """

    begins: FloatArray
    stretch: FloatArray

    def apply(self, log_p: FloatArray) -> FloatArray:
        """Log p-values (features, devices) with their tails as the cohort has them."""
        beyond = np.maximum(-log_p - self.begins[:, None], 0.0)
        heavier: FloatArray = log_p + beyond * (1 - 1 / self.stretch[:, None])
        return heavier


def learn(log_p: FloatArray) -> Tails:
    """Learn the tails from the body of a cohort: its surprises from the upper fifth to the upper tenth or twentieth.

    For p-values that hold, -log p is exponential of mean 1; the mean of the upper fifth, its own top censored for that
    is where odd devices are, is estimated as for lifetimes (Epstein and Sobel 1953). Where it is above 1 the tail is
    heavier, as in extreme value theory's peaks over a threshold. Fewer than ``FEWEST_FOR_TAILS`` devices say nothing.

    Args:
        log_p: float64 (features, devices), 0 where a feature is not compared.
    """
    begins, stretch = np.zeros(len(log_p)), np.ones(len(log_p))
    for row, feature in enumerate(log_p):
        surprise = np.sort(-feature[feature < 0])
        count = len(surprise)
        if count < FEWEST_FOR_TAILS:
            continue
        first = int(_BODY[0] * count)
        begins[row] = surprise[first]
        # Where more than a twentieth are odd, the censored mean to the upper tenth is still the healthy ones'.
        means = [_censored_mean(surprise[first:] - surprise[first], int(end * count) - first) for end in _BODY[1:]]
        stretch[row] = min(max(1.0, min(means)), MOST_STRETCH)
    return Tails(begins, stretch)


def _censored_mean(ordered: FloatArray, heard: int) -> float:
    """Mean of exponential numbers in rising order of which only the first are heard, less 1.5 standard errors."""
    mean = (ordered[:heard].sum() + ordered[heard - 1] * (len(ordered) - heard)) / heard
    # A tail must be heavier for certain.
    return float(mean * (1 - 1.5 / np.sqrt(heard)))
