from __future__ import annotations

from itertools import combinations
from math import comb, isnan, log, pi, sqrt
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from oddfleet.detect import moments
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

LEVEL, SPREAD, SKEWNESS, KURTOSIS = range(4)


def _l_moment(sample: FloatArray, order: int) -> float:
    """By definition: contrasts of the expected order statistics of ``order`` draws, over all subsets of that size."""
    subsets = [sorted(subset) for subset in combinations(sample.tolist(), order)]
    contrasts = [sum((-1) ** k * comb(order - 1, k) * s[order - 1 - k] for k in range(order)) for s in subsets]
    return float(sum(contrasts) / len(contrasts) / order)


@pytest.mark.parametrize("law", ["normal", "exponential", "student"])
@pytest.mark.parametrize("n_days", [4, 5, 9])
def test_shapes_are_l_moments_by_definition(draw: Draw, law: str, n_days: int) -> None:
    sample = 10 + draw(law, (n_days,), seed=n_days)
    got = moments.moments(sample[:, None])[:, 0]
    scale = _l_moment(sample, 2)
    assert got[SKEWNESS] == pytest.approx(_l_moment(sample, 3) / scale, abs=1e-12)
    assert got[KURTOSIS] == pytest.approx(_l_moment(sample, 4) / scale, abs=1e-12)


@pytest.mark.parametrize(
    ("law", "skewness", "kurtosis"),
    [("normal", 0, 0.1226), ("uniform", 0, 0), ("exponential", 1 / 3, 1 / 6), ("student", 0, 0.2612)],
)
def test_shapes_of_known_laws(draw: Draw, law: str, skewness: float, kurtosis: float) -> None:
    got = moments.moments(draw(law, (1000, 40))).mean(axis=1)
    np.testing.assert_allclose(got[[SKEWNESS, KURTOSIS]], [skewness, kurtosis], atol=0.01)


def test_level_and_spread_by_loops(draw: Draw) -> None:
    values = draw("exponential", (30, 3))
    for device, got in enumerate(moments.moments(values).T):
        series = values[:, device].tolist()
        differences = [abs(one - other) for one, other in combinations(series, 2)]
        half_gini = sum(differences) / len(differences) / 2
        assert got[LEVEL] == pytest.approx(log(sum(series) / 30))
        assert got[SPREAD] == pytest.approx(log(half_gini * sqrt(2)))


def test_spread_of_normal_noise_is_its_mean_absolute_deviation(draw: Draw) -> None:
    values = draw("normal", (2000, 40)) * 3
    assert moments.moments(values)[SPREAD].mean() == pytest.approx(log(3 * sqrt(2 / pi)), abs=0.005)
    np.testing.assert_allclose(moments.moments(values)[SPREAD], np.log(moments.mean_deviation(values)), atol=0.03)


def test_days_without_observation_are_as_if_they_were_not(draw: Draw) -> None:
    values = 5 + draw("normal", (40, 1))
    holes = np.insert(values, [0, 7, 7, 40], np.nan, axis=0)
    np.testing.assert_allclose(moments.moments(holes), moments.moments(values), rtol=1e-12)
    np.testing.assert_array_equal(moments.median(holes), moments.median(values))


@pytest.mark.parametrize("factor", [1e-9, 1000.0, 1e15])
def test_another_unit_shifts_level_and_spread_and_leaves_shapes(draw: Draw, factor: float) -> None:
    values = draw("lognormal", (50, 4))
    moved = moments.moments(values * factor) - moments.moments(values)
    np.testing.assert_allclose(moved, np.array([log(factor), log(factor), 0, 0])[:, None] + np.zeros(4), atol=1e-9)


