"""The package and solution.py, two statements of one method, decide alike on the same fleets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import oddfleet
from oddfleet.plant import FAULTS

SOLUTION = Path(__file__).parents[2] / "solution.py"


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    spec = importlib.util.spec_from_file_location("solution", SOLUTION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def decided_by(solution: ModuleType, fleet: oddfleet.Fleet) -> list[int | str]:
    index = pd.DatetimeIndex(fleet.dates)
    tables = (pd.DataFrame(part, index, fleet.device_ids) for part in (fleet.values, fleet.duplicated, fleet.invalid))
    ids: list[int | str] = solution.find_oddities(*tables)[0]
    return ids


@pytest.mark.parametrize("n_days", [40, 365])
@pytest.mark.parametrize("n_devices", [1, 2, 3, 4, 8, 40])
def test_clean_fleets(solution: ModuleType, n_devices: int, n_days: int) -> None:
    fleet = oddfleet.plant.steady_fleet(n_devices, n_days, seed=n_devices)
    assert oddfleet.find_oddities(fleet).ids == decided_by(solution, fleet) == []


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("n_devices", [6, 30])
def test_planted_fleets(solution: ModuleType, kind: oddfleet.Kind, n_devices: int) -> None:
    fleet = oddfleet.plant.with_fault(oddfleet.plant.steady_fleet(n_devices, seed=7), 3, kind, seed=11)
    found = oddfleet.find_oddities(fleet).ids
    assert found == decided_by(solution, fleet)
    assert n_devices == 6 or found == [3]


def test_several_faults_in_the_same_order(solution: ModuleType) -> None:
    fleet = oddfleet.plant.sample_fleet()
    found = oddfleet.find_oddities(fleet).ids
    assert len(found) == 6
    assert found == decided_by(solution, fleet)


def test_fleets_with_noise_of_other_kinds(solution: ModuleType) -> None:
    draw = np.random.default_rng(5)
    for values in (draw.lognormal(2, 1, (200, 12)), draw.standard_t(3, (200, 12)) + 50, draw.exponential(9, (90, 12))):
        frame = pd.DataFrame(values, pd.date_range("2021-03-01", periods=len(values)), list(range(12)))
        fleet = oddfleet.Fleet.from_wide(frame)
        assert oddfleet.find_oddities(fleet).ids == decided_by(solution, fleet)
