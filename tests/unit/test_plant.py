from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import find_oddities
from oddfleet.errors import SettingsError
from oddfleet.model import Kind
from oddfleet.settings import Settings

CLEAN = plant.steady_fleet(5, 100, seed=1)


def test_a_steady_fleet_is_what_it_says() -> None:
    fleet = plant.steady_fleet(250, seed=3, first_day="2021-03-01")
    assert fleet.device_ids == tuple(range(1, 251))
    assert len(set(fleet.names)) == 250
    assert (str(fleet.dates[0]), str(fleet.dates[-1])) == ("2021-03-01", "2022-03-01")
    assert fleet.values.mean() == pytest.approx(100, abs=0.1)
    assert fleet.values.std(axis=0).mean() == pytest.approx(5, abs=0.1)


def test_a_seed_is_a_fleet() -> None:
    assert (plant.steady_fleet(5, 100, seed=1).values == CLEAN.values).all()
    assert (plant.steady_fleet(5, 100, seed=2).values != CLEAN.values).all()


@pytest.mark.parametrize("kind", plant.FAULTS)
def test_a_fault_is_in_one_device_and_can_be_repeated(kind: Kind) -> None:
    before = CLEAN.values.copy()
    faulty = plant.with_fault(CLEAN, 4, kind, seed=7)
    assert (CLEAN.values == before).all()
    changed = [not np.array_equal(faulty.values[:, d], before[:, d], equal_nan=True) for d in range(5)]
    assert changed == [False, False, False, True, False]
    again = plant.with_fault(CLEAN, 4, kind, seed=7)
    assert np.array_equal(faulty.values, again.values, equal_nan=True)
    assert np.isfinite(faulty.values[[0, -1]]).all()


@pytest.mark.parametrize(
    ("kind", "days"),
    [(Kind.MISSING_DAYS, 8), (Kind.NEGATIVE_TRAFFIC, 3), (Kind.INACTIVE, 20), (Kind.SPIKES, 3), (Kind.FROZEN, 19)],
)
def test_a_fault_of_some_days_leaves_the_others(kind: Kind, days: int) -> None:
    assert (plant.with_fault(CLEAN, 4, kind, seed=7).values != CLEAN.values).sum() == days


def test_no_fault_of_a_kind_that_cannot_be_planted() -> None:
    with pytest.raises(SettingsError, match=r"^plant: kind must be one of missing_days, .*frozen, got mixture; "):
        plant.with_fault(CLEAN, 1, Kind.MIXTURE, seed=1)


def test_no_fault_in_a_device_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match=r"^plant: the fleet must have the device, got 6; choose "):
        plant.with_fault(CLEAN, 6, Kind.LEVEL, seed=1)


def test_the_sample_fleet_has_six_odd_devices() -> None:
    found = find_oddities(plant.sample_fleet(), Settings())
    kinds = {device: found.of(device)[0].kind for device in found.ids}
    assert kinds == {
        7: Kind.LEVEL_SHIFT,
        16: Kind.WANDER,
        25: Kind.SPIKES,
        34: Kind.INACTIVE,
        43: Kind.WEEKLY_RHYTHM,
        52: Kind.SHAPE,
    }


def test_a_folder_holds_every_observation_and_no_other(tmp_path: Path) -> None:
    fleet = plant.with_fault(CLEAN, 2, Kind.MISSING_DAYS, seed=1)
    folder = tmp_path / "new" / "data"
    for _ in range(2):  # a second time replaces the first
        plant.write_folder(fleet, folder)
    meta = json.loads((folder / "device_meta.txt").read_text(encoding="utf-8"))
    assert meta == [{"id": i, "name": name} for i, name in zip(fleet.device_ids, fleet.names, strict=True)]
    assert len(list(folder.iterdir())) == 6
    for place, device in enumerate(fleet.device_ids):
        header, *lines = (folder / f"iot_{device}.csv").read_text(encoding="utf-8").splitlines()
        told = dict(line.split(",") for line in lines)
        seen = np.isfinite(fleet.values[:, place])
        assert header == "date,traffic"
        assert list(told) == [str(day) for day in fleet.dates[seen]]
        assert [float(value) for value in told.values()] == fleet.values[seen, place].tolist()