def test_a_mirrored_series_leans_the_other_way(draw: Draw) -> None:
    values = draw("exponential", (50, 1))
    there, back = moments.moments(values)[:, 0], moments.moments(9 - values)[:, 0]
    np.testing.assert_allclose(back[1:], there[1:] * [1, -1, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("series", "known"),
    [
        ([np.nan] * 5, []),
        ([0.0] * 5, []),
        ([0.1] * 5, [LEVEL]),
        ([7.0] + [np.nan] * 4, [LEVEL]),
        ([1e15] * 5, [LEVEL]),
        ([1e-9, 3e-9, np.nan, np.nan], [LEVEL, SPREAD]),
        ([-5.0, -4.0, -3.0, -1.0], [SPREAD, SKEWNESS, KURTOSIS]),
        ([1.0, 1.0, 2.0, 2.0], [LEVEL, SPREAD, SKEWNESS, KURTOSIS]),
    ],
)
def test_what_cannot_be_told_is_nan(series: list[float], known: list[int]) -> None:
    got = moments.moments(np.array(series)[:, None])[:, 0]
    assert np.flatnonzero(np.isfinite(got)).tolist() == known


@pytest.mark.parametrize("n_days", [1, 2, 5, 6])
def test_median_leaves_nan_out(draw: Draw, n_days: int) -> None:
    values = draw("normal", (n_days, 200))
    values[draw("uniform", values.shape) < 0.4] = np.nan
    known = np.isfinite(values).any(axis=0)
    got = moments.median(values)
    np.testing.assert_allclose(got[known], np.nanmedian(values[:, known], axis=0), rtol=1e-12)
    assert np.isnan(got[~known]).all()


@pytest.mark.parametrize("n_days", [1, 2, 30])
def test_means_by_loops(draw: Draw, n_days: int) -> None:
    values = draw("normal", (n_days, 200))
    values[draw("uniform", values.shape, seed=2) < 0.4] = np.nan
    mean, away, level = moments.observed_mean(values), moments.mean_deviation(values), moments.level(values)
    assert level.shape == (1, 200)
    for device in range(200):
        seen = [value for value in values[:, device].tolist() if not isnan(value)]
        if seen:
            usual = sum(seen) / len(seen)
            assert mean[device] == pytest.approx(usual)
            assert away[device] == pytest.approx(sum(abs(value - median(seen)) for value in seen) / len(seen))
            assert level[0, device] == pytest.approx(log(usual) if usual > 0 else np.nan, nan_ok=True)
        else:
            assert np.isnan([mean[device], away[device], level[0, device]]).all()


def test_robust_spread_by_sorting(draw: Draw) -> None:
    values = draw("student", (301,))
    middle = sorted(values.tolist())[150]
    assert moments.robust_spread(values) == pytest.approx(
        1.4826 * sorted(abs(v - middle) for v in values.tolist())[150]
    )
    assert moments.robust_spread(4 * draw("normal", (20_000,))) == pytest.approx(4, rel=0.02)
    assert moments.robust_spread(np.append(np.zeros(20), 1e9)) == 0


def test_errors_of_any_statistic(draw: Draw) -> None:
    values = 5 + draw("normal", (360, 300))
    got = moments.batch_errors(lambda part: part.mean(axis=0, keepdims=True), values, 12)
    assert got.shape == (1, 300)
    assert moments.pooled_error(got[0], 12) == pytest.approx(1 / sqrt(360), rel=0.1)


def test_batch_errors_by_loops(draw: Draw) -> None:
    values = 3 + draw("normal", (43, 3))
    values[:11, 1] = np.nan
    values[:33, 2] = np.nan
    parts = [values[:11], values[11:22], values[22:33], values[33:]]
    got = moments.batch_errors(moments.moments, values, 4)
    for device, n_parts in ((0, 4), (1, 3)):
        scatter = np.array([moments.moments(part)[:, device] for part in parts[4 - n_parts :]])
        np.testing.assert_allclose(got[:, device], scatter.std(axis=0, ddof=1) / np.sqrt(n_parts), rtol=1e-9)
    assert np.isnan(got[:, 2]).all()  # one part says nothing about scatter


def test_equal_parts_leave_no_error_but_rounding_which_is_none(draw: Draw) -> None:
    weeks = np.tile(1 / 3 + draw("uniform", (7, 5)), (20, 1))
    assert (moments.batch_errors(moments.moments, weeks, 10) == 0).all()
    assert (moments.batch_errors(moments.level, weeks, 10) == 0).all()


@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_pooled_batch_errors_are_the_scatter_between_equal_devices(draw: Draw, law: str) -> None:
    values = 10 + draw(law, (360, 400))
    scatter = moments.moments(values).std(axis=1)
    pooled = [moments.pooled_error(errors, 10) for errors in moments.batch_errors(moments.moments, values, 10)]
    np.testing.assert_allclose(pooled, scatter, rtol=0.15)


@pytest.mark.parametrize("batches", [2, 5, 10])
def test_pooled_error_of_normal_parts_is_unbiased(batches: int) -> None:
    errors = np.sqrt(np.random.default_rng(2).chisquare(batches - 1, 40_000) / (batches - 1))
    errors[::7] = np.nan
    assert moments.pooled_error(errors, batches) == pytest.approx(1, abs=0.02)


def test_pooled_error_of_none_is_nan() -> None:
    assert np.isnan(moments.pooled_error(np.full(3, np.nan), 4))


@pytest.mark.parametrize(("count", "most"), [(6000, 5000), (9999, 5000), (10_000, 5000), (10_001, 5000)])
def test_evenly_spaced_places_keep_to_no_rhythm(count: int, most: int) -> None:
    """One of each of so many stretches; of kinds that take turns each has its share."""
    places = moments.evenly_spaced(count, most)
    assert len(set(places.tolist())) == most
    assert (np.diff(places) > 0).all()
    for turn in (2, 3, 4, 5, 7):
        shares = np.bincount(places % turn, minlength=turn) / most
        assert shares == pytest.approx(np.full(turn, 1 / turn), abs=0.03)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_of_few_all_are_evenly_spaced(count: int) -> None:
    assert moments.evenly_spaced(count, 5).tolist() == list(range(count))
