from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import judge, patient, repeats, stretches
from oddfleet.detect.patient import Patient
from oddfleet.model import Fleet, FloatArray, Kind

ALPHA, PLACE = 0.01, 4
CLEAN = plant.steady_fleet(20, seed=6)
OWN = CLEAN.values[:, PLACE]
DAY = np.arange(366)
WEEK = 20.0 * (DAY % 7 < 5)[:, None]


def _patient(values: FloatArray) -> Patient:
    repeated = repeats.find(values)
    judgement = judge.judge(values, CLEAN.dates[: len(values)], np.stack([found.log_p for found in repeated]))
    return patient.patient(judgement, PLACE, PLACE, repeated, ALPHA)


def _with(series: FloatArray, others: FloatArray = CLEAN.values) -> FloatArray:
    values = others.copy()
    values[:, PLACE] = series
    return values


def _planted(kind: Kind, seed: int = 3, strength: float = 1.0) -> tuple[FloatArray, int]:
    """The fleet with a fault, and the day it begins."""
    planted = plant.plant_fault(CLEAN, CLEAN.device_ids[PLACE], kind, strength=strength, seed=seed)
    assert planted.since is not None
    return planted.fleet.values, int(np.flatnonzero(CLEAN.dates == np.datetime64(planted.since))[0])


def test_a_usual_device_has_no_stretches_and_stays_as_it_is() -> None:
    odd = _patient(CLEAN.values)
    found, series, log_p = stretches.take_out(odd)
    assert found == []
    np.testing.assert_array_equal(series, OWN)
    rows = [judge.TESTS.index(test) for test in ("copy", "replay", "silent_run", "stuck_run", "lost_days")]
    assert (log_p[rows] == 0).all()
    np.testing.assert_array_equal(np.delete(log_p, rows), np.delete(odd.judgement.log_p[:, PLACE], rows))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("kind", "test", "length", "strength"),
    [
        (Kind.INACTIVE, "silent_run", 60, 1.0),
        (Kind.FROZEN, "stuck_run", 30, 1.0),
        (Kind.REPLAYED, "replay", 45, 0.5),
        (Kind.COPIED, "copy", 183, 0.5),
    ],
)
def test_a_stretch_is_named_dated_and_taken_out(kind: Kind, test: str, length: int, strength: float, seed: int) -> None:
    values, start = _planted(kind, seed, strength)
    odd = _patient(values)
    found, series, log_p = stretches.take_out(odd)
    (symptom,) = found
    assert (symptom.kind, symptom.test) == (kind, test)
    assert symptom.log_p == odd.judgement.log_p[judge.TESTS.index(test), PLACE] <= odd.limit
    assert symptom.days is not None
    inside = np.isin(DAY, np.arange(start, start + length))
    np.testing.assert_array_equal(symptom.days, inside)
    np.testing.assert_array_equal(symptom.series, values[:, PLACE])
    np.testing.assert_array_equal(series, np.where(inside, np.nan, values[:, PLACE]))
    assert log_p.min() > odd.limit  # and the rest is a usual device
    assert log_p[judge.TESTS.index("mixture")] == 0


def test_lost_days_are_counted_wherever_they_are() -> None:
    odd = _patient(_with(np.where(DAY % 7 == 3, np.nan, OWN)))
    ((symptom,), _, _) = stretches.take_out(odd)
    assert (symptom.kind, symptom.test) == (Kind.MISSING_DAYS, "lost_days")
    assert symptom.days is not None
    assert np.flatnonzero(symptom.days).tolist() == list(range(3, 366, 7))


def test_days_lost_beside_a_longer_silence_are_no_further_finding() -> None:
    series = np.where((DAY > 99) & (DAY < 200), 0.0, OWN)
    series[[5, 25, 45, 65, 85, 205, 225, 245]] = np.nan
    odd = _patient(_with(series))
    assert odd.judgement.log_p[judge.TESTS.index("lost_days"), PLACE] <= odd.limit
    assert [symptom.kind for symptom in stretches.take_out(odd)[0]] == [Kind.INACTIVE]


@pytest.mark.parametrize(
    ("stretch", "scattered", "told"),
    [(40, 8, Kind.INACTIVE), (40, 60, Kind.MISSING_DAYS), (8, 60, Kind.MISSING_DAYS), (0, 60, Kind.MISSING_DAYS)],
)
def test_lost_days_are_a_silence_or_missing_but_not_both(stretch: int, scattered: int, told: Kind) -> None:
    """Where most lie in one stretch they are its silence; where they are scattered, their longest stretch is none."""
    series = OWN.copy()
    series[200 : 200 + stretch] = np.nan
    series[np.arange(scattered) * 3] = np.nan
    odd = _patient(_with(series))
    ((symptom,), rest, log_p) = stretches.take_out(odd)
    assert symptom.kind is told
    assert symptom.days is not None
    expected = np.isin(DAY, np.arange(200, 240)) if told is Kind.INACTIVE else np.isnan(series)
    np.testing.assert_array_equal(symptom.days, expected)
    np.testing.assert_array_equal(rest, series)
    assert log_p.min() > odd.limit


