"""Devices judged by a cohort of which they are no members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import judge, newcomers
from oddfleet.detect.features import COMPARED
from oddfleet.detect.judge import TESTS, Judgement
from oddfleet.detect.newcomers import Bench
from oddfleet.model import FloatArray, Kind

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Judge

KINDS = [kind for kind in plant.FLEETS if kind != "mixed"]
ALL_BUT_REPEATS = slice(0, len(TESTS) - 2)


def _judged(values: FloatArray) -> Judgement:
    dates = np.datetime64("2020-01-01") + np.arange(len(values))
    with np.errstate(all="ignore"):
        return judge.judge(values, dates, np.zeros((2, values.shape[1])))


def _as_newcomers(cohort: Judgement, values: FloatArray) -> Judgement:
    with np.errstate(all="ignore"):
        return newcomers.judge(Bench.of(cohort), values)


@pytest.mark.parametrize("kind", KINDS)
def test_a_newcomer_is_about_as_surprising_as_it_would_be_as_a_member(kind: str) -> None:
    """Four of 200 hardly move what is usual.

    Log p-values agree within 0.8 and 15 % (measured: 0.66 at most); that of the clearest test, of most devices, within
    a tenth. (A device at the edge of the levels is judged with more doubt where it is among the odd ones itself.)
    """
    fleet = plant.healthy_fleet(kind, 200, 180, seed=3)
    for device, fault in enumerate((Kind.LEVEL_SHIFT, Kind.SPIKES, Kind.WANDER, Kind.SPREAD)):
        fleet = plant.with_fault(fleet, fleet.device_ids[device], fault, seed=device)
    whole = _judged(fleet.values)
    others = _judged(np.delete(fleet.values, range(4), axis=1))
    alone = _as_newcomers(others, fleet.values[:, :4])
    member, newcomer = whole.log_p[ALL_BUT_REPEATS, :4], alone.log_p[ALL_BUT_REPEATS]
    apart = np.abs(member - newcomer) - 0.15 * np.abs(member)
    assert np.quantile(apart, 0.95) < 0.8
    assert np.median(np.abs(newcomer.min(axis=0) / member.min(axis=0) - 1)) < 0.1


@pytest.mark.parametrize("kind", ["weekly", "seasonal", "counts", "lossy"])
def test_a_newcomer_is_judged_by_itself_alone(kind: str) -> None:
    fleet = plant.healthy_fleet(kind, 90, 120, seed=1)
    cohort = _judged(fleet.values[:, :70])
    together = _as_newcomers(cohort, fleet.values[:, 70:])
    for place in (0, 7, 19):
        alone = _as_newcomers(cohort, fleet.values[:, [70 + place]])
        np.testing.assert_allclose(alone.log_p[:, 0], together.log_p[:, place], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(alone.table.values[:, 0], together.table.values[:, place], rtol=1e-9, atol=1e-9)


def test_what_a_cohort_cannot_tell_is_no_surprise() -> None:
    fleet = plant.healthy_fleet("steady", 40, 120, seed=1)
    got = _as_newcomers(_judged(fleet.values[:, :30]), fleet.values[:, 30:])
    assert (got.log_p[[TESTS.index("replay"), TESTS.index("copy")]] == 0).all()
    assert got.log_p.max() <= 0


@pytest.mark.parametrize("kind", KINDS)
def test_p_values_of_healthy_newcomers_hold(kind: str, assert_held: Judge) -> None:
    """Of each test, and of each device by its most surprising one; as for members, up to twice as often in the tail."""
    fleet = plant.healthy_fleet(kind, 1800, 180, seed=4)
    got = _as_newcomers(_judged(fleet.values[:, :300]), fleet.values[:, 300:])
    for test, row in zip(TESTS, got.log_p, strict=True):
        assert (np.exp(row) <= 1e-3).sum() <= 9, test
    devices = np.exp(np.minimum(got.log_p.min(axis=0) + np.log(len(TESTS)), 0.0))
    assert_held(devices, factor=2.0)


def test_newcomers_to_large_fleets_with_a_long_memory_are_not_odd() -> None:
    """Of 6000 p-values 0.6 fall below 1e-4; it were 19 of spreads, 11 of steps and of drifts (as for members)."""
    below = np.zeros(len(TESTS))
    for seed in (4, 9, 10):
        values = plant.healthy_fleet("wandering", 3000, seed=seed).values
        below += (_as_newcomers(_judged(values[:, :1000]), values[:, 1000:]).log_p <= np.log(1e-4)).sum(axis=1)
    assert dict(zip(TESTS, below, strict=True)) == {test: pytest.approx(0, abs=6) for test in TESTS}


@pytest.mark.parametrize("members", [20, 700])
def test_a_newcomer_takes_the_last_place_among_its_cohort(members: int) -> None:
    fleet = plant.healthy_fleet("weekly", members + 5, 90, seed=2)
    cohort = _judged(fleet.values[:, :members])
    found = _as_newcomers(cohort, fleet.values[:, members:])
    seated = newcomers.among(cohort, found, 3)
    jury = min(members, judge.MOST_OTHERS)
    assert seated.log_p.shape == (len(TESTS), jury + 1)
    np.testing.assert_array_equal(seated.log_p[:, -1], found.log_p[:, 3])
    np.testing.assert_array_equal(seated.block.values[:, -1], fleet.values[:, members + 3])
    first = judge.jury_of(members, -1)[0]
    np.testing.assert_array_equal(seated.loose.values[:, 0], cohort.loose.values[:, first])
    assert seated.table.values.shape == (len(COMPARED), jury + 1)
    assert seated.common.part.shape == seated.block.residual.shape == (90, jury + 1)
    assert len(seated.scale.units) == len(seated.learnt.far.days) == jury + 1
    # Untouched, it is as surprising as before: the same jury says so.
    with np.errstate(all="ignore"):
        again, _ = judge.judge_again(seated, jury, seated.block.residual[:, [jury]])
    np.testing.assert_allclose(again[: len(COMPARED), 0], found.log_p[: len(COMPARED), 3], rtol=0.2, atol=0.6)
