from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import cohorts, decide, groups, judge, kinds
from oddfleet.errors import SettingsError
from oddfleet.model import Fleet, FloatArray, Kind
from oddfleet.settings import Settings

CLEAN = plant.steady_fleet(40, seed=6)
NOTHING = np.zeros((2, 40))


def _judged(fleet: Fleet, repeated: FloatArray = NOTHING, choice: str = "auto") -> list[groups.Group]:
    return list(groups.judged(fleet, repeated, Settings(cohorts=choice)).groups)


def _odd(group: groups.Group) -> int:
    return int(decide.discoveries(decide.device_log_p(group.judgement.log_p), 0.01).sum())


def _spread(times: float, devices: int) -> Fleet:
    """A fleet of which the first devices vary more from day to day."""
    values = CLEAN.values.copy()
    values[:, :devices] = 100 + times * (values[:, :devices] - 100)
    return replace(CLEAN, values=values)


def _level(times: float, devices: int) -> Fleet:
    """A fleet of which the first devices carry more; too little, for some, to be seen at once."""
    return replace(CLEAN, values=np.hstack([times * CLEAN.values[:, :devices], CLEAN.values[:, devices:]]))


def _week(more: float, devices: int) -> Fleet:
    """A fleet of which the first devices carry more on two days of the week."""
    two_days = more * (np.arange(366) % 7 < 2)[:, None]
    return replace(CLEAN, values=CLEAN.values + two_days * (np.arange(40) < devices))


def test_a_fleet_of_one_kind_is_one_group_judged_as_a_whole() -> None:
    repeated = -np.arange(80.0).reshape(2, 40)
    (group,) = _judged(CLEAN, repeated)
    assert (group.label, group.members) == (cohorts.REST, list(range(40)))
    whole = judge.judge(CLEAN.values, CLEAN.dates, repeated)
    np.testing.assert_allclose(group.judgement.log_p, whole.log_p, rtol=1e-9)


def test_the_column_of_the_meta_file_says_who_is_judged_together() -> None:
    made = tuple("lock" if device % 4 == 0 else "camera" for device in range(40))
    repeated = -np.arange(80.0).reshape(2, 40)
    camera, lock = _judged(replace(CLEAN, attributes={"made": made}), repeated, "made")
    assert (camera.label, lock.label) == ("camera", "lock")
    assert lock.members == list(range(0, 40, 4))
    assert sorted(camera.members + lock.members) == list(range(40))
    alone = judge.judge(CLEAN.values[:, ::4], CLEAN.dates, repeated[:, ::4])
    np.testing.assert_allclose(lock.judgement.log_p, alone.log_p, rtol=1e-9)
    with pytest.raises(SettingsError, match="got 'place'"):
        _judged(CLEAN, choice="place")


@pytest.mark.parametrize("fleet", [_level(1.03, 6), _level(1.3, 6), _week(5.0, 6)], ids=["near", "far", "week"])
def test_many_that_stand_out_for_what_they_always_are_are_another_kind(fleet: Fleet) -> None:
    """A gap that is too narrow to part them at first; judged by themselves, nobody is odd."""
    assert not kinds.find(fleet.values, fleet.dates).labels.any()
    rest, other = _judged(fleet)
    assert (rest.label, other.label) == ("fleet", "fleet, another kind")
    assert other.members == list(range(6))
    assert rest.members == list(range(6, 40))
    assert (_odd(rest), _odd(other)) == (0, 0)


@pytest.mark.parametrize("times", [1.25, 1.6, 3.0])
def test_many_that_vary_more_are_odd_and_no_kind(times: float) -> None:
    """Only in level and week do kinds of devices differ from each other."""
    (group,) = _judged(_spread(times, 6))
    assert len(group.members) == 40
    assert _odd(group) == 6


@pytest.mark.parametrize("choice", ["none", "made"])
def test_who_is_told_to_be_judged_together_is(choice: str) -> None:
    fleet = replace(_level(1.03, 6), attributes={"made": ("camera",) * 40})
    (group,) = _judged(fleet, choice=choice)
    assert len(group.members) == 40
    assert _odd(group) == 6


@pytest.mark.parametrize("fleet", [_spread(1.35, 3), _spread(1.6, 3), _spread(3.0, 3), _level(1.03, 3), _level(1.3, 3)])
def test_a_few_that_stand_out_are_odd_however_far(fleet: Fleet) -> None:
    (group,) = _judged(fleet)
    assert _odd(group) == 3


@pytest.mark.parametrize("kind", [Kind.FROZEN, Kind.LEVEL_SHIFT])
def test_many_to_whom_something_happened_are_no_kind(kind: Kind) -> None:
    fleet = CLEAN
    for device in range(1, 11):
        fleet = plant.with_fault(fleet, device, kind, seed=device)
    (group,) = _judged(fleet)
    assert _odd(group) == 10
