from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import mixture
from oddfleet.detect.mixture import Law
from oddfleet.model import BoolArray, FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge


def _as_surprise(deviates: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Two-sided log p-values of normal deviates (features, devices), and their sides."""
    return np.log(2) + stats.norm.logsf(np.abs(deviates)), deviates > 0


def _correlated(draw: Draw, n_features: int, n_devices: int, correlation: float, seed: int = 1) -> FloatArray:
    """Normal features of which each two go together by as much; every other one the other way round."""
    own, common = draw("normal", (n_features, n_devices), seed=seed), draw("normal", (1, n_devices), seed=seed + 1000)
    side = np.where(np.arange(n_features) % 2 == 0, 1.0, -1.0)[:, None]
    together: FloatArray = np.sqrt(1 - correlation) * own + side * np.sqrt(correlation) * common
    return together


def _hotelling(deviates: FloatArray, device: FloatArray) -> tuple[float, float]:
    """Mahalanobis' distance of a device from the origin by sums, and as a ratio of variances."""
    count, n_devices = deviates.shape
    covariance = np.zeros((count, count))
    for one in range(count):
        for other in range(count):
            mean = sum(deviates[one, k] * deviates[other, k] for k in range(n_devices)) / n_devices
            covariance[one, other] = mean if one == other else 0.9 * mean
    # What is seldom a little out is judged with care: to scatter less than 1 is to scatter by 1.
    wider = [max(1.0, 1 / float(np.sqrt(covariance[one, one]))) for one in range(count)]
    covariance *= np.outer(wider, wider)
    solved = np.linalg.solve(covariance, device)
    distance = sum(device[one] * solved[one] for one in range(count))
    hotelling = distance * n_devices / (n_devices + 1)  # of one new observation, whose own scatter counts
    return float(distance), float(hotelling * (n_devices - count) / (count * (n_devices - 1)))


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0, 1.0), (0.2, 1.0, 0.7, 1.4)])
def test_distances_are_hotellings_by_sums(draw: Draw, sizes: tuple[float, ...]) -> None:
    deviates = np.clip(_correlated(draw, 4, 60, 0.5) * np.array(sizes)[:, None], -3.4, 3.4)
    log_p, above = _as_surprise(deviates)
    law = mixture.learn(log_p, above)
    ratios = np.array([_hotelling(deviates, device)[1] for device in deviates.T])
    wide = [float(np.quantile(ratios, q)) / float(stats.f(4, 56).ppf(q)) for q in (0.5, 0.9)]
    assert law.stretch == pytest.approx(max(1.0, *wide))
    assert law.devices == 60
    np.testing.assert_allclose(law.log_surprise(log_p, above), stats.f(4, 56).logsf(ratios / law.stretch), rtol=1e-6)
    probe = np.array([[3.0], [3.0], [-1.0], [0.5]])
    expected = stats.f(4, 56).logsf(_hotelling(deviates, probe[:, 0])[1] / law.stretch)
    assert law.log_surprise(*_as_surprise(probe))[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("n_features", "n_devices"), [(2, 6), (3, 30), (10, 30), (10, 300)])
