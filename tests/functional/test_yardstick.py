"""The benchmark in small: healthy fleets of every kind stay silent, and blatant faults are found, named and dated.

The large one is ``make bench``; its seeds begin at 1000, these at 5000.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from oddfleet import plant

SEED = 5000


@pytest.fixture(scope="module")
def detection() -> Any:
    """The benchmark, which is no installed module."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("detection")


def _rows(detection: Any, cases: list[Any]) -> list[Any]:
    return [row for case in cases for row in detection.judge(case, detection.oddfleet_names)]


@pytest.mark.parametrize("kind", plant.FLEETS)
def test_healthy_fleets_are_silent(detection: Any, kind: str) -> None:
    cases = [case for case in detection.clean_cases(SEED, 2, (3, 10, 30, 100)) if case.fleet == kind]
    assert sum(row.found > 0 for row in _rows(detection, cases)) <= 1  # of 8; one in a hundred is promised


def test_blatant_faults_are_found_named_and_dated(detection: Any) -> None:
    cases = [case for case in detection.sick_cases(SEED, 2, (60, 100)) if case.strength == 1.0]
    figures = detection.summary(_rows(detection, cases))
    assert figures["faults"] > 120
    assert figures["recall"] > 0.85
    assert figures["precision"] > 0.95
    assert figures["kind"] > 0.8
    assert figures["since"] > 0.85
