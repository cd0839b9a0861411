from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import features, surprise
from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.detect.moments import pooled_error
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

ROWS = len(COMPARED)
SPIKE = COMPARED.index("spike_log")
PLAIN = COMPARED.index("drift_score")


def _table(values: FloatArray, error: float = 1.0) -> FeatureTable:
    """The same values (devices,) for every feature, with errors that say themselves what they are."""
    errors = np.full((ROWS, len(values)), error)
    errors[:4] /= pooled_error(np.ones(1), 10)  # moments' errors are pooled, and corrected for the pooling
    return FeatureTable(np.tile(values, (ROWS, 1)), errors, 10)


def _core(values: list[float], error: float) -> list[bool]:
    middle = float(np.median(values))
    usual = max(error, 1.4826 * float(np.median([abs(value - middle) for value in values])))
    allowance = 4 + 40 / max(len(values) - 3, 0.5)
    return [abs(value - middle) <= allowance * usual for value in values]


def _predictive_p(value: float, others: FloatArray, error: float, *, skewed: bool) -> float:
    """Twice the tail beyond ``value``: every true spread and every centre in turn, by sums over fine grids."""
    upwards, evidence, tail = value > others.mean(), 0.0, 0.0
    for true_sd, prior in zip([0.0, *surprise.DIFFERENCES * error], np.exp(surprise.LOG_PRIOR[:, 0]), strict=True):
        spread = np.hypot(error, true_sd)
        noise = np.hypot(error, spread / np.sqrt(len(others)))
        step = 0.01 * spread / np.sqrt(len(others))
        centres = step * np.arange(-1200, 1201)  # about the mean of the others
        heard = np.exp(sum(stats.norm.logpdf(other, others.mean() + centres, spread) for other in others))
        beyond = (heard * stats.norm.sf((abs(value - others.mean()) - centres) / spread)).sum()
        if skewed and upwards:
            uneven = surprise.SKEWED_SHARE * error**2
            rest = np.sqrt(noise**2 - uneven)
            scale = max(np.hypot(true_sd, np.sqrt(uneven)) / rest, 0.03)
            lopsided = stats.exponnorm(scale).sf((value - others.mean()) / rest + scale)
            beyond = max(beyond, heard.sum() * lopsided)
        evidence += prior * heard.sum() * step
        tail += prior * beyond * step
    return min(1.0, float(2 * tail / evidence))


def _p(values: FloatArray, error: float = 1.0, *, skewed: bool = False) -> FloatArray:
    own = np.full(len(values), error)
    p: FloatArray = np.exp(surprise.log_tail(surprise.hear_others(values, own, error), skewed=skewed))
    return p


def test_half_of_the_prior_is_on_no_difference() -> None:
    prior = np.exp(surprise.LOG_PRIOR[:, 0])
    assert prior.sum() == pytest.approx(1)
    assert prior[0] == pytest.approx(0.5)
    below_one = prior[1:][surprise.DIFFERENCES <= 1].sum() / 0.5
    assert below_one == pytest.approx(stats.halfcauchy.cdf(1), abs=0.06)  # the grid starts at 0.1


@pytest.mark.parametrize("n_devices", [3, 4, 5, 30])
@pytest.mark.parametrize("error", [1e-9, 0.3, 1e9])
def test_core_by_loops(draw: Draw, n_devices: int, error: float) -> None:
    values = draw("normal", (n_devices,), seed=n_devices)
    values[0] *= 1e3
    assert surprise.core(values, error).tolist() == _core(values.tolist(), error)


@pytest.mark.parametrize("n_devices", [3, 5, 10, 100])
def test_a_clean_cohort_is_left_whole(draw: Draw, n_devices: int) -> None:
    cohorts = draw("normal", (600, n_devices)) * 100
    assert np.mean([not surprise.core(cohort, 1.0).all() for cohort in cohorts]) < 0.02


