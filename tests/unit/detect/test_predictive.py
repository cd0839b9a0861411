from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from oddfleet.detect import features, predictive
from oddfleet.detect.moments import moments
from oddfleet.detect.predictive import Prior
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

EVEN = Prior(0.5)


class How(NamedTuple):
    """How a value is judged."""

    skewed: bool = False
    one_sided: bool = False


def _core(values: list[float], error: float) -> list[bool]:
    """Without those beyond the allowance, at most one for every three devices, and of a few devices none."""
    middle, count = float(np.median(values)), len(values)
    usual = max(error, 1.4826 * float(np.median([abs(value - middle) for value in values])))
    allowance = 4 + 40 / max(count - 3, 0.5)
    furthest = sorted(range(count), key=lambda place: -abs(values[place] - middle))[: min(count // 3, count**2 // 100)]
    return [abs(values[place] - middle) <= allowance * usual or place not in furthest for place in range(count)]


def _prior_by_loops(prior: Prior, error: float) -> list[float]:
    """First smaller errors, all alike; then none or half-Cauchy differences, each for its part of a logarithm."""
    scale, smaller = max(prior.scale, error), len(predictive.OVERRATED)
    slab = [sd * stats.halfcauchy.pdf(sd, scale=scale) for sd in (predictive.DIFFERENCES * error).tolist()]
    parts = [prior.alike * prior.overrated / smaller] * smaller
    return [*parts, prior.alike * (1 - prior.overrated), *((1 - prior.alike) * part / sum(slab) for part in slab)]


def predictive_p(value: float, others: FloatArray, error: float, prior_: Prior, how: How) -> float:
    """The tail beyond ``value``: every true spread and every centre in turn, by sums over fine grids."""
    mean = others.mean()
    if how.skewed and value <= mean:
        return 1.0
    evidence, tail = 0.0, 0.0
    if len(others) < predictive.ENOUGH:
        prior_ = Prior(prior_.alike, prior_.scale)
    smaller = [(share, 0.0) for share in predictive.OVERRATED.tolist()]
    grid = [*smaller, (1.0, 0.0), *((1.0, sd) for sd in (predictive.DIFFERENCES * error).tolist())]
    for (share, true_sd), prior in zip(grid, _prior_by_loops(prior_, error), strict=True):
        spread = np.hypot(share * error, true_sd)
        noise = np.hypot(share * error, spread / np.sqrt(len(others)))
        step = 0.01 * spread / np.sqrt(len(others))
        centres = step * np.arange(-1200, 1201)  # about the mean of the others
        heard = np.exp(sum(stats.norm.logpdf(other, mean + centres, spread) for other in others))
        away = value - mean if how.one_sided else abs(value - mean)
        beyond = (heard * stats.norm.sf((away - centres) / spread)).sum()
        if how.skewed:
            uneven = predictive.SKEWED_SHARE * (share * error) ** 2
            rest = np.sqrt(noise**2 - uneven)
            scale = max(np.hypot(true_sd, np.sqrt(uneven)) / rest, 0.03)
            lopsided = stats.exponnorm(scale).sf((value - mean) / rest + scale)
            beyond = max(beyond, heard.sum() * lopsided)
        evidence += prior * heard.sum() * step
        tail += prior * beyond * step
    return min(1.0, float((1 if how.one_sided else 2) * tail / evidence))


def _p(values: FloatArray, error: float = 1.0, prior: Prior = EVEN, **how: bool) -> FloatArray:
    own = np.full(len(values), error)
    p: FloatArray = np.exp(predictive.log_tail(predictive.hear_others(values, own, error), prior, **how))
    return p


@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("scale", "error", "used"), [(0.0, 1.0, 1.0), (5.0, 1.0, 5.0), (1.0, 1e3, 1e3)])
def test_prior_is_a_spike_at_no_difference_and_a_half_cauchy(
    alike: float, scale: float, error: float, used: float
) -> None:
    smaller = len(predictive.OVERRATED)
    between = np.concatenate([np.zeros(smaller + 1), predictive.DIFFERENCES * error])[:, None] ** 2
    got = np.exp(predictive._log_prior(Prior(alike, scale, 0.25), between))[:, 0]
    assert got.sum() == pytest.approx(1)
    assert got[:smaller].sum() == pytest.approx(alike / 4)
    assert got[smaller] == pytest.approx(alike * 3 / 4)
    np.testing.assert_allclose(got, _prior_by_loops(Prior(alike, scale, 0.25), error), rtol=1e-9)
    below = got[smaller + 1 :][predictive.DIFFERENCES * error <= used].sum() / (1 - alike)
    assert below == pytest.approx(stats.halfcauchy.cdf(1), abs=0.06)  # the grid has a first and a last place


@pytest.mark.parametrize("n_devices", [3, 4, 5, 9, 10, 30])
@pytest.mark.parametrize("error", [1e-9, 0.3, 1e9])
def test_core_by_loops(draw: Draw, n_devices: int, error: float) -> None:
    values = draw("normal", (n_devices,), seed=n_devices)
    values[: n_devices // 2] *= 1e3
    assert predictive.core(values, error).tolist() == _core(values.tolist(), error)


def test_of_few_devices_none_is_left_out_and_of_many_a_third_at_most() -> None:
    for n_devices in range(3, 10):
        assert predictive.core(np.append(np.zeros(n_devices - 1), 1e9), 1.0).all()
    assert predictive.core(np.append(np.zeros(9), 1e9), 1.0).sum() == 9
    lopsided = np.repeat([0.0, 1e6], [60, 40]) + np.arange(100.0)
    assert predictive.core(lopsided, 1.0).sum() == 100 - 33


@pytest.mark.parametrize("n_devices", [3, 5, 10, 100])
def test_a_clean_cohort_is_left_whole(draw: Draw, n_devices: int) -> None:
    cohorts = draw("normal", (600, n_devices)) * 100
    assert np.mean([not predictive.core(cohort, 1.0).all() for cohort in cohorts]) < 0.02


@pytest.mark.parametrize("far", [0.0, 1e5])
def test_the_others_are_the_rest_of_the_core(draw: Draw, far: float) -> None:
    values = 7 + 3 * draw("normal", (12,))
    values[4] += far
    member = predictive.core(values, 0.5)
    assert member.sum() == (11 if far else 12)
    heard = predictive.hear_others(values, np.full(12, 0.5), 0.5)
    for device in range(12):
        others = np.array([values[k] for k in range(12) if member[k] and k != device])
        assert heard.count[device] == len(others)
        assert heard.away[device] == pytest.approx(values[device] - others.mean())
        spread = (heard.between + heard.sampling)[:, 0]
        logs = [stats.norm.logpdf(others, others.mean(), np.sqrt(variance)).sum() for variance in spread]
        expected = np.array(logs) + np.log(spread) / 2  # the centre is integrated out
        likelihood = predictive._log_likelihood(heard.count, heard.squares, heard.between + heard.sampling)
        np.testing.assert_allclose(np.diff(likelihood[:, device]), np.diff(expected), atol=1e-6)


@pytest.mark.parametrize("n_devices", [4, 30, 1000])
@pytest.mark.parametrize("spread", [0.5, 1.0, 40.0])
def test_a_true_variance_is_left_out_only_where_it_is_impossible_for_every_device(
    draw: Draw, n_devices: int, spread: float
) -> None:
    values = spread * draw("normal", (n_devices,))
    values[0] += 6 * spread
    heard = predictive.hear_others(values, np.full(n_devices, np.nan), 1.0)
    log_prior = predictive._log_prior(EVEN, heard.between)
    possible = predictive._possible(heard, log_prior)
    weight = predictive._log_likelihood(heard.count, heard.squares, heard.between + heard.sampling) + log_prior
    weight -= weight.max(axis=0)
    assert (weight[~possible] <= predictive.LEAST_WEIGHT).all()
    assert possible.mean() < (0.6 if n_devices == 1000 else 1.0)
    # Few are kept in vain: what is possible for an extreme device is so for one that is there, or nearly.
    assert (weight[possible].max(axis=1) > 1.5 * predictive.LEAST_WEIGHT).all()


def test_tails_too_small_for_a_number_go_on_in_logs() -> None:
    weight, deviate = np.log([[0.25], [0.75]]), np.array([[1.0, 30.0, 60.0, 400.0], [0.5, 35.0, 45.0, 300.0]])
    got = predictive._log_normal_tail(weight, deviate)
    expected = np.logaddexp(weight[0] + stats.norm.logsf(deviate[0]), weight[1] + stats.norm.logsf(deviate[1]))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("prior", [EVEN, Prior(0.9), Prior(0.1, 3.0), Prior(0.8, overrated=0.5)])
@pytest.mark.parametrize("how", [How(), How(skewed=True), How(one_sided=True)])
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([1.0, 2.0, 4.0], 1.0),
        ([0.0, 0.1, 0.2, 2.0], 0.1),
        ([5, 9, -3, 6, 7, 1.0, 14], 2.0),
        (list(np.arange(12.0) ** 1.3), 20.0),
    ],
)
def test_p_by_summing_spread_and_centre_out(values: list[float], error: float, how: How, prior: Prior) -> None:
    series = np.array(values)
    got = _p(series, error, prior, **how._asdict())
    for device in range(len(series)):
        expected = predictive_p(series[device], np.delete(series, device), error, prior, how)
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
    said = predictive.hear(predictive.usual(known, 1.0), np.array([value]), np.array([1.0]))
    assert np.exp(predictive.log_tail(said, prior))[0] == pytest.approx(tail / evidence, rel=0.1)


