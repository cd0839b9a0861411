from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from oddfleet.model import Finding, Kind
from oddfleet.model.reasons import headline, reason

NAN = float("nan")
LAMP = Finding(1, "lamp_1", Kind.LEVEL_SHIFT, None, None, 41, 61.25, 99.8, "MB a day", 1e-7, "It is.", (), "Ask.")
FROM, TO = date(2020, 3, 1), date(2020, 3, 9)

SAID = [
    (Kind.MISSING_DAYS, 3.0, 0.0, "days", "41 days missing, usual none"),
    (Kind.DUPLICATE_DAYS, 41.0, 0.0, "days", "41 days more than once, usual none"),
    (Kind.INVALID_VALUES, 41.0, 2.0, "days", "41 days without a number, usual 2"),
    (Kind.NEGATIVE_TRAFFIC, 41.0, 0.0, "days", "negative on 41 days, usual none"),
    (Kind.INACTIVE, 41.0, 0.0, "days", "silent for 41 days, usual none"),
    (Kind.INACTIVE, 41.0, NAN, "days", "silent for 41 days"),
    (Kind.LEVEL, 61.25, 99.8, "MB a day", "61.25 MB a day, usual 99.8"),
    (Kind.SPREAD, 48.46, 4.215, "MB", "varies by 48.46 MB, usual 4.215"),
    (Kind.SHAPE, -0.077, 0.122, "L-kurtosis", "L-kurtosis -0.08, usual 0.12"),
    (Kind.SHAPE, 0.3, -0.001, "L-skewness", "L-skewness 0.30, usual 0.00"),
    (Kind.ROUNDED, 12.0, 364.0, "distinct values", "12 distinct values, usual 364"),
    (Kind.WEEKLY_RHYTHM, 0.45, 0.02, "share of variance", "45% by day of the week, usual 2%"),
    (Kind.CYCLE, 0.304, 0.021, "share of variance", "30% in one cycle, usual 2%"),
    (Kind.DETACHED, 0.051, 1.0, "times the usual", "follows the others 0.05 times, usual 1.00"),
    (Kind.LEVEL_SHIFT, 16.23, 1.999, "MB a day", "+16.23 MB a day, usual 1.999"),
    (Kind.LEVEL_SHIFT, -16.23, NAN, "MB a day", "-16.23 MB a day"),
    (Kind.DRIFT, -30.5, 2.0, "MB a day", "-30.5 MB a day in all, usual 2"),
    (Kind.WANDER, 0.95, -0.01, "correlation", "correlation 0.95, usual -0.01"),
    (Kind.VOLATILITY_CHANGE, 3.2, 1.0, "ratio", "varies 3.2 times as much, usual 1"),
    (Kind.SPIKES, 71.62, 15.46, "MB", "41 days, up to 71.62 MB off, usual 15.46"),
    (Kind.FROZEN, 41.0, 1.0, "days", "one value for 41 days, usual 1"),
    (Kind.REPLAYED, 41.0, 0.0, "days", "repeats 41 days of its own"),
    (Kind.COPIED, 41.0, 0.0, "days", "41 days of another device"),
    (Kind.MIXTURE, 12.0, 3.0, "features", "12 features a little out, usual 3"),
]


@pytest.mark.parametrize("case", SAID, ids=lambda case: f"{case[0]} {case[3]}")
def test_the_numbers_in_a_few_words(case: tuple[Kind, float, float, str, str]) -> None:
    kind, value, usual, unit, said = case
    assert reason(replace(LAMP, kind=kind, value=value, usual=usual, unit=unit)) == said
    assert len(said) <= 44


def test_every_kind_has_words() -> None:
    assert {kind for kind, *_ in SAID} == set(Kind)


def test_one_day_is_one() -> None:
    assert reason(replace(LAMP, kind=Kind.INACTIVE, days=1, usual=0.0)) == "silent for 1 day, usual none"
    assert reason(replace(LAMP, value=NAN, usual=NAN)) == "no value"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "level shift: +61.25 MB a day, usual 99.8"),
        ({"since": FROM}, "level shift since 2020-03-01: +61.25 MB a day, usual 99.8"),
        ({"since": FROM, "until": TO}, "level shift 2020-03-01 to 2020-03-09: +61.25 MB a day, usual 99.8"),
        ({"since": FROM, "until": FROM}, "level shift on 2020-03-01: +61.25 MB a day, usual 99.8"),
        ({"since": FROM, "value": NAN}, "level shift since 2020-03-01"),
        ({"value": NAN}, "level shift"),
    ],
)
def test_a_headline_says_what_when_and_how_much(facts: dict[str, Any], said: str) -> None:
    assert headline(replace(LAMP, **facts)) == said
