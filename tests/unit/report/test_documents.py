from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

from oddfleet.model import Answers, DataHealth, Finding, Fleet, Oddities, SelfTest
from oddfleet.report import findings_json, oddities_json, selftest_json


def test_oddities_are_in_order_with_just_id_and_name(
    make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities]
) -> None:
    fleet = make_fleet(3, ids=(7, "hall/lamp", 5), names=("fox", None, "höhle\x1b"))
    entries = json.loads(oddities_json(make_result(fleet, ids=[5, "hall/lamp", 7]), fleet))
    assert [list(entry.items()) for entry in entries] == [
        [("id", 5), ("name", "höhle\x1b")],
        [("id", "hall/lamp"), ("name", None)],
        [("id", 7), ("name", "fox")],
    ]


def test_half_a_surrogate_pair_can_be_written_and_comes_back(
    make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities]
) -> None:
    fleet = make_fleet(1, names=("bad\ud800名",))
    written = oddities_json(make_result(fleet, ids=[1]), fleet).encode("utf-8")
    assert "名".encode() in written
    assert json.loads(written) == [{"id": 1, "name": "bad\ud800名"}]


def test_findings_have_no_number_json_lacks(
    make_fleet: Callable[..., Fleet],
    make_finding: Callable[..., Finding],
    make_result: Callable[..., Oddities],
    answers: Answers,
    health: DataHealth,
) -> None:
    finding = make_finding(value=float("nan"), usual=float("inf"), p_value=None, until=date(2020, 2, 1))
    text = findings_json(make_result(make_fleet(), ids=[1], findings=[finding]), answers, health)
    assert "NaN" not in text
    assert "Infinity" not in text
    (entry,) = json.loads(text)["findings"]
    assert (entry["value"], entry["usual"], entry["p_value"]) == (None, None, None)
    assert (entry["since"], entry["until"]) == ("2020-01-20", "2020-02-01")
    assert entry["rivals"] == ["another model was installed", "its place changed"]


def test_same_input_same_bytes(
    make_fleet: Callable[..., Fleet],
    make_finding: Callable[..., Finding],
    make_result: Callable[..., Oddities],
    answers: Answers,
    health: DataHealth,
) -> None:
    once, again = (
        findings_json(make_result(make_fleet(), ids=[1], findings=[make_finding()]), answers, health) for _ in range(2)
    )
    assert once == again


def test_a_selftest_has_one_entry_a_kind_and_null_where_there_is_no_number(selftest: SelfTest) -> None:
    document = json.loads(selftest_json(selftest))
    assert list(document) == ["schema", "selftest"]
    assert document["schema"] == 1
    said = document["selftest"]
    assert list(said) == [
        "strengths", "faults", "overall", "alpha", "repeats", "seed", "n_devices", "at_once", "odd", "notes",
    ]  # fmt: skip
    assert said["faults"][1] == {
        "kind": "detached",
        "planted": [0, 0, 0],
        "found": [None, None, None],
        "begins": None,
        "named_right": None,
        "dated_right": None,
    }
    assert said["overall"]["kind"] is None
    assert (said["odd"], said["seed"]) == ([12, "hall"], 0)
