"""The roster of a Parquet file: there and back, and what is none."""

from __future__ import annotations

import json

import pytest

from oddfleet.model import Roster


def test_there_and_back() -> None:
    roster = Roster([{"id": "gate", "name": "Köln\u2028"}, {"id": 4, "name": None}], ("gate", 7))
    assert Roster.from_json(roster.to_json()) == roster
    assert "Köln" in roster.to_json()


@pytest.mark.parametrize("text", ["{}", '{"meta": []}', '{"silent": [], "more": 1}', '{"schema": 1}'])
def test_every_key_may_be_missing(text: str) -> None:
    assert Roster.from_json(text) == Roster([], ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value: line 1"),
        ("[]", "a JSON list"),
        ("null", "a JSON NoneType"),
        ('{"meta": {}}', "meta as a JSON dict"),
        ('{"silent": 7}', "silent that is no list of ids"),
        ('{"silent": [1.5]}', "silent that is no list of ids"),
        ('{"silent": [true]}', "silent that is no list of ids"),
        ('{"silent": [" "]}', "silent that is no list of ids"),
        ('{"schema": 2}', "schema 2, not 1"),
        ('{"a":' * 100_000, "JSON without an end to its brackets"),
        (json.dumps({"silent": 1})[:-1], "Expecting ',' delimiter"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Roster.from_json(text)
