from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import courses

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

DAYS = 120
WEEKDAY = np.arange(DAYS) % 7
REACH = courses.REACH


def test_inside_the_record_the_rest_is_what_a_running_median_leaves(draw: Draw) -> None:
    series = draw("normal", (DAYS,))
    series[[40, 41, 90]] = np.nan
    rest = courses.find(series, None).rest
    for day in range(REACH, DAYS - REACH):
        expected = series[day] - np.nanmedian(series[day - REACH : day + REACH + 1])
        assert rest[day] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("backwards", [False, True])
def test_at_the_ends_the_rest_is_the_lesser_of_two(draw: Draw, *, backwards: bool) -> None:
    """What a robust line leaves, and what the median of the days about leaves; nothing where they disagree."""
    series = draw("normal", (DAYS,)) + 0.1 * np.arange(DAYS)
    rest = courses.find(series, None).rest
    if backwards:
        series, rest = series[::-1], rest[::-1]
    slope, height, *_ = stats.theilslopes(series[: 2 * REACH + 1], np.arange(2 * REACH + 1))
    height = np.median(series[: 2 * REACH + 1] - slope * np.arange(2 * REACH + 1))
    disagree = 0
    for day in range(REACH):
        by_line = series[day] - (height + slope * day)
        by_median = series[day] - np.median(series[: day + REACH + 1])
        agree = by_line * by_median > 0
        disagree += not agree
        assert rest[day] == pytest.approx(min(by_line, by_median, key=abs) if agree else 0.0)
    assert 0 < disagree < REACH


def test_what_grows_has_no_odd_end(draw: Draw) -> None:
    series = np.arange(DAYS) + 0.01 * draw("normal", (DAYS,))
    course = courses.find(series, WEEKDAY)
    assert np.abs(course.rest).max() < 0.1
    np.testing.assert_allclose(course.usual, np.arange(DAYS), atol=0.1)
    assert not course.weekly


def test_a_week_is_found_and_taken_out(draw: Draw) -> None:
    week = np.array([0.0, 1.0, 0.0, 0.5, 0.0, -4.0, -5.0])[WEEKDAY]
    course = courses.find(week + 0.1 * draw("normal", (DAYS,)), WEEKDAY)
    assert course.weekly
    np.testing.assert_allclose(course.usual - course.usual.mean(), week - week.mean(), atol=0.3)
    assert np.std(course.rest) < 0.2
    assert not courses.find(week, None).weekly


def test_days_in_a_row_stand_out_where_they_are_not_many(draw: Draw) -> None:
    series = 0.1 * draw("normal", (DAYS,))
    series[50:59] -= 10
    course = courses.find(series, WEEKDAY)
    assert np.flatnonzero(course.rest < -5).tolist() == list(range(50, 59))
    assert np.abs(course.usual).max() < 0.5


def test_a_short_record_has_a_level_and_no_course() -> None:
    course = courses.find(np.array([1.0, 2.0, np.nan, 9.0]), np.arange(4))
    assert course.usual.tolist() == [2.0] * 4
    np.testing.assert_array_equal(course.rest, [-1.0, 0.0, np.nan, 7.0])
    assert not course.weekly


def test_no_days_have_no_course() -> None:
    assert courses.find(np.zeros(0), np.zeros(0, int)).usual.tolist() == []


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_where_no_day_about_has_a_number_there_is_no_course(draw: Draw, kept: int) -> None:
    """A line needs two days; what it cannot tell, nothing is odd against."""
    series = draw("normal", (DAYS,))
    series[kept : 2 * REACH + 1] = np.nan
    series[60:90] = np.nan
    course = courses.find(series, WEEKDAY)
    assert np.isnan(course.usual[75]) == np.isnan(series[55:95]).all()
    assert np.isfinite(course.usual[[30, 50, 100, DAYS - 1]]).all()
    assert np.isnan(course.rest[70])
    assert (np.abs(course.rest[:kept]) < 1e-9).all()
