from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet import plant
from oddfleet.detect import courses, days, find_oddities, groups
from oddfleet.model import AnomalousDay, Fleet, FleetDays, FloatArray
from oddfleet.settings import Settings

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

FIRST = date(2020, 1, 1)
OTHERS = [kind for kind in plant.FLEETS if kind != "drop_days"]


def _anomalous(fleet: Fleet, alpha: float = 0.01) -> tuple[AnomalousDay, ...]:
    found = groups.judged(fleet, np.zeros((2, fleet.n_devices)), Settings()).groups
    return days.anomalous(found, fleet.dates, alpha)


def _places(found: tuple[AnomalousDay, ...]) -> list[int]:
    return [day for one in found for day in range((one.day - FIRST).days, (one.until - FIRST).days + 1)]


def _with(fleet: Fleet, factor: float, first: int, last: int, devices: slice = slice(None)) -> Fleet:
    values = fleet.values.copy()
    values[first : last + 1, devices] *= factor
    return replace(fleet, values=values)


# What is heard of the days, against slow and obvious code


@pytest.mark.parametrize("lost", [0.0, 0.2])
def test_middle_and_width_are_order_statistics(draw: Draw, lost: float) -> None:
    values = draw("student", (101, 7))
    values[draw("uniform", (101, 7), seed=2) < lost] = np.nan
    middle, width, count = days._middle_and_width(values)
    for device, series in enumerate(values.T):
        known = np.sort(series[np.isfinite(series)])
        outer = int(0.1 * (len(known) - 1))
        assert count[device] == len(known)
        assert middle[device] == pytest.approx(np.median(known))
        assert width[device] == pytest.approx((known[-1 - outer] - known[outer]) / 2)


@pytest.mark.parametrize("lost", [0.0, 0.2])
def test_a_course_is_taken_out_as_strongly_as_each_device_follows_it(draw: Draw, lost: float) -> None:
    course = np.sin(np.arange(200) / 20)
    values = course[:, None] * np.array([0.0, 1.0, -2.0]) + 0.1 * draw("normal", (200, 3))
    values[draw("uniform", (200, 3), seed=2) < lost] = np.nan
    rest = days._without(values, np.isfinite(values), course)
    centred = course - course.mean()
    for device in range(3):
        seen = np.isfinite(values[:, device])
        coupling = np.linalg.lstsq(centred[seen, None], values[seen, device], rcond=None)[0][0]
        np.testing.assert_allclose(rest[:, device], values[:, device] - coupling * centred, equal_nan=True)


@pytest.mark.parametrize(("devices", "most"), [(3, 3.6 / 3**0.5), (10, 1.25), (100, 1.25)])
def test_no_device_speaks_louder_than_another(draw: Draw, devices: int, most: float) -> None:
    rest = draw("student", (200, devices)) * np.logspace(-3, 3, devices)
    rest[7] = 1e9
    held = days._alike(rest)
    assert held[7].tolist() == pytest.approx([most] * devices)
    assert np.ptp(np.median(np.abs(held), axis=0)) < 0.4


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_mean_and_variance_of_the_devices_on_each_day(draw: Draw, lost: float) -> None:
    away = draw("normal", (50, 12))
    away[draw("uniform", (50, 12), seed=2) < lost] = np.nan
    seen = np.isfinite(away)
    mean, variance = days._mean(away, seen, np.arange(50) != 3)
    for day in range(50):
        known = away[day][seen[day]]
        assert mean[day] == pytest.approx(known.mean() if day != 3 else np.nan, nan_ok=True)
        assert variance[day] == pytest.approx(known.var(ddof=1))


def test_p_values_are_students_of_the_robust_spread(draw: Draw) -> None:
    rest = draw("normal", (90,))
    rest[[3, 8]] = np.nan
    count = np.full(90, 50)
    count[20] = 10
    got = np.exp(days._log_p(days._Heard(rest, np.full(90, 5.0), count, weekly=False)))
    known = rest[np.isfinite(rest)]
    spread = 1.4826 * np.median(np.abs(known - np.median(known)))
    noise = 5.0 * (1 + np.pi / 2 / courses.WINDOW)
    for day in range(90):
        fewer = noise / 10 - noise / 50 if day == 20 else 0.0
        expected = 2 * stats.t.sf(abs(rest[day]) / np.sqrt(spread**2 + fewer), 0.37 * 88)
        assert got[day] == pytest.approx(expected if np.isfinite(rest[day]) else 1.0)


def test_days_that_lie_too_close_by_luck_are_as_uncertain_as_their_devices() -> None:
    rest = np.zeros(60)
    rest[30] = 0.5
    got = np.exp(days._log_p(days._Heard(rest, np.full(60, 1.0), np.full(60, 16), weekly=False)))
    noise = (1 + np.pi / 2 / courses.WINDOW) / 16
    assert got[30] == pytest.approx(2 * stats.t.sf(0.5 / np.sqrt(noise), 0.37 * 60))
    silent = np.exp(days._log_p(days._Heard(np.zeros(60), np.zeros(60), np.full(60, 16), weekly=False)))
    assert (silent == 1).all()


