from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from oddfleet.model import Fleet, FleetDays, Oddities
from oddfleet.report.page import overview
from oddfleet.report.page.overview import Overview, Silent

MakeFleet = Callable[..., Fleet]
MakeResult = Callable[..., Oddities]


@pytest.fixture
def ask(make_fleet: MakeFleet, make_result: MakeResult) -> Callable[..., Overview]:
    def asking(total: Any, silent: list[int]) -> Overview:
        total = np.asarray(total, float)
        fleet = make_fleet(len(silent), len(total))
        days = FleetDays(total, np.full(len(total), 3), total, total, total)
        result = make_result(fleet)
        result = replace(result, table={**result.table, "silent_days": silent})
        return overview.overview(result, days, fleet.dates)

    return asking


def test_who_is_silent_when_the_record_ends(ask: Callable[..., Overview]) -> None:
    found = ask(np.ones(60), [0, 6, 30, 7, 60])
    assert found.silent == (
        Silent(4, "lamp_4", date(2020, 2, 22)),
        Silent(3, "lamp_3", date(2020, 1, 30)),
        Silent(5, "lamp_5", None),
    )
    assert found.more_silent == 0


def test_of_many_silent_ones_the_last_to_fall_silent_are_named(
    ask: Callable[..., Overview], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_SILENT", 2)
    found = ask(np.ones(60), [20, 8, 0, 9])
    assert [one.device_id for one in found.silent] == [2, 4]
    assert found.more_silent == 1


def test_busiest_and_quietest_day(ask: Callable[..., Overview]) -> None:
    found = ask([5, 9, 2, 9, 7], [0])
    assert (found.busiest, found.quietest) == ((date(2020, 1, 2), 9.0), (date(2020, 1, 3), 2.0))


def test_four_weeks_are_compared_with_the_four_before(ask: Callable[..., Overview]) -> None:
    found = ask([100.0] * 4 + [1.0] * 28 + [3.0] * 28, [0])
    assert (found.before, found.lately) == (28.0, 84.0)
    assert (ask([1.0] * 55, [0]).before, ask([1.0] * 55, [0]).lately) == (None, None)


def test_a_record_without_an_observation_has_a_day_all_the_same(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet(1, 3)
    nothing = np.zeros(3)
    result = make_result(fleet)
    result = replace(result, table={**result.table, "silent_days": [3]})
    found = overview.overview(result, FleetDays(nothing, nothing.astype(int), nothing, nothing, nothing), fleet.dates)
    assert found.busiest == (date(2020, 1, 1), 0.0)
