from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from oddfleet.model import Finding, Fleet, Kind, Oddities
from oddfleet.report.chart import Charts
from oddfleet.report.page import cards

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]


def _numbers(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.frombuffer(base64.b64decode(text), "<f4")


def _cards(fleet: Fleet, result: Oddities) -> list[cards.Card]:
    charts = Charts(fleet, result)
    return [cards.card(charts, result, device_id) for device_id in result.ids]


def test_a_card_has_its_series_and_the_band_of_its_cohort(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet(8)
    fleet.values[4, 0] = np.nan
    result = make_result(fleet, ids=[1, 5, 2], cohorts=["a", "a", "a", "a", "b", "b", "b", "b"])
    drawn = cards.drawn(_cards(fleet, result))
    assert [card["band"] for card in drawn["cards"]] == [0, 1, 0]
    np.testing.assert_allclose(_numbers(drawn["cards"][0]["series"]), fleet.values[:, 0], rtol=1e-6)
    assert drawn["cards"][0]["days"] is None
    assert drawn["bands"][0]["step"] == 1
    np.testing.assert_allclose(_numbers(drawn["bands"][0]["middle"]), fleet.values[:, 2:4].mean(axis=1), rtol=1e-6)


def test_the_band_of_a_long_record_is_the_mean_of_each_stretch(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet(4, 366)
    fleet.values[10:13, 1:] = np.nan
    band = cards.drawn(_cards(fleet, make_result(fleet, ids=[1])))["bands"][0]
    assert band["step"] == 2
    middle = _numbers(band["middle"])
    assert len(middle) == 183
    assert np.isnan(middle[5])
    assert middle[6] == pytest.approx(np.median(fleet.values[13, 1:]))


def test_many_long_series_are_thinned(
    make_fleet: MakeFleet, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MOST_POINTS", 100)
    fleet = make_fleet(4)
    drawn = cards.drawn(_cards(fleet, make_result(fleet, ids=[1, 2, 3])))
    for card in drawn["cards"]:
        assert len(card["days"]) == len(_numbers(card["series"])) <= 33


def test_marks_are_told_by_day_and_kind(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult
) -> None:
    fleet = make_fleet()
    stuck = make_finding(kind=Kind.FROZEN, since=date(2020, 1, 5), until=date(2020, 1, 9))
    (card,) = cards.drawn(_cards(fleet, make_result(fleet, ids=[1], findings=[make_finding(), stuck])))["cards"]
    assert card["marks"] == [
        {"style": "change", "first": 19, "last": 59, "kind": "level shift"},
        {"style": "span", "first": 4, "last": 8, "kind": "frozen"},
    ]


def test_only_a_bent_axis_brings_its_ticks(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet()
    fleet.values[:, 1] *= 1000
    straight, bent = cards.drawn(_cards(fleet, make_result(fleet, ids=[1, 2])))["cards"]
    assert (straight["axis"]["ticks"], straight["axis"]["width"]) == (None, None)
    assert straight["axis"]["low"] < fleet.values[:, 0].min()
    assert "10,000" in [label for _, label in bent["axis"]["ticks"]]
