from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import findings, measures, statements
from oddfleet.detect.diagnose import Symptom
from oddfleet.model import Fleet, FloatArray, Kind

FLEET = plant.steady_fleet(6, seed=4)
PLACE = 2
DAY = np.arange(366)


def _with(series: FloatArray) -> Fleet:
    values = FLEET.values.copy()
    values[:, PLACE] = series
    return replace(FLEET, values=values)


def _cohort(fleet: Fleet, members: list[int] | None = None) -> findings.Cohort:
    return findings.Cohort(fleet, list(range(fleet.n_devices)) if members is None else members, 15)


def _planted(kind: Kind) -> Fleet:
    return plant.with_fault(FLEET, FLEET.device_ids[PLACE], kind, seed=2)


def _symptom(kind: Kind, fleet: Fleet, log_p: float = -30.0) -> Symptom:
    return Symptom(kind, "", log_p, fleet.values[:, PLACE])


STRETCH = date(2020, 5, 2), date(2020, 5, 21), 20
ALL = None, None, 366


@pytest.mark.parametrize(
    ("kind", "period"),
    [
        (Kind.LEVEL, ALL),
        (Kind.SPREAD, ALL),
        (Kind.SHAPE, ALL),
        (Kind.ROUNDED, ALL),
        (Kind.WEEKLY_RHYTHM, ALL),
        (Kind.CYCLE, ALL),
        (Kind.DRIFT, ALL),
        (Kind.WANDER, ALL),
        (Kind.LEVEL_SHIFT, (date(2020, 8, 8), None, 146)),
        (Kind.INACTIVE, STRETCH),
        (Kind.FROZEN, STRETCH),
    ],
)
@pytest.mark.parametrize("test", ["skewness_l", "kurtosis_l"])
def test_a_symptom_is_dated_measured_and_compared(
    kind: Kind, period: tuple[date | None, date | None, int], test: str
) -> None:
    fleet, test = _planted(kind), test if kind is Kind.SHAPE else ""
    found = findings.of_symptom(_cohort(fleet), PLACE, replace(_symptom(kind, fleet), test=test))
    every = measures.measure(kind, fleet.values, test)
    sizes = np.abs(every) if kind in (Kind.LEVEL_SHIFT, Kind.DRIFT) else every
    assert (found.device_id, found.name, found.kind) == (3, FLEET.names[PLACE], kind)
    assert (found.since, found.until, found.days) == period
    assert found.value == pytest.approx(every[PLACE])
    assert found.usual == pytest.approx(float(np.median(np.delete(sizes, PLACE))))
    assert found.unit == measures.unit(kind, test)
    assert (found.rivals, found.next_check) == (statements.rivals(kind), statements.next_check(kind))


def test_a_change_of_volatility_has_a_first_day_and_no_last() -> None:
    found = findings.of_symptom(
        _cohort(_planted(Kind.VOLATILITY_CHANGE)),
        PLACE,
        _symptom(Kind.VOLATILITY_CHANGE, _planted(Kind.VOLATILITY_CHANGE)),
    )
    assert found.since is not None
    assert abs((found.since - date(2020, 7, 2)).days) <= 8
    assert found.days == (date(2020, 12, 31) - found.since).days + 1
    assert found.until is None


@pytest.mark.parametrize("spikes", [[7], [7, 90, 365]])
def test_spikes_are_counted_from_the_first_to_the_last(spikes: list[int]) -> None:
    fleet = _with(FLEET.values[:, PLACE] + 60.0 * np.isin(DAY, spikes))
    found = findings.of_symptom(_cohort(fleet), PLACE, _symptom(Kind.SPIKES, fleet))
    days = [date.fromisoformat(str(fleet.dates[day])) for day in spikes]
    assert (found.since, found.until, found.days) == (days[0], days[-1], len(spikes))


def test_spikes_that_are_far_only_for_this_fleet_are_its_furthest_day() -> None:
    fleet = _with(np.where(DAY == 30, 112.0, FLEET.values[:, PLACE].clip(90, 110)))
    found = findings.of_symptom(_cohort(fleet), PLACE, _symptom(Kind.SPIKES, fleet))
    assert (found.since, found.until, found.days) == (date(2020, 1, 31), date(2020, 1, 31), 1)


