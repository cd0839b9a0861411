from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from oddfleet.model import Answers, DataHealth, Finding, Fleet, Kind, Oddities
from oddfleet.report import findings_json, read_findings

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]
GOLDEN = Path(__file__).parents[2] / "golden" / "tiny-findings.json"


def test_what_was_written_is_read(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    findings = [
        make_finding(1),
        make_finding("hall", Kind.MISSING_DAYS, name=None, p_value=None, since=None, usual=1.5, rivals=()),
    ]
    result = make_result(make_fleet(2, ids=(1, "hall")), ids=["hall", 1], findings=findings)
    read = read_findings(findings_json(result, answers, health))
    assert (read.alpha, read.odd, read.n_devices) == (0.01, ("hall", 1), 75)
    assert (read.first_day, read.last_day) == (date(2020, 1, 1), date(2020, 12, 31))
    assert [dataclasses.replace(one, days=41) for one in read.findings] == findings


def test_null_is_no_number(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    result = make_result(make_fleet(), ids=[1], findings=[make_finding(usual=float("nan"))])
    assert math.isnan(read_findings(findings_json(result, answers, health)).findings[0].usual)


def test_an_older_document_with_fewer_keys() -> None:
    whole = json.loads(GOLDEN.read_text(encoding="utf-8"))
    old = {key: whole[key] for key in ("alpha", "odd", "findings")}
    read = read_findings(json.dumps(old))
    assert read.odd == tuple(whole["odd"])
    assert len(read.findings) == len(whole["findings"]) > 0
    assert (read.n_devices, read.first_day, read.last_day) == (None, None, None)


def test_a_later_document_with_more_keys() -> None:
    whole = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for entry in whole["findings"]:
        entry |= {"days": 7, "more": []}
    assert {one.days for one in read_findings(json.dumps(whole | {"more": 1})).findings} == {7}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "schema 2, not 1"),
        ({"odd": None}, "other types than expected"),
        ({"odd": [True]}, "True as an id"),
        ({"data": []}, "other types than expected"),
        ({"findings": [{"p_value": None}]}, "without the key 'device_id'"),
        ({"findings": [7]}, "other types than expected"),
        ({"alpha": "much"}, "could not convert"),
    ],
    ids=str,
)
def test_what_is_no_such_document(changes: dict[str, Any], said: str) -> None:
    whole = json.loads(GOLDEN.read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=said):
        read_findings(json.dumps(whole | changes))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Expecting value"), ("[]", "a JSON list"), ("{}", "without the key 'alpha'"), ("[" * 100_000, "other types")],
    ids=["nothing", "list", "empty", "deep"],
)
def test_what_is_no_document_at_all(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_findings(text)


def test_a_kind_that_is_not_known() -> None:
    whole = json.loads(GOLDEN.read_text(encoding="utf-8"))
    whole["findings"][0]["kind"] = "haunted"
    with pytest.raises(ValueError, match="haunted"):
        read_findings(json.dumps(whole))