@pytest.mark.parametrize("scale", [0.03, 0.2, 1.0, 20.0])
def test_exponential_tail_is_the_exponentially_modified_gaussian(scale: float) -> None:
    deviate = np.linspace(-3, 12, 31)
    got = np.exp(predictive._log_exponential_tail(deviate, np.array(scale)))
    np.testing.assert_allclose(got, stats.exponnorm(scale).sf(deviate + scale), rtol=1e-6, atol=1e-12)


def test_a_device_badly_known_is_less_surprising(draw: Draw) -> None:
    values, own = np.append(draw("normal", (20,)), 6.0), np.ones(21)
    p = []
    for error in (0.01, 1.0, np.nan, 3.0):
        own[-1] = error
        p.append(predictive.log_tail(predictive.hear_others(values, own, 1.0))[-1])
    assert p[0] == p[1] == p[2]
    assert p[3] > np.log(0.01) > p[1]


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
    widest = max(1.4826 * stats.median_abs_deviation(values), values[predictive.core(values, 1.0)].std())
    expected = widest / predictive.WIDEST if raised else 1.0
    member = predictive.hear_others(values, np.full(40, np.nan), 1.0)
    probe = predictive.hear(predictive.usual(values, 1.0), values[:1], np.array([np.nan]))
    for heard in (member, probe):
        np.testing.assert_allclose(heard.own, expected)
        parts = np.append(predictive.OVERRATED, np.ones(1 + len(predictive.DIFFERENCES)))
        differences = np.append(np.zeros(1 + len(predictive.OVERRATED)), predictive.DIFFERENCES)
        np.testing.assert_allclose(np.sqrt(heard.sampling[:, 0]), parts * expected)
        np.testing.assert_allclose(np.sqrt(heard.between[:, 0]), differences * expected)


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
    return features.extremes(np.sort(noise, axis=0), noise.mean(axis=0), np.exp(moments(noise)[1]))


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