def test_a_device_that_is_detached_is_compared_with_how_the_others_follow() -> None:
    week = 20.0 * (DAY % 7 < 5)
    fleet = replace(FLEET, values=FLEET.values + week[:, None] * (np.arange(6) != PLACE))
    found = findings.of_symptom(_cohort(fleet), PLACE, _symptom(Kind.DETACHED, fleet))
    others = np.delete(fleet.values, PLACE, axis=1)
    assert found.value == pytest.approx(measures.following(fleet.values[:, [PLACE]], others)[0])
    assert found.usual == pytest.approx(float(np.median(measures.following(others, others))))
    assert found.usual > 0.7
    assert abs(found.value) < 0.2


def test_what_a_device_is_stuck_at_and_how_long_a_cycle_takes_are_said() -> None:
    frozen, cycle = _planted(Kind.FROZEN), _with(100 + 9 * np.sin(2 * np.pi * DAY * 20 / 366))
    stuck_at = f"{frozen.values[122, PLACE]:.4g} MB, for 20 days"
    assert stuck_at in findings.of_symptom(_cohort(frozen), PLACE, _symptom(Kind.FROZEN, frozen)).text
    assert "cycle, of 18.3 days" in findings.of_symptom(_cohort(cycle), PLACE, _symptom(Kind.CYCLE, cycle)).text


def test_only_its_cohort_says_what_is_usual() -> None:
    fleet = replace(FLEET, values=FLEET.values * np.array([1, 1, 1, 9, 9, 9]))
    found = findings.of_symptom(_cohort(fleet, [0, 1, PLACE]), PLACE, _symptom(Kind.LEVEL, fleet))
    assert found.usual == pytest.approx(100, abs=1)


def test_a_repaired_series_is_what_is_measured() -> None:
    symptom = replace(_symptom(Kind.LEVEL, FLEET), series=np.full(366, 7.0))
    assert findings.of_symptom(_cohort(FLEET), PLACE, symptom).value == 7


@pytest.mark.parametrize(("log_p", "expected"), [(-30.0, 15 * np.exp(-30.0)), (-1.0, 1.0), (-2000.0, 0.0)])
def test_p_value_is_times_the_number_of_tests(log_p: float, expected: float) -> None:
    found = findings.of_symptom(_cohort(FLEET), PLACE, _symptom(Kind.LEVEL, FLEET, log_p))
    assert found.p_value == pytest.approx(expected)


def test_a_device_alone_can_be_silent() -> None:
    fleet = _planted(Kind.INACTIVE)
    assert findings.of_symptom(_cohort(fleet, [PLACE]), PLACE, _symptom(Kind.INACTIVE, fleet)).days == 20


@pytest.mark.parametrize(("breaking", "usual"), [([PLACE], 0.0), ([0, 1, PLACE, 4], 2.0), ([0, 1, PLACE], 0.0)])
def test_a_broken_promise_is_a_fact_with_its_days(breaking: list[int], usual: float) -> None:
    broken = np.zeros((366, 6), bool)
    broken[[10, 200], :] = np.isin(np.arange(6), breaking)
    broken[50, PLACE] = True
    found = findings.of_promise(FLEET, PLACE, Kind.DUPLICATE_DAYS, broken)
    assert (found.since, found.until, found.days) == (date(2020, 1, 11), date(2020, 7, 19), 3)
    assert (found.value, found.usual, found.unit, found.p_value) == (3, usual, "days", None)
    assert (found.device_id, found.kind) == (3, Kind.DUPLICATE_DAYS)


def test_the_lowest_of_negative_traffic_is_said() -> None:
    fleet = _with(np.where(DAY == 5, -7.25, np.where(DAY == 9, -2.0, np.where(DAY == 11, np.nan, 100.0))))
    found = findings.of_promise(fleet, PLACE, Kind.NEGATIVE_TRAFFIC, fleet.values < 0)
    assert "at the lowest -7.25 MB" in found.text


def test_a_broken_promise_of_a_device_alone() -> None:
    alone = plant.steady_fleet(1, 30, seed=1)
    found = findings.of_promise(alone, 0, Kind.INVALID_VALUES, np.arange(30)[:, None] == 3)
    assert (found.value, found.usual, found.since) == (1, 0, date(2020, 1, 4))


def test_a_spike_that_only_this_fleet_finds_far_is_its_furthest_day() -> None:
    """In a fleet whose days hardly vary in size, a furthest day may be odd that normal noise would not call far."""
    values = FLEET.values.copy()
    values[:, PLACE] = 100.0 + np.where(np.arange(FLEET.n_days) % 2, 1.0, -1.0)
    values[77, PLACE] = 103.0
    fleet = replace(FLEET, values=values)
    found = findings.of_symptom(_cohort(fleet), PLACE, _symptom(Kind.SPIKES, fleet))
    assert (found.since, found.until, found.days) == (date(2020, 3, 18), date(2020, 3, 18), 1)
