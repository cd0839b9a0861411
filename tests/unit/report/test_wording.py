from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from oddfleet.model import DataHealth, Kind
from oddfleet.report import wording


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (96.4, "96.4"),
        (0.0, "0"),
        (-0.0, "0"),
        (-0.5, "-0.5"),
        (0.012345, "0.0123"),
        (123.456, "123.5"),
        (999.97, "1,000"),
        (1000.0, "1,000"),
        (37245.12, "37,245.1"),
        (99999.99, "100,000"),
        (1234567.8, "1,234,568"),
        (-1234567.8, "-1,234,568"),
        (3.0e18, "3e+18"),
        (float("nan"), "no value"),
        (float("inf"), "no value"),
    ],
)
def test_number(value: float, said: str) -> None:
    assert wording.number(value) == said


def test_quantity_has_its_unit() -> None:
    assert wording.quantity(12.0, "days") == "12 days"
    assert wording.quantity(1.0, "days") == "1 day"
    assert wording.quantity(2.5, "") == "2.5"
    assert wording.quantity(float("nan"), "MB a day") == "no value"
    assert wording.mb(1234.5) == "1,234.5 MB"


@pytest.mark.parametrize(
    ("value", "step", "said"),
    [(0.3, 0.1, "0.3"), (-0.0, 0.5, "0.0"), (2000.0, 500.0, "2,000"), (2e7, 1e7, "2e+07")],
)
def test_tick(value: float, step: float, said: str) -> None:
    assert wording.tick(value, step) == said


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (None, "a fact, not a statistic"),
        (float("nan"), "not known"),
        (1.0, "more than 1 in 2"),
        (0.5, "about 1 in 2"),
        (1 / 37, "about 1 in 37"),
        (1 / 12345, "about 1 in 12,000"),
        (1 / 999_999, "about 1 in 1 million"),
        (3.2e-7, "about 1 in 3 million"),
        (1 / 4e10, "about 1 in 40 billion"),
        (1e-12, "about 1 in 1 trillion"),
        (1e-15, "about 1 in 1,000 trillion"),
        (1e-300, "less than 1 in 1,000 trillion"),
        (0.0, "less than 1 in 1,000 trillion"),
    ],
)
def test_chance(p_value: float | None, said: str) -> None:
    assert wording.chance(p_value) == said


def test_period() -> None:
    first, last = date(2020, 3, 1), date(2020, 3, 9)
    assert wording.period(None, None) == "the whole record"
    assert wording.period(first, None) == "since 2020-03-01"
    assert wording.period(None, last) == "until 2020-03-09"
    assert wording.period(first, last) == "2020-03-01 to 2020-03-09"
    assert wording.period(last, last) == "on 2020-03-09"


def test_every_kind_has_plain_words() -> None:
    assert [wording.kind_words(kind) for kind in (Kind.LEVEL_SHIFT, Kind.MIXTURE)] == ["level shift", "mixture"]


@pytest.mark.parametrize(("name", "said"), [("fox", "fox (4)"), (None, "device 4"), (" ", "device 4")])
def test_device(name: str | None, said: str) -> None:
    assert wording.device(name, 4) == said


@pytest.mark.parametrize(
    ("n_odd", "n_devices", "alpha", "start", "end"),
    [
        (2, 1000, 0.01, "2 of 1,000 devices are odd; ", "at most 1 run in 100"),
        (1, 1000, 0.05, "1 of 1,000 devices is odd; ", "at most 1 run in 20"),
        (0, 500, 0.03, "None of 500 devices is odd; ", "at most 1 run in 33"),
        (0, 1, 0.0001, "None of 1 device is odd; ", "at most 1 run in 10,000"),
    ],
)
def test_verdict(n_odd: int, n_devices: int, alpha: float, start: str, end: str) -> None:
    verdict = wording.verdict(n_odd, n_devices, alpha)
    assert verdict.startswith(start)
    assert verdict.endswith(end)


def test_health_line(health: DataHealth) -> None:
    assert wording.health_line(replace(health, gaps=1200)) == (
        "27,375 lines read, 27,370 stored, 5 rejected; 75 devices, 2020-01-01 to 2020-12-31, "
        "1,200 device days without a value; 1 device without a name"
    )
    left = wording.health_line(replace(health, rows_stored=0, rows_left=27370))
    assert left.startswith("27,375 lines read, 0 stored, 27,370 left where they are, 5 rejected; ")


def test_shortened() -> None:
    assert wording.shortened("abcde", 5) == "abcde"
    assert wording.shortened("abcdef", 5) == "abcd…"
