from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddfleet import ingest, plant
from oddfleet.model import Fleet, Kind

LOSSY = plant.with_fault(plant.steady_fleet(5, 100, seed=1), 2, Kind.MISSING_DAYS, seed=1)
ODD_VALUES = replace(
    plant.steady_fleet(2, 5, seed=1),
    names=('a "quoted", name', None),
    values=np.array([[1e-9, -0.0], [1e15, -3.5], [1 / 3, np.nan], [0.1 + 0.2, 5e-324], [7.0, 2.0]]),
)


def _read(folder: Path) -> Fleet:
    return ingest.to_fleet(ingest.read_source(folder))


@pytest.mark.parametrize("fleet", [LOSSY, ODD_VALUES], ids=["lossy", "odd values"])
def test_a_folder_holds_every_observation_and_no_other(tmp_path: Path, fleet: Fleet) -> None:
    folder = tmp_path / "new" / "data"
    for _ in range(2):  # a second time replaces the first
        plant.write_folder(fleet, folder)
    meta = json.loads((folder / "device_meta.txt").read_text(encoding="utf-8"))
    assert meta == [{"id": i, "name": name} for i, name in zip(fleet.device_ids, fleet.names, strict=True)]
    assert len(list(folder.iterdir())) == fleet.n_devices + 1
    for place, device in enumerate(fleet.device_ids):
        header, *lines = (folder / f"iot_{device}.csv").read_text(encoding="utf-8").splitlines()
        told = dict(line.split(",") for line in lines)
        seen = np.isfinite(fleet.values[:, place])
        assert header == "date,traffic"
        assert list(told) == [str(day) for day in fleet.dates[seen]]
        assert [float(value) for value in told.values()] == fleet.values[seen, place].tolist()


@pytest.mark.parametrize("fleet", [LOSSY, ODD_VALUES], ids=["lossy", "odd values"])
def test_what_is_written_is_read(tmp_path: Path, fleet: Fleet) -> None:
    plant.write_folder(fleet, tmp_path)
    got = _read(tmp_path)
    assert (got.device_ids, got.names) == (fleet.device_ids, fleet.names)
    assert (got.dates == fleet.dates).all()
    np.testing.assert_array_equal(got.values, fleet.values)