@pytest.mark.parametrize("share", [0.6, 0.8, 1.0])
@pytest.mark.parametrize(("n_devices", "least"), [(5, 0.05), (10, 0.1), (60, 0.25), (300, 0.6)])
def test_an_error_that_is_overrated_is_found_out_by_many(
    draw: Draw, assert_held: Judge, share: float, n_devices: int, least: float
) -> None:
    prior = Prior(0.8, overrated=0.5)
    cohorts = share * draw("normal", (max(20, 6000 // n_devices), n_devices))
    p = np.concatenate([_p(cohort, 1.0, prior) for cohort in cohorts])
    assert_held(p, factor=1.2, least=least, nominal=[0.1, 0.01])


def test_the_others_are_taken_to_have_the_least_at_least(draw: Draw) -> None:
    values = draw("normal", (20,)) - 3
    own = np.ones(20)
    plain, raised = (predictive.hear_others(values, own, 1.0, least).away for least in (-np.inf, 0.0))
    assert (plain > raised).all()
    np.testing.assert_allclose(raised, values)
    said = predictive.usual(values, 1.0)
    np.testing.assert_allclose(predictive.hear(said, values, own, 0.0).away, values)
    np.testing.assert_allclose(predictive.hear(said, values, own).away, values - said.mean)


@pytest.mark.parametrize("n_devices", [10, 300])
def test_on_one_side_devices_that_do_not_differ_surprise_as_promised(
    draw: Draw, assert_held: Judge, n_devices: int
) -> None:
    p = _p_of_cohorts(draw, n_devices, 0.0, one_sided=True)
    assert_held(p, least=0.6)
    assert (p > 0.5).mean() > 0.4
