from __future__ import annotations

from math import isnan, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import features, moments, scores
from oddfleet.detect.features import COMPARED, FEWEST_DAYS, SCORED
from oddfleet.model import DateArray, FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

DISTRIBUTION = [COMPARED.index(name) for name in (*moments.MOMENTS, "distinct_share", "spike_log")]


def _dates(n_days: int) -> DateArray:
    return np.datetime64("2020-01-01") + np.arange(n_days)


def _compute(values: FloatArray) -> features.FeatureTable:
    return features.compute(values, values, _dates(len(values)))


def _assert_unit_is_nothing(values: FloatArray, factor: float) -> None:
    moved = _compute(values * factor).values - _compute(values).values
    expected = np.where(np.arange(len(COMPARED)) < 2, np.log(factor), 0.0)
    np.testing.assert_allclose(moved, np.repeat(expected[:, None], values.shape[1], axis=1), atol=1e-8)


@pytest.fixture
def values(draw: Draw) -> FloatArray:
    """Twelve devices of 120 days, counting in tenths of a MB, with days not observed."""
    series = 100 + np.round(draw("lognormal", (120, 12)), 1)
    series[draw("uniform", series.shape, seed=2) < 0.1] = np.nan
    return series


def test_every_row_is_the_feature_of_its_name(values: FloatArray) -> None:
    table, seen = _compute(values), np.isfinite(values)
    ranked = scores.normal_scores(values)
    away: FloatArray = np.abs(values - np.nanmedian(values, axis=0)).round(9)
    folded = scores.normal_scores(away)
    weekday = np.array([day.weekday() for day in _dates(120).tolist()])
    expected = {
        "level_log_mb": np.log(np.nanmean(values, axis=0)),
        "skewness_l": moments.moments(values)[2],
        "distinct_share": features.distinct_share(values),
        "weekly_score": scores.rhythm_score(ranked, seen, weekday),
        "cycle_score": scores.cycle_score(ranked),
        "memory_score": scores.memory_score(ranked, seen),
        "drift_score": scores.drift_score(ranked, seen),
        "shift_score": scores.change_score(ranked, seen),
        "volatility_score": scores.change_score(folded, seen),
        "spike_log": features.spike_log(values),
    }
    for name, row in expected.items():
        np.testing.assert_allclose(table.row(name), row, rtol=1e-12, err_msg=name)
    assert table.values.shape == table.errors.shape == (len(COMPARED), 12)


def test_errors_are_batch_means_counts_ones_and_the_law_of_the_maximum(values: FloatArray) -> None:
    table = _compute(values)
    assert table.batches == 120 // 14
    np.testing.assert_array_equal(table.errors[:4], moments.batch_errors(values, 8))
    np.testing.assert_allclose(table.errors[4], 1 / np.isfinite(values).sum(axis=0))
    assert (table.errors[5:-1] == 1).all()
    np.testing.assert_array_equal(table.errors[-1], features.spike_error(np.isfinite(values).sum(axis=0)))


@pytest.mark.parametrize(("n_days", "batches"), [(28, 2), (41, 2), (42, 3), (139, 9), (140, 10), (400, 10)])
def test_number_of_batches(draw: Draw, n_days: int, batches: int) -> None:
    assert _compute(draw("uniform", (n_days, 2))).batches == batches


def test_only_the_distinct_share_sees_what_the_fleet_shares(values: FloatArray) -> None:
    residual = values + np.random.default_rng(3).normal(0, 9, (120, 1))
    table = features.compute(values, residual, _dates(120))
    apart, alone = _compute(values), _compute(residual)
    for name in COMPARED:
        source = apart if name == "distinct_share" else alone
        np.testing.assert_array_equal(table.row(name), source.row(name), err_msg=name)


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
    assert np.isfinite(table.values).all() == compared
    assert np.isfinite(table.values).any() == compared
    if not compared:
        assert np.isnan(table.errors).all()


def test_distinct_share_by_sets(values: FloatArray) -> None:
    for device, got in enumerate(features.distinct_share(values)):
        seen = [value for value in values[:, device].tolist() if not isnan(value)]
        assert got == pytest.approx(len(set(seen)) / len(seen))
    assert np.isnan(features.distinct_share(np.full((3, 1), np.nan))).all()


def test_spike_log_by_loops(values: FloatArray) -> None:
    for device, got in enumerate(features.spike_log(values)):
        seen = [value for value in values[:, device].tolist() if not isnan(value)]
        away = [abs(value - float(np.median(seen))) for value in seen]
        assert got == pytest.approx(log(max(away) / (sum(away) / len(away)) / sqrt(pi / 2)))


@pytest.mark.parametrize("count", [1, 28, 366, 5000])
def test_spike_error_is_the_scatter_of_the_log_of_the_furthest_of_many(count: int) -> None:
    sixteen, eighty_four = stats.halfnorm.ppf(stats.norm.cdf([-1, 1]) ** (1 / count))
    assert features.spike_error(np.array([count])).tolist()[0] == pytest.approx(log(eighty_four / sixteen) / 2)


def test_spike_error_of_no_observation_is_finite() -> None:
    assert np.isfinite(features.spike_error(np.array([0]))).all()


@pytest.mark.parametrize("n_days", [28, 100, 366])
def test_spike_error_is_how_normal_noise_scatters(draw: Draw, n_days: int) -> None:
    spikes = features.spike_log(draw("normal", (n_days, 8000), seed=6))
    low, high = (float(np.quantile(spikes, chance)) for chance in (0.1587, 0.8413))
    assert (high - low) / 2 == pytest.approx(features.spike_error(np.array([n_days]))[0], rel=0.1)


@pytest.mark.parametrize("series", [[np.nan] * 4, [0.1] * 4, [3.0] + [np.nan] * 3])
def test_nothing_is_furthest_without_variation(series: list[float]) -> None:
    assert np.isnan(features.spike_log(np.array(series)[:, None])).all()


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
    ],
)
def test_a_planted_fault_is_seen_by_its_feature(draw: Draw, name: str, plant: Draw) -> None:
    noise, place = draw("normal", (366, 20)), COMPARED.index(name)
    sick, well = _compute(plant(noise, np.arange(366)[:, None])), _compute(noise)
    usual = np.median(well.values[place]) if name == "spike_log" else 0.0  # the others stand for themselves at 0
    assert ((sick.values[place] - usual) / sick.errors[place]).min() > 3
