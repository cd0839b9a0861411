from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import findings, judge, measures, patient, repeats, statements
from oddfleet.detect.features import COMPARED
from oddfleet.detect.patient import Symptom
from oddfleet.detect.promises import Broken
from oddfleet.model import QUANTILES, BoolArray, Finding, Fleet, FloatArray, Kind

FLEET = plant.steady_fleet(6, seed=4)
PLACE = 2
DAY = np.arange(366)
TESTS = {Kind.SHAPE: "kurtosis_l"}


def _with(series: FloatArray) -> Fleet:
    values = FLEET.values.copy()
    values[:, PLACE] = series
    return replace(FLEET, values=values)


def _cohort(fleet: Fleet, members: list[int] | None = None, device: int = PLACE) -> findings.Cohort:
    """The device in its cohort, by default all of the fleet."""
    members = list(range(fleet.n_devices)) if members is None else members
    repeated = repeats.find(fleet.values)
    twice = np.stack([found.log_p for found in repeated])
    judgement = judge.judge(fleet.values[:, members], fleet.dates, twice[:, members])
    who = patient.patient(judgement, members.index(device), device, repeated, 0.01)
    return findings.Cohort(fleet, device, who, repeated[1], {})


def _planted(kind: Kind) -> plant.Planted:
    return plant.plant_fault(FLEET, FLEET.device_ids[PLACE], kind, seed=2)


def _symptom(kind: Kind, cohort: findings.Cohort, log_p: float = -30.0, days: BoolArray | None = None) -> Symptom:
    odd = cohort.patient
    return Symptom(kind, TESTS.get(kind, ""), log_p, odd.judgement.block.residual[:, odd.place], days)


def _found(fleet: Fleet, kind: Kind, days: BoolArray | None = None) -> Finding:
    cohort = _cohort(fleet)
    return findings.of_symptom(cohort, _symptom(kind, cohort, days=days))


ALL_YEAR = (Kind.LEVEL, Kind.SHAPE, Kind.ROUNDED, Kind.WEEKLY_RHYTHM, Kind.CYCLE, Kind.DRIFT, Kind.WANDER)


@pytest.mark.parametrize("kind", [*ALL_YEAR, Kind.LEVEL_SHIFT, Kind.VOLATILITY_CHANGE])
@pytest.mark.parametrize("test", ["skewness_l", "kurtosis_l"])
def test_a_symptom_is_dated_measured_and_compared(kind: Kind, test: str) -> None:
    planted, test = _planted(kind), test if kind is Kind.SHAPE else ""
    cohort = _cohort(planted.fleet)
    found = findings.of_symptom(cohort, replace(_symptom(kind, cohort), test=test))
    every = measures.measure(kind, planted.fleet.values, test)
    sizes = np.abs(every) if kind in (Kind.LEVEL_SHIFT, Kind.DRIFT) else every
    assert (found.device_id, found.name, found.kind) == (3, FLEET.names[PLACE], kind)
    assert found.until is None
    if kind in ALL_YEAR:
        assert (found.since, found.days) == (None, 366)
    else:
        assert found.since is not None
        assert planted.since is not None
        assert abs((found.since - planted.since).days) <= 3
        assert found.days == (date(2020, 12, 31) - found.since).days + 1
    assert found.value == pytest.approx(every[PLACE])
    assert found.usual == pytest.approx(float(np.median(np.delete(sizes, PLACE))))
    assert found.unit == measures.unit(kind, test)
    assert (found.rivals, found.next_check) == (statements.rivals(kind), statements.next_check(kind))


@pytest.mark.parametrize("kind", [Kind.INACTIVE, Kind.FROZEN])
def test_a_stretch_has_a_first_day_and_a_last(kind: Kind) -> None:
    planted = _planted(kind)
    own = planted.fleet.values[:, PLACE]
    days = own == 0 if kind is Kind.INACTIVE else own == own[np.flatnonzero(np.diff(own) == 0)[0]]
    found = _found(planted.fleet, kind, days)
    length = 60 if kind is Kind.INACTIVE else 30
    assert planted.since is not None
    assert (found.since, found.until) == (planted.since, planted.since + timedelta(length - 1))
    assert found.days == found.value == length
    assert found.usual == (0 if kind is Kind.INACTIVE else 1)


