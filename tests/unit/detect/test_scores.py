from __future__ import annotations

from math import comb, cos, pi, sin
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import ranks, scores
from oddfleet.model import BoolArray, FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

DAYS = 100
WEEKDAY = np.arange(DAYS) % 7


def _periodogram(series: list[float]) -> dict[float, float]:
    """Power at each looked-at number of cycles in the record, in a long one halves too, by the definition."""
    n_days, power = len(series), {}
    week = [sum(series[day::7]) / max(1, len(series[day::7])) for day in range(7)]
    series = [x - week[day % 7] for day, x in enumerate(series)]
    times = 2 if n_days >= 80 else 1
    for cycles in np.arange(4 * times, n_days * times / 2) / times:
        off_week = min(abs(cycles * 7 / n_days - harmonic) for harmonic in (1, 2, 3))
        if off_week > 7.75 / n_days:
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


def _weekend_p(series: FloatArray, seen: BoolArray) -> float:
    """Student's test of any two days in a row against the other days; the best of seven."""
    p = [1.0]
    for first in range(7):
        weekend = np.isin(WEEKDAY, [first, (first + 1) % 7])
        if 0 < (weekend & seen).sum() < seen.sum():
            p.append(float(stats.ttest_ind(series[weekend & seen], series[~weekend & seen]).pvalue))
    return min(p)


