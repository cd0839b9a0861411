from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from oddfleet.model import Finding, Kind
from oddfleet.model.headline import headline

LAMP = Finding(1, "lamp_1", Kind.LEVEL, None, None, 41, 61.25, 99.8, "MB a day", 1e-7, "It is.", (), "Ask.")
FROM, TO = date(2020, 3, 1), date(2020, 3, 9)
ALL = {"since": None, "until": None}
STRETCH = {"since": FROM, "until": TO, "days": 9}

HEADLINES: list[tuple[Kind, dict[str, Any], str]] = [
    (Kind.MISSING_DAYS, STRETCH, "9 missing days, 2020-03-01 to 2020-03-09"),
    (Kind.MISSING_DAYS, {"since": FROM, "until": FROM, "days": 1}, "1 missing day, 2020-03-01"),
    (Kind.DUPLICATE_DAYS, STRETCH, "9 duplicate days, 2020-03-01 to 2020-03-09"),
    (Kind.INVALID_VALUES, STRETCH, "9 invalid values, 2020-03-01 to 2020-03-09"),
    (Kind.NEGATIVE_TRAFFIC, STRETCH, "negative traffic on 9 days, 2020-03-01 to 2020-03-09"),
    (Kind.INACTIVE, STRETCH, "inactive for 9 days, 2020-03-01 to 2020-03-09"),
    (Kind.LEVEL, {**ALL, "value": 499404.2, "usual": 99.87}, "level of 499,404 MB a day (usual 99.9)"),
    (Kind.SPREAD, {**ALL, "value": 11.78, "usual": 3.985, "unit": "MB"}, "spread of 11.8 MB (usual 3.98)"),
    (
        Kind.SHAPE,
        {**ALL, "value": -0.0921, "usual": 0.122, "unit": "L-kurtosis"},
        "shape, L-kurtosis -0.0921 (usual 0.122)",
    ),
    (
        Kind.ROUNDED,
        {**ALL, "value": 4.0, "usual": 366.0, "unit": "distinct values"},
        "rounded, 4 distinct values (usual 366)",
    ),
    (Kind.WEEKLY_RHYTHM, {**ALL, "value": 0.449, "usual": 0.0}, "weekly rhythm, 45% of its variation (usual 0%)"),
    (Kind.CYCLE, {**ALL, "value": 0.62, "usual": float("nan")}, "cycle, 62% of its variation"),
    (Kind.DETACHED, {**ALL, "value": -0.001, "unit": "times the usual"}, "detached, 0.00 times the usual coupling"),
    (Kind.LEVEL_SHIFT, {"since": FROM, "value": 16.23}, "level shift since 2020-03-01, +16.2 MB a day"),
    (Kind.LEVEL_SHIFT, {"since": FROM, "value": -16.23}, "level shift since 2020-03-01, -16.2 MB a day"),
    (Kind.DRIFT, {**ALL, "value": 1e12}, "drift, +1e+12 MB a day over the record"),
    (Kind.DRIFT, {"since": FROM, "value": -21.0}, "drift since 2020-03-01, -21 MB a day over the record"),
    (
        Kind.WANDER,
        {**ALL, "value": 0.954, "usual": -0.003, "unit": "correlation"},
        "wander, correlation of 0.95 with the day before (usual 0.00)",
    ),
    (
        Kind.VOLATILITY_CHANGE,
        {"since": FROM, "value": 3.73},
        "volatility change since 2020-03-01, 3.7 times what it was",
    ),
    (
        Kind.SPIKES,
        {**STRETCH, "value": 71.62, "unit": "MB"},
        "spikes on 9 days, up to 71.6 MB, 2020-03-01 to 2020-03-09",
    ),
    (Kind.FROZEN, STRETCH, "frozen for 9 days, 2020-03-01 to 2020-03-09"),
    (Kind.REPLAYED, STRETCH, "replayed for 9 days, 2020-03-01 to 2020-03-09"),
    (Kind.COPIED, {**ALL, "days": 366}, "copied for 366 days"),
    (Kind.MIXTURE, {**ALL, "value": 7.0, "usual": 2.0, "unit": "features"}, "mixture, 7 unusual features (usual 2)"),
]


@pytest.mark.parametrize(("kind", "facts", "expected"), HEADLINES)
def test_it_says_what_was_found_when_and_how_much(kind: Kind, facts: dict[str, Any], expected: str) -> None:
    assert headline(replace(LAMP, kind=kind, **facts)) == expected


def test_every_kind_has_one() -> None:
    assert {kind for kind, _, _ in HEADLINES} == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_what_could_not_be_measured_is_not_told(kind: Kind) -> None:
    said = headline(replace(LAMP, kind=kind, since=FROM, value=float("nan"), usual=float("nan")))
    assert said == f"{kind.value.replace('_', ' ')}, since 2020-03-01"
