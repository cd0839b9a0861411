from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import promises
from oddfleet.model import BoolArray, Fleet, Kind

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

CLEAR = float(np.log(1e-4))


def _lost(*counts: int) -> BoolArray:
    """A record of a year in which the devices lose so many days."""
    lost: BoolArray = np.arange(366)[:, None] < np.array(counts)
    return lost


def test_each_broken_day_is_told_once_and_by_its_kind() -> None:
    values = np.array([[5.0, -0.1], [np.nan, 0.0], [np.nan, 7.0], [3.0, 7.0]])
    invalid = np.array([[False, False], [True, False], [False, False], [False, False]])
    duplicated = np.array([[False, False], [False, False], [False, False], [True, False]])
    dates = np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]")
    broken = promises.broken_days(Fleet((1, 2), (None, None), dates, values, duplicated, invalid))
    days = {kind: [tuple(place) for place in np.argwhere(flags).tolist()] for kind, flags in broken.items()}
    assert days == {
        Kind.NEGATIVE_TRAFFIC: [(0, 1)],
        Kind.INVALID_VALUES: [(1, 0)],
        Kind.DUPLICATE_DAYS: [(3, 0)],
        Kind.MISSING_DAYS: [(2, 0)],
    }


@pytest.mark.parametrize(
    ("n_devices", "n_breaking", "kept"),
    [(1, 1, True), (2, 1, True), (2, 2, False), (3, 1, True), (20, 2, True), (20, 3, False), (40, 20, False)],
)
def test_breakers_are_few(n_devices: int, n_breaking: int, kept: bool) -> None:
    broken = _lost(*[2] * n_breaking, *[0] * (n_devices - n_breaking))
    expected = [kept and device < n_breaking for device in range(n_devices)]
    assert promises.breakers(broken).tolist() == expected


def test_nobody_breaks_a_promise_that_all_keep() -> None:
    assert not promises.breakers(_lost(0, 0)).any()


@pytest.mark.parametrize("counts", [[0, 1, 2, 3, 4], [7], [3, 9], [1] * 30 + [12], [0] * 10 + [40]])
def test_lost_days_by_loops(counts: list[int]) -> None:
    kept = sorted(counts)[: max(1, int(0.9 * (len(counts) - 1)))]
    rate = (sum(kept) + 0.5) / len(kept)
    expected = [stats.poisson.sf(count - 1, rate) if count else 1.0 for count in counts]
    np.testing.assert_allclose(np.exp(promises.log_surprise_of_lost(_lost(*counts))), expected, rtol=1e-9)


def test_losses_in_clusters_stretch_the_count() -> None:
    counts = [0] * 8 + [14] * 8 + [40]
    rate, variance = (sum(counts[:14]) + 0.5) / 14, float(np.var(counts[:14]))
    wide = stats.gamma(np.array([14, 40]) / variance * rate).cdf(rate / (variance / rate))
    np.testing.assert_allclose(np.exp(promises.log_surprise_of_lost(_lost(*counts)))[[8, 16]], wide, rtol=1e-9)


@pytest.mark.parametrize(
    ("counts", "surprising"),
    [
        ([366], []),  # alone, and nothing to compare with
        ([0, 0], []),
        ([0, 366], [1]),
        ([0] * 50 + [1], []),
        ([0] * 50 + [9], [50]),
        ([10, 10, 10, 10, 366], [4]),
        ([0] * 10 + [20] * 10, []),
        ([0] * 300, []),
    ],
)
def test_edges(counts: list[int], surprising: list[int]) -> None:
    got = promises.log_surprise_of_lost(_lost(*counts))
    assert np.isfinite(got).all()
    assert np.flatnonzero(got < CLEAR).tolist() == surprising


@pytest.mark.parametrize("n_devices", [1, 2, 3, 10, 300])
@pytest.mark.parametrize("rate", [0.001, 0.02])
def test_everyone_losing_days_alike_is_no_surprise(draw: Draw, n_devices: int, rate: float) -> None:
    fleets = draw("uniform", (1200 // n_devices, 366, n_devices)) < rate
    surprises = np.concatenate([promises.log_surprise_of_lost(fleet) for fleet in fleets])
    assert (surprises < CLEAR).sum() == 0