@pytest.mark.parametrize("kind", [Kind.INACTIVE, Kind.FROZEN])
def test_a_stretch_that_is_all_of_the_record_is_said_to_be(kind: Kind) -> None:
    fleet = _with(np.full(366, 0.0 if kind is Kind.INACTIVE else 5.0))
    found = _found(fleet, kind, np.ones(366, bool))
    assert (found.days, found.value) == (366, 366)
    assert (found.since, found.until) == (date(2020, 1, 1), date(2020, 12, 31))
    assert "between 2020-01-01 and 2020-12-31" in found.text


def test_a_copy_that_is_all_of_the_record_has_no_date() -> None:
    found = _found(_with(FLEET.values[:, 3]), Kind.COPIED, np.ones(366, bool))
    assert (found.since, found.until, found.days, found.value) == (None, None, 366, 366)
    assert "None" not in found.text


def test_a_drift_begins_where_its_line_does() -> None:
    found = _found(_with(FLEET.values[:, PLACE] + 0.3 * np.maximum(DAY - 200, 0)), Kind.DRIFT)
    assert found.since is not None
    assert abs((found.since - date(2020, 7, 19)).days) <= 5
    assert found.days == (date(2020, 12, 31) - found.since).days + 1
    assert f"grows steadily since {found.since}" in found.text


@pytest.mark.parametrize("spikes", [[7], [7, 90, 365]])
def test_spikes_are_counted_from_the_first_to_the_last(spikes: list[int]) -> None:
    fleet = _with(FLEET.values[:, PLACE] + 60.0 * np.isin(DAY, spikes))
    found = _found(fleet, Kind.SPIKES)
    days = [date.fromisoformat(str(fleet.dates[day])) for day in spikes]
    assert (found.since, found.until, found.days) == (days[0], days[-1], len(spikes))


def test_spikes_that_are_far_only_for_this_fleet_are_its_furthest_day() -> None:
    found = _found(_with(np.where(DAY == 30, 112.0, FLEET.values[:, PLACE].clip(90, 110))), Kind.SPIKES)
    assert (found.since, found.until, found.days) == (date(2020, 1, 31), date(2020, 1, 31), 1)


def test_a_spread_is_compared_with_that_of_a_device_of_its_level() -> None:
    """Devices of a higher level vary more here; the loud one is compared with what its own level has."""
    draw = np.random.default_rng(2)
    level = np.exp(np.linspace(2, 6, 30))
    values = level * np.exp(draw.normal(0, 0.1, (366, 30)))
    values[:, PLACE] = level[PLACE] * np.exp(draw.normal(0, 0.4, 366))
    found = _found(replace(plant.steady_fleet(30, seed=1), values=values), Kind.SPREAD)
    assert found.value == pytest.approx(0.32 * level[PLACE], rel=0.15)
    assert found.usual == pytest.approx(0.08 * level[PLACE], rel=0.15)


def test_a_device_that_is_detached_is_compared_with_how_the_others_follow() -> None:
    week = 20.0 * (DAY % 7 < 5)
    fleet = replace(FLEET, values=FLEET.values + week[:, None] * (np.arange(6) != PLACE))
    cohort = _cohort(fleet)
    found = findings.of_symptom(cohort, _symptom(Kind.DETACHED, cohort))
    assert (found.value, found.usual, found.unit) == (cohort.patient.follows, 1, "times the usual")
    assert abs(found.value) < 0.2
    assert (found.since, found.until, found.days) == (None, None, 366)


def test_what_a_device_is_stuck_at_and_how_long_a_cycle_takes_are_said() -> None:
    planted = _planted(Kind.FROZEN)
    own = planted.fleet.values[:, PLACE]
    stuck_at = own[np.flatnonzero(np.diff(own) == 0)[0]]
    text = _found(planted.fleet, Kind.FROZEN, own == stuck_at).text
    assert f"{stuck_at:.4g} MB, for 30 days" in text
    cycle = _with(100 + 9 * np.sin(2 * np.pi * DAY * 20 / 366))
    assert "cycle, of 18.3 days" in _found(cycle, Kind.CYCLE).text


