"""The package and solution.py decide alike on the same fleets, where both can know.

``solution.py`` looks for nothing that the fleet shares (``detached``), for no repeated days (``copied``, ``replayed``)
and at no features in combination (``mixture``): these kinds are left out. From three to six devices the two part
company: the package hears more in the others' changes and spikes, and less in levels, spreads and weeks, for it takes
healthy devices to differ in these by factors.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import oddfleet
from oddfleet import Kind
from oddfleet.plant import FAULTS

SOLUTION = Path(__file__).parents[2] / "solution.py"
BEYOND_SOLUTION = (Kind.DETACHED, Kind.COPIED, Kind.REPLAYED, Kind.MIXTURE)
BOTH = [kind for kind in FAULTS if kind not in BEYOND_SOLUTION]
DIFFER = (Kind.LEVEL, Kind.SPREAD, Kind.WEEKLY_RHYTHM)
"""In these healthy devices differ, says the package, so that few others cannot call one odd."""


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


def planted(n_devices: int, kind: Kind, seed: int, strength: float = 1.0) -> oddfleet.Fleet:
    fleet = oddfleet.plant.steady_fleet(n_devices, seed=seed)
    return oddfleet.plant.with_fault(fleet, 3, kind, strength=strength, seed=seed)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("n_devices", [8, 30])
def test_planted_fleets(solution: ModuleType, kind: Kind, n_devices: int) -> None:
    fleet = planted(n_devices, kind, seed=7)
    assert oddfleet.find_oddities(fleet).ids == decided_by(solution, fleet) == [3]


@pytest.mark.parametrize("kind", BOTH)
def test_a_blatant_fault_among_five(solution: ModuleType, kind: Kind) -> None:
    fleet = planted(5, kind, seed=7, strength=3.0)
    assert oddfleet.find_oddities(fleet).ids == decided_by(solution, fleet) == [3]


@pytest.mark.parametrize("kind", [kind for kind in BOTH if kind not in DIFFER])
@pytest.mark.parametrize("n_devices", [3, 4, 5, 6])
def test_among_few_the_package_finds_what_the_solution_finds(solution: ModuleType, kind: Kind, n_devices: int) -> None:
    for seed in (1, 2):
        fleet = planted(n_devices, kind, seed)
        found = oddfleet.find_oddities(fleet).ids
        assert set(decided_by(solution, fleet)) <= set(found) <= {3}


@pytest.mark.parametrize("kind", DIFFER)
@pytest.mark.parametrize("n_devices", [3, 4, 5, 6])
def test_among_few_nothing_else_is_found(solution: ModuleType, kind: Kind, n_devices: int) -> None:
    """The package may keep silent about a level, a spread or a week that the solution calls odd."""
    fleet = planted(n_devices, kind, seed=2)
    assert set(oddfleet.find_oddities(fleet).ids) <= set(decided_by(solution, fleet)) <= {3}


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
