from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import diagnose, judge, mend, patient, repeats
from oddfleet.detect.patient import Patient, Symptom
from oddfleet.model import Fleet, FloatArray, Kind

ALPHA, PLACE = 0.01, 4
CLEAN = plant.steady_fleet(20, seed=6)
DAY = np.arange(366)
WEEK = 20.0 * (DAY % 7 < 5)[:, None]


def _patient(values: FloatArray, place: int = PLACE) -> Patient:
    repeated = repeats.find(values)
    judgement = judge.judge(values, CLEAN.dates[: len(values)], np.stack([found.log_p for found in repeated]))
    return patient.patient(judgement, place, place, repeated, ALPHA)


def _symptoms(values: FloatArray) -> list[Symptom]:
    return diagnose.symptoms(_patient(values))


def _with(series: FloatArray, others: FloatArray = CLEAN.values) -> FloatArray:
    """The others, and one device with this series."""
    values = others.copy()
    values[:, PLACE] = series
    return values


def _planted(*kinds: Kind, fleet: Fleet = CLEAN) -> FloatArray:
    for kind in kinds:
        fleet = plant.with_fault(fleet, CLEAN.device_ids[PLACE], kind, seed=3)
    return fleet.values


def _kinds(values: FloatArray) -> list[Kind]:
    return [symptom.kind for symptom in _symptoms(values)]


def test_a_usual_device_has_no_symptom() -> None:
    assert _symptoms(CLEAN.values) == []


def test_whoever_is_named_has_a_symptom_however_faint() -> None:
    """In a fleet with many odd devices some are named that alone would not be."""
    repeated = repeats.find(CLEAN.values)
    judgement = judge.judge(CLEAN.values, CLEAN.dates, np.stack([found.log_p for found in repeated]))
    for place in range(CLEAN.n_devices):
        who = patient.patient(judgement, place, place, repeated, ALPHA).named
        clearest = diagnose.symptoms(who)[0]
        assert clearest.log_p == who.limit == judgement.log_p[:, place].min()


def test_a_fault_that_shows_in_many_tests_is_one_symptom() -> None:
    odd = _patient(_planted(Kind.LEVEL_SHIFT))
    log_p = odd.judgement.log_p[:, PLACE]
    assert (log_p <= odd.limit).sum() >= 4
    (symptom,) = diagnose.symptoms(odd)
    assert (symptom.kind, symptom.test) == (Kind.LEVEL_SHIFT, "shift_score")
    assert symptom.log_p == log_p[judge.TESTS.index("shift_score")] <= odd.limit
    np.testing.assert_array_equal(symptom.series, odd.judgement.block.residual[:, PLACE])
    assert symptom.days is None


@pytest.mark.parametrize(
    "kinds",
    [
        (Kind.LEVEL_SHIFT, Kind.SPIKES),
        (Kind.LEVEL_SHIFT, Kind.INACTIVE),
        (Kind.SPREAD, Kind.FROZEN),
        (Kind.WEEKLY_RHYTHM, Kind.SPIKES),
    ],
)
def test_two_faults_are_both_named(kinds: tuple[Kind, Kind]) -> None:
    assert set(kinds) <= set(_kinds(_planted(*kinds)))


def test_the_second_symptom_is_seen_in_the_series_without_the_first() -> None:
    odd = _patient(_planted(Kind.LEVEL_SHIFT, Kind.SPIKES))
    first, second, *_ = diagnose.symptoms(odd)
    np.testing.assert_array_equal(first.series, odd.judgement.block.residual[:, PLACE])
    repaired = mend.variants(first.kind, first.series, mend.Usual(100.0, 4.0))
    assert any(np.array_equal(second.series, version) for version in repaired)


def test_two_faults_are_hardly_ever_three() -> None:
    """Mending leaves a third symptom in 2 of 30 fleets, as it did before replays and copies were looked for."""
    third = 0
    for seed in range(10):
        fleet = plant.steady_fleet(20, seed=6 + seed)
        for kind in (Kind.LEVEL_SHIFT, Kind.SPIKES):
            fleet = plant.with_fault(fleet, CLEAN.device_ids[PLACE], kind, seed=3 + seed)
        first, second, *more = _kinds(fleet.values)
        assert {first, second} == {Kind.LEVEL_SHIFT, Kind.SPIKES}
        third += len(more)
    assert third <= 2


def test_no_kind_is_named_twice_and_none_past_the_fourth() -> None:
    wreck = np.where(DAY < 60, 0.0, np.where(DAY < 100, 50.0, 300 + DAY + 80 * (DAY % 7 > 4) + 90 * np.sin(DAY / 3)))
    kinds = _kinds(_with(wreck + 400 * (DAY > 250) * (DAY % 5)))
    assert len(kinds) == len(set(kinds)) == 4


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((Kind.LEVEL, Kind.NEGATIVE_TRAFFIC), [Kind.SPIKES, Kind.LEVEL]),  # mending the spikes shows the level again
        ((Kind.LEVEL, Kind.WANDER), [Kind.WANDER]),  # mending the wander leaves a spread that nobody saw
    ],
)
def test_what_a_repair_brings_to_light_is_not_named(kinds: tuple[Kind, Kind], expected: list[Kind]) -> None:
    assert _kinds(_planted(*kinds)) == expected


