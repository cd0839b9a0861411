from __future__ import annotations

from dataclasses import replace
from random import Random
from statistics import variance
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from oddfleet.detect import predictive, promises
from oddfleet.model import BoolArray, Fleet, Kind

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

CLEAR = float(np.log(1e-4))


def _lost(*counts: int) -> BoolArray:
    """A record of a year in which the devices lose so many days."""
    lost: BoolArray = np.arange(366)[:, None] < np.array(counts)
    return lost


def _broken(fleet: Fleet) -> dict[Kind, promises.Broken]:
    return promises.broken(fleet, promises.gaps(fleet))


def test_each_broken_day_is_told_once_and_by_its_kind() -> None:
    values = np.array([[5.0, -0.1], [np.nan, 0.0], [np.nan, 7.0], [3.0, -7.0]])
    invalid = np.array([[False, False], [True, False], [False, False], [False, False]])
    duplicated = np.array([[False, False], [False, False], [False, False], [True, False]])
    dates = np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]")
    broken = _broken(Fleet((1, 2), (None, None), dates, values, duplicated, invalid))
    assert tuple(broken) == promises.KINDS
    told = {
        kind: [(one, int(found.first[one]), int(found.last[one])) for one in np.flatnonzero(found.counts).tolist()]
        for kind, found in broken.items()
    }
    assert told == {
        Kind.NEGATIVE_TRAFFIC: [(1, 0, 3)],
        Kind.INVALID_VALUES: [(0, 1, 1)],
        Kind.DUPLICATE_DAYS: [(0, 3, 3)],
        Kind.MISSING_DAYS: [(0, 2, 2)],
    }
    assert [found.counts.sum() for found in broken.values()] == [2, 1, 1, 1]
    assert broken[Kind.NEGATIVE_TRAFFIC].lowest[1] == -7


def test_what_is_known_of_parts_of_a_fleet_is_what_is_known_of_it(draw: Draw) -> None:
    values = draw("normal", (40, 12))
    values[values > 1.5] = np.nan
    fleet = Fleet(tuple(range(12)), (None,) * 12, np.datetime64("2020-01-01") + np.arange(40), values)
    gaps = promises.gaps(fleet)
    whole = promises.broken(fleet, gaps)
    gathered = {kind: promises.Broken.by_nobody(kind, 12) for kind in promises.KINDS}
    for places, block in fleet.blocks(5):
        for kind, some in promises.broken(block, gaps).items():
            gathered[kind].note(places, some)
    for kind, found in gathered.items():
        known = found.counts > 0
        np.testing.assert_array_equal(found.counts, whole[kind].counts)
        for part in ("first", "last", "lowest"):
            np.testing.assert_array_equal(getattr(found, part)[known], getattr(whole[kind], part)[known])


@pytest.mark.parametrize(
    ("n_devices", "n_lacking", "missing"),
    [(1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 1, 1), (3, 2, 0), (3, 3, 0), (4, 2, 2), (20, 10, 10), (20, 11, 0)],
)
def test_a_day_that_most_lack_is_missing_nowhere(n_devices: int, n_lacking: int, missing: int) -> None:
    dates = np.datetime64("2020-01-01") + np.arange(5)
    values = np.ones((5, n_devices))
    values[2, :n_lacking] = np.nan
    values[3, 0] = np.nan
    fleet = Fleet(tuple(range(n_devices)), (None,) * n_devices, dates, values)
    counts = _broken(fleet)[Kind.MISSING_DAYS].counts
    assert counts.tolist() == [int(device < n_lacking and missing > 0) + (device == 0) for device in range(n_devices)]


@pytest.mark.parametrize(
    ("n_devices", "n_breaking", "kept"),
    [(1, 1, True), (2, 1, True), (2, 2, False), (3, 1, True), (20, 2, True), (20, 3, False), (40, 20, False)],
)
def test_breakers_are_few(n_devices: int, n_breaking: int, kept: bool) -> None:
    broken = _lost(*[2] * n_breaking, *[0] * (n_devices - n_breaking))
    expected = [kept and device < n_breaking for device in range(n_devices)]
    assert promises.breakers(broken.sum(axis=0)).tolist() == expected


def test_nobody_breaks_a_promise_that_all_keep() -> None:
    assert not promises.breakers(np.zeros(2, int)).any()