@pytest.mark.parametrize("far", [0.0, 1e5])
def test_the_others_are_the_rest_of_the_core(draw: Draw, far: float) -> None:
    values = 7 + 3 * draw("normal", (9,))
    values[4] += far
    member = surprise.core(values, 0.5)
    assert member.sum() == (8 if far else 9)
    heard = surprise.hear_others(values, np.full(9, 0.5), 0.5)
    for device in range(9):
        others = np.array([values[k] for k in range(9) if member[k] and k != device])
        assert heard.count[device] == len(others)
        assert heard.away[device] == pytest.approx(values[device] - others.mean())
        logs = [stats.norm.logpdf(others, others.mean(), np.sqrt(variance)).sum() for variance in heard.spread[:, 0]]
        expected = np.array(logs) + np.log(heard.spread[:, 0]) / 2  # the centre is integrated out
        np.testing.assert_allclose(np.diff(heard.likelihood[:, device]), np.diff(expected), atol=1e-6)


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize(
    ("values", "error"), [([1.0, 2.0, 4.0], 1.0), ([0.0, 0.1, 0.2, 2.0], 0.1), ([5, 9, -3, 6, 7, 1.0, 14], 2.0)]
)
def test_p_by_integrating_spread_and_centre_out(values: list[float], error: float, skewed: bool) -> None:
    series = np.array(values)
    got = _p(series, error, skewed=skewed)
    for device in range(len(series)):
        expected = _predictive_p(series[device], np.delete(series, device), error, skewed=skewed)
        assert got[device] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("scale", [0.03, 0.2, 1.0, 20.0])
def test_exponential_tail_is_the_exponentially_modified_gaussian(scale: float) -> None:
    deviate = np.linspace(-3, 12, 31)
    got = np.exp(surprise._log_exponential_tail(deviate, np.array(scale)))
    np.testing.assert_allclose(got, stats.exponnorm(scale).sf(deviate + scale), rtol=1e-6, atol=1e-12)


def test_every_feature_is_judged_by_its_own_values(draw: Draw) -> None:
    table = FeatureTable(draw("normal", (ROWS, 8)), np.full((ROWS, 8), 0.7), 10)
    got = surprise.log_surprises(table)
    for place in range(ROWS):
        error = 0.7 if place >= 4 else pooled_error(table.errors[place], 10)
        expected = _p(table.values[place], error, skewed=place == SPIKE)
        np.testing.assert_allclose(np.exp(got[place]), expected)


def test_order_unit_and_zero_point_do_not_matter(draw: Draw) -> None:
    values = draw("student", (12,))
    base, order = surprise.log_surprises(_table(values)), np.random.default_rng(1).permutation(12)
    np.testing.assert_allclose(surprise.log_surprises(_table(values[order])), base[:, order], rtol=1e-9)
    np.testing.assert_allclose(surprise.log_surprises(_table(values * 1e9, 1e9)), base, rtol=1e-9)
    np.testing.assert_allclose(surprise.log_surprises(_table(values + 1e3)), base, rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([1.0, 99.0], 1.0),
        ([1.0, 99.0, np.nan], 1.0),
        ([np.nan] * 4, np.nan),
        ([1.0, 2.0, 99.0], 0.0),
        ([5.0] * 4, 1.0),
        ([], 1.0),
    ],
)
def test_no_surprise_where_nothing_can_be_said(values: list[float], error: float) -> None:
    np.testing.assert_allclose(surprise.log_surprises(_table(np.array(values), error)), 0, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e15])
def test_one_far_device_is_surprising_and_spoils_no_other(draw: Draw, scale: float) -> None:
    values = np.append(draw("normal", (20,)), [1e6, np.nan]) * scale
    got = surprise.log_surprises(_table(values, scale))
    assert got[:, 20].max() < -40
    assert got[:, :20].min() > np.log(1e-4)
    assert (got[:, 21] == 0).all()


def test_a_device_badly_known_is_less_surprising(draw: Draw) -> None:
    values, own = np.append(draw("normal", (20,)), 6.0), np.ones(21)
    p = []
    for error in (0.01, 1.0, np.nan, 3.0):
        own[-1] = error
        p.append(surprise.log_tail(surprise.hear_others(values, own, 1.0), skewed=False)[-1])
    assert p[0] == p[1] == p[2]
    assert p[3] > np.log(0.01) > p[1]