def test_healthy_devices_are_no_surprise_together(
    draw: Draw, assert_held: Judge, n_features: int, n_devices: int, *, correlation: float
) -> None:
    p = []
    for seed in range(max(20, 2000 // n_devices)):
        log_p, above = _as_surprise(_correlated(draw, n_features, n_devices, correlation, seed))
        p.append(np.exp(mixture.learn(log_p, above).log_surprise(log_p, above)))
    # Correlations are shrunk, variances 1 at least, and devices judged that were heard themselves: the fewer, the less
    # they surprise.
    least = 0.0 if correlation > 0 or n_devices <= 3 * n_features else 0.5 if n_devices > 100 else 0.15
    assert_held(np.concatenate(p), least=least)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(
    ("n_features", "n_devices", "factor", "least"), [(3, 30, 1.3, 0.5), (10, 100, 1.2, 0.7), (10, 1000, 1.0, 0.7)]
)
def test_the_next_healthy_device_is_no_surprise(
    draw: Draw, assert_held: Judge, n_features: int, n_devices: int, *, correlation: float, factor: float, least: float
) -> None:
    p = []
    for seed in range(20):
        deviates = _correlated(draw, n_features, n_devices + 200, correlation, seed)
        law = mixture.learn(*_as_surprise(deviates[:, 200:]))
        p.append(np.exp(law.log_surprise(*_as_surprise(deviates[:, :200]))))
    assert_held(np.concatenate(p), factor=factor, least=least if correlation == 0 else 0.0)


def test_features_that_go_together_do_so_by_sign(draw: Draw) -> None:
    log_p, above = _as_surprise(_correlated(draw, 6, 300, 0.8))
    law = mixture.learn(log_p, above)
    usual, broken = np.full((6, 1), 2.0) * np.array([[1], [-1]] * 3), np.full((6, 1), 2.0)
    with_others, against = (law.log_surprise(*_as_surprise(one))[0] for one in (usual, broken))
    assert with_others > np.log(0.05)
    assert against < np.log(1e-6)


def test_many_features_a_little_out_are_a_surprise_and_one_far_out_is_not(draw: Draw) -> None:
    log_p, above = _as_surprise(_correlated(draw, 12, 300, 0.0))
    law = mixture.learn(log_p, above)
    many, one = np.full((12, 1), 2.5), np.where(np.arange(12) == 3, 40.0, 0.0)[:, None]
    assert law.log_surprise(*_as_surprise(many))[0] < np.log(1e-6)
    assert law.log_surprise(*_as_surprise(one))[0] > np.log(0.1)
    np.testing.assert_array_equal(law.log_surprise(*_as_surprise(one)), law.log_surprise(*_as_surprise(one / 4)))


@pytest.mark.parametrize("far", [-50.0, -700.0, -1e6, -np.inf])
def test_a_device_far_out_in_everything_spoils_no_law(draw: Draw, far: float) -> None:
    log_p, above = _as_surprise(_correlated(draw, 4, 100, 0.3))
    clean = mixture.learn(log_p, above).log_surprise(log_p, above)
    log_p[:, 0], above[:, 0] = far, True
    got = mixture.learn(log_p, above).log_surprise(log_p, above)
    assert np.isfinite(got).all()
    assert got[0] < np.log(1e-3)
    assert got[1:].min() > np.log(1e-4)
    assert np.corrcoef(got[1:], clean[1:])[0, 1] > 0.95


@pytest.mark.parametrize("stretch", [1.0, 4.0])
def test_surprise_has_a_floor(stretch: float) -> None:
    law = Law(np.ones(2, bool), np.eye(2) * 1e6, 100_000, stretch)
    got = law.log_surprise(*_as_surprise(np.full((2, 1), 3.0)))
    assert got.tolist() == [-700]


@pytest.mark.parametrize("law_of", ["student", "student4"])
def test_wide_cohorts_stretch_the_law(draw: Draw, assert_held: Judge, law_of: str) -> None:
    deviates = draw(law_of, (5, 2000))
    log_p, above = _as_surprise(deviates)
    law = mixture.learn(log_p, above)
    # All devices wider or narrower together is a covariance; here some are, and some are not.
    assert law.stretch > 1
    assert_held(np.exp(law.log_surprise(log_p, above)), factor=1.5, nominal=[0.1, 0.01])
    plain = Law(law.used, law.inverse, law.devices)
    assert (plain.log_surprise(log_p, above) <= law.log_surprise(log_p, above)).all()
    assert plain.stretched(log_p, above).stretch == law.stretch


def test_narrow_cohorts_do_not_shrink_it(draw: Draw) -> None:
    log_p, above = _as_surprise(np.sign(draw("normal", (5, 2000))))
    assert mixture.learn(log_p, above).stretch >= 1


def test_what_is_judged_with_care_and_a_little_out_is_not_odd_for_it(draw: Draw) -> None:
    """Deviates a fifth as large as they should be: one of 1 is five usual ones, and still no surprise."""
    noise = draw("normal", (5, 300))
    narrow, usual = (mixture.learn(*_as_surprise(size * noise)) for size in (0.2, 1.0))
    probe = _as_surprise(np.ones((5, 1)))
    assert narrow.log_surprise(*probe)[0] > np.log(0.2)
    assert narrow.stretch == mixture.NARROWEST
    assert usual.stretch == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("n_features", "n_devices", "combined"),
    [(0, 10, False), (1, 100, False), (2, 5, False), (2, 6, True), (5, 14, False), (5, 15, True)],
)
def test_few_devices_say_nothing(draw: Draw, n_features: int, n_devices: int, combined: bool) -> None:
    log_p, above = _as_surprise(_correlated(draw, n_features, n_devices, 0.5))
    log_p, above = np.vstack([log_p, np.zeros((3, n_devices))]), np.vstack([above, np.ones((3, n_devices), bool)])
    law = mixture.learn(log_p, above)
    assert law.used.tolist() == [combined] * n_features + [False] * 3
    got = law.log_surprise(log_p, above)
    assert got.shape == (n_devices,)
    assert (got < 0).any() == combined
    assert law.stretched(log_p, above).stretch >= 1


def test_features_that_most_devices_lack_are_left_out(draw: Draw) -> None:
    log_p, above = _as_surprise(_correlated(draw, 4, 40, 0.5))
    log_p[2, :20] = 0.0
    assert mixture.learn(log_p, above).used.tolist() == [True, True, False, True]
    log_p[2, 0] = -0.1
    law = mixture.learn(log_p, above)
    assert law.used.all()
    assert np.isfinite(law.log_surprise(log_p, above)).all()


def test_a_feature_told_twice_is_no_obstacle(draw: Draw) -> None:
    deviates = _correlated(draw, 4, 100, 0.5)
    deviates[3] = deviates[0]
    log_p, above = _as_surprise(deviates)
    assert np.isfinite(mixture.learn(log_p, above).log_surprise(log_p, above)).all()
