from __future__ import annotations

from collections import Counter
from functools import partial
from math import isnan, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from oddfleet.detect import features, moments, ranks, scores, steps, threads
from oddfleet.detect.features import COMPARED, EXTREMES, FEWEST_DAYS, RANKS, SCORED, Block
from oddfleet.detect.habits import Habits, own_days, weekdays
from oddfleet.model import DateArray, FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

DISTRIBUTION = [COMPARED.index(name) for name in (*moments.MOMENTS, "distinct_share", *EXTREMES)]
OWN = slice(0, COMPARED.index("spikes_score"))
"""Every feature but what the fleet has to say."""
NO_HABITS = Habits(weekly=False, memory=np.zeros(0))


def _dates(n_days: int) -> DateArray:
    return np.datetime64("2020-01-01") + np.arange(n_days)


def _compute(values: FloatArray, habits: Habits = NO_HABITS) -> features.FeatureTable:
    dates, block = _dates(len(values)), Block(values, values, values)
    return features.compute(block, own_days(values, weekdays(dates), habits), dates, habits)


def _assert_unit_is_nothing(values: FloatArray, factor: float) -> None:
    moved = _compute(values * factor).values - _compute(values).values
    expected = np.where(np.arange(len(COMPARED)) < 2, np.log(factor), 0.0)
    np.testing.assert_allclose(moved[OWN], np.repeat(expected[OWN, None], values.shape[1], axis=1), atol=1e-8)


@pytest.fixture
def values(draw: Draw) -> FloatArray:
    """Twelve devices of 120 days, counting in tenths of a MB, with days not observed."""
    series = 100 + np.round(draw("lognormal", (120, 12)), 1)
    series[draw("uniform", series.shape, seed=2) < 0.1] = np.nan
    return series


def test_every_row_is_the_feature_of_its_name(values: FloatArray) -> None:
    table, seen = _compute(values), np.isfinite(values)
    ranked = ranks.normal_scores(values)
    away: FloatArray = np.abs(values - np.nanmedian(values, axis=0)).round(9)
    folded = ranks.normal_scores(away)
    weekday = np.array([day.weekday() for day in _dates(120).tolist()])
    expected = {
        **dict(zip(moments.MOMENTS, moments.moments(values), strict=True)),
        "level_log_mb": np.log(np.nanmean(values, axis=0)),
        "distinct_share": features.distinct_share(values),
        "weekly_score": scores.rhythm_score(ranked, seen, weekday),
        "cycle_score": scores.cycle_score(ranked),
        "memory_score": scores.memory_score(ranked, seen),
        "drift_score": scores.drift_score(ranked, seen),
        "shift_score": steps.change_score(ranked, seen),
        "volatility_score": steps.change_score(folded, seen),
        **dict(
            zip(
                EXTREMES,
                features.extremes(
                    np.sort(values, axis=0), moments.observed_mean(values), np.exp(moments.moments(values)[1])
                ),
                strict=True,
            )
        ),
        "spikes_score": np.full(12, np.nan),
        "coupling_share": np.full(12, np.nan),
    }
    assert list(expected) == list(COMPARED)
    for name, row in expected.items():
        np.testing.assert_allclose(table.row(name), row, rtol=1e-12, err_msg=name)
    assert table.values.shape == table.errors.shape == (len(COMPARED), 12)


def test_errors_are_batch_means_new_values_ones_and_the_law_of_the_furthest(values: FloatArray) -> None:
    table = _compute(values)
    assert table.batches == 120 // 14
    errors = dict(zip(COMPARED, table.errors, strict=True))
    for name, expected in zip(moments.MOMENTS, moments.batch_errors(moments.moments, values, 8), strict=True):
        np.testing.assert_allclose(errors[name], expected, rtol=1e-9)
    np.testing.assert_array_equal(errors["distinct_share"], features.distinct(values)[1])
    assert all((errors[name] == 1).all() for name in (*SCORED, "spikes_score"))
    furthest = features.extreme_errors(np.isfinite(values).sum(axis=0))
    np.testing.assert_array_equal([errors[name] for name in EXTREMES], furthest)
    assert np.isnan(errors["coupling_share"]).all()


