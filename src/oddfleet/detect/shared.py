"""What the fleet shares from day to day, and the series without it.

A holiday, an outage of the collector or a season moves every device at once. What all follow says
nothing about any one of them, and hides what does; so it is taken out before the features are computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments, scores
from oddfleet.model import FloatArray

FEWEST_DEVICES = 5
FOLLOWS_SCORE = 3.0
"""A device follows the others when its correlation with them is this many standard errors above 0."""
_CLIP = 4.0


@dataclass(frozen=True, slots=True)
class Shared:
    """The series without what the fleet shares.

    Attributes:
        residual: float64 (days, devices), the values without it; the values themselves where nothing is shared.
        coupling: float64 (devices,), each device's correlation with the mean of the others by Fisher's z, in
            standard errors; None where nothing is shared.
    """

    residual: FloatArray
    coupling: FloatArray | None


def take_out(values: FloatArray) -> Shared:
    """Take out the mean profile of the others, times how strongly each device follows it.

    The profile is the mean over the other devices of the standardised, clipped values; it counts as shared when at
    least half of the devices follow it.

    Args:
        values: float64 (days, devices), NaN = no observation; stays NaN.

    Returns:
        What is left, and the coupling.
    """
    if values.shape[1] < FEWEST_DEVICES or len(values) <= 3:
        return Shared(values, None)
    standard, scale = _standardised(values)
    seen = np.isfinite(values)
    devices = seen.sum(axis=1, keepdims=True)
    others = (standard.sum(axis=1, keepdims=True) - standard) / np.maximum(devices - seen, 1)
    profile = np.where(seen, others, 0.0)
    product, square = (standard * profile).sum(axis=0), (profile**2).sum(axis=0)
    size = np.sqrt(square * (standard**2).sum(axis=0))
    coupling = scores.fisher_z(product / np.where(size > 0, size, 1.0), seen.sum(axis=0))
    if (coupling > FOLLOWS_SCORE).mean() < 0.5:
        return Shared(values, None)
    slope = product / np.where(square > 0, square, 1.0)
    return Shared(values - slope * scale * profile, coupling)


def _standardised(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distances from the median in mean absolute deviations, clipped and centred, 0 for NaN; and that deviation."""
    away = values - moments.median(values)
    seen = np.isfinite(away)
    count = np.maximum(seen.sum(axis=0), 1)
    scale = np.nan_to_num(moments.observed_mean(np.abs(away)))
    clipped = np.where(seen, np.clip(away / np.where(scale > 0, scale, 1.0), -_CLIP, _CLIP), 0.0)
    standard: FloatArray = np.where(seen, clipped - clipped.sum(axis=0) / count, 0.0)
    return standard, scale
