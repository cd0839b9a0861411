"""Features that lie further to one side, straightened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import leans, surprise
from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.detect.surprise import Reading
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

SPREAD = COMPARED.index("spread_log_mb")


def _table(spread: FloatArray) -> FeatureTable:
    """All features alike, but for the spread."""
    values = np.tile(np.linspace(-1, 1, len(spread)), (len(COMPARED), 1))
    values[SPREAD] = spread
    return FeatureTable(values, np.full(values.shape, 0.1), 10)


def _learn(table: FeatureTable) -> leans.Leans:
    return leans.learn(table, remembering=True)


def _bent(deviates: FloatArray, bend: float) -> FloatArray:
    """Tukey's g distribution about 3."""
    bent: FloatArray = 3 + 0.2 * np.expm1(bend * deviates) / bend
    return bent


def _p_values(table: FeatureTable) -> FloatArray:
    p: FloatArray = np.exp(surprise.log_surprises(table, Reading.of(table))[SPREAD])
    return p


@pytest.mark.parametrize("bend", [0.3, -0.3, 0.7, -0.7])
def test_a_cohort_that_leans_is_made_even(draw: Draw, assert_held: Judge, bend: float) -> None:
    deviates = draw("normal", (20_000,))
    table = _table(_bent(deviates, bend))
    lean = _learn(table)
    found = lean.leans[leans.LEANING.index("spread_log_mb")]
    assert found.side * found.bend == pytest.approx(bend, abs=0.04)
    even = lean.straighten(table)
    longer = deviates * bend > 0
    np.testing.assert_allclose((even.values[SPREAD] - 3)[longer], 0.2 * deviates[longer], atol=0.06)
    assert (_p_values(table) < 1e-3).mean() > 3e-3
    assert_held(_p_values(even), factor=1.2, least=0.5)


@pytest.mark.parametrize("side", [1, -1])
def test_the_bend_by_the_book(draw: Draw, side: int) -> None:
    spread = side * draw("lognormal", (700,))
    lower, middle, upper = np.sort(spread)[[34, 349, 664]]
    found = _learn(_table(spread)).leans[leans.LEANING.index("spread_log_mb")]
    longer, shorter = (upper - middle, middle - lower)[::side]
    bend = np.log(longer / shorter) / stats.norm.isf(0.05)
    assert found.bend == pytest.approx(min(bend, leans.MOST_BEND), rel=0.05)
    assert found.side == side
    # What begins the last twentieth on the longer side is as far out as in a normal cohort of that scale.
    even = found.straighten(np.array([lower, middle, upper]))
    assert abs(even[1] - middle) < 0.05
    assert even[2] - even[1] == pytest.approx(even[1] - even[0], rel=0.1)


@pytest.mark.parametrize("n_devices", [500, 5000])
def test_a_cohort_that_lies_evenly_is_hardly_touched(draw: Draw, n_devices: int) -> None:
    found = [_learn(_table(spread)).leans[1].bend for spread in draw("normal", (200, n_devices))]
    assert max(found) < 4 / n_devices**0.5  # what chance gives: 1.2 over the root is its standard error


def test_few_devices_do_not_lean(draw: Draw) -> None:
    spread = draw("lognormal", (leans.FEWEST_DEVICES,))
    spread[0] = np.nan
    table = _table(spread)
    np.testing.assert_allclose(_learn(table).straighten(table).values, table.values, rtol=1e-12)


def test_where_devices_do_not_remember_nothing_leans(draw: Draw) -> None:
    table = _table(draw("lognormal", (600,)))
    found = leans.learn(table, remembering=False)
    np.testing.assert_array_equal(found.straighten(table).values, table.values)
    assert (_learn(table).straighten(table).values != table.values).any()


@pytest.mark.parametrize("flat", ["all", "below"])
def test_where_half_are_equal_nothing_leans(draw: Draw, flat: str) -> None:
    spread = draw("lognormal", (600,))
    spread[: 600 if flat == "all" else 330] = 0.0
    table = _table(spread)
    np.testing.assert_allclose(_learn(table).straighten(table).values, table.values, rtol=1e-12)


def test_a_lean_keeps_the_order_the_gaps_and_the_other_features(draw: Draw) -> None:
    spread = draw("lognormal", (600,))
    spread[::9] = np.nan
    table = _table(spread)
    even = _learn(table).straighten(table)
    known = np.isfinite(spread)
    assert (np.isfinite(even.values[SPREAD]) == known).all()
    assert (np.argsort(even.values[SPREAD, known]) == np.argsort(spread[known])).all()
    assert even.values[SPREAD, known].max() < spread[known].max() / 2
    others = np.arange(len(COMPARED)) != SPREAD
    np.testing.assert_allclose(even.values[others], table.values[others], rtol=1e-12)
    np.testing.assert_array_equal(even.errors, table.errors)


@pytest.mark.parametrize("far", [1.5, -1.5, 40.0])
def test_a_few_odd_devices_bend_little(draw: Draw, far: float) -> None:
    spread = draw("normal", (2000,)) * 0.2
    odd = spread.copy()
    odd[:40] = far
    bends = [_learn(_table(values)).leans[1] for values in (spread, odd)]
    assert abs(bends[1].side * bends[1].bend - bends[0].side * bends[0].bend) < 0.08
    assert np.abs(bends[1].straighten(odd)[:20]).min() > 0.8 * min(abs(far), 2.0)