@pytest.mark.parametrize(("n_days", "batches"), [(28, 2), (41, 2), (42, 3), (139, 9), (140, 10), (400, 10)])
def test_number_of_batches(draw: Draw, n_days: int, batches: int) -> None:
    assert _compute(draw("uniform", (n_days, 2))).batches == batches


def test_each_feature_looks_at_its_own_series(values: FloatArray) -> None:
    freed, residual = (values + np.random.default_rng(seed).normal(0, 9, (120, 1)) for seed in (3, 4))
    table = features.compute(Block(values, freed, residual), residual, _dates(120), NO_HABITS)
    sources = {"distinct_share": _compute(values), "level_log_mb": _compute(freed)}
    for name in COMPARED:
        source, place = sources.get(name, _compute(residual)), COMPARED.index(name)
        np.testing.assert_array_equal(table.row(name), source.row(name), err_msg=name)
        np.testing.assert_array_equal(table.errors[place], source.errors[place], err_msg=name)


@pytest.mark.parametrize("weekly", [True, False])
@pytest.mark.parametrize("memory", [(), (0.5, 0.2)])
def test_habits_are_taken_out_first_but_the_week_where_it_is_looked_for(
    values: FloatArray, weekly: bool, memory: tuple[float, ...]
) -> None:
    habits, weekday = Habits(weekly=weekly, memory=np.array(memory)), weekdays(_dates(120))
    table = _compute(values, habits)
    own, with_week = (own_days(values, weekday, habits, weekly=kept) for kept in (False, True))
    sources = dict.fromkeys(("level_log_mb", "distinct_share"), _compute(values)) | {
        "weekly_score": _compute(with_week)
    }
    count = COMPARED.index("spike_log")
    for name in COMPARED:
        source = sources.get(name, _compute(own))
        np.testing.assert_allclose(table.row(name), source.row(name), rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_array_equal(table.errors[count], _compute(values).errors[count])


def test_days_without_observation_are_as_if_they_were_not(draw: Draw) -> None:
    whole = 9 + draw("normal", (90, 5))
    holes = np.insert(whole, [0, 13, 50, 50, 90], np.nan, axis=0)
    got, expected = _compute(holes).values[DISTRIBUTION], _compute(whole).values[DISTRIBUTION]
    np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.parametrize("factor", [1e-9, 1000.0, 1e15])
def test_another_unit_moves_level_and_spread_only(draw: Draw, factor: float) -> None:
    _assert_unit_is_nothing(100 + draw("lognormal", (121, 12)), factor)  # odd: no two days equally far from the median


@pytest.mark.parametrize("factor", [1e-9, 0.1, 1000.0, 1e15])
def test_another_unit_is_nothing_to_a_device_that_counts(values: FloatArray, factor: float) -> None:
    _assert_unit_is_nothing(values, factor)


def test_devices_are_summed_up_one_by_one(values: FloatArray) -> None:
    order = np.random.default_rng(4).permutation(12)
    whole = _compute(values)
    np.testing.assert_allclose(_compute(values[:, order]).values, whole.values[:, order], rtol=1e-9)
    np.testing.assert_allclose(_compute(values[:, 3:5]).errors, whole.errors[:, 3:5], rtol=1e-9)


@pytest.mark.parametrize("at_once", [1, 5, 11, 12])
@pytest.mark.parametrize("remembered", [False, True])
def test_parts_on_all_processors_make_the_same_table(
    monkeypatch: pytest.MonkeyPatch, values: FloatArray, at_once: int, remembered: bool
) -> None:
    monkeypatch.setattr(threads, "at_once", lambda _days: at_once)
    monkeypatch.setattr(threads, "usable_processors", lambda: 2)
    dates, memory = _dates(len(values)), np.linspace(-1, 1, 12) if remembered else None
    block = Block(values, values + 1, values, np.cos(np.arange(120) / 9)[:, None] + values / 50)
    whole = features.compute(block, values, dates, NO_HABITS, memory)
    parts = features.compute_in_parts(block, values, dates, NO_HABITS, memory)
    np.testing.assert_allclose(parts.values, whole.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.errors, whole.errors, rtol=1e-9)
    assert parts.batches == whole.batches


def test_the_series_are_not_changed(values: FloatArray) -> None:
    before = values.copy()
    _compute(values, Habits(weekly=True, memory=np.array([0.3])))
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("n_days", [0, 1, 2, 5, 16, FEWEST_DAYS - 1])
def test_a_record_of_a_few_days_compares_nothing(draw: Draw, n_days: int) -> None:
    table = _compute(draw("normal", (n_days, 3)))
    assert table.values.shape == table.errors.shape == (len(COMPARED), 3)
    assert np.isnan(table.values).all()
    assert np.isnan(table.errors).all()


@pytest.mark.parametrize(
    ("series", "compared"),
    [
        (np.full(60, np.nan), False),
        (np.zeros(60), False),
        (np.full(60, 0.1), False),
        (np.where(np.arange(60) == 7, 1e15, np.nan), False),
        (np.where(np.arange(60) < FEWEST_DAYS - 1, np.arange(60.0), np.nan), False),
        (np.where(np.arange(60) < FEWEST_DAYS, np.arange(60.0), np.nan), True),
        (np.where(np.arange(60) == 7, 1e15, 1e-9), True),
        (np.tile([0.0, 1e-9], 30), True),
    ],
)
def test_which_devices_are_compared(series: FloatArray, compared: bool) -> None:
    table = _compute(series[:, None])
    assert np.isfinite(table.values[OWN]).all() == compared
    assert np.isfinite(table.values).any() == compared
    if not compared:
        assert np.isnan(table.errors).all()


def test_distinct_share_by_sets(values: FloatArray) -> None:
    for device, got in enumerate(features.distinct_share(values)):
        seen = [value for value in values[:, device].tolist() if not isnan(value)]
        assert got == pytest.approx(len(set(seen)) / len(seen))
    assert np.isnan(features.distinct_share(np.full((3, 1), np.nan))).all()


def test_values_that_differ_by_rounding_are_one() -> None:
    values = np.array([0.1 + 0.2, 0.3, 0.3, 7e3 / 3, 7e3 / 3 * (1 + 1e-15), np.nan])[:, None]
    assert features.distinct_share(values).tolist() == [2 / 5]
    assert features.distinct_share(np.array([[1e-9], [2e-9], [0.0]])).tolist() == [1]


@pytest.mark.parametrize("lost", [True, False])
def test_distinct_error_by_counting(values: FloatArray, lost: bool) -> None:
    series = values if lost else np.where(np.isfinite(values), values, 100.0)
    for device, got in enumerate(features.distinct(series)[1]):
        seen = [value for value in series[:, device].tolist() if not isnan(value)]
        once = sum(times == 1 for times in Counter(seen).values())
        assert got == pytest.approx(sqrt(max(once * (1 - once / len(seen)), 1.0)) / len(seen))


def test_distinct_error_of_nothing_is_finite() -> None:
    assert np.isfinite(features.distinct(np.full((3, 1), np.nan))[1]).all()
    assert np.isfinite(features.distinct(np.zeros((0, 2)))[1]).all()


@pytest.mark.parametrize("values_in_all", [30, 300, 3000])
def test_distinct_error_is_not_below_how_equal_devices_scatter(draw: Draw, values_in_all: int) -> None:
    values = np.floor(values_in_all * draw("uniform", (366, 2000)))
    scatter = features.distinct_share(values).std()
    assert scatter < np.median(features.distinct(values)[1]) < 3 * max(scatter, 1 / 366)


def test_extremes_by_loops(values: FloatArray) -> None:
    spread = 0.5 + np.arange(12.0)
    got = features.extremes(np.sort(values, axis=0), moments.observed_mean(values), spread)
    for device, usual in enumerate(spread.tolist()):
        seen = [value for value in values[:, device].tolist() if not isnan(value)]
        away = sorted(abs(value - sum(seen) / len(seen)) for value in seen)
        for place, rank in enumerate(RANKS):
            assert got[place, device] == pytest.approx(log(away[-rank] / usual / sqrt(pi / 2)))


@pytest.mark.parametrize("count", [4, 28, 366, 5000])
def test_extreme_errors_are_the_scatter_of_the_log_of_the_furthest_of_many(count: int) -> None:
    got = features.extreme_errors(np.array([count]))
    for place, rank in enumerate(RANKS):
        ends = []
        for chance in (0.15865525393145707, 0.8413447460685429):  # one standard deviation to either side
            # The rank-th furthest is nearer than x when fewer than rank are further.
            law = partial(_nearer, count=count, rank=rank, chance=chance)
            ends.append(brentq(law, 1e-6, 10, xtol=1e-13))
        assert got[place, 0] == pytest.approx(log(ends[1] / ends[0]) / 2, rel=1e-6)


def _nearer(x: float, *, count: int, rank: int, chance: float) -> float:
    return float(stats.binom.cdf(rank - 1, count, stats.halfnorm.sf(x)) - chance)


def test_extreme_errors_of_no_observation_are_finite() -> None:
    assert np.isfinite(features.extreme_errors(np.array([0, 1, 2]))).all()


def _scatter(far: FloatArray) -> FloatArray:
    low, high = np.quantile(far, stats.norm.cdf([-1, 1]), axis=1)
    half: FloatArray = (high - low) / 2
    return half


TOO_WIDE = pytest.mark.xfail(strict=True, reason="in few days the furthest move the yardstick too, and scatter less")


@pytest.mark.parametrize("n_days", [pytest.param(28, marks=TOO_WIDE), pytest.param(100, marks=TOO_WIDE), 366])
def test_extreme_errors_are_how_normal_noise_scatters(draw: Draw, n_days: int) -> None:
    noise = draw("normal", (n_days, 8000), seed=6)
    far = features.extremes(np.sort(noise, axis=0), moments.observed_mean(noise), np.exp(moments.moments(noise)[1]))
    np.testing.assert_allclose(_scatter(far), features.extreme_errors(np.array([n_days]))[:, 0], rtol=0.1)


@pytest.mark.parametrize("n_days", [28, 100, 366])
def test_extreme_errors_are_how_normal_noise_of_known_spread_scatters(draw: Draw, n_days: int) -> None:
    noise = draw("normal", (n_days, 8000), seed=6)
    far = features.extremes(np.sort(noise, axis=0), noise.mean(axis=0), np.full(8000, sqrt(2 / pi)))
    np.testing.assert_allclose(_scatter(far), features.extreme_errors(np.array([n_days]))[:, 0], rtol=0.1)


@pytest.mark.parametrize("series", [[np.nan] * 4, [0.1] * 4, [3.0] + [np.nan] * 3])
def test_nothing_is_furthest_without_variation(series: list[float]) -> None:
    values = np.array(series)[:, None]
    for spread in (np.exp(moments.moments(values)[1]), np.zeros(1)):
        assert np.isnan(features.extremes(np.sort(values, axis=0), moments.observed_mean(values), spread)).all()


@pytest.mark.parametrize("law", ["normal", "lognormal", "exponential", "student"])
def test_scores_of_days_in_any_order_are_no_surprise(draw: Draw, assert_held: Judge, law: str) -> None:
    table = _compute(draw(law, (366, 6000), seed=5))
    for name in SCORED:
        assert_held(stats.norm.sf(table.row(name)), least=0.7)


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("weekly_score", lambda noise, day: noise + (day % 7 == 2)),
        ("cycle_score", lambda noise, day: noise + np.sin(day * 2 * np.pi / 11)),
        ("memory_score", lambda noise, day: noise + np.roll(noise, 1, axis=0)),
        ("drift_score", lambda noise, day: noise + day / 366),
        ("shift_score", lambda noise, day: noise + (day > 200)),
        ("volatility_score", lambda noise, day: noise * (1 + (day > 200))),
        ("spike_log", lambda noise, day: noise + 12 * (day == 100)),
        ("spikes_log", lambda noise, day: noise + 12 * np.isin(day, [9, 100, 300])),
    ],
)
def test_a_planted_fault_is_seen_by_its_feature(draw: Draw, name: str, plant: Draw) -> None:
    noise, place = draw("normal", (366, 20)), COMPARED.index(name)
    sick, well = _compute(plant(noise, np.arange(366)[:, None])), _compute(noise)
    usual = np.median(well.values[place]) if name in EXTREMES else 0.0  # the others stand for themselves at 0
    assert ((sick.values[place] - usual) / sick.errors[place]).min() > 3
