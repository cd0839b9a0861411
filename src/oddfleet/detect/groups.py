"""The cohorts of a fleet, each with its tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import cohorts, decide
from oddfleet.detect.judge import KIND_OF_TEST, OF_KIND, TESTS, Judgement, judge
from oddfleet.model import Fleet, FloatArray
from oddfleet.settings import Settings

ANOTHER_KIND = 0.08
"""So large a share of a cohort that stands out for what it always is, is no oddity but another kind of device."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One cohort with its tests.

    Attributes:
        label: what it is called.
        members: the columns of the fleet.
        judgement: the tests.
    """

    label: str
    members: list[int]
    judgement: Judgement


def judged(fleet: Fleet, repeated: FloatArray, settings: Settings) -> list[Group]:
    """Part a fleet into cohorts and test every device against its own.

    Args:
        fleet: the fleet.
        repeated: float64 (2, devices), log p-values of replays and copies.
        settings: the false-alarm rate, and which devices are judged together.

    Raises:
        SettingsError: when the cohorts are to come from a column that the meta file has not.
    """
    labels = cohorts.assign(fleet, settings.cohorts)
    groups = []
    for label in sorted(set(labels)):
        members = [device for device, own in enumerate(labels) if own == label]
        group = _judged(fleet, label, members, repeated)
        groups += _parted(fleet, group, repeated, settings) if settings.cohorts == "auto" else [group]
    return groups


def _judged(fleet: Fleet, label: str, members: list[int], repeated: FloatArray) -> Group:
    return Group(label, members, judge(fleet.values[:, members], fleet.dates, repeated[:, members]))


def _parted(fleet: Fleet, group: Group, repeated: FloatArray, settings: Settings) -> list[Group]:
    """The group, parted where so many stand out for what they always are that they are another kind of device."""
    log_p = group.judgement.log_p
    always = np.array([KIND_OF_TEST[TESTS[row]] in OF_KIND for row in log_p.argmin(axis=0)])
    other = decide.discoveries(decide.device_log_p(log_p), settings.alpha) & always
    if other.sum() < max(cohorts.FEWEST_DEVICES, ANOTHER_KIND * len(other)):
        return [group]
    names = ((group.label, ~other), (f"{group.label}, another kind", other))
    return [_judged(fleet, name, [group.members[d] for d in np.flatnonzero(side)], repeated) for name, side in names]
