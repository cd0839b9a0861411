from __future__ import annotations

from math import comb, cos, pi, sin
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import scores
from oddfleet.detect.scores import SHORTEST_SEGMENT
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

DAYS = 100
WEEKDAY = np.arange(DAYS) % 7


@pytest.fixture
def holey(draw: Draw) -> FloatArray:
    """Twenty series with every fifth day, more or less, not observed."""
    values = draw("lognormal", (DAYS, 20))
    values[draw("uniform", values.shape, seed=2) < 0.2] = np.nan
    return values


def _periodogram(series: list[float]) -> dict[int, float]:
    """Power at each looked-at number of cycles in the record, by the sums of the definition."""
    n_days, power = len(series), {}
    for cycles in range(4, (n_days + 1) // 2):
        off_week = min(abs(cycles * 7 / n_days - harmonic) for harmonic in (1, 2, 3))
        if off_week > 7.5 / n_days:
            angle = 2 * pi * cycles / n_days
            real = sum(x * cos(angle * day) for day, x in enumerate(series))
            power[cycles] = real**2 + sum(x * sin(angle * day) for day, x in enumerate(series)) ** 2
    return power


def _fisher_g_tail(share: float, places: int) -> float:
    terms = ((-1) ** (j + 1) * comb(places, j) * max(0.0, 1 - j * share) ** (places - 1) for j in range(1, places + 1))
    return float(sum(terms))


def _whitened(values: FloatArray) -> FloatArray:
    """Mean 0 and mean square 1 over the observed days, 0 elsewhere."""
    whitened: FloatArray = np.nan_to_num((values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0))
    return whitened


def test_normal_scores_are_blom_quantiles_of_ranks(holey: FloatArray) -> None:
    values = np.round(holey, 1)  # with ties
    got = scores.normal_scores(values)
    for device in range(values.shape[1]):
        seen = np.isfinite(values[:, device])
        quantiles = stats.norm.ppf((stats.rankdata(values[seen, device]) - 3 / 8) / (seen.sum() + 1 / 4))
        expected = (quantiles - quantiles.mean()) / quantiles.std()
        np.testing.assert_allclose(got[seen, device], expected, atol=1e-12)
        assert (got[~seen, device] == 0).all()


def test_normal_scores_know_only_the_order(holey: FloatArray) -> None:
    np.testing.assert_array_equal(scores.normal_scores(1e9 * holey**3), scores.normal_scores(holey))


@pytest.mark.parametrize("series", [[np.nan] * 4, [0.0] * 4, [1e15] * 4, [1e-9] + [np.nan] * 3])
def test_nothing_to_rank_scores_zero(series: list[float]) -> None:
    assert (scores.normal_scores(np.array(series)[:, None]) == 0).all()


@pytest.mark.parametrize("kept_weekdays", [7, 5, 2])
def test_rhythm_is_kruskal_wallis(holey: FloatArray, kept_weekdays: int) -> None:
    values = np.where(WEEKDAY[:, None] < kept_weekdays, holey, np.nan)
    ranks = stats.rankdata(values, axis=0, nan_policy="omit")
    got = scores.rhythm_score(_whitened(ranks), np.isfinite(values), WEEKDAY)
    spread = 2 / (9 * (kept_weekdays - 1))
    statistic = (kept_weekdays - 1) * (got * np.sqrt(spread) + 1 - spread) ** 3  # Wilson and Hilferty, undone
    for device in range(values.shape[1]):
        groups = [values[day == WEEKDAY, device] for day in range(kept_weekdays)]
        expected = stats.kruskal(*groups, nan_policy="omit").statistic
        count = np.isfinite(values[:, device]).sum()
        assert statistic[device] == pytest.approx(expected, rel=1.5 / count)  # n in place of n - 1


@pytest.mark.parametrize("p", [0.5, 0.1, 1e-2, 1e-4, 1e-8])
def test_rhythm_is_on_the_normal_scale(p: float) -> None:
    height = np.sqrt(stats.chi2.isf(p, 6) / (WEEKDAY == 0).sum())  # all that differs is Monday
    got = scores.rhythm_score((WEEKDAY == 0)[:, None] * height, np.ones((DAYS, 1), bool), WEEKDAY)
    assert np.log(stats.norm.sf(got[0])) == pytest.approx(np.log(p), rel=0.07, abs=0.02)


def test_a_single_weekday_has_no_rhythm(holey: FloatArray) -> None:
    values = np.where(WEEKDAY[:, None] == 3, holey, np.nan)
    assert (scores.rhythm_score(scores.normal_scores(values), np.isfinite(values), WEEKDAY) < 0).all()


@pytest.mark.parametrize("n_days", [28, 60, 91, 100, 366])
def test_cycle_peak_by_the_sums_of_the_definition(draw: Draw, n_days: int) -> None:
    series = scores.normal_scores(draw("normal", (n_days, 3), seed=n_days))
    periods, shares = scores.cycle_peak(series)
    for device in range(3):
        power = _periodogram(series[:, device].tolist())
        strongest = max(power, key=lambda cycles: power[cycles])
        assert periods[device] == pytest.approx(n_days / strongest)
        assert shares[device] == pytest.approx(power[strongest] / sum(power.values()))


@pytest.mark.parametrize(("period", "found"), [(10, True), (2.5, True), (7, False), (3.5, False), (182, False)])
def test_cycles_that_are_looked_for(draw: Draw, period: float, found: bool) -> None:
    day = np.arange(364)[:, None]
    series = scores.normal_scores(np.sin(2 * np.pi * day / period) + 0.5 * draw("normal", (364, 1)))
    assert (scores.cycle_score(series)[0] > 10) == found
    if found:
        assert scores.cycle_peak(series)[0][0] == pytest.approx(period, rel=0.03)


def test_cycle_score_is_fishers_tail_and_never_below_it(draw: Draw) -> None:
    series = scores.normal_scores(draw("normal", (DAYS, 300)))
    series[:, 150:] += np.linspace(0, 1, 150) * np.cos(np.arange(DAYS) * 2 * np.pi / 10)[:, None]
    tails = stats.norm.sf(scores.cycle_score(series))
    places = len(_periodogram([0.0] * DAYS))
    exact = np.array([_fisher_g_tail(share, places) for share in scores.cycle_peak(series)[1]])
    assert exact.min() < 1e-6
    assert exact.max() > 0.5
    far = (exact < 0.05) & (exact > 1e-9)  # the alternating sum itself has no more digits
    np.testing.assert_allclose(tails[far], exact[far], rtol=0.05)
    assert (tails[exact > 1e-9] >= np.minimum(exact[exact > 1e-9], 0.5) * (1 - 1e-6)).all()


def test_no_variation_has_no_cycle() -> None:
    _, share = scores.cycle_peak(np.zeros((DAYS, 2)))
    assert share.tolist() == [0, 0]
    np.testing.assert_allclose(scores.cycle_score(np.zeros((DAYS, 2))), 0, atol=1e-12)


def test_nothing_but_a_week_has_no_cycle(draw: Draw) -> None:
    weeks = np.tile(draw("normal", (7, 3)), (52, 1))
    assert (scores.cycle_peak(scores.normal_scores(weeks))[1] == 0).all()


def test_memory_by_loops(holey: FloatArray) -> None:
    series, seen = scores.normal_scores(holey), np.isfinite(holey)
    got = scores.memory_score(series, seen)
    for device in range(holey.shape[1]):
        pairs = [day for day in range(1, DAYS) if seen[day, device] and seen[day - 1, device]]
        correlation = sum(series[day, device] * series[day - 1, device] for day in pairs) / len(pairs)
        unbiased = correlation + 1 / len(pairs)  # shuffled days correlate by -1/n
        assert got[device] == pytest.approx(np.arctanh(unbiased) * np.sqrt(len(pairs) - 3))


def test_drift_is_the_correlation_with_time(holey: FloatArray) -> None:
    got = scores.drift_score(scores.normal_scores(holey), np.isfinite(holey))
    for device, series in enumerate(holey.T):
        day = np.flatnonzero(np.isfinite(series))
        whole = scores.normal_scores(series[day][:, None])[:, 0]
        correlation = stats.pearsonr(day, whole).statistic
        assert got[device] == pytest.approx(np.arctanh(correlation) * np.sqrt(len(day) - 3))


def test_normal_time_has_mean_zero_and_mean_square_one(holey: FloatArray) -> None:
    holey[:, 0] = np.nan
    holey[1:, 1] = np.nan
    time, day = scores.normal_time(np.isfinite(holey)), np.where(np.isfinite(holey), np.arange(DAYS)[:, None], np.nan)
    np.testing.assert_allclose(time[:, 2:], _whitened(day[:, 2:]), atol=1e-12)
    assert (time[:, :2] == 0).all()


def _left_over(series: FloatArray, day: int) -> float:
    """Sum of squares about the means before and after ``day``."""
    parts = (series[:day], series[day:])
    return float(sum(np.nansum((part - np.nanmean(part)) ** 2) for part in parts))


def test_change_is_the_largest_cumulated_sum_by_kolmogorovs_law(holey: FloatArray) -> None:
    holey[50:, 10:] += np.linspace(0, 2, 10)
    series = scores.normal_scores(holey)
    got = scores.change_score(series, np.isfinite(holey))
    for device in range(holey.shape[1]):
        sums = [abs(sum(series[:day, device])) for day in range(1, DAYS)]
        size = (max(sums) + 0.5826) / np.sqrt(np.isfinite(holey[:, device]).sum())  # Siegmund: how far sums overshoot
        assert stats.norm.sf(got[device]) == pytest.approx(stats.kstwobign.sf(size), rel=1e-9)


@pytest.mark.parametrize("size", [1.999, 2.001, 8.0, 17.0])
def test_kolmogorovs_tail_far_out(size: float) -> None:
    height = size * np.sqrt(4000) - 0.5826
    step = np.repeat([1.0, -1.0], 2000)[:, None] * height / 2000
    got = scores.change_score(step, np.ones(step.shape, bool))
    assert stats.norm.logsf(got[0]) == pytest.approx(np.log(2) - 2 * size**2, rel=1e-9)


def test_change_point_leaves_the_least_squares_of_all_steps(holey: FloatArray) -> None:
    holey[70:, 5:] += np.linspace(0, 9, 15)
    got = scores.change_point(scores.normal_scores(holey), np.isfinite(holey))
    for device in range(holey.shape[1]):
        seen = np.isfinite(holey[:, device])
        series = np.where(seen, scores.normal_scores(holey)[:, device], np.nan)
        allowed = [day for day in range(1, DAYS) if min(seen[:day].sum(), seen[day:].sum()) >= SHORTEST_SEGMENT]
        best = min(allowed, key=lambda day: round(_left_over(series, day), 9))  # the first where days are not observed
        assert got[device] == best


@pytest.mark.parametrize("day", [SHORTEST_SEGMENT, 20, 50, 80, DAYS - SHORTEST_SEGMENT])
@pytest.mark.parametrize("height", [1.0, -1.0])
def test_a_change_is_dated_wherever_it_lies(day: int, height: float) -> None:
    values = np.where(np.arange(DAYS) < day, 0.0, height)[:, None]
    assert scores.change_point(scores.normal_scores(values), np.isfinite(values)).tolist() == [day]


@pytest.mark.parametrize("far", [1, SHORTEST_SEGMENT - 1])
def test_a_few_far_days_at_the_end_are_no_step(draw: Draw, far: int) -> None:
    values = draw("normal", (DAYS, 1))
    values[DAYS - far :] += 99
    got = scores.change_point(scores.normal_scores(values), np.isfinite(values))[0]
    assert SHORTEST_SEGMENT <= got <= DAYS - SHORTEST_SEGMENT


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-9, 1e15])
def test_series_without_variation_are_scored_without_surprise(value: float) -> None:
    values = np.full((DAYS, 2), value)
    series, seen = scores.normal_scores(values), np.isfinite(values)
    weekly = scores.rhythm_score(series, seen, WEEKDAY)
    others = [scores.cycle_score(series), scores.memory_score(series, seen), scores.drift_score(series, seen)]
    for score in (weekly, *others, scores.change_score(series, seen)):
        assert (score < 0.2).all()


@pytest.mark.parametrize("count", [1, 28, 366])
def test_furthest_of_many_is_exceeded_with_the_given_chance(count: int) -> None:
    none = (1 - 2 * stats.norm.sf(scores.furthest_of(count))) ** count
    assert 1 - none == pytest.approx(0.01, rel=0.01)