# The promise


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize(("devices", "n_days"), [(3, 180), (40, 90)])
def test_healthy_fleets_have_no_odd_day(kind: str, devices: int, n_days: int) -> None:
    """Of 12 fleets of each kind and size no more than alpha allows, but for the luck of the draw."""
    fleets = (plant.healthy_fleet(kind, devices, n_days, seed=seed) for seed in range(12))
    alarms = sum(bool(_anomalous(fleet, 0.2)) for fleet in fleets)
    assert alarms <= stats.binom.isf(1e-3, 12, 0.2)


def test_the_promise_is_not_held_by_silence() -> None:
    fleets = (plant.healthy_fleet("steady", 20, 120, seed=seed) for seed in range(25))
    assert sum(bool(_anomalous(fleet, 0.5)) for fleet in fleets) >= 3


# What is found


@pytest.mark.parametrize("kind", OTHERS)
def test_a_day_on_which_all_carry_less_is_found_on_its_day(kind: str) -> None:
    found = _anomalous(_with(plant.healthy_fleet(kind, 60, 180, seed=4), 0.3, 100, 100))
    assert _places(found) == [100]
    assert found[0].change == pytest.approx(-0.7, abs=0.1)
    assert found[0].devices > 0.8
    assert found[0].p_value < 0.01
    assert "On 2020-04-10" in found[0].text
    assert "carried less" in found[0].text


@pytest.mark.parametrize("kind", [kind for kind in OTHERS if kind not in ("counts", "bursty")])
def test_a_week_on_which_half_of_them_carry_more_is_told_as_one(kind: str) -> None:
    found = _anomalous(_with(plant.healthy_fleet(kind, 60, 180, seed=4), 2.0, 60, 66, slice(None, None, 2)))
    assert _places(found) == list(range(60, 67))
    assert len(found) == 1
    assert "carried more" in found[0].text


@pytest.mark.parametrize("devices", [3, 30])
def test_the_days_of_a_fleet_that_drops_at_times_are_found(devices: int) -> None:
    for seed in range(5):
        fleet = plant.healthy_fleet("drop_days", devices, 366, seed=seed)
        large = plant.healthy_fleet("drop_days", 100, 366, seed=seed).values
        truth = np.flatnonzero(np.median(large / np.median(large, axis=0), axis=1) < 0.8)
        assert _places(_anomalous(fleet)) == truth.tolist()


@pytest.mark.parametrize("day", [0, 1, 178, 179])
def test_the_first_and_the_last_day_can_be_odd(day: int) -> None:
    assert _places(_anomalous(_with(plant.healthy_fleet("seasonal", 60, 180, seed=1), 0.5, day, day))) == [day]


def test_one_loud_device_makes_no_day_odd() -> None:
    fleet = plant.steady_fleet(30, 180, seed=1)
    assert _anomalous(_with(fleet, 1e6, 100, 100, slice(1))) == ()


@pytest.mark.parametrize(("some", "odd"), [(8, False), (20, True)])
def test_a_day_is_odd_for_the_fleet_only_if_it_is_for_most_of_it(some: int, *, odd: bool) -> None:
    fleet = _with(plant.steady_fleet(40, 180, seed=1), 0.0, 100, 100, slice(some))
    assert bool(_anomalous(fleet)) is odd


def test_a_day_that_is_not_odd_alone_is_told_with_the_day_before() -> None:
    """The second is too weak for a record of 180 days, and yet nobody would take it for another story."""
    fleet = plant.steady_fleet(30, 180, seed=1)
    weak = _with(fleet, 0.97, 101, 101)
    assert _anomalous(weak) == ()
    assert _places(_anomalous(_with(weak, 0.5, 100, 100))) == [100, 101]


def test_a_day_on_which_few_are_seen_says_nothing() -> None:
    fleet = plant.steady_fleet(30, 180, seed=1)
    values = _with(fleet, 0.5, 100, 101).values.copy()
    values[100, 10:] = np.nan
    values[101, 20:] = np.nan
    assert _places(_anomalous(replace(fleet, values=values))) == [101]


@pytest.mark.parametrize(("devices", "n_days"), [(0, 90), (1, 90), (2, 90), (3, 27), (60, 27), (60, 1)])
def test_of_few_devices_or_days_no_day_is_odd(devices: int, n_days: int) -> None:
    last = n_days - 1
    assert _anomalous(_with(plant.steady_fleet(devices, n_days, seed=1), 0.0, last, last)) == ()