@pytest.mark.parametrize(("name", "called"), [("attic_lamp", "attic_lamp (4)"), (None, "4")])
def test_a_copy_says_whose_days_they_are_and_how_much_later(name: str | None, called: str) -> None:
    series = FLEET.values[:, PLACE].copy()
    series[210:260] = FLEET.values[200:250, 3]
    fleet = replace(_with(series), names=(*FLEET.names[:3], name, *FLEET.names[4:]))
    found = _found(fleet, Kind.COPIED, (DAY >= 210) & (DAY < 260))
    assert (found.value, found.usual, found.days, found.unit) == (50, 0, 50, "days")
    assert (found.since, found.until) == (date(2020, 7, 29), date(2020, 9, 16))
    assert f"is that of device {called}, value for value, for 50 days, 10 days later" in found.text


def test_a_replay_is_counted() -> None:
    planted = _planted(Kind.REPLAYED)
    assert planted.since is not None
    start = (planted.since - date(2020, 1, 1)).days
    found = _found(planted.fleet, Kind.REPLAYED, np.isin(DAY, np.arange(start, start + 90)))
    assert (found.value, found.usual, found.since) == (90, 0, planted.since)


def test_a_mixture_counts_what_is_a_little_out() -> None:
    cohort = _cohort(_planted(Kind.MIXTURE).fleet)
    found = findings.of_symptom(cohort, _symptom(Kind.MIXTURE, cohort))
    out = (np.exp(cohort.patient.judgement.log_p[: len(COMPARED)]) < 0.1).sum(axis=0)
    assert (found.value, found.usual, found.unit) == (out[PLACE], np.median(out), "features")
    assert found.value >= 2


def test_only_its_cohort_says_what_is_usual() -> None:
    fleet = replace(FLEET, values=FLEET.values * np.array([1, 1, 1, 9, 9, 9]))
    cohort = _cohort(fleet, [0, 1, PLACE])
    assert findings.of_symptom(cohort, _symptom(Kind.LEVEL, cohort)).usual == pytest.approx(100, abs=1)


def test_in_a_large_cohort_what_is_usual_is_measured_once() -> None:
    large = plant.steady_fleet(findings.LARGE + 1, 60, seed=1)
    cohort = _cohort(large)
    found = findings.of_symptom(cohort, _symptom(Kind.LEVEL, cohort))
    assert found.usual == pytest.approx(float(np.median(large.values.mean(axis=0))))
    known, jury = cohort.measured["level/"]
    assert (float(np.median(known)), len(jury)) == (found.usual, large.n_devices)
    cohort.measured["level/"] = np.array([7.0]), np.array([0])
    assert findings.of_symptom(cohort, _symptom(Kind.LEVEL, cohort)).usual == 7
    small = _cohort(FLEET)
    small.measured["level/"] = np.array([7.0]), np.array([0])
    assert findings.of_symptom(small, _symptom(Kind.LEVEL, small)).usual == pytest.approx(100, abs=1)


def test_a_repaired_series_is_what_is_measured() -> None:
    cohort = _cohort(FLEET)
    symptom = replace(_symptom(Kind.DRIFT, cohort), series=np.linspace(0.0, 10.0, 366))
    assert findings.of_symptom(cohort, symptom).value == pytest.approx(10, rel=0.01)


def test_a_level_is_told_of_the_record_whatever_was_repaired_before() -> None:
    cohort = _cohort(FLEET)
    symptom = replace(_symptom(Kind.LEVEL, cohort), series=np.full(366, 7.0))
    assert findings.of_symptom(cohort, symptom).value == pytest.approx(FLEET.values[:, PLACE].mean())


@pytest.mark.parametrize(
    ("log_p", "expected"), [(-30.0, len(judge.TESTS) * np.exp(-30.0)), (-1.0, 1.0), (-2000.0, 0.0)]
)
def test_p_value_is_times_the_number_of_tests(log_p: float, expected: float) -> None:
    cohort = _cohort(FLEET)
    assert findings.of_symptom(cohort, _symptom(Kind.LEVEL, cohort, log_p)).p_value == pytest.approx(expected)