def _others(counts: list[int], device: int) -> list[int]:
    """The counts of the other devices, the worst tenth of the fleet held to two above the rest."""
    cap = sorted(counts)[-1 - len(counts) // 10] + 2
    return [min(count, cap) for count in counts[:device] + counts[device + 1 :]]


def _dispersion(others: list[int]) -> float:
    """How many times more the others scatter than counts of independent days would."""
    return max(1.0, variance(others) / ((sum(others) + 0.5) / len(others))) if len(others) > 1 else 1.0


def _often(counts: list[int]) -> bool:
    """Whether the middle device loses days, so that how the rates differ is heard too."""
    return float(np.median(counts)) >= promises.OFTEN


def _p_of_rates(counts: list[int], device: int) -> float:
    """Twice the chance of a root further up: every true spread of the others' roots, and every middle, in turn."""
    roots, error = np.sqrt(counts), 0.5
    member = predictive.core(roots, error)
    others = np.array([root for place, root in enumerate(roots) if place != device and member[place]])
    away = roots[device] - others.mean()
    evidence = tail = 0.0
    grid, alike = predictive.DIFFERENCES * error, predictive.USUAL_PRIOR.alike
    cauchy = grid / error / (1 + (grid / error) ** 2)
    for sd, prior in zip([0.0, *grid], [alike, *(1 - alike) * cauchy / cauchy.sum()], strict=True):
        spread = np.hypot(error, sd)
        centres = spread / np.sqrt(len(others)) * np.linspace(-12, 12, 2401)
        heard = np.exp(sum(stats.norm.logpdf(other, others.mean() + centres, spread) for other in others))
        evidence += prior * heard.sum() * spread
        tail += prior * (heard * stats.norm.sf((away - centres) / spread)).sum() * spread
    return min(1.0, 2 * tail / evidence) if away > 0 else 1.0


@pytest.mark.parametrize("counts", [[5, 8, 30], [3, 4, 9, 3, 5, 4], [0, 20, 5, 90], [200, 210, 190, 230, 366]])
def test_counts_of_rates_that_differ_by_integrating_spread_and_middle_out(counts: list[int]) -> None:
    got = np.exp(promises._log_surprise_of_rates(np.array(counts, float)))
    whole = np.exp(promises.log_surprise_of_lost(_lost(*counts)))
    for device in range(len(counts)):
        expected = _p_of_rates(counts, device)
        assert got[device] == pytest.approx(expected, rel=1e-4)
        assert whole[device] >= expected * (1 - 1e-4)


@pytest.mark.parametrize("counts", [[0, 1, 2, 1, 1], [1, 4], [4, 0], [2, 2, 40], [1] * 30 + [12], [1, 0, 2, 1] * 30])
def test_days_lost_one_by_one_follow_the_negative_binomial(counts: list[int]) -> None:
    got = np.exp(promises.log_surprise_of_lost(_lost(*counts)))
    judged = 0
    for device, count in enumerate(counts):
        others = _others(counts, device)
        if _dispersion(others) == 1:
            seen = stats.nbinom(sum(others) + 0.5, len(others) / (len(others) + 1))
            assert got[device] == pytest.approx(float(seen.sf(count - 1)) if count else 1.0, rel=1e-9)
            judged += 1
    assert judged > len(counts) / 4


def test_the_negative_binomial_is_a_poisson_count_of_a_rate_known_from_the_others() -> None:
    counts = [2, 1, 4, 2, 9]
    rates = np.linspace(0, 30, 60_001)
    known = stats.gamma(9 + 0.5, scale=1 / 4).pdf(rates)  # what 9 days lost by 4 others say, half a day added
    expected = float((known * stats.poisson.sf(9 - 1, rates)).sum() * (rates[1] - rates[0]))
    assert np.exp(promises.log_surprise_of_lost(_lost(*counts)))[4] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("counts", [[0] * 8 + [14] * 8 + [40], [0, 20, 5, 90], [0] * 30 + [1, 9, 9, 9, 9, 20]])
def test_losses_in_clusters_stretch_the_count(counts: list[int]) -> None:
    got = np.exp(promises.log_surprise_of_lost(_lost(*counts)))
    rates = [_p_of_rates(counts, device) if _often(counts) else 0.0 for device in range(len(counts))]
    for device, count in enumerate(counts):
        others = _others(counts, device)
        stretch = _dispersion(others)
        # The tail of a whole number of lost days, as an incomplete beta function: also between whole numbers.
        wide = stats.beta(count / stretch, (sum(others) + 0.5) / stretch) if count else None
        expected = max(float(wide.cdf(1 / (len(others) + 1))), rates[device]) if wide else 1.0
        assert got[device] == pytest.approx(expected, rel=1e-4)
    assert _dispersion(_others(counts, len(counts) - 1)) > 2


@given(st.lists(st.integers(0, 366), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_devices_does_not_matter(counts: list[int], shuffle: Random) -> None:
    order = list(range(len(counts)))
    shuffle.shuffle(order)
    whole = promises.log_surprise_of_lost(_lost(*counts))
    moved = promises.log_surprise_of_lost(_lost(*[counts[place] for place in order]))
    np.testing.assert_allclose(moved, whole[order], rtol=1e-9)
    assert (whole <= 0).all()


@pytest.mark.parametrize("n_devices", [2, 3])
def test_rates_are_told_from_three_devices_on(n_devices: int) -> None:
    counts = [40] * (n_devices - 1) + [90]
    alone = [int(count) if place == n_devices - 1 else 0 for place, count in enumerate(counts)]
    got, rates = promises.log_surprise_of_lost(_lost(*counts)), promises._log_surprise_of_rates(np.array(counts, float))
    assert (got[-1] == rates[-1]) == (n_devices == 3)
    assert promises.log_surprise_of_lost(_lost(*alone))[-1] < got[-1]


@pytest.mark.parametrize(
    ("counts", "surprising"),
    [
        ([366], []),  # alone, and nothing to compare with
        ([0, 0], []),
        ([0, 366], [1]),
        ([0, 0, 366], [2]),
        ([0] * 50 + [1], []),
        ([0] * 50 + [9], [50]),
        ([10, 10, 10, 10, 366], [4]),
        ([3] * 20 + [60], [20]),
        ([0] * 10 + [20] * 10, []),
        ([0] * 300, []),
    ],
)
def test_edges(counts: list[int], surprising: list[int]) -> None:
    got = promises.log_surprise_of_lost(_lost(*counts))
    assert np.isfinite(got).all()
    assert np.flatnonzero(got < CLEAR).tolist() == surprising


@pytest.mark.parametrize(
    ("n_devices", "rate"),
    [
        *((n_devices, rate) for rate in (0.02, 0.001) for n_devices in (1, 2, 3, 5, 10, 30, 100, 300)),
        *((n_devices, 0.0003) for n_devices in (10, 100, 300)),
    ],
)
def test_everyone_losing_days_alike_is_no_surprise(draw: Draw, assert_held: Judge, n_devices: int, rate: float) -> None:
    fleets = stats.binom.ppf(draw("uniform", (6000 // n_devices, n_devices)), 366, rate).astype(int)
    p = np.exp(np.concatenate([promises.log_surprise_of_lost(_lost(*counts)) for counts in fleets.tolist()]))
    assert_held(p, factor=1.5)  # without the worst tenth the usual is a little too low: up to 1.3 times too often
    assert (p < np.exp(CLEAR)).sum() <= 5  # 0.6 of 6000 is what chance gives


@pytest.mark.parametrize("rate", [3.0, 20.0, 200.0])
@pytest.mark.parametrize("n_devices", [3, 10, 100])
def test_everyone_losing_many_days_is_no_surprise(assert_held: Judge, n_devices: int, rate: float) -> None:
    fleets = np.random.default_rng(3).poisson(rate, (1500 // n_devices, n_devices))
    got = np.concatenate([promises._log_surprise_of_rates(counts.astype(float)) for counts in fleets])
    assert_held(np.exp(got), least=0.25)  # of two sides one is looked at
    whole = np.concatenate([promises.log_surprise_of_lost(_lost(*counts)) for counts in fleets.tolist()])
    assert_held(np.exp(whole), factor=1.1)


@pytest.mark.parametrize("median", [5.0, 50.0])
@pytest.mark.parametrize(("n_devices", "factors"), [(3, (2.2, 9, 16)), (10, (1.1, 3, 9)), (100, (1, 2, 6))])
def test_rates_that_differ_surprise_by_a_known_factor(
    assert_held: Judge, n_devices: int, median: float, factors: tuple[float, float, float]
) -> None:
    # Roots of rates that differ by factors lean to the right, and few others cannot tell how far they spread.
    rng = np.random.default_rng(4)
    rates = median * rng.lognormal(0.0, 0.5, (1500 // n_devices, n_devices))
    counts = np.minimum(rng.poisson(rates), 366)
    p = np.exp(np.concatenate([promises.log_surprise_of_lost(_lost(*own)) for own in counts.tolist()]))
    for level, factor in zip((0.1, 0.01, 0.001), factors, strict=True):
        assert_held(p, factor=factor, nominal=[level])


def test_counts_are_placed_among_those_of_the_others() -> None:
    broken = replace(promises.Broken.by_nobody(Kind.MISSING_DAYS, 5), counts=np.array([0, 2, 9, 0, 3]))
    assert broken.quantiles(2).tolist() == [0, 0, 0, 2, 2, 3, 3]
    assert broken.quantiles(0).tolist() == [0, 0, 2, 3, 3, 9, 9]
    assert promises.Broken.by_nobody(Kind.MISSING_DAYS, 1).quantiles(0).size == 0