def test_where_no_day_has_devices_enough_none_is_odd() -> None:
    """Three devices, each seen on 40 days of 60, never all of them."""
    fleet = plant.steady_fleet(3, 60, seed=1)
    values = fleet.values.copy()
    values[40:, 0] = values[:20, 1] = values[20:40, 2] = np.nan
    values[50] = 0.0 * values[50]
    assert _anomalous(replace(fleet, values=values)) == ()


def test_devices_that_say_nothing_do_not_silence_the_others() -> None:
    """Dead ones, stuck ones, and such as are seldom seen."""
    fleet = plant.steady_fleet(40, 180, seed=1)
    values = _with(fleet, 0.5, 100, 100).values.copy()
    values[:, :10], values[:, 10:20] = 0.0, 77.0
    values[::2, 20:25] = np.nan
    values[20:, 25] = np.nan
    assert _places(_anomalous(replace(fleet, values=values))) == [100]


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e15])
def test_the_unit_does_not_matter(unit: float) -> None:
    fleet = _with(plant.healthy_fleet("weekly", 40, 180, seed=1), 0.5, 100, 102)
    got, expected = (_anomalous(replace(fleet, values=fleet.values * times)) for times in (unit, 1.0))
    assert [one.text for one in got] == [one.text for one in expected] != []


def test_a_fleet_of_nothing_has_no_odd_day() -> None:
    fleet = plant.steady_fleet(5, 60, seed=1)
    for nothing in (0.0, np.nan, 5.0):
        assert _anomalous(replace(fleet, values=np.full((60, 5), nothing))) == ()


# Totals


def _totals(values: FloatArray) -> FleetDays:
    return days.of_fleet(days.totals(values), np.datetime64(FIRST) + np.arange(len(values)), ())


def test_totals_add_up_what_was_observed() -> None:
    values = np.array([[1.0, 2.0], [np.nan, 3.0], [np.nan, np.nan]])
    assert days.totals(values).tolist() == [[3.0, 3.0, 0.0], [2.0, 1.0, 0.0]]
    assert days.totals(values[:1]).tolist() == [[3.0], [2.0]]


@pytest.mark.parametrize("kind", list(plant.FLEETS))
def test_nearly_all_days_of_a_healthy_fleet_are_within_the_band(kind: str) -> None:
    fleet = plant.healthy_fleet(kind, 50, 366, seed=1)
    found = _totals(fleet.values)
    np.testing.assert_allclose(found.total_mb, np.nansum(fleet.values, axis=1))
    assert ((found.low_mb < found.usual_mb) & (found.usual_mb < found.high_mb)).all()
    beyond = (found.total_mb < found.low_mb) | (found.total_mb > found.high_mb)
    assert beyond.mean() < 0.03
    assert np.ptp(np.log(found.high_mb / found.low_mb)) < 1e-9


def test_the_band_follows_the_week_and_an_outage_does_not_move_it() -> None:
    fleet = _with(plant.healthy_fleet("weekly", 50, 180, seed=1), 0.0, 100, 104)
    found = _totals(fleet.values)
    assert (found.total_mb[100:105] == 0).all()
    assert (found.low_mb[100:105] > 0).all()
    np.testing.assert_allclose(found.usual_mb[100:105] / found.usual_mb[93:98], 1.0, atol=0.1)
    assert found.usual_mb.max() > 1.3 * found.usual_mb.min()


def test_totals_below_zero_have_a_band_as_measured(draw: Draw) -> None:
    values = draw("normal", (90, 20)) - 5.0
    found = _totals(values)
    np.testing.assert_allclose(found.high_mb - found.low_mb, 6 * np.sqrt(20), rtol=0.25)
    assert (found.high_mb < 0).all()


def test_days_without_any_observation_have_a_band_where_others_are_about(draw: Draw) -> None:
    values = 100 + draw("normal", (90, 20))
    values[40:43] = np.nan
    found = _totals(values)
    assert found.observed[39:44].tolist() == [20, 0, 0, 0, 20]
    assert np.isfinite(found.low_mb).all()


@pytest.mark.parametrize("values", [np.full((40, 3), np.nan), np.zeros((40, 0))])
def test_of_nothing_nothing_is_usual(values: FloatArray) -> None:
    found = _totals(values)
    assert np.isnan(found.usual_mb).all()
    assert np.isnan(found.high_mb).all()
    assert (found.total_mb == 0).all()


def test_the_decision_carries_the_days() -> None:
    fleet = _with(plant.steady_fleet(30, 120, seed=1), 0.5, 60, 61)
    found = find_oddities(fleet, Settings()).days
    assert found is not None
    assert [(one.day, one.until) for one in found.anomalous] == [(FIRST + timedelta(60), FIRST + timedelta(61))]
    np.testing.assert_allclose(found.total_mb, fleet.values.sum(axis=1))
    assert found.total_mb[60] < found.low_mb[60]
