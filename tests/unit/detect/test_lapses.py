from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from oddfleet.detect import lapses, predictive, promises, runs
from oddfleet.detect.runs import longest_run
from oddfleet.model import FloatArray
from tests.unit.detect.test_predictive import How, predictive_p

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge


@pytest.mark.parametrize("lengths", [[], [366], [0, 366]])
def test_of_two_lengths_none_is_usual(lengths: list[int]) -> None:
    assert lapses.log_surprise_of_lengths(np.array(lengths, int)).tolist() == [-np.inf] * len(lengths)


@pytest.mark.parametrize("lengths", [[1, 2, 30], [4, 5, 4, 6, 3, 90], [0, 0, 0, 1, 0, 2, 12]])
def test_lengths_are_judged_above_the_others_only(lengths: list[int]) -> None:
    got = np.exp(lapses.log_surprise_of_lengths(np.array(lengths)))
    logs = np.log(np.array(lengths) + 1.0)
    for device in range(len(lengths)):
        others = np.delete(logs, device)
        expected = predictive_p(logs[device], others, lapses.LENGTH_ERROR, predictive.USUAL_PRIOR, How())
        above = logs[device] > others.mean()
        assert got[device] == pytest.approx(expected if above else 1.0, rel=1e-3)


def test_a_long_stretch_among_short_ones_is_a_surprise_and_among_long_ones_none() -> None:
    short, long = np.full(30, 3), np.arange(30) % 10 * 9
    short[4] = long[4] = 80
    assert np.flatnonzero(lapses.log_surprise_of_lengths(short) < np.log(1e-4)).tolist() == [4]
    assert lapses.log_surprise_of_lengths(long).min() > np.log(0.05)
    assert (lapses.log_surprise_of_lengths(np.full(30, 200)) == 0).all()


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
@pytest.mark.parametrize(("n_devices", "factor"), [(3, 1.0), (10, 1.5), (100, 2.0)])
def test_stretches_of_independent_days_are_no_surprise(
    draw: Draw, assert_held: Judge, n_devices: int, factor: float, rate: float
) -> None:
    days = draw("uniform", (366, 1500)) < rate
    lengths = longest_run(days)[1].reshape(-1, n_devices)
    p = np.exp(np.concatenate([lapses.log_surprise_of_lengths(cohort) for cohort in lengths]))
    assert_held(p, factor=factor)


def _lapsing(draw: Draw, *, lost: float, stuck: float, devices: int = 60) -> FloatArray:
    """Devices of 120 days with lost days, days that repeat the one before, and now and then a silent one."""
    values = 100 + draw("normal", (120, devices))
    chance = draw("uniform", (3, 120, devices), seed=2)
    for day in range(1, 120):
        values[day] = np.where(chance[0, day] < stuck, values[day - 1], values[day])
    values[chance[1] < 0.002] = 0.0
    values[chance[2] < lost] = np.nan
    return values


@pytest.mark.parametrize(("lost", "stuck"), [(0.0, 0.0), (0.01, 0.0), (0.1, 0.05)])
def test_rows_are_the_tests_they_are_named_for(draw: Draw, lost: float, stuck: float) -> None:
    values = _lapsing(draw, lost=lost, stuck=stuck)
    got = dict(zip(lapses.TESTS, lapses.log_surprises(values), strict=True))
    np.testing.assert_array_equal(got["lost_days"], promises.log_surprise_of_lost(np.isnan(values)))
    np.testing.assert_array_equal(got["silent_days"], promises.log_surprise_of_lost(values == 0))
    alone, lengths = runs.log_surprise_stuck(values)
    np.testing.assert_array_equal(got["stuck_run"], np.maximum(alone, lapses.log_surprise_of_lengths(lengths)))


@pytest.mark.parametrize(("lost", "stuck"), [(0.0, 0.0), (0.01, 0.0), (0.1, 0.05)])
def test_a_newcomer_is_as_surprising_as_it_would_be_as_a_member(draw: Draw, lost: float, stuck: float) -> None:
    """The others say the same of a device whether it sits among them or not; but for rates, which are of all."""
    values = _lapsing(draw, lost=lost, stuck=stuck)
    values[30:45, 0] = 0.0
    values[30:50, 1] = np.nan
    values[30:50, 2] = 77.0
    as_members = lapses.log_surprises(values)
    for device in (0, 1, 2, 3):
        others = lapses.usual(np.delete(values, device, axis=1))
        alone = lapses.log_surprises_of(values[:, [device]], others)[:, 0]
        np.testing.assert_allclose(alone, as_members[:, device], rtol=0.05, atol=0.02)
    assert np.argmin(as_members[:, 0]) in (0, 1)


@pytest.mark.parametrize("counts", [[0, 1, 0, 2, 5, 0, 1, 9], [4, 3, 6, 5, 12, 4, 5, 3]])
def test_days_lost_by_a_newcomer_are_judged_by_the_others_alone(counts: list[int]) -> None:
    lost = np.arange(60)[:, None] < np.array(counts)
    for device in range(len(counts)):
        usual = promises.usual_loss(np.delete(lost, device, axis=1))
        got = promises.log_surprise_of_loss(lost[:, [device]], usual)[0]
        rest = np.delete(np.array(counts, float), device)
        capped = np.minimum(rest, np.sort(rest)[-1 - int(0.1 * len(rest))] + 2)
        assert (usual.total, usual.squares, usual.devices) == (capped.sum(), (capped**2).sum(), len(rest))
        expected = promises._log_surprise_of_counts(
            np.array([counts[device]], float), capped.sum(), (capped**2).sum(), len(rest)
        )[0]
        if np.median(rest) >= promises.OFTEN:
            heard = predictive.usual(np.sqrt(rest), 0.5)
            away = predictive.hear(heard, np.sqrt(np.array([counts[device]], float)), np.array([0.5]))
            expected = max(expected, predictive.log_upper_tail(away)[0])
        assert got == pytest.approx(expected)


def test_where_silence_is_a_number_like_any_other_no_newcomer_is_odd_for_it() -> None:
    counted = np.random.default_rng(1).poisson(2.0, (200, 30)).astype(float)
    assert lapses.usual(counted).silent is None
    silent = dict(zip(lapses.TESTS, lapses.log_surprises_of(counted[:, :1], lapses.usual(counted)), strict=True))
    assert silent["silent_days"][0] == 0


@pytest.mark.parametrize(("lost", "stuck"), [(0.0, 0.0), (0.01, 0.0), (0.05, 0.03)])
def test_lapses_of_healthy_newcomers_are_no_surprise(draw: Draw, assert_held: Judge, lost: float, stuck: float) -> None:
    values = _lapsing(draw, lost=lost, stuck=stuck, devices=1500)
    usual = lapses.usual(values[:, :300])
    for row in np.exp(lapses.log_surprises_of(values[:, 300:], usual)):
        assert_held(row, factor=2.0)
