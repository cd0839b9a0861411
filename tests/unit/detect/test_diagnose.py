from __future__ import annotations

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import diagnose, judge, mend, shared
from oddfleet.model import Fleet, FloatArray, Kind

ALPHA, PLACE = 0.01, 4
CLEAN = plant.steady_fleet(20, seed=6)
DAY = np.arange(366)

_ROUNDED = pytest.mark.xfail(strict=True, reason="the repair of rounded values also breaks up a stuck stretch")


def _symptoms(values: FloatArray) -> list[diagnose.Symptom]:
    common = shared.take_out(values)
    judgement = judge.judge(values, common.residual, common.coupling, CLEAN.dates[: len(values)])
    return diagnose.symptoms(judgement, PLACE, values[:, PLACE], common.residual[:, PLACE], ALPHA)


def _with(series: FloatArray, others: FloatArray = CLEAN.values) -> FloatArray:
    """The others, and one device with this series."""
    values = others.copy()
    values[:, PLACE] = series
    return values


def _planted(*kinds: Kind) -> FloatArray:
    fleet: Fleet = CLEAN
    for kind in kinds:
        fleet = plant.with_fault(fleet, CLEAN.device_ids[PLACE], kind, seed=3)
    return fleet.values


def _kinds(values: FloatArray) -> list[Kind]:
    return [symptom.kind for symptom in _symptoms(values)]


def test_a_usual_device_has_no_symptom() -> None:
    assert _symptoms(CLEAN.values) == []


def test_a_fault_that_shows_in_many_tests_is_one_symptom() -> None:
    values = _planted(Kind.LEVEL_SHIFT)
    judgement = judge.judge(values, values, None, CLEAN.dates)
    limit = np.log(ALPHA / len(judgement.tests))
    assert (judgement.log_p[:, PLACE] <= limit).sum() >= 4
    (symptom,) = diagnose.symptoms(judgement, PLACE, values[:, PLACE], values[:, PLACE], ALPHA)
    assert (symptom.kind, symptom.test) == (Kind.LEVEL_SHIFT, "shift_score")
    assert symptom.log_p == judgement.log_p[judgement.tests.index("shift_score"), PLACE] <= limit
    np.testing.assert_array_equal(symptom.series, values[:, PLACE])


@pytest.mark.parametrize(
    "kinds",
    [
        (Kind.LEVEL_SHIFT, Kind.SPIKES),
        (Kind.LEVEL_SHIFT, Kind.INACTIVE),
        pytest.param((Kind.SPREAD, Kind.FROZEN), marks=_ROUNDED),
        (Kind.WEEKLY_RHYTHM, Kind.SPIKES),
    ],
)
def test_two_faults_are_both_named(kinds: tuple[Kind, Kind]) -> None:
    assert set(kinds) <= set(_kinds(_planted(*kinds)))


def test_the_second_symptom_is_seen_in_the_series_without_the_first() -> None:
    values = _planted(Kind.LEVEL_SHIFT, Kind.SPIKES)
    first, second = _symptoms(values)
    np.testing.assert_array_equal(first.series, values[:, PLACE])
    repaired = mend.variants(first.kind, first.series, mend.Usual(100.0, 4.0))
    assert any(np.array_equal(second.series, version) for version in repaired)


def test_no_kind_is_named_twice_and_none_past_the_fourth() -> None:
    wreck = np.where(DAY < 60, 0.0, np.where(DAY < 100, 50.0, 300 + DAY + 80 * (DAY % 7 > 4) + 90 * np.sin(DAY / 3)))
    kinds = _kinds(_with(wreck + 400 * (DAY > 250) * (DAY % 5)))
    assert len(kinds) == len(set(kinds)) == 4


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((Kind.LEVEL, Kind.NEGATIVE_TRAFFIC), [Kind.LEVEL, Kind.SPIKES]),  # mending the spikes shows the level again
        ((Kind.LEVEL, Kind.WANDER), [Kind.WANDER]),  # mending the wander leaves a spread that nobody saw
    ],
)
def test_what_a_repair_brings_to_light_is_not_named(kinds: tuple[Kind, Kind], expected: list[Kind]) -> None:
    assert _kinds(_planted(*kinds)) == expected


def test_days_lost_in_one_stretch_are_silence_first() -> None:
    assert _kinds(_with(np.where((DAY > 50) & (DAY < 90), np.nan, CLEAN.values[:, PLACE])))[0] is Kind.INACTIVE


def test_days_lost_here_and_there_are_missing_days() -> None:
    assert _kinds(_planted(Kind.MISSING_DAYS)) == [Kind.MISSING_DAYS]


@pytest.mark.parametrize("silence", [0.0, np.nan])
@pytest.mark.parametrize("n_days", [366, 20])
def test_a_device_that_says_nothing_is_inactive(silence: float, n_days: int) -> None:
    """In a record too short for features, too: nothing is known of level and spread then."""
    assert _kinds(_with(np.full(366, silence))[:n_days])[0] is Kind.INACTIVE


def test_a_furthest_day_that_is_oddly_near_is_a_matter_of_shape() -> None:
    draw = np.random.default_rng(2)
    (symptom, *_) = _symptoms(_with(100 + 5 * np.sign(draw.normal(size=366)) + draw.normal(0, 0.3, 366)))
    assert symptom.kind is Kind.SHAPE


@pytest.mark.parametrize(("far", "kind"), [(1, Kind.SPIKES), (-1, Kind.SHAPE)])
def test_the_furthest_day_speaks_of_spikes_or_of_shape_by_its_side(far: int, kind: Kind) -> None:
    """The others keep a furthest day of their own; that of one device is twice as far, or not there."""
    others = np.where(DAY[:, None] == 100, 150.0, CLEAN.values)
    own = np.where(DAY == 100, 100.0 if far < 0 else 300.0, CLEAN.values[:, PLACE])
    values = _with(own, others)
    judgement = judge.judge(values, values, None, CLEAN.dates)
    assert judgement.log_p[judgement.tests.index("spike_log"), PLACE] < np.log(ALPHA / 15)
    found = diagnose.symptoms(judgement, PLACE, own, own, ALPHA)
    assert [symptom.kind for symptom in found if symptom.test == "spike_log"] == [kind]


def test_a_device_that_does_not_follow_the_others_is_detached() -> None:
    """There is no repair for that: it is named, and the rest goes on from the same series."""
    week = 20.0 * (DAY % 7 < 5)[:, None]
    values = _with(CLEAN.values[:, PLACE] + week.mean(), CLEAN.values + week)
    kinds = [symptom.kind for symptom in _symptoms(values)]
    assert kinds == [Kind.DETACHED]