def test_lost_days_beside_a_shorter_silence_of_zeros_are_that_silence() -> None:
    """The longest silence has days that are on record: it is no stretch of the lost days."""
    series = OWN.copy()
    series[np.arange(60) * 3], series[200:260] = np.nan, 0.0
    odd = _patient(_with(series))
    assert odd.judgement.log_p[judge.TESTS.index("lost_days"), PLACE] <= odd.limit
    assert [symptom.kind for symptom in stretches.take_out(odd)[0]] == [Kind.INACTIVE]


@pytest.mark.parametrize("silent", [30, 100])
def test_two_stretches_are_told_the_most_surprising_first(silent: int) -> None:
    series = OWN.copy()
    series[40:70], series[150 : 150 + silent] = OWN[40], 0.0
    found, series, _ = stretches.take_out(_patient(_with(series)))
    assert [symptom.kind for symptom in found] == [Kind.INACTIVE, Kind.FROZEN]
    assert [symptom.log_p for symptom in found] == sorted(symptom.log_p for symptom in found)
    np.testing.assert_array_equal(np.isnan(series), np.isin(DAY, [*range(40, 70), *range(150, 150 + silent)]))


def test_a_replay_beside_a_silence_is_told() -> None:
    series = OWN.copy()
    series[150:250], series[280:330] = 0.0, series[20:70]
    found, _, _ = stretches.take_out(_patient(_with(series)))
    assert {symptom.kind for symptom in found} == {Kind.INACTIVE, Kind.REPLAYED}


def test_zeros_in_a_row_are_not_told_twice() -> None:
    """Silent days are the silence."""
    values, _ = _planted(Kind.INACTIVE)
    odd = _patient(values)
    row = judge.TESTS.index("silent_days")
    assert odd.judgement.log_p[row, PLACE] <= odd.limit
    assert stretches.take_out(odd)[2][row] == 0


def test_a_stretch_of_few_distinct_values_among_as_few_is_rounding() -> None:
    """With the longest stretch left out the rest is as coarse: whatever the test says, the stretch is chance.

    The tests know how often a device's own values come again, so that they hardly ever say it: the p-value is made up.
    """
    odd = _patient(_with(np.round(OWN / 10) * 10))
    log_p = odd.judgement.log_p.copy()
    log_p[judge.TESTS.index("stuck_run"), PLACE] = -40.0
    odd = replace(odd, judgement=replace(odd.judgement, log_p=log_p))
    found, series, left = stretches.take_out(odd)
    assert found == []
    np.testing.assert_array_equal(series, odd.values)
    assert left[judge.TESTS.index("distinct_share")] <= odd.limit


def test_a_device_stuck_for_long_is_not_rounded() -> None:
    """It has few distinct values, but not in the rest of the record."""
    odd = _patient(_with(np.where(DAY > 150, OWN[150], OWN)))
    assert odd.judgement.log_p[judge.TESTS.index("distinct_share"), PLACE] <= odd.limit
    ((symptom,), _, log_p) = stretches.take_out(odd)
    assert symptom.kind is Kind.FROZEN
    assert symptom.days is not None
    assert np.flatnonzero(symptom.days).tolist() == list(range(150, 366))
    assert log_p[judge.TESTS.index("distinct_share")] > odd.limit


@pytest.mark.parametrize(("silent", "told"), [(100, True), (250, False)])
def test_too_little_is_left_to_follow_anything(silent: int, told: bool) -> None:
    """A device that does not follow, and is silent for long."""
    fleet = Fleet(CLEAN.device_ids, CLEAN.names, CLEAN.dates, CLEAN.values + WEEK)
    odd = _patient(_with(np.where(np.isin(DAY, np.arange(silent)), 0.0, OWN + WEEK.mean()), fleet.values))
    row = judge.TESTS.index("coupling_share")
    assert odd.judgement.log_p[row, PLACE] < -5
    found, _, log_p = stretches.take_out(odd)
    assert [symptom.kind for symptom in found] == [Kind.INACTIVE]
    assert (log_p[row] < 0) == told


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_a_device_with_no_day_of_its_own(value: float) -> None:
    found, series, log_p = stretches.take_out(_patient(_with(np.full(366, value))))
    assert found
    assert np.isnan(series).all()
    assert (log_p == 0).all()
