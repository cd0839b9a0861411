from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import ranks, steps
from oddfleet.detect.steps import SHORTEST_SEGMENT
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

DAYS = 100


def _left_over(series: FloatArray, day: int) -> float:
    """Sum of squares about the means before and after ``day``."""
    parts = (series[:day], series[day:])
    return float(sum(np.nansum((part - np.nanmean(part)) ** 2) for part in parts))


def _shares(series: FloatArray) -> list[float]:
    """What each step explains of the sum of squares of one series without holes, five days at least on either side."""
    whole = float(((series - series.mean()) ** 2).sum())
    splits = range(SHORTEST_SEGMENT, len(series) - SHORTEST_SEGMENT + 1)
    return [1 - _left_over(series, day) / whole for day in splits]


def test_change_goes_by_the_largest_share_of_all_steps(holey: FloatArray) -> None:
    holey[60:, 5:] += np.linspace(0, 9, 15)
    got = steps.change_score(ranks.normal_scores(holey), np.isfinite(holey))
    by_share: list[tuple[float, int, float]] = []
    for device, series in enumerate(holey.T):
        seen = series[np.isfinite(series)]
        ranked = ranks.normal_scores(seen[:, None])
        by_share.append((max(_shares(ranked[:, 0])), len(seen), float(got[device])))
        alone = steps.change_score(ranked, np.ones(ranked.shape, bool))
        assert got[device] == pytest.approx(alone[0], rel=1e-9)  # holes are as if they were not
    for share, count, score in by_share:
        step = np.where(np.arange(count) < count // 2, -1.0, 1.0)
        step -= step.mean()
        made = step * np.sqrt(share * count / (step**2).sum())  # that explains as much, and its rest is not looked at
        expected = steps.change_score(made[:, None], np.ones((count, 1), bool))
        assert score == pytest.approx(expected[0], rel=1e-6)


@pytest.mark.parametrize("count", [11, 28, 100, 366])
def test_change_is_between_one_step_and_all_steps(count: int) -> None:
    shares = np.linspace(0.001, 0.99, 200)
    step = np.where(np.arange(count) < count // 2, -1.0, 1.0)
    step = (step - step.mean()) / step.std()
    log_p = stats.norm.logsf(steps.change_score(step[:, None] * np.sqrt(shares), np.ones((count, len(shares)), bool)))
    assert (np.diff(log_p) < 0).all()
    one = stats.beta(0.5, (count - 2) / 2).logsf(shares)  # of normal noise, by a step that was not searched for
    places = count - 2 * SHORTEST_SEGMENT + 1
    assert (log_p > np.minimum(one, np.log(0.9) - 0.1 * np.sqrt(count * shares)) - 1e-9).all()
    near = shares < 0.3
    assert (log_p <= one + np.log(places) + 0.8)[near].all()  # Bonferroni's bound, which holds, is not much below


@pytest.mark.parametrize("count", [0, 1, 4, 2 * SHORTEST_SEGMENT - 1])
def test_too_few_days_do_not_change(count: int) -> None:
    values = np.full((DAYS, 1), np.nan)
    values[:count, 0] = np.arange(count)
    got = steps.change_score(ranks.normal_scores(values), np.isfinite(values))
    assert np.isfinite(got).all()
    assert (got < 0).all()


def test_change_point_leaves_the_least_squares_of_all_steps(holey: FloatArray) -> None:
    holey[70:, 5:] += np.linspace(0, 9, 15)
    got = steps.change_point(ranks.normal_scores(holey), np.isfinite(holey))
    for device in range(holey.shape[1]):
        seen = np.isfinite(holey[:, device])
        series = np.where(seen, ranks.normal_scores(holey)[:, device], np.nan)
        allowed = [day for day in range(1, DAYS) if min(seen[:day].sum(), seen[day:].sum()) >= SHORTEST_SEGMENT]
        best = min(allowed, key=lambda day: round(_left_over(series, day), 9))  # the first where days are not observed
        assert got[device] == best


@pytest.mark.parametrize("day", [SHORTEST_SEGMENT, 20, 50, 80, DAYS - SHORTEST_SEGMENT])
@pytest.mark.parametrize("height", [1.0, -1.0])
def test_a_change_is_dated_wherever_it_lies(day: int, height: float) -> None:
    values = np.where(np.arange(DAYS) < day, 0.0, height)[:, None]
    assert steps.change_point(ranks.normal_scores(values), np.isfinite(values)).tolist() == [day]


@pytest.mark.parametrize("far", [1, SHORTEST_SEGMENT - 1])
def test_a_few_far_days_at_the_end_are_no_step(draw: Draw, far: int) -> None:
    values = draw("normal", (DAYS, 1))
    values[DAYS - far :] += 99
    got = steps.change_point(ranks.normal_scores(values), np.isfinite(values))[0]
    assert SHORTEST_SEGMENT <= got <= DAYS - SHORTEST_SEGMENT


@pytest.mark.parametrize("n_days", [30, 40, 90, 180, 366])
@pytest.mark.parametrize("law", ["normal", "lognormal"])
def test_days_in_any_order_surprise_as_promised(draw: Draw, assert_held: Judge, n_days: int, law: str) -> None:
    values = draw(law, (n_days, 20_000), seed=n_days)
    tails = stats.norm.sf(steps.change_score(ranks.normal_scores(values), np.isfinite(values)))
    assert_held(tails, factor=1.15 if n_days < 90 else 1.06, least=0.75)


@pytest.mark.parametrize("n_days", [30, 90, 366])
def test_counts_in_any_order_are_little_surprise(draw: Draw, assert_held: Judge, n_days: int) -> None:
    values = np.floor(2 * draw("exponential", (n_days, 8000), seed=n_days))
    tails = stats.norm.sf(steps.change_score(ranks.normal_scores(values), np.isfinite(values)))
    assert_held(tails, factor=1.2, least=0.75)


@pytest.mark.xfail(strict=True, reason="among ties a few rare days near an end are a step: their mean is no normal")
def test_rare_events_in_any_order_are_no_surprise(draw: Draw, assert_held: Judge) -> None:
    values = np.floor(draw("exponential", (366, 8000), seed=366) / np.log(10))
    tails = stats.norm.sf(steps.change_score(ranks.normal_scores(values), np.isfinite(values)))
    assert_held(tails, factor=1.5)


@pytest.mark.parametrize("size", [2.0, 4.0, 8.0])
@pytest.mark.parametrize("count", [30, 366])
def test_a_bridge_looked_at_once_a_day_is_beyond_less_often(size: float, count: int) -> None:
    before = np.arange(SHORTEST_SEGMENT, count - SHORTEST_SEGMENT + 1)
    odds = np.log(before / (count - before))
    step = size * np.sqrt(count / (before * (count - before)))
    half = step / 2
    density = np.exp(-(half**2) / 2) / np.sqrt(2 * np.pi)
    nu = (stats.norm.cdf(half) - 0.5) / half / (half * stats.norm.cdf(half) + density)
    mean = np.trapezoid(nu, odds) / (odds[-1] - odds[0])
    got = steps._between_days(np.array([size]), np.array([count]))[0]
    assert got == pytest.approx(mean, rel=2e-3)
    assert 0 < got < 1


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-9, 1e15])
def test_series_without_variation_do_not_change(value: float) -> None:
    values = np.full((DAYS, 2), value)
    assert (steps.change_score(ranks.normal_scores(values), np.isfinite(values)) < 0.2).all()
