from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.errors import SettingsError
from oddfleet.model import BoolArray, Fleet, Kind

CLEAN = plant.steady_fleet(9, 120, seed=1)
DROPS = plant.healthy_fleet("drop_days", 9, 120, seed=1)


def _home(kind: Kind) -> Fleet:
    """A fleet in which this fault can be planted."""
    return DROPS if kind is Kind.DETACHED else CLEAN


def _changed(before: Fleet, after: Fleet) -> BoolArray:
    """Days and devices (days, devices) that are told otherwise."""
    same: BoolArray = (before.values == after.values) | (np.isnan(before.values) & np.isnan(after.values))
    marked: BoolArray = (before.duplicated != after.duplicated) | (before.invalid != after.invalid)
    return ~same | marked


def test_every_kind_of_finding_can_be_planted() -> None:
    assert set(plant.FAULTS) == set(Kind)
    assert set(plant.DATED) < set(plant.FAULTS)


@pytest.mark.parametrize("strength", [0.25, 1.0, 2.0])
@pytest.mark.parametrize("kind", plant.FAULTS)
def test_a_fault_is_in_one_device_and_can_be_repeated(kind: Kind, strength: float) -> None:
    fleet = _home(kind)
    before = fleet.values.copy(), fleet.duplicated.copy(), fleet.invalid.copy()
    planted = plant.plant_fault(fleet, 4, kind, strength=strength, seed=7)
    assert (planted.device_id, planted.kind) == (4, kind)
    for part, kept in zip((fleet.values, fleet.duplicated, fleet.invalid), before, strict=True):
        assert (part == kept).all()
    changed = _changed(fleet, planted.fleet)
    assert np.flatnonzero(changed.any(axis=0)).tolist() == [3]
    assert np.isfinite(planted.fleet.values[[0, -1]]).all()
    again = plant.plant_fault(fleet, 4, kind, strength=strength, seed=7)
    assert not _changed(planted.fleet, again.fleet).any()
    assert planted.since == again.since
    assert not _changed(planted.fleet, plant.with_fault(fleet, 4, kind, strength=strength, seed=7)).any()


@pytest.mark.parametrize("kind", [kind for kind in plant.FAULTS if kind in plant.DATED])
@pytest.mark.parametrize("seed", range(6))
def test_a_fault_has_the_date_of_its_first_changed_day(kind: Kind, seed: int) -> None:
    planted = plant.plant_fault(CLEAN, 4, kind, strength=0.5, seed=seed)
    first = int(np.flatnonzero(_changed(CLEAN, planted.fleet)[:, 3])[0])
    # A value is stuck from the day on that the next one repeats.
    expected = CLEAN.dates[first - (kind is Kind.FROZEN)]
    assert planted.since == date.fromisoformat(str(expected))


@pytest.mark.parametrize("kind", [kind for kind in plant.FAULTS if kind not in plant.DATED] + [Kind.COPIED])
def test_what_holds_for_the_whole_record_has_no_date(kind: Kind) -> None:
    assert plant.plant_fault(_home(kind), 4, kind, seed=1).since is None


@pytest.mark.parametrize("name", ["counts", "lossy"])
def test_a_copy_of_the_whole_record_has_no_date(name: str) -> None:
    """Even where its first day is the same by chance, or lost."""
    fleets = [plant.healthy_fleet(name, 20, 60, seed=seed) for seed in range(60)]
    since = {plant.plant_fault(fleet, 3, Kind.COPIED, seed=seed).since for seed, fleet in enumerate(fleets)}
    assert since == {None}


@pytest.mark.parametrize("kind", [kind for kind in plant.FAULTS if kind is not Kind.DETACHED])
@pytest.mark.parametrize("n_days", [2, 3, 5])
def test_the_shortest_records_have_faults_too(kind: Kind, n_days: int) -> None:
    """A fault that begins on the first day has no date."""
    fleet = plant.steady_fleet(5, n_days, seed=1)
    for seed in range(6):
        planted = plant.plant_fault(fleet, 4, kind, seed=seed)
        assert planted.since is None or planted.since > date(2020, 1, 1)
        assert not _changed(fleet, planted.fleet)[:, [0, 1, 2, 4]].any()


def test_marked_days_are_told_once_more_or_not_at_all() -> None:
    doubled = plant.with_fault(CLEAN, 4, Kind.DUPLICATE_DAYS, seed=1)
    assert (doubled.values == CLEAN.values).all()
    assert doubled.duplicated.sum() == doubled.duplicated[:, 3].sum() > 0
    unreadable = plant.with_fault(CLEAN, 4, Kind.INVALID_VALUES, seed=1)
    assert np.array_equal(np.isnan(unreadable.values), unreadable.invalid)
    assert unreadable.invalid.sum() == unreadable.invalid[:, 3].sum() > 0


