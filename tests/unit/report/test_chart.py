from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from oddfleet.errors import InputError
from oddfleet.model import Finding, Fleet, Kind, Oddities
from oddfleet.report.chart import BAND, Chart, Charts, band_of, date_ticks, marks_of

DATES = np.datetime64("2020-01-01") + np.arange(60)


def _where(finding: Finding, series: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[tuple[str, int, int]]:
    marks = marks_of(finding, DATES, series, np.full(60, 100.0))
    return [(mark.style, mark.first, mark.last) for mark in marks]


@pytest.mark.parametrize("n_devices", [2, 3, 5, 40])
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.95])
def test_band_is_the_quantile_of_its_devices(n_devices: int, missing: float) -> None:
    random = np.random.default_rng(n_devices)
    # Rounded, so that there are ties too.
    values = random.normal(100, 3, (80, n_devices)).round()
    values[random.random(values.shape) < missing] = np.nan
    band = band_of(values)
    for share, edge in zip(BAND, (band.low, band.middle, band.high), strict=True):
        slow = [np.quantile(row[~np.isnan(row)], share) if (~np.isnan(row)).any() else np.nan for row in values]
        np.testing.assert_allclose(edge, slow)


def test_band_is_of_the_devices_of_the_own_cohort_that_are_not_odd(
    make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities]
) -> None:
    fleet = make_fleet(6)
    fleet.values[:, 3:] *= 10
    charts = Charts(fleet, make_result(fleet, ids=[1], cohorts=["a", "a", "a", "b", "b", "b"]))
    assert np.nanmax(charts.of(1).band.high) < 130
    assert np.nanmin(charts.of(5).band.low) > 700
    np.testing.assert_array_equal(charts.of(1).band.middle, fleet.values[:, 1:3].mean(axis=1))
    assert charts.of(2).band is charts.of(1).band


@pytest.mark.parametrize("odd", [[], [2]])
def test_chart_of_a_device_alone_in_its_cohort_has_no_band(
    make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities], odd: list[int]
) -> None:
    fleet = make_fleet(2)
    chart = Charts(fleet, make_result(fleet, ids=odd, cohorts=["a", "b"])).of(2)
    assert np.isnan(chart.band.low).all()
    assert np.isnan(chart.band.high).all()
    np.testing.assert_array_equal(chart.series, fleet.values[:, 1])


def test_unknown_device_is_an_error_in_one_line(
    make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities]
) -> None:
    fleet = make_fleet()
    with pytest.raises(InputError, match="device '1': must be one of the fleet's devices"):
        Charts(fleet, make_result(fleet)).of("1")


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (date(2020, 1, 11), date(2020, 1, 15), [("span", 10, 14)]),
        (date(2020, 1, 11), date(2020, 1, 11), [("span", 10, 10)]),
        (date(2020, 1, 11), None, [("change", 10, 59)]),
        (date(2020, 1, 11), date(2020, 2, 29), [("change", 10, 59)]),
        (None, date(2020, 1, 15), [("span", 0, 14)]),
        (date(2019, 12, 1), date(2020, 1, 15), [("span", 0, 14)]),
        (date(2020, 1, 1), None, []),
        (None, None, []),
        (date(2021, 1, 1), None, []),
        (None, date(2019, 1, 1), []),
    ],
)
def test_where_a_finding_is_marked(
    make_finding: Callable[..., Finding],
    since: date | None,
    until: date | None,
    expected: list[tuple[str, int, int]],
) -> None:
    assert _where(make_finding(since=since, until=until), np.full(60, 100.0)) == expected


def test_spikes_are_marked_on_their_days(make_finding: Callable[..., Finding]) -> None:
    series = np.full(60, 103.0)
    series[[2, 20, 40]] = 170, 20, 190
    series[30] = np.nan
    spikes = make_finding(kind=Kind.SPIKES, since=date(2020, 1, 5), until=None, days=2)
    assert _where(spikes, series) == [("day", 20, 20), ("day", 40, 40)]
    assert _where(spikes, np.full(60, np.nan)) == []


def test_a_day_on_which_the_whole_fleet_moves_is_no_spike(make_finding: Callable[..., Finding]) -> None:
    middle = np.full(60, 100.0)
    middle[10] = 300.0
    series = middle + 3
    series[40] += 50
    spikes = make_finding(kind=Kind.SPIKES, since=None, days=1)
    assert [mark.first for mark in marks_of(spikes, DATES, series, middle)] == [40]


def test_values_near_the_largest_float_do_not_overflow(
    make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities]
) -> None:
    fleet = make_fleet(3)
    fleet.values[:, 1], fleet.values[:, 2] = 1.7e308, -1.7e308
    chart = Charts(fleet, make_result(fleet)).of(1)
    assert np.isfinite(chart.band.high).all()
    assert np.isfinite(chart.axis.place(chart.band.high)).all()


def test_one_mark_where_two_findings_say_the_same(
    make_fleet: Callable[..., Fleet], make_finding: Callable[..., Finding], make_result: Callable[..., Oddities]
) -> None:
    fleet = make_fleet()
    findings = [make_finding(), make_finding(), make_finding(2)]
    chart = Charts(fleet, make_result(fleet, ids=[1], findings=findings)).of(1)
    assert len(chart.findings) == 2
    assert len(chart.marks) == 1
    assert isinstance(chart, Chart)


@pytest.mark.parametrize(
    ("n_days", "most", "labels"),
    [
        (1, 5, ["2020-01-01"]),
        (20, 5, ["2020-01-01", "2020-01-05", "2020-01-09", "2020-01-13", "2020-01-17"]),
        (366, 5, ["2020-01", "2020-04", "2020-07", "2020-10"]),
        (366 * 4, 5, ["2020-01", "2021-01", "2022-01", "2023-01", "2024-01"]),
    ],
)
def test_date_ticks(n_days: int, most: int, labels: list[str]) -> None:
    dates = np.datetime64("2020-01-01") + np.arange(n_days)
    ticks = date_ticks(dates, most)
    assert [label for _, label in ticks] == labels
    assert all(str(dates[day]).startswith(label) for day, label in ticks)


def test_a_century_has_few_date_ticks() -> None:
    assert 2 <= len(date_ticks(np.datetime64("1920-05-03") + np.arange(36_600), 5)) <= 6