def test_a_probe_is_judged_as_if_it_were_the_next_device(draw: Draw) -> None:
    values = np.append(draw("normal", (9,)), 4.0)
    probe, others = _table(values[9:]), _table(values[:9])
    got = surprise.log_surprises_of(probe, others)
    np.testing.assert_allclose(got, surprise.log_surprises(_table(values))[:, 9:], rtol=1e-9)
    together = surprise.log_surprises_of(_table(np.array([np.nan, 4.0, 5.0])), others)
    np.testing.assert_allclose(together[:, 1:2], got)
    assert (together[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("probe", "others", "error"),
    [([np.nan], [1.0, 2.0, 3.0], 1.0), ([9.0], [1.0, np.nan], 1.0), ([9.0], [1.0, 2.0], 0.0), ([9.0], [], 1.0)],
)
def test_a_probe_without_company_is_no_surprise(probe: list[float], others: list[float], error: float) -> None:
    got = surprise.log_surprises_of(_table(np.array(probe)), _table(np.array(others), error))
    assert (got == 0).all()


def test_typical_error_of_none_is_zero() -> None:
    assert surprise.typical_error(_table(np.ones(3), np.nan), PLAIN) == 0


def _p_of_cohorts(draw: Draw, n_devices: int, true_sd: float, **how: Any) -> FloatArray:
    """p-values of all devices of clean cohorts that differ by ``true_sd`` times their sampling error."""
    shape = (max(60, (3000 if n_devices < 5 else 6000) // n_devices), n_devices)
    truth = true_sd * draw("normal", shape, seed=2)
    return np.concatenate([_p(cohort, **how) for cohort in draw("normal", shape) + truth])


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("n_devices", [3, 5, 10, 50, 300])
def test_devices_that_do_not_differ_are_no_surprise(
    draw: Draw, assert_held: Judge, n_devices: int, skewed: bool
) -> None:
    p = _p_of_cohorts(draw, n_devices, 0.0, skewed=skewed)
    assert_held(p, least=0.35 if n_devices < 10 else 0.6)


@pytest.mark.parametrize("true_sd", [1.0, 5.0, 100.0])
@pytest.mark.parametrize(
    ("n_devices", "factors"),
    [
        # How many times too often p falls below 0.1, 0.01 and 0.001 at the worst of these true spreads: the prior
        # holds small differences for likely, and few others cannot talk it out of that.
        (3, (3.1, 9.5, 30)),
        (5, (1.8, 4, 8)),
        (10, (1.45, 2, 2.5)),
        (50, (1.15, 1.4, 2)),
        (300, (1.05, 1.1, 1.3)),
    ],
)
def test_devices_that_truly_differ_surprise_by_a_known_factor(
    draw: Draw, assert_held: Judge, n_devices: int, true_sd: float, factors: tuple[float, float, float]
) -> None:
    p = _p_of_cohorts(draw, n_devices, true_sd)
    for level, factor in zip((0.1, 0.01, 0.001), factors, strict=True):
        assert_held(p, factor=factor, nominal=[level], least=0.8)


@pytest.mark.parametrize(("true_sd", "raised"), [(0.0, False), (50.0, False), (1e3, True), (1e6, True)])
def test_error_is_raised_where_the_grid_would_not_reach(draw: Draw, true_sd: float, raised: bool) -> None:
    values = draw("normal", (40,)) * np.hypot(1, true_sd)
    robust_sd = 1.4826 * stats.median_abs_deviation(values)
    expected = robust_sd / surprise.WIDEST if raised else 1.0
    member = surprise.hear_others(values, np.full(40, np.nan), 1.0)
    probe = surprise.hear(values, values[:1], np.array([np.nan]), 1.0)
    for heard in (member, probe):
        np.testing.assert_allclose(heard.own, expected)
        np.testing.assert_allclose(np.sqrt(heard.spread[0]), expected)
        np.testing.assert_allclose(np.sqrt(heard.between[1:, 0]), surprise.DIFFERENCES * expected)


@pytest.mark.parametrize("n_devices", [10, 300])
@pytest.mark.parametrize("true_sd", [1e3, 1e5])
def test_devices_that_differ_without_end_are_no_surprise(
    draw: Draw, assert_held: Judge, n_devices: int, true_sd: float
) -> None:
    assert_held(_p_of_cohorts(draw, n_devices, true_sd), factor=2.5)


@pytest.mark.parametrize("law", ["normal", "lognormal", "student4"])
@pytest.mark.parametrize(
    ("n_devices", "factors"),
    [
        # How many times too often p falls below 0.1, 0.01 and 0.001 at the worst of these laws: heavy tails as for
        # true differences above; for many devices normal noise, whose maximum has a longer tail than a normal law.
        (3, (2.9, 3.5, 1)),
        (5, (1.85, 4, 5)),
        (10, (1.2, 1.7, 3.5)),
        (30, (1, 1.1, 1.5)),
        (300, (1, 1.2, 2.7)),
    ],
)
def test_spikes_of_any_noise_surprise_by_a_known_factor(
    draw: Draw, assert_held: Judge, law: str, n_devices: int, factors: tuple[float, float, float]
) -> None:
    spikes = features.spike_log(draw(law, (366, 3000 if n_devices < 10 else 6000)))
    error = float(features.spike_error(np.array([366]))[0])
    p = np.concatenate([_p(cohort, error, skewed=True) for cohort in spikes.reshape(-1, n_devices)])
    for level, factor in zip((0.1, 0.01, 0.001), factors, strict=True):
        assert_held(p, factor=factor, nominal=[level], least=0.3 if n_devices < 10 else 0.6)
