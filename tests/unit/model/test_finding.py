"""Kinds, findings and the decision: the nouns that others build on."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import date

import polars as pl
import pytest

import oddfleet
from oddfleet import Finding, InputError, Kind, Oddities, plant
from oddfleet.model import DataIssue, DeviceId

CONTRACT_KINDS = """\
missing_days duplicate_days invalid_values negative_traffic inactive level spread shape rounded weekly_rhythm cycle
detached level_shift drift wander volatility_change spikes frozen replayed copied mixture
"""
CONTRACT_PARTS = "device_id name kind since until days value usual unit p_value text rivals next_check"


def finding(device_id: DeviceId, kind: Kind = Kind.LEVEL) -> Finding:
    return Finding(device_id, None, kind, date(2020, 1, 1), None, 9, 1.0, 2.0, "MB a day", 0.5, "It is.", (), "Ask.")


def test_the_kinds_are_those_of_the_contract() -> None:
    assert " ".join(Kind) == CONTRACT_KINDS.strip().replace("\n", " ")


def test_the_parts_of_a_finding_are_those_of_the_contract() -> None:
    assert " ".join(inspect.signature(Finding).parameters) == CONTRACT_PARTS


@pytest.mark.parametrize("noun", [finding(1), DataIssue("a.csv", 1, "x", "why"), Oddities([], (), {}, 0.01)])
def test_nouns_are_frozen(noun: Finding | DataIssue | Oddities) -> None:
    name = dataclasses.fields(noun)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(noun, name, None)


def test_findings_of_a_device_keep_their_order() -> None:
    said = (finding("b", Kind.SHAPE), finding(1), finding("b", Kind.LEVEL))
    result = Oddities(["b", 1], said, {}, 0.01)
    assert result.of("b") == (said[0], said[2])
    assert result.of(2) == ()


def test_devices_is_a_polars_frame_with_a_row_a_device() -> None:
    fleet = plant.with_fault(plant.steady_fleet(12, 120, seed=3), 4, Kind.LEVEL_SHIFT, seed=3)
    result = oddfleet.find_oddities(fleet)
    devices = result.devices
    assert isinstance(devices, pl.DataFrame)
    assert devices.columns[:6] == ["id", "name", "cohort", "p_value", "odd", "silent_days"]
    assert devices.columns == list(result.table)
    assert devices["id"].to_list() == list(fleet.device_ids)
    assert devices["name"].to_list() == list(fleet.names)
    assert devices.filter(pl.col("odd"))["id"].to_list() == result.ids == [4]
    assert devices.filter(pl.col("p_value") == pl.col("p_value").min())["id"].to_list() == [4]
    assert all(dtype == pl.Float64 for dtype in devices.dtypes[6:])


@pytest.mark.parametrize(
    ("table", "dtype"),
    [
        ({"id": ["a", "b"], "name": [None, None]}, pl.String),
        ({"id": [1, 2], "name": [None, "fox"]}, pl.Int64),
        ({"id": [1, "b"], "name": ["fox", None]}, pl.String),
    ],
    ids=["words", "numbers", "both"],
)
def test_ids_in_the_frame(table: dict[str, list[object]], dtype: type[pl.DataType]) -> None:
    devices = Oddities([], (), table, 0.01).devices
    assert devices.schema["id"] == dtype
    assert devices.height == 2


def test_a_result_without_its_fleet_says_what_to_do_to_draw_it() -> None:
    with pytest.raises(InputError, match=r"^device 7: the fleet is needed to draw it, .*; run oddfleet"):
        Oddities([], (), {}, 0.01).plot(7)


def test_a_result_draws_itself_as_it_is() -> None:
    result = Oddities([1], (finding(1),), {}, 0.01, draw=lambda result, device_id: (result.findings, device_id))
    fewer = dataclasses.replace(result, findings=())
    assert (result.plot(1), fewer.plot("b")) == ((result.findings, 1), ((), "b"))
    assert "draw" not in repr(result)
