from __future__ import annotations

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import judge, patient, repeats
from oddfleet.model import Kind

CLEAN = plant.steady_fleet(9, 120, seed=6)
PLACE, DEVICE = 2, 5
"""The device is the sixth of the fleet and the third of its cohort."""
MEMBERS = [1, 4, DEVICE, 6, 7]


def _patient(alpha: float = 0.01, kind: Kind = Kind.COPIED, strength: float = 0.5) -> patient.Patient:
    values = plant.with_fault(CLEAN, CLEAN.device_ids[DEVICE], kind, strength=strength, seed=2).values
    repeated = repeats.find(values)
    twice = np.stack([found.log_p for found in repeated])[:, MEMBERS]
    return patient.patient(judge.judge(values[:, MEMBERS], CLEAN.dates, twice), PLACE, DEVICE, repeated, alpha)


def test_a_patient_has_its_days_and_its_repeats() -> None:
    odd = _patient()
    np.testing.assert_array_equal(odd.values, odd.judgement.block.values[:, PLACE])
    np.testing.assert_array_equal(odd.values[:60], CLEAN.values[:60, DEVICE])
    assert odd.copy == (60, 60)
    assert odd.replay == (0, 0)


def test_a_replay_is_its_days_too() -> None:
    planted = plant.plant_fault(CLEAN, CLEAN.device_ids[DEVICE], Kind.REPLAYED, strength=0.3, seed=2)
    odd = _patient(kind=Kind.REPLAYED, strength=0.3)
    assert planted.since is not None
    assert odd.replay == (int(np.flatnonzero(CLEAN.dates == np.datetime64(planted.since))[0]), 27)
    assert odd.copy == (0, 0)


@pytest.mark.parametrize("alpha", [0.01, 0.2])
def test_a_test_is_significant_at_alpha_over_the_number_of_tests(alpha: float) -> None:
    assert np.exp(_patient(alpha).limit) == pytest.approx(alpha / len(judge.TESTS))


def test_only_what_the_record_shows_on_the_same_side_was_seen_before() -> None:
    odd = _patient()
    before, above = odd.judgement.log_p[:, [PLACE]], odd.judgement.above[:, [PLACE]]
    np.testing.assert_array_equal(patient.seen_before(odd, before - 5, above), before)  # a repair cannot make it odder
    np.testing.assert_array_equal(patient.seen_before(odd, before / 2, above), before / 2)
    assert (patient.seen_before(odd, before - 5, ~above) == 0).all()
    versions = np.hstack([before / 2, before - 5, before])
    seen = patient.seen_before(odd, versions, np.hstack([above, above, ~above]))
    np.testing.assert_array_equal(seen, np.hstack([before / 2, before, 0 * before]))


def _follows(share: float, times: float = 1.0) -> float:
    """How a device follows a week of which it has a share, when all that it does is so many times larger."""
    week = 20.0 * (np.arange(120) % 7 < 5)[:, None]
    values = CLEAN.values + week * np.where(np.arange(9) == PLACE, share, 1.0)
    values[:, PLACE] *= times
    judgement = judge.judge(values, CLEAN.dates, np.zeros((2, 9)))
    return patient.patient(judgement, PLACE, PLACE, repeats.find(values), 0.01).follows


def test_it_follows_its_cohort_the_more_the_larger_its_share_of_what_all_do() -> None:
    """1 is usual. Measured against all that the device does: with half the week it follows three quarters as much."""
    assert _follows(0.0) == pytest.approx(0, abs=0.05)
    assert _follows(0.5) == pytest.approx(0.76, abs=0.05)
    assert _follows(1.0) == pytest.approx(1, abs=0.05)
    assert 1.05 < _follows(1.5) < _follows(4.0)
    assert _follows(-1.0) < -0.7
    assert _follows(1.0, times=3.0) == pytest.approx(_follows(1.0), rel=1e-6)


def test_where_nothing_is_shared_it_is_not_known_to_follow() -> None:
    assert np.isnan(_patient().follows)