def test_a_device_alone_can_be_silent() -> None:
    fleet = _planted(Kind.INACTIVE).fleet
    cohort = _cohort(fleet, [PLACE])
    days = fleet.values[:, PLACE] == 0
    found = findings.of_symptom(cohort, _symptom(Kind.INACTIVE, cohort, days=days))
    assert found.days == 60
    assert np.isnan(found.usual)
    assert "is not known" in found.text


@pytest.mark.parametrize(("breaking", "usual"), [([PLACE], 0.0), ([0, 1, PLACE, 4], 2.0), ([0, 1, PLACE], 0.0)])
def test_a_broken_promise_is_a_fact_with_its_days(breaking: list[int], usual: float) -> None:
    days = np.zeros((366, 6), bool)
    days[[10, 200], :] = np.isin(np.arange(6), breaking)
    days[50, PLACE] = True
    found = findings.of_promise(FLEET, PLACE, Broken.of(Kind.DUPLICATE_DAYS, days))
    assert (found.since, found.until, found.days) == (date(2020, 1, 11), date(2020, 7, 19), 3)
    assert (found.value, found.usual, found.unit, found.p_value) == (3, usual, "days", None)
    assert (found.device_id, found.kind) == (3, Kind.DUPLICATE_DAYS)


@pytest.mark.parametrize("devices", [1, 2, 3, 6, 7])
def test_what_is_usual_of_a_promise_is_the_median_of_the_others(devices: int) -> None:
    days = np.random.default_rng(devices).random((40, devices)) < 0.1
    broken = Broken.of(Kind.MISSING_DAYS, days)
    np.testing.assert_array_equal(broken.counts, days.sum(axis=0))
    for device in range(devices):
        others = np.delete(days.sum(axis=0), device)
        assert broken.usual(device) == (np.median(others) if others.size else 0)


def test_the_lowest_of_negative_traffic_is_said() -> None:
    fleet = _with(np.where(DAY == 5, -7.25, np.where(DAY == 9, -2.0, np.where(DAY == 11, np.nan, 100.0))))
    found = findings.of_promise(
        fleet, PLACE, Broken.of(Kind.NEGATIVE_TRAFFIC, fleet.values < 0, np.nanmin(fleet.values, axis=0))
    )
    assert "at the lowest -7.25 MB" in found.text


def test_a_broken_promise_of_a_device_alone() -> None:
    alone = plant.steady_fleet(1, 30, seed=1)
    found = findings.of_promise(alone, 0, Broken.of(Kind.INVALID_VALUES, np.arange(30)[:, None] == 3))
    assert (found.value, found.usual, found.since) == (1, 0, date(2020, 1, 4))


def test_a_finding_is_placed_among_what_the_others_measure() -> None:
    cohort = _cohort(FLEET)
    levels = np.delete(FLEET.values.mean(axis=0), PLACE)
    found = findings.quantiles(cohort, _symptom(Kind.LEVEL, cohort))
    np.testing.assert_allclose(found, np.quantile(levels, QUANTILES))
    steps = findings.quantiles(cohort, _symptom(Kind.LEVEL_SHIFT, cohort))
    assert (steps >= 0).all()
    assert (np.diff(steps) >= 0).all()


@pytest.mark.parametrize("kind", [Kind.SPREAD, Kind.WANDER, Kind.MIXTURE, Kind.SHAPE])
def test_what_is_usual_is_the_middle_of_what_a_finding_is_placed_among(kind: Kind) -> None:
    cohort = _cohort(FLEET)
    symptom = _symptom(kind, cohort)
    low, middle, high = findings.quantiles(cohort, symptom)[[2, 3, 4]]
    assert low <= findings.of_symptom(cohort, symptom).usual <= high
    assert low < middle < high or kind is Kind.MIXTURE


def test_a_device_alone_is_placed_among_nothing() -> None:
    cohort = _cohort(FLEET, [PLACE])
    assert findings.quantiles(cohort, _symptom(Kind.LEVEL, cohort)).size == 0