def test_faults_can_be_planted_one_after_the_other() -> None:
    fleet = CLEAN
    for place, kind in enumerate(kind for kind in plant.FAULTS if kind is not Kind.DETACHED):
        before = fleet
        fleet = plant.with_fault(fleet, place % 9 + 1, kind, seed=place)
        assert np.flatnonzero(_changed(before, fleet).any(axis=0)).tolist() == [place % 9]


def test_no_fault_of_a_kind_that_is_not_known() -> None:
    with pytest.raises(SettingsError, match=r"^plant: kind must be one of missing_days, .*mixture, got on_fire; "):
        plant.with_fault(CLEAN, 1, cast("Kind", "on_fire"), seed=1)


def test_no_fault_in_a_device_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match=r"^plant: the fleet must have the device, got 10; choose "):
        plant.with_fault(CLEAN, 10, Kind.LEVEL, seed=1)
    with pytest.raises(SettingsError, match=r"^plant: the fleet must have the device, got '1'; choose "):
        plant.with_fault(CLEAN, "1", Kind.LEVEL, seed=1)


@pytest.mark.parametrize("name", ["counts", "lossy"])
def test_a_copy_of_part_of_the_record_begins_on_its_day(name: str) -> None:
    """Even where that day is the same by chance, or lost."""
    fleets = [plant.healthy_fleet(name, 20, 60, seed=seed) for seed in range(40)]
    since = {
        plant.plant_fault(fleet, 3, Kind.COPIED, strength=0.25, seed=seed).since for seed, fleet in enumerate(fleets)
    }
    assert since == {date.fromisoformat(str(fleets[0].dates[45]))}


@pytest.mark.parametrize("strength", [0.0, -1.0, 100.5, float("inf"), float("nan")])
def test_no_fault_without_strength_or_beyond_all_bounds(strength: float) -> None:
    text = rf"^plant: strength must be above 0 and at most 100, got {strength:g}; give 1 for a blatant fault or 0\.5 "
    with pytest.raises(SettingsError, match=text):
        plant.plant_fault(CLEAN, 1, Kind.FROZEN, strength=strength, seed=1)


@pytest.mark.parametrize("kind", plant.FAULTS)
def test_the_strongest_fault_can_be_planted(kind: Kind) -> None:
    planted = plant.with_fault(_home(kind), 1, kind, strength=100.0, seed=1)
    assert np.isfinite(planted.values[[0, -1]]).all()


@pytest.mark.parametrize("kind", plant.FAULTS)
def test_a_kind_in_words_is_the_kind(kind: Kind) -> None:
    fleet = _home(kind)
    said, meant = (plant.plant_fault(fleet, 1, one, seed=1) for one in (cast("Kind", str(kind.value)), kind))
    assert not _changed(said.fleet, meant.fleet).any()
    assert (said.kind, said.since) == (meant.kind, meant.since)
    assert isinstance(said.kind, Kind)


def _seen(place: int, days: int) -> Fleet:
    """A device (column) that was seen on the last of so many days only."""
    values = CLEAN.values.copy()
    values[: len(values) - days, place] = np.nan
    return replace(CLEAN, values=values)


@pytest.mark.parametrize("kind", [kind for kind in plant.FAULTS if kind is not Kind.DETACHED])
@pytest.mark.parametrize("days", [0, 1, 2])
def test_faults_beside_a_silent_device(kind: Kind, days: int) -> None:
    """A device that the meta file knows and that never reported is in the fleet, as a column of NaN."""
    planted = plant.with_fault(_seen(5, days), 4, kind, seed=2)
    assert np.isfinite(planted.values[:, 3]).any()
    assert not _changed(_seen(5, days), planted)[:, np.arange(9) != 3].any()


@pytest.mark.parametrize("fleet", [_seen(3, 0), _seen(3, 1), plant.steady_fleet(5, 1, seed=1)])
@pytest.mark.parametrize("kind", plant.FAULTS)
def test_no_fault_in_a_device_that_was_hardly_seen(fleet: Fleet, kind: Kind) -> None:
    text = r"^plant: the device must have traffic on record on 2 days, 4 has not; choose another$"
    with pytest.raises(SettingsError, match=text):
        plant.with_fault(fleet, 4, kind, seed=1)


@pytest.mark.parametrize("kind", [kind for kind in plant.FAULTS if kind is not Kind.DETACHED])
def test_two_days_are_enough_for_a_fault(kind: Kind) -> None:
    for seed in range(4):
        planted = plant.with_fault(_seen(3, 2), 4, kind, seed=seed)
        assert not _changed(_seen(3, 2), planted)[:, np.arange(9) != 3].any()
