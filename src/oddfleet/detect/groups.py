"""The cohorts of a fleet, each with its tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from oddfleet.detect import cohorts, decide, kinds
from oddfleet.detect.judge import KIND_OF_TEST, OF_KIND, TESTS, Judgement, judge
from oddfleet.detect.kinds import Kinds
from oddfleet.model import BoolArray, Fleet, FloatArray
from oddfleet.settings import Settings

ANOTHER_KIND = 0.08
"""So large a share of a cohort that stands out for what it always is, is no oddity but another kind of device."""


@dataclass(frozen=True, slots=True, eq=False)
class Parting:
    """How a cohort was parted once more: by what stood out in it.

    Attributes:
        whole: the tests of the cohort before.
        limit: log p-value of a device, up to which it stands out.
    """

    whole: Judgement
    limit: float


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One cohort with its tests.

    Attributes:
        label: what it is called.
        members: the columns of the fleet.
        judgement: the tests.
        kind: which of the kinds that were found, or which value of the column, counted from 0.
        parting: what parts it from the other group of this kind; None where it is all of it. Of two groups the first
            is that of the devices that do not stand out.
    """

    label: str
    members: list[int]
    judgement: Judgement
    kind: int = 0
    parting: Parting | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """All cohorts of a fleet.

    Attributes:
        groups: the cohorts.
        kinds: how others are told apart; None where a column says so.
    """

    groups: tuple[Group, ...]
    kinds: Kinds | None


def judged(
    fleet: Fleet, repeated: FloatArray, settings: Settings, step: Callable[[int, int], None] | None = None
) -> Panel:
    """Part a fleet into cohorts and test every device against its own.

    Args:
        fleet: the fleet.
        repeated: float64 (2, devices), log p-values of replays and copies.
        settings: the false-alarm rate, and which devices are judged together.
        step: told (devices judged, in all) when a cohort is done.

    Raises:
        SettingsError: when the cohorts are to come from a column that the meta file has not.
    """
    found = kinds.find(fleet.values, fleet.dates) if settings.cohorts == "auto" else None
    groups: list[Group] = []
    for some in _of_column(fleet, repeated, settings) if found is None else _of_kinds(fleet, found, repeated, settings):
        groups += some
        if step is not None:
            step(sum(len(group.members) for group in groups), fleet.n_devices)
    return Panel(tuple(groups), found)


def _of_column(fleet: Fleet, repeated: FloatArray, settings: Settings) -> Iterator[list[Group]]:
    """The cohorts that a column names, one after the other."""
    members_of = defaultdict(list)
    for device, label in enumerate(cohorts.by_column(fleet, settings.cohorts)):
        members_of[label].append(device)
    for label in sorted(members_of):
        yield [_judged(fleet, label, members_of[label], repeated)]


def _of_kinds(fleet: Fleet, found: Kinds, repeated: FloatArray, settings: Settings) -> Iterator[list[Group]]:
    """The cohorts of each kind, one kind after the other."""
    for kind in np.unique(found.labels).tolist():
        members = np.flatnonzero(found.labels == kind).tolist()
        whole = _judged(fleet, cohorts.name(kind, len(found.parts)), members, repeated, kind)
        yield _parted(fleet, whole, repeated, settings)


def stand_out(log_p: FloatArray, limit: float) -> BoolArray:
    """Which devices stand out for what they always are, by their tests (tests, devices) and the largest p-value."""
    always = np.array([KIND_OF_TEST[TESTS[row]] in OF_KIND for row in log_p.argmin(axis=0)], bool)
    stands_out: BoolArray = (decide.device_log_p(log_p) <= limit) & always
    return stands_out


def _judged(fleet: Fleet, label: str, members: list[int], repeated: FloatArray, kind: int = 0) -> Group:
    return Group(label, members, judge(fleet.values[:, members], fleet.dates, repeated[:, members]), kind)


def _parted(fleet: Fleet, group: Group, repeated: FloatArray, settings: Settings) -> list[Group]:
    """The group, parted where so many stand out for what they always are that they are another kind of device."""
    log_p = group.judgement.log_p
    devices = decide.device_log_p(log_p)
    limit = decide.limit(devices, settings.alpha)
    other = stand_out(log_p, limit)
    if other.sum() < max(cohorts.FEWEST_DEVICES, ANOTHER_KIND * len(other)):
        return [group]
    parting = Parting(group.judgement, limit)
    names = ((group.label, ~other), (f"{group.label}, another kind", other))
    parted = (_judged(fleet, name, [group.members[d] for d in np.flatnonzero(side)], repeated) for name, side in names)
    return [replace(part, kind=group.kind, parting=parting) for part in parted]