def test_days_lost_in_one_stretch_are_silence_and_nothing_else() -> None:
    assert _kinds(_with(np.where((DAY > 50) & (DAY < 90), np.nan, CLEAN.values[:, PLACE]))) == [Kind.INACTIVE]


def test_days_lost_here_and_there_are_missing_days() -> None:
    assert _kinds(_planted(Kind.MISSING_DAYS)) == [Kind.MISSING_DAYS]


@pytest.mark.parametrize("silence", [0.0, np.nan])
@pytest.mark.parametrize("n_days", [366, 20])
def test_a_device_that_says_nothing_is_inactive(silence: float, n_days: int) -> None:
    """In a record too short for features, too: nothing is known of level and spread then."""
    assert _kinds(_with(np.full(366, silence))[:n_days]) == [Kind.INACTIVE]


def test_a_furthest_day_that_is_oddly_near_is_a_matter_of_shape() -> None:
    draw = np.random.default_rng(2)
    (symptom, *_) = _symptoms(_with(100 + 5 * np.sign(draw.normal(size=366)) + draw.normal(0, 0.3, 366)))
    assert symptom.kind is Kind.SHAPE


def test_a_device_that_does_not_follow_the_others_is_detached() -> None:
    kinds = _kinds(_with(CLEAN.values[:, PLACE] + WEEK.mean(), CLEAN.values + WEEK))
    assert kinds == [Kind.DETACHED]


def test_a_fault_that_moves_how_a_device_follows_is_not_called_detached() -> None:
    """It follows still, if less: what is odd is named instead."""
    fleet = Fleet(CLEAN.device_ids, CLEAN.names, CLEAN.dates, CLEAN.values + WEEK)
    for kind in (Kind.SPREAD, Kind.LEVEL_SHIFT, Kind.SPIKES):
        assert _kinds(_planted(kind, fleet=fleet))[0] is kind


@pytest.mark.parametrize("kind", [Kind.CYCLE, Kind.SPIKES, Kind.WANDER])
def test_a_fault_is_named_beside_a_week_of_ones_own(kind: Kind) -> None:
    """Every device keeps a week, each on days of its own: the week is taken out before a repair."""
    draw = np.random.default_rng(3)
    off = draw.integers(0, 7, 20)
    values = CLEAN.values + 25.0 * ((DAY[:, None] + off) % 7 < 2)
    odd = _patient(_planted(kind, fleet=Fleet(CLEAN.device_ids, CLEAN.names, CLEAN.dates, values)))
    assert odd.judgement.learnt.habits.weekly
    assert diagnose.symptoms(odd)[0].kind is kind


def test_rounded_values_are_named_by_what_a_finer_record_would_show() -> None:
    assert _kinds(_planted(Kind.ROUNDED)) == [Kind.ROUNDED]


def test_zeros_here_and_there_are_inactivity_and_dated() -> None:
    series = CLEAN.values[:, PLACE].copy()
    series[5::9] = 0.0
    (symptom,) = _symptoms(_with(series))
    assert (symptom.kind, symptom.test) == (Kind.INACTIVE, "silent_days")
    assert symptom.days is not None
    assert np.flatnonzero(symptom.days).tolist() == list(range(5, 366, 9))


def _with_log_p(odd: Patient, **log_p: float) -> Patient:
    """The patient with other p-values."""
    changed = odd.judgement.log_p.copy()
    for test, value in log_p.items():
        changed[judge.TESTS.index(test), PLACE] = value
    return replace(odd, judgement=replace(odd.judgement, log_p=changed))


def test_where_nothing_alone_is_odd_the_combination_is_named() -> None:
    (symptom,) = diagnose.symptoms(_with_log_p(_patient(CLEAN.values), mixture=-40.0))
    assert (symptom.kind, symptom.test, symptom.log_p) == (Kind.MIXTURE, "mixture", -40.0)


@pytest.mark.parametrize(
    ("single", "left", "expected"),
    [
        (-9.0, -40.0, [Kind.MIXTURE, Kind.LEVEL]),
        (-9.0, 0.0, [Kind.LEVEL]),  # nothing is left to combine
        (-30.0, -40.0, [Kind.LEVEL]),  # far clearer than the combination
    ],
)
def test_with_its_clearest_symptom_mended_a_device_may_still_be_odd_in_combination(
    monkeypatch: pytest.MonkeyPatch, single: float, left: float, expected: list[Kind]
) -> None:
    """By its rule, as no planted mixture (strength 0.5 to 1, 160 fleets) shows it: their strongest part is named."""
    monkeypatch.setattr(
        diagnose, "log_surprise_combined", lambda _judgement, log_p, _above: np.full(log_p.shape[1], left)
    )
    odd = _with_log_p(_patient(_with(CLEAN.values[:, PLACE] + 1.5)), mixture=-40.0, level_log_mb=single)
    assert [symptom.kind for symptom in diagnose.symptoms(odd)] == expected


def test_a_step_and_a_slope_are_told_apart_by_the_better_fit() -> None:
    step, slope = CLEAN.values[:, PLACE] + 15.0 * (DAY > 200), CLEAN.values[:, PLACE] + 0.08 * DAY
    assert _kinds(_with(step))[0] is Kind.LEVEL_SHIFT
    assert _kinds(_with(slope))[0] is Kind.DRIFT
