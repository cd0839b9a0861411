from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import ranks
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw


@pytest.fixture
def holey(draw: Draw) -> FloatArray:
    """Twenty series with every fifth day, more or less, not observed."""
    values = draw("lognormal", (100, 20))
    values[draw("uniform", values.shape, seed=2) < 0.2] = np.nan
    return values


def test_normal_scores_are_blom_quantiles_of_ranks(holey: FloatArray) -> None:
    values = np.round(holey, 1)  # with ties
    got = ranks.normal_scores(values)
    for device in range(values.shape[1]):
        seen = np.isfinite(values[:, device])
        quantiles = stats.norm.ppf((stats.rankdata(values[seen, device]) - 3 / 8) / (seen.sum() + 1 / 4))
        expected = (quantiles - quantiles.mean()) / quantiles.std()
        np.testing.assert_allclose(got[seen, device], expected, atol=1e-12)
        assert (got[~seen, device] == 0).all()


def test_normal_scores_know_only_the_order(holey: FloatArray) -> None:
    np.testing.assert_array_equal(ranks.normal_scores(1e9 * holey**3), ranks.normal_scores(holey))


@pytest.mark.parametrize("series", [[np.nan] * 4, [0.0] * 4, [1e15] * 4, [1e-9] + [np.nan] * 3])
def test_nothing_to_rank_scores_zero(series: list[float]) -> None:
    assert (ranks.normal_scores(np.array(series)[:, None]) == 0).all()


def test_ranks_that_tie_share_their_mean_as_scipys_do(draw: Draw) -> None:
    values = np.round(draw("normal", (50, 40)), 1)
    values[:3, :7] = np.inf
    got = ranks._twice_the_rank(*ranks._in_order(values)) / 2
    np.testing.assert_array_equal(got, stats.rankdata(values, axis=0))


@pytest.mark.parametrize("days", [1, 2, 3, 255, 256, 257, 32_767, 32_768, 32_769])
def test_ranks_of_records_of_any_length(draw: Draw, days: int) -> None:
    """More days leave fewer bits to the numbers, and of more than 16384 a day and its rank need more than 32."""
    values = draw("normal", (days, 2))
    values[::3] = values[: len(values[::3])].round(1)
    got = ranks._twice_the_rank(*ranks._in_order(values)) / 2
    np.testing.assert_array_equal(got, stats.rankdata(values, axis=0))


def test_both_zeros_and_what_differs_in_the_last_bits_tie() -> None:
    values = np.array(
        [[0.0, 1.0, -2.0], [-0.0, 1 + 2e-16, -2 - 4e-16], [1e-300, 1 + 1e-9, -2 - 1e-9], [-1.0, 0.5, -np.inf]]
    )
    got = ranks._twice_the_rank(*ranks._in_order(values)) / 2
    np.testing.assert_array_equal(got.T, [[2.5, 2.5, 4, 1], [2.5, 2.5, 4, 1], [3.5, 3.5, 2, 1]])


def test_one_day_that_was_not_seen_has_the_middle_score_and_moves_the_others_ranks() -> None:
    got = ranks.normal_scores(np.array([[3.0, 1.0], [np.nan, 2.0], [1.0, 3.0], [2.0, 4.0]]))
    assert got[1, 0] == 0
    np.testing.assert_allclose(got[[0, 2, 3], :1], ranks.normal_scores(np.array([[3.0], [1.0], [2.0]])))


@pytest.mark.parametrize("law", ["normal", "student"])
def test_pairs_that_tie_are_scored_as_any_ties_are(draw: Draw, law: str) -> None:
    """Distances from the median of an even number of days have one pair that ties."""
    values = draw(law, (100, 30))
    away = np.abs(values - np.median(values, axis=0)).round(9)
    ties = np.diff(np.sort(away, axis=0), axis=0) == 0
    assert (ties.sum(axis=0) == 1).all()
    ranked = stats.rankdata(away, axis=0)
    quantiles = stats.norm.ppf((ranked - 3 / 8) / (100 + 1 / 4))
    expected = (quantiles - quantiles.mean(axis=0)) / quantiles.std(axis=0)
    np.testing.assert_allclose(ranks.normal_scores(away), expected, atol=1e-12)
