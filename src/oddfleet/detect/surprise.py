"""How surprising each feature of a device is, given its cohort: a p-value each, by the predictive law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oddfleet.detect import moments, predictive
from oddfleet.detect.features import COMPARED, EXTREMES, SCORED, FeatureTable
from oddfleet.detect.moments import MOMENTS, pooled_error
from oddfleet.detect.predictive import USUAL_PRIOR, Others, Prior, Usual
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import BoolArray, FloatArray

ONE_SIDED = ("cycle_score", "shift_score", "volatility_score", "spikes_score")
"""Features of which nobody can have too little, unless the cohort has much of it."""
MUCH = 3.0
"""A cohort has much of what scores beyond this in its middle device."""
PRIORS = {name: Prior(0.9) for name in SCORED} | {
    "level_log_mb": Prior(0.1, 0.5),
    "spread_log_mb": Prior(0.5, overrated=0.5),
    "skewness_l": Prior(0.8, overrated=0.5),
    "kurtosis_l": Prior(0.8, overrated=0.5),
    "distinct_share": Prior(0.8, overrated=0.5),
    "weekly_score": Prior(0.3, 3.0),
    "memory_score": Prior(0.5, 3.0),
    "coupling_share": Prior(0.2, 0.5),
}
"""Most healthy devices differ in level and in how they follow the others, and many in spread, by factors; some in week
and memory. That nothing changed on the way is what a healthy device means."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How the features of a cohort are read.

    Attributes:
        upwards: bool (features,), of which features only more than usual is a surprise.
    """

    upwards: BoolArray

    @classmethod
    def of(cls, table: FeatureTable) -> Reading:
        """How those of a cohort are to be read."""
        much = np.nan_to_num(moments.median(table.values.T)) > MUCH
        return cls(np.array([name in ONE_SIDED for name in COMPARED]) & ~much)

    def least(self, place: int) -> float:
        """The least mean of a feature: what is judged on one side is on a scale on which 0 is nothing."""
        return 0.0 if self.upwards[place] else -np.inf

    def log_tail(self, place: int, others: Others) -> FloatArray:
        """Log p-value (devices,) of a feature, from what the others say of it."""
        name = COMPARED[place]
        prior = PRIORS.get(name, USUAL_PRIOR)
        return predictive.log_tail(others, prior, skewed=name in EXTREMES, one_sided=bool(self.upwards[place]))


def log_surprises(table: FeatureTable, reading: Reading) -> FloatArray:
    """Log of the p-value of every feature of every device of one cohort, by the predictive law.

    Args:
        table: the features of the cohort's devices.
        reading: how they are read.

    Returns:
        float64 (features, devices); 0, no surprise, where a feature is NaN, where fewer than ``FEWEST_DEVICES``
        devices have it.
    """
    result = np.zeros(table.values.shape)
    for place in range(len(COMPARED)):
        values, own, error = table.values[place], table.errors[place], typical_error(table, place)
        judged = np.isfinite(values)
        if judged.sum() >= FEWEST_DEVICES and error > 0:
            others = predictive.hear_others(values[judged], own[judged], error, reading.least(place))
            result[place, judged] = reading.log_tail(place, others)
    return result


def listen(others: FeatureTable) -> tuple[Usual | None, ...]:
    """What a cohort says of each feature to devices that are no members; None where too few devices have it."""
    said: list[Usual | None] = []
    for place in range(len(COMPARED)):
        values, error = others.values[place], typical_error(others, place)
        known = values[np.isfinite(values)]
        said.append(predictive.usual(known, error) if len(known) >= FEWEST_DEVICES - 1 and error > 0 else None)
    return tuple(said)


def log_surprises_of(probe: FeatureTable, usuals: Sequence[Usual | None], reading: Reading) -> FloatArray:
    """Log p-values of series that are no members of the cohort, as if each were its next device.

    Args:
        probe: the features of the series to judge.
        usuals: what the cohort says of them.
        reading: how the features of the cohort are read.

    Returns:
        float64 (features, probes), 0 as in ``log_surprises``.
    """
    result = np.zeros(probe.values.shape)
    for place, said in enumerate(usuals):
        judged = np.isfinite(probe.values[place])
        if said is not None and judged.any():
            own = probe.errors[place, judged]
            heard = predictive.hear(said, probe.values[place, judged], own, reading.least(place))
            result[place, judged] = reading.log_tail(place, heard)
    return result


def typical_error(table: FeatureTable, place: int) -> float:
    """The sampling error of a feature that is typical of a cohort; 0 where no device has one."""
    own = table.errors[place]
    known = own[np.isfinite(own)]
    if known.size == 0:
        return 0.0
    return pooled_error(known, table.batches) if COMPARED[place] in MOMENTS else moments.middle(known)
