from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from oddfleet.detect import features, surprise
from oddfleet.detect.features import COMPARED, EXTREMES, FeatureTable
from oddfleet.detect.moments import moments, pooled_error
from oddfleet.detect.surprise import Prior
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

ROWS = len(COMPARED)
PLAIN = COMPARED.index("drift_score")
EVEN = Prior(0.5)


def _table(values: FloatArray, error: float = 1.0) -> FeatureTable:
    """The same values (devices,) for every feature, with errors that say themselves what they are."""
    errors = np.full((ROWS, len(values)), error)
    errors[:4] /= pooled_error(np.ones(1), 10)  # moments' errors are pooled, and corrected for the pooling
    return FeatureTable(np.tile(values, (ROWS, 1)), errors, 10)


def _core(values: list[float], error: float) -> list[bool]:
    """Without those beyond the allowance, at most one for every three devices, and of a few devices none."""
    middle, count = float(np.median(values)), len(values)
    usual = max(error, 1.4826 * float(np.median([abs(value - middle) for value in values])))
    allowance = 4 + 40 / max(count - 3, 0.5)
    furthest = sorted(range(count), key=lambda place: -abs(values[place] - middle))[: min(count // 3, count**2 // 100)]
    return [abs(values[place] - middle) <= allowance * usual or place not in furthest for place in range(count)]


def _prior_by_loops(prior: Prior, error: float) -> list[float]:
    """Half-Cauchy on the grid, where each place counts for its part of a logarithm; before it no difference."""
    scale = max(prior.scale, error)
    slab = [sd * stats.halfcauchy.pdf(sd, scale=scale) for sd in (surprise.DIFFERENCES * error).tolist()]
    return [prior.alike, *((1 - prior.alike) * part / sum(slab) for part in slab)]


def _predictive_p(value: float, others: FloatArray, error: float, prior_: Prior, *, skewed: bool) -> float:
    """Twice the tail beyond ``value``: every true spread and every centre in turn, by sums over fine grids."""
    if skewed and value <= others.mean():
        return 1.0
    upwards, evidence, tail = value > others.mean(), 0.0, 0.0
    for true_sd, prior in zip([0.0, *surprise.DIFFERENCES * error], _prior_by_loops(prior_, error), strict=True):
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


def _p(values: FloatArray, error: float = 1.0, prior: Prior = EVEN, *, skewed: bool = False) -> FloatArray:
    own = np.full(len(values), error)
    p: FloatArray = np.exp(surprise.log_tail(surprise.hear_others(values, own, error), prior, skewed=skewed))
    return p


@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("scale", "error", "used"), [(0.0, 1.0, 1.0), (5.0, 1.0, 5.0), (1.0, 1e3, 1e3)])
def test_prior_is_a_spike_at_no_difference_and_a_half_cauchy(
    alike: float, scale: float, error: float, used: float
) -> None:
    between = np.append(0.0, surprise.DIFFERENCES * error)[:, None] ** 2
    got = np.exp(surprise._log_prior(Prior(alike, scale), between))[:, 0]
    assert got.sum() == pytest.approx(1)
    assert got[0] == pytest.approx(alike)
    np.testing.assert_allclose(got, _prior_by_loops(Prior(alike, scale), error), rtol=1e-9)
    below = got[1:][surprise.DIFFERENCES * error <= used].sum() / (1 - alike)
    assert below == pytest.approx(stats.halfcauchy.cdf(1), abs=0.06)  # the grid has a first and a last place


def test_every_prior_is_of_a_feature_and_sure_of_nothing() -> None:
    assert set(surprise.PRIORS) <= set(COMPARED)
    for prior in (*surprise.PRIORS.values(), surprise.USUAL_PRIOR):
        assert 0 < prior.alike < 1
        assert prior.scale >= 0


@pytest.mark.parametrize("n_devices", [3, 4, 5, 9, 10, 30])
@pytest.mark.parametrize("error", [1e-9, 0.3, 1e9])
def test_core_by_loops(draw: Draw, n_devices: int, error: float) -> None:
    values = draw("normal", (n_devices,), seed=n_devices)
    values[: n_devices // 2] *= 1e3
    assert surprise.core(values, error).tolist() == _core(values.tolist(), error)


def test_of_few_devices_none_is_left_out_and_of_many_a_third_at_most() -> None:
    for n_devices in range(3, 10):
        assert surprise.core(np.append(np.zeros(n_devices - 1), 1e9), 1.0).all()
    assert surprise.core(np.append(np.zeros(9), 1e9), 1.0).sum() == 9
    lopsided = np.repeat([0.0, 1e6], [60, 40]) + np.arange(100.0)
    assert surprise.core(lopsided, 1.0).sum() == 100 - 33


@pytest.mark.parametrize("n_devices", [3, 5, 10, 100])
def test_a_clean_cohort_is_left_whole(draw: Draw, n_devices: int) -> None:
    cohorts = draw("normal", (600, n_devices)) * 100
    assert np.mean([not surprise.core(cohort, 1.0).all() for cohort in cohorts]) < 0.02


@pytest.mark.parametrize("far", [0.0, 1e5])
def test_the_others_are_the_rest_of_the_core(draw: Draw, far: float) -> None:
    values = 7 + 3 * draw("normal", (12,))
    values[4] += far
    member = surprise.core(values, 0.5)
    assert member.sum() == (11 if far else 12)
    heard = surprise.hear_others(values, np.full(12, 0.5), 0.5)
    for device in range(12):
        others = np.array([values[k] for k in range(12) if member[k] and k != device])
        assert heard.count[device] == len(others)
        assert heard.away[device] == pytest.approx(values[device] - others.mean())
        logs = [stats.norm.logpdf(others, others.mean(), np.sqrt(variance)).sum() for variance in heard.spread[:, 0]]
        expected = np.array(logs) + np.log(heard.spread[:, 0]) / 2  # the centre is integrated out
        np.testing.assert_allclose(np.diff(heard.likelihood[:, device]), np.diff(expected), atol=1e-6)


@pytest.mark.parametrize("prior", [EVEN, Prior(0.9), Prior(0.1, 3.0)])
@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize(
    ("values", "error"), [([1.0, 2.0, 4.0], 1.0), ([0.0, 0.1, 0.2, 2.0], 0.1), ([5, 9, -3, 6, 7, 1.0, 14], 2.0)]
)
def test_p_by_summing_spread_and_centre_out(values: list[float], error: float, skewed: bool, prior: Prior) -> None:
    series = np.array(values)
    got = _p(series, error, prior, skewed=skewed)
    for device in range(len(series)):
        expected = _predictive_p(series[device], np.delete(series, device), error, prior, skewed=skewed)
        assert got[device] == pytest.approx(expected, rel=1e-3)


def _tail_and_evidence(sd: float, away: float, others: FloatArray) -> tuple[float, float]:
    """Twice the chance of a device further away, and how likely the others are, where devices differ by ``sd``."""
    spread = float(np.hypot(1.0, sd))
    count, squares = len(others), float(((others - others.mean()) ** 2).sum())
    likely = spread ** (1 - count) * np.exp(-squares / 2 / spread**2)
    return 2 * float(stats.norm.sf(abs(away) / spread / np.sqrt(1 + 1 / count))) * likely, likely


@pytest.mark.parametrize("prior", [EVEN, Prior(0.9), Prior(0.2, 4.0)])
@pytest.mark.parametrize("others", [[-1.0, 0.5, 0.5], [-9.0, 2.0, 7.0, 1.0], list(np.linspace(-2, 2, 40))])
@pytest.mark.parametrize("value", [0.5, 3.0, 12.0])
def test_p_by_quadrature_over_the_true_spread(value: float, others: list[float], prior: Prior) -> None:
    known, scale = np.array(others), max(prior.scale, 1.0)
    tail, evidence = (prior.alike * part for part in _tail_and_evidence(0.0, value - known.mean(), known))
    for place in range(2):

        def density(log_sd: float, place: int = place) -> float:
            sd = float(np.exp(log_sd))
            law = sd * float(stats.halfcauchy.pdf(sd, scale=scale))
            return law * _tail_and_evidence(sd, value - known.mean(), known)[place]

        whole = (1 - prior.alike) * quad(density, np.log(0.02), np.log(1e5), limit=200, epsabs=1e-14)[0]
        tail, evidence = (tail + whole, evidence) if place == 0 else (tail, evidence + whole)
    said = surprise.hear(surprise.usual(known, 1.0), np.array([value]), np.array([1.0]))
    assert np.exp(surprise.log_tail(said, prior))[0] == pytest.approx(tail / evidence, rel=0.1)


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
        prior = surprise.PRIORS.get(COMPARED[place], surprise.USUAL_PRIOR)
        expected = _p(table.values[place], error, prior, skewed=COMPARED[place] in EXTREMES)
        np.testing.assert_allclose(np.exp(got[place]), expected, err_msg=COMPARED[place])


def test_order_unit_and_zero_point_do_not_matter(draw: Draw) -> None:
    values = draw("student", (12,))
    base, order = surprise.log_surprises(_table(values)), np.random.default_rng(1).permutation(12)
    np.testing.assert_allclose(surprise.log_surprises(_table(values[order])), base[:, order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(surprise.log_surprises(_table(values + 1e3)), base, rtol=1e-6, atol=1e-12)
    small = surprise.log_surprises(_table(values * 1e-3, 1e-3))
    for place, name in enumerate(COMPARED):
        if surprise.PRIORS.get(name, surprise.USUAL_PRIOR).scale == 0:  # else differences have a unit
            np.testing.assert_allclose(small[place], base[place], rtol=1e-9, atol=1e-12, err_msg=name)


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
        p.append(surprise.log_tail(surprise.hear_others(values, own, 1.0))[-1])
    assert p[0] == p[1] == p[2]
    assert p[3] > np.log(0.01) > p[1]


def test_a_probe_is_judged_as_if_it_were_the_next_device(draw: Draw) -> None:
    values = np.append(draw("normal", (9,)), 4.0)
    probe, others = _table(values[9:]), _table(values[:9])
    got = surprise.log_surprises_of(probe, surprise.listen(others))
    np.testing.assert_allclose(got, surprise.log_surprises(_table(values))[:, 9:], rtol=1e-9)
    together = surprise.log_surprises_of(_table(np.array([np.nan, 4.0, 5.0])), surprise.listen(others))
    np.testing.assert_allclose(together[:, 1:2], got)
    assert (together[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("probe", "others", "error"),
    [([np.nan], [1.0, 2.0, 3.0], 1.0), ([9.0], [1.0, np.nan], 1.0), ([9.0], [1.0, 2.0], 0.0), ([9.0], [], 1.0)],
)
def test_a_probe_without_company_is_no_surprise(probe: list[float], others: list[float], error: float) -> None:
    got = surprise.log_surprises_of(_table(np.array(probe)), surprise.listen(_table(np.array(others), error)))
    assert (got == 0).all()


def test_typical_error_of_none_is_zero() -> None:
    assert surprise.typical_error(_table(np.ones(3), np.nan), PLAIN) == 0


def _p_of_cohorts(draw: Draw, n_devices: int, true_sd: float, **how: Any) -> FloatArray:
    """p-values of all devices of clean cohorts that differ by ``true_sd`` times their sampling error."""
    shape = (max(20, 2000 // n_devices), n_devices)
    truth = true_sd * draw("normal", shape, seed=2)
    return np.concatenate([_p(cohort, **how) for cohort in draw("normal", shape) + truth])


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("n_devices", [3, 5, 10, 50, 300])
def test_devices_that_do_not_differ_are_no_surprise(
    draw: Draw, assert_held: Judge, n_devices: int, skewed: bool
) -> None:
    p = _p_of_cohorts(draw, n_devices, 0.0, skewed=skewed)
    least = 0.35 if n_devices < 10 else 0.6
    assert_held(p, least=least / 2 if skewed else least)  # of a maximum one side is looked at


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
    widest = max(1.4826 * stats.median_abs_deviation(values), values[surprise.core(values, 1.0)].std())
    expected = widest / surprise.WIDEST if raised else 1.0
    member = surprise.hear_others(values, np.full(40, np.nan), 1.0)
    probe = surprise.hear(surprise.usual(values, 1.0), values[:1], np.array([np.nan]))
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


@pytest.mark.parametrize("true_sd", [1.0, 5.0, 100.0])
@pytest.mark.parametrize(
    ("n_devices", "factors"),
    [
        # The same where no difference is held for very likely.
        (3, (3.9, 22, 50)),
        (5, (2.1, 5.5, 20)),
        (10, (1.95, 4, 8)),
        (50, (1.3, 2, 3)),
        (300, (1.1, 1.3, 2)),
    ],
)
def test_devices_that_differ_though_that_is_unlikely_surprise_by_a_known_factor(
    draw: Draw, assert_held: Judge, n_devices: int, true_sd: float, factors: tuple[float, float, float]
) -> None:
    p = _p_of_cohorts(draw, n_devices, true_sd, prior=Prior(0.9))
    for level, factor in zip((0.1, 0.01, 0.001), factors, strict=True):
        assert_held(p, factor=factor, nominal=[level], least=0.8)


@pytest.mark.parametrize("n_devices", [3, 10, 300])
def test_differences_of_the_expected_size_are_no_surprise(draw: Draw, assert_held: Judge, n_devices: int) -> None:
    p = _p_of_cohorts(draw, n_devices, 3.0, prior=Prior(0.1, 10.0))
    assert_held(p, factor=1.2)


@cache
def _spikes(draw: Draw, law: str) -> FloatArray:
    noise = draw(law, (366, 1200))
    return features.extremes(noise, np.exp(moments(noise)[1]))


@pytest.mark.parametrize("law", ["normal", "lognormal", "student4"])
@pytest.mark.parametrize(
    ("n_devices", "alike", "factors"),
    [
        # How many times too often p falls below 0.1, 0.01 and 0.001 at the worst of these laws: heavy tails as for
        # true differences above.
        (3, 0.5, (1.7, 2.5, 1)),
        (5, 0.5, (1.3, 3, 4)),
        (10, 0.5, (1, 1.4, 3.5)),
        (300, 0.5, (1, 1, 1)),
        (3, 0.8, (2, 6.5, 1.5)),
        (5, 0.8, (1.5, 4.7, 12)),
        (10, 0.8, (1, 1.7, 5.5)),
        (300, 0.8, (1, 1, 1)),
    ],
)
def test_spikes_of_any_noise_surprise_by_a_known_factor(
    draw: Draw, assert_held: Judge, *, law: str, n_devices: int, alike: float, factors: tuple[float, float, float]
) -> None:
    for far, error in zip(_spikes(draw, law), features.extreme_errors(np.array([366]))[:, 0].tolist(), strict=True):
        cohorts = far.reshape(-1, n_devices)
        p = np.concatenate([_p(cohort, error, Prior(alike), skewed=True) for cohort in cohorts])
        for level, factor in zip((0.1, 0.01, 0.001), factors, strict=True):
            assert_held(p, factor=factor, nominal=[level], least=0.15 if n_devices < 10 else 0.3)