@pytest.mark.parametrize("week", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("begins", [0, 50])
@pytest.mark.parametrize("kept_weekdays", [7, 5, 2])
def test_rhythm_is_the_analysis_of_variance_of_the_best_part(
    holey: FloatArray, kept_weekdays: int, begins: int, week: float
) -> None:
    holey[begins:] += week * (WEEKDAY[begins:, None] == 1)
    values = np.where(WEEKDAY[:, None] < kept_weekdays, holey, np.nan)
    series = ranks.normal_scores(values)
    got = scores.rhythm_score(series, np.isfinite(values), WEEKDAY)
    for device in range(values.shape[1]):
        p = []
        for part in (range(DAYS), range(DAYS // 2), range(DAYS // 2, DAYS)):
            days = [day for day in part if np.isfinite(values[day, device])]
            groups = [[series[day, device] for day in days if WEEKDAY[day] == own] for own in range(kept_weekdays)]
            p.append(stats.f_oneway(*groups).pvalue)
        expected = min(6 * min(p), 14 * _weekend_p(series[:, device], np.isfinite(values[:, device])), 0.8)
        assert stats.norm.sf(got[device]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("count", [28, 60, 366])
def test_nothing_but_a_week_is_a_rhythm_without_doubt(draw: Draw, count: int) -> None:
    weekday = np.arange(count) % 7
    weeks = draw("normal", (7, 5))[weekday]
    got = scores.rhythm_score(ranks.normal_scores(weeks), np.ones(weeks.shape, bool), weekday)
    assert (got > 10).all()
    assert np.isfinite(got).all()


def test_a_week_that_begins_half_way_is_a_rhythm(draw: Draw) -> None:
    values = draw("normal", (364, 20))
    values[182:] += 1.5 * (np.arange(182) % 7 == 2)[:, None]
    got = scores.rhythm_score(ranks.normal_scores(values), np.isfinite(values), np.arange(364) % 7)
    late = ranks.normal_scores(values[182:])
    alone = scores.rhythm_score(late, np.isfinite(late), np.arange(182) % 7)
    assert (got > 3).all()
    assert np.median(got - alone) > -0.5


def test_a_single_weekday_has_no_rhythm(holey: FloatArray) -> None:
    values = np.where(WEEKDAY[:, None] == 3, holey, np.nan)
    assert (scores.rhythm_score(ranks.normal_scores(values), np.isfinite(values), WEEKDAY) < 0).all()


@pytest.mark.parametrize("n_days", [28, 60, 91, 100, 366])
def test_cycle_peak_by_the_sums_of_the_definition(draw: Draw, n_days: int) -> None:
    series = ranks.normal_scores(draw("normal", (n_days, 3), seed=n_days))
    periods, shares = scores.cycle_peak(series)
    for device in range(3):
        power = _periodogram(series[:, device].tolist())
        strongest = max(power, key=lambda cycles: power[cycles])
        assert periods[device] == pytest.approx(n_days / strongest)
        assert shares[device] == pytest.approx((2 if n_days >= 80 else 1) * power[strongest] / sum(power.values()))


@pytest.mark.parametrize(("period", "found"), [(10, True), (2.5, True), (7, False), (3.5, False), (182, False)])
def test_cycles_that_are_looked_for(draw: Draw, period: float, found: bool) -> None:
    day = np.arange(364)[:, None]
    series = ranks.normal_scores(np.sin(2 * np.pi * day / period) + 0.5 * draw("normal", (364, 1)))
    assert (scores.cycle_score(series)[0] > 10) == found
    if found:
        assert scores.cycle_peak(series)[0][0] == pytest.approx(period, rel=0.03)


@pytest.mark.parametrize("period", [3.1, 9.37, 11.0, 26.2])
def test_cycle_period_is_the_best_of_all_between_the_frequencies(draw: Draw, period: float) -> None:
    day = np.arange(200)
    series = ranks.normal_scores(np.sin(2 * np.pi * day[:, None] / period + 1) + 0.3 * draw("normal", (200, 1)))[:, 0]
    left = {}
    for guess in np.geomspace(2.1, 45, 6000):
        angle = 2 * np.pi * day / guess
        # As much as one wave explains, sine and cosine each by itself.
        left[float(guess)] = -((series @ np.sin(angle)) ** 2 + (series @ np.cos(angle)) ** 2)
    best = min(left, key=lambda guess: left[guess])
    got = scores.cycle_period(series)
    assert got == pytest.approx(best, rel=2e-3)
    assert got == pytest.approx(period, rel=0.02)


def test_cycle_score_is_fishers_tail_for_twice_as_many_places(draw: Draw) -> None:
    series = ranks.normal_scores(draw("normal", (DAYS, 300)))
    series[:, 150:] += np.linspace(0, 1, 150) * np.cos(np.arange(DAYS) * 2 * np.pi / 10)[:, None]
    tails = stats.norm.sf(scores.cycle_score(series))
    places, shares = len(_periodogram([0.0] * DAYS)), scores.cycle_peak(series)[1]
    exact = np.array([_fisher_g_tail(share, places // 2) for share in shares])
    assert exact.min() < 1e-6
    assert exact.max() > 0.5
    expected = np.minimum(1 - (1 - (1 - shares) ** (places / 2 - 1)) ** places, 0.99)
    np.testing.assert_allclose(tails, expected, rtol=1e-6, atol=1e-12)
    assert (tails[exact > 1e-9] >= 0.9 * exact[exact > 1e-9]).all()


@pytest.mark.parametrize("turns", [12.0, 12.25, 12.5])
def test_a_cycle_between_the_records_own_frequencies_counts_nearly_as_much(draw: Draw, turns: float) -> None:
    wave = np.sin(2 * np.pi * turns * np.arange(DAYS) / DAYS)[:, None]
    noise = draw("normal", (DAYS, 200))
    on, between = (scores.cycle_score(ranks.normal_scores(noise + 1.2 * np.roll(wave, shift))) for shift in (0, 3))
    assert min(np.median(on), np.median(between)) > 4.5


def test_cycle_score_holds_for_noise(draw: Draw, assert_held: Judge) -> None:
    assert_held(stats.norm.sf(scores.cycle_score(ranks.normal_scores(draw("normal", (DAYS, 20_000))))), least=0.3)


def test_no_variation_has_no_cycle() -> None:
    _, share = scores.cycle_peak(np.zeros((DAYS, 2)))
    assert share.tolist() == [0, 0]
    assert (scores.cycle_score(np.zeros((DAYS, 2))) < 0).all()


def test_to_have_no_cycle_is_no_surprise(draw: Draw) -> None:
    weeks = np.tile(draw("normal", (7, 3)), (52, 1))
    np.testing.assert_allclose(scores.cycle_score(ranks.normal_scores(weeks)), stats.norm.isf(0.99))


def test_nothing_but_a_week_has_no_cycle(draw: Draw) -> None:
    weeks = np.tile(draw("normal", (7, 3)), (52, 1))
    assert (scores.cycle_peak(ranks.normal_scores(weeks))[1] == 0).all()


def test_memory_by_loops(holey: FloatArray) -> None:
    series, seen = ranks.normal_scores(holey), np.isfinite(holey)
    got = scores.memory_score(series, seen)
    for device in range(holey.shape[1]):
        pairs = [day for day in range(1, DAYS) if seen[day, device] and seen[day - 1, device]]
        correlation = sum(series[day, device] * series[day - 1, device] for day in pairs) / len(pairs)
        unbiased = correlation + 1 / len(pairs)  # shuffled days correlate by -1/n
        assert got[device] == pytest.approx(np.arctanh(unbiased) * np.sqrt(len(pairs) - 3))


def test_drift_is_the_correlation_with_time(holey: FloatArray) -> None:
    got = scores.drift_score(ranks.normal_scores(holey), np.isfinite(holey))
    for device, series in enumerate(holey.T):
        day = np.flatnonzero(np.isfinite(series))
        whole = ranks.normal_scores(series[day][:, None])[:, 0]
        correlation = stats.pearsonr(day, whole).statistic
        assert got[device] == pytest.approx(np.arctanh(correlation) * np.sqrt(len(day) - 3))


def test_normal_time_has_mean_zero_and_mean_square_one(holey: FloatArray) -> None:
    holey[:, 0] = np.nan
    holey[1:, 1] = np.nan
    time, day = scores.normal_time(np.isfinite(holey)), np.where(np.isfinite(holey), np.arange(DAYS)[:, None], np.nan)
    np.testing.assert_allclose(time[:, 2:], _whitened(day[:, 2:]), atol=1e-12)
    assert (time[:, :2] == 0).all()


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-9, 1e15])
def test_series_without_variation_are_scored_without_surprise(value: float) -> None:
    values = np.full((DAYS, 2), value)
    series, seen = ranks.normal_scores(values), np.isfinite(values)
    weekly = scores.rhythm_score(series, seen, WEEKDAY)
    others = [scores.cycle_score(series), scores.memory_score(series, seen), scores.drift_score(series, seen)]
    for score in (weekly, *others):
        assert (score < 0.2).all()


@pytest.mark.parametrize("count", [1, 28, 366])
def test_furthest_of_many_is_exceeded_with_the_given_chance(count: int) -> None:
    none = (1 - 2 * stats.norm.sf(scores.furthest_of(count))) ** count
    assert 1 - none == pytest.approx(0.01, rel=0.01)


def _tails_of_noise(values: FloatArray) -> dict[str, FloatArray]:
    series, seen, weekday = ranks.normal_scores(values), np.isfinite(values), np.arange(len(values)) % 7
    got = {
        "rhythm": scores.rhythm_score(series, seen, weekday),
        "cycle": scores.cycle_score(series),
        "memory": scores.memory_score(series, seen),
        "drift": scores.drift_score(series, seen),
    }
    return {name: stats.norm.sf(score) for name, score in got.items()}


@pytest.mark.parametrize("n_days", [30, 90, 366])
@pytest.mark.parametrize("law", ["normal", "lognormal"])
def test_days_in_any_order_are_no_surprise(draw: Draw, assert_held: Judge, n_days: int, law: str) -> None:
    tails = _tails_of_noise(draw(law, (n_days, 8000), seed=n_days))
    # Seven weekends overlap, and in 30 days Student's law is not quite that of shuffled normal scores.
    assert_held(tails["rhythm"], factor=1.5 if n_days == 30 else 1.0, least=0.5)
    assert_held(tails["cycle"], factor=1.1, least=0.4)  # twice as many places as are independent
    assert_held(tails["memory"], least=0.8)
    assert_held(tails["drift"], least=0.9)


@pytest.mark.parametrize("n_days", [30, 90, 366])
def test_counts_in_any_order_are_little_surprise(draw: Draw, assert_held: Judge, n_days: int) -> None:
    tails = _tails_of_noise(np.floor(2 * draw("exponential", (n_days, 8000), seed=n_days)))
    assert_held(tails["rhythm"], factor=1.5 if n_days == 30 else 1.2, least=0.5)
    assert_held(tails["cycle"], factor=1.1, least=0.4)
    assert_held(tails["memory"], factor=1.1, least=0.8)
    assert_held(tails["drift"], least=0.9)


@pytest.mark.xfail(
    strict=True, reason="among ties a few rare days make a rhythm: groups of two days are far from normal"
)
@pytest.mark.parametrize(("n_days", "score"), [(30, "rhythm"), (30, "memory")])
def test_rare_events_in_any_order_are_no_surprise(draw: Draw, assert_held: Judge, n_days: int, score: str) -> None:
    tails = _tails_of_noise(np.floor(draw("exponential", (n_days, 8000), seed=n_days) / np.log(10)))
    assert_held(tails[score], factor=1.5)
