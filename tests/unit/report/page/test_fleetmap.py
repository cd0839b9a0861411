from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from oddfleet.model import Fleet, Oddities
from oddfleet.report.page import fleetmap
from oddfleet.report.page.fleetmap import fleet_map

MakeFleet = Callable[..., Fleet]
MakeResult = Callable[..., Oddities]


def _numbers(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.frombuffer(base64.b64decode(text), "<f4")


def _map(result: Oddities, **columns: Any) -> dict[str, Any]:
    drawn = fleet_map(replace(result, table={**result.table, **columns}))
    assert drawn is not None
    return drawn


def test_a_device_is_where_its_level_and_its_surprise_are(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet(4)
    level, p_value = np.log([10.0, 100, 1000, 1]), [1.0, 1e-3, 1e-9, 0.0]
    drawn = _map(make_result(fleet, ids=[4, 3]), level_log_mb=level, p_value=p_value)
    np.testing.assert_allclose(_numbers(drawn["others"]["level"]), [1, 2])
    np.testing.assert_allclose(_numbers(drawn["others"]["surprise"]), [0, 3])
    # Oddest first; a broken promise is as surprising as can be.
    assert drawn["odd"]["name"] == ["lamp_4 (4)", "lamp_3 (3)"]
    np.testing.assert_allclose(_numbers(drawn["odd"]["surprise"]), [fleetmap.MOST_SURPRISING, 9])
    assert drawn["unplaced"] == 0


def test_the_largest_cohort_comes_first(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    drawn = _map(make_result(make_fleet(5), cohorts=["a", "b", "b", "c", "b"]))
    assert drawn["cohorts"] == ["b", "a", "c"]
    assert drawn["others"]["cohort"] == [1, 0, 0, 2, 0]


def test_devices_without_a_level_are_counted(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    result = make_result(make_fleet(4), ids=[2])
    drawn = _map(result, level_log_mb=np.array([1.0, np.nan, -np.inf, 2.0]))
    assert drawn["unplaced"] == 2
    assert drawn["odd"]["name"] == []
    nowhere: dict[str, Any] = {**result.table, "level_log_mb": np.full(4, np.nan)}
    assert fleet_map(replace(result, table=nowhere)) is None


def test_of_many_devices_those_that_are_not_odd_are_counted(
    make_fleet: MakeFleet, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleetmap, "MOST_POINTS", 10)
    fleet = make_fleet(40)
    drawn = _map(make_result(fleet, ids=[7, 3]))
    assert "others" not in drawn
    assert sum(drawn["cells"]["count"]) == 38
    assert len(_numbers(drawn["cells"]["left"])) == len(drawn["cells"]["count"])
    assert drawn["odd"]["name"] == ["lamp_7 (7)", "lamp_3 (3)"]


@pytest.mark.parametrize("level", [0.0, -700.0, 700.0])
def test_devices_all_of_one_level_have_a_place(
    make_fleet: MakeFleet, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch, level: float
) -> None:
    monkeypatch.setattr(fleetmap, "MOST_POINTS", 2)
    assert sum(_map(make_result(make_fleet(8)), level_log_mb=np.full(8, level))["cells"]["count"]) == 8


def test_what_does_not_show_in_a_name_is_written_out(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    drawn = _map(make_result(make_fleet(2, names=("bad\x1b", "x" * 500))))
    assert drawn["others"]["name"][0] == "bad\\x1b (1)"
    assert len(drawn["others"]["name"][1]) == 60
