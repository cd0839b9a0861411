from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import predictive, surprise
from oddfleet.detect.features import COMPARED, EXTREMES, FeatureTable
from oddfleet.detect.moments import pooled_error
from oddfleet.detect.surprise import Reading
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

ROWS = len(COMPARED)
PLAIN = COMPARED.index("drift_score")
PLAINLY = Reading(np.zeros(ROWS, bool))


def _table(values: FloatArray, error: float = 1.0) -> FeatureTable:
    """The same values (devices,) for every feature, with errors that say themselves what they are."""
    errors = np.full((ROWS, len(values)), error)
    errors[:4] /= pooled_error(np.ones(1), 10)  # moments' errors are pooled, and corrected for the pooling
    return FeatureTable(np.tile(values, (ROWS, 1)), errors, 10)


def test_every_prior_is_of_a_feature_and_sure_of_nothing() -> None:
    assert set(surprise.PRIORS) <= set(COMPARED)
    for prior in (*surprise.PRIORS.values(), predictive.USUAL_PRIOR):
        assert 0 < prior.alike < 1
        assert 0 <= prior.overrated < 1
        assert prior.scale >= 0


def test_every_feature_is_judged_by_its_own_values(draw: Draw) -> None:
    table = FeatureTable(draw("normal", (ROWS, 8)), np.full((ROWS, 8), 0.7), 10)
    got = surprise.log_surprises(table, PLAINLY)
    for place in range(ROWS):
        error = 0.7 if place >= 4 else pooled_error(table.errors[place], 10)
        prior = surprise.PRIORS.get(COMPARED[place], predictive.USUAL_PRIOR)
        heard = predictive.hear_others(table.values[place], np.full(8, error), error)
        expected = predictive.log_tail(heard, prior, skewed=COMPARED[place] in EXTREMES)
        np.testing.assert_allclose(got[place], expected, err_msg=COMPARED[place])


def test_order_unit_and_zero_point_do_not_matter(draw: Draw) -> None:
    values = draw("student", (12,))
    base, order = surprise.log_surprises(_table(values), PLAINLY), np.random.default_rng(1).permutation(12)
    np.testing.assert_allclose(
        surprise.log_surprises(_table(values[order]), PLAINLY), base[:, order], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(surprise.log_surprises(_table(values + 1e3), PLAINLY), base, rtol=1e-6, atol=1e-12)
    small = surprise.log_surprises(_table(values * 1e-3, 1e-3), PLAINLY)
    for place, name in enumerate(COMPARED):
        if surprise.PRIORS.get(name, predictive.USUAL_PRIOR).scale == 0:  # else differences have a unit
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
    np.testing.assert_allclose(surprise.log_surprises(_table(np.array(values), error), PLAINLY), 0, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e15])
def test_one_far_device_is_surprising_and_spoils_no_other(draw: Draw, scale: float) -> None:
    values = np.append(draw("normal", (20,)), [1e6, np.nan]) * scale
    got = surprise.log_surprises(_table(values, scale), PLAINLY)
    assert got[:, 20].max() < -40
    assert got[:, :20].min() > np.log(1e-4)
    assert (got[:, 21] == 0).all()


def test_a_probe_is_judged_as_if_it_were_the_next_device(draw: Draw) -> None:
    values = np.append(draw("normal", (9,)), 4.0)
    probe, others = _table(values[9:]), _table(values[:9])
    got = surprise.log_surprises_of(probe, surprise.listen(others), PLAINLY)
    np.testing.assert_allclose(got, surprise.log_surprises(_table(values), PLAINLY)[:, 9:], rtol=1e-9)
    together = surprise.log_surprises_of(_table(np.array([np.nan, 4.0, 5.0])), surprise.listen(others), PLAINLY)
    np.testing.assert_allclose(together[:, 1:2], got)
    assert (together[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("probe", "others", "error"),
    [([np.nan], [1.0, 2.0, 3.0], 1.0), ([9.0], [1.0, np.nan], 1.0), ([9.0], [1.0, 2.0], 0.0), ([9.0], [], 1.0)],
)
def test_a_probe_without_company_is_no_surprise(probe: list[float], others: list[float], error: float) -> None:
    got = surprise.log_surprises_of(_table(np.array(probe)), surprise.listen(_table(np.array(others), error)), PLAINLY)
    assert (got == 0).all()


def test_typical_error_of_none_is_zero() -> None:
    assert surprise.typical_error(_table(np.ones(3), np.nan), PLAIN) == 0


def test_only_more_of_a_change_is_a_surprise_unless_the_cohort_has_much_of_it(draw: Draw) -> None:
    values = draw("normal", (20,))
    values[3], values[4] = -30.0, 30.0
    for middle, upwards in ((0.0, True), (40.0, False)):
        table = _table(values + middle)
        reading = Reading.of(table)
        assert [name for name, up in zip(COMPARED, reading.upwards, strict=True) if up] == (
            list(surprise.ONE_SIDED) if upwards else []
        )
        got = surprise.log_surprises(table, reading)
        for name in surprise.ONE_SIDED:
            low, high = got[COMPARED.index(name), [3, 4]]
            assert high < -20
            assert (low > -1e-3) == upwards
        assert got[PLAIN, 3] < -20


def test_what_is_judged_on_one_side_is_held_against_nothing_at_least(draw: Draw) -> None:
    values = draw("normal", (300,))
    row = COMPARED.index("shift_score")
    upwards = Reading.of(_table(values))
    low, far_below = (surprise.log_surprises(_table(values - below), upwards)[row] for below in (1.0, 2.0))
    alone = surprise.log_surprises_of(_table(np.array([4.0])), surprise.listen(_table(values - 2)), upwards)[row, 0]
    assert np.exp(alone) == pytest.approx(stats.norm.sf(4.0), rel=0.5)
    assert (far_below >= low - 1e-9).all()
