from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from oddfleet.detect import moderate
from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.detect.moments import MOMENTS
from oddfleet.model import FloatArray

OWN = 9


def _table(errors: FloatArray) -> FeatureTable:
    """A table whose moments all have these errors (devices,); the other features have 1."""
    rows = np.ones((len(COMPARED), len(errors)))
    rows[: len(MOMENTS)] = errors
    return FeatureTable(np.zeros(rows.shape), rows, OWN + 1)


def _errors(freedom: float, devices: int, usual: float = 0.2) -> FloatArray:
    """Errors as ten parts show them, of devices whose true variances are a scaled inverse chi-square law's."""
    draw = np.random.default_rng(devices)
    true = usual**2 * (freedom / draw.chisquare(freedom, devices) if np.isfinite(freedom) else np.ones(devices))
    return np.sqrt(true * draw.chisquare(OWN, devices) / OWN)


def test_errors_are_the_weighted_mean_of_the_own_and_the_usual_variance() -> None:
    table = _table(_errors(6.0, 300))
    learnt = moderate.learn(table)
    for row in range(len(MOMENTS)):
        usual, freedom = float(learnt.variance[row]), float(learnt.freedom[row])
        expected = np.sqrt((freedom * usual + OWN * table.errors[row] ** 2) / (freedom + OWN))
        np.testing.assert_allclose(learnt.apply(table).errors[row], expected)
    np.testing.assert_array_equal(learnt.apply(table).errors[len(MOMENTS) :], 1.0)


@pytest.mark.parametrize("freedom", [4.0, 20.0])
def test_the_prior_is_smyths_in_a_very_large_cohort(freedom: float) -> None:
    errors = _errors(freedom, 200_000)
    learnt = moderate.learn(_table(errors))
    # Smyth (2004): the variance of the logs is the sum of two trigammas, their mean holds two digammas.
    logs = np.log(errors**2)
    excess = logs.var() - special.polygamma(1, OWN / 2)
    expected = 2 * optimize.brentq(lambda half: special.polygamma(1, half) - excess, 0.1, 1e4)
    assert learnt.freedom[0] == pytest.approx(expected, rel=0.15)  # medians, where Smyth has means
    assert learnt.freedom[0] == pytest.approx(freedom, rel=0.15)
    assert learnt.variance[0] == pytest.approx(0.04, rel=0.05)


def test_errors_that_scatter_as_chance_has_it_become_one_error() -> None:
    errors = _errors(np.inf, 3000)
    moderated = moderate.learn(_table(errors)).apply(_table(errors)).errors[0]
    assert moderated.std() < 0.1 * errors.std()
    assert np.median(moderated) == pytest.approx(0.2, rel=0.05)


def test_a_small_cohort_is_trusted_less() -> None:
    assert moderate.learn(_table(_errors(np.inf, 8))).freedom.max() < 20
    few = _errors(np.inf, 4)
    np.testing.assert_array_equal(moderate.learn(_table(few)).apply(_table(few)).errors[0], few)


@pytest.mark.parametrize("odd", [0.0, 1e6, np.nan])
def test_odd_errors_move_nobody_elses(odd: float) -> None:
    errors = _errors(8.0, 400)
    plain = moderate.learn(_table(errors))
    errors[:20] = odd
    moved = moderate.learn(_table(errors))
    np.testing.assert_allclose(moved.variance, plain.variance, rtol=0.1)
    assert np.isnan(moved.apply(_table(errors)).errors[0][:20]).all() == np.isnan(odd)
