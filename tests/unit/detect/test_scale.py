from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from oddfleet import plant
from oddfleet.detect import scale
from oddfleet.detect.scale import Scale
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

POWERS = (1.0, 0.5, 0.0)
TRAFFIC = st.just(np.nan) | st.just(0.0) | st.floats(1e-9, 1e15) | st.floats(-1e15, -1e-9)
MATRICES = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=TRAFFIC)

Make = Callable[[int, int, np.random.Generator], FloatArray]


def _levels(n_devices: int, rng: np.random.Generator) -> FloatArray:
    return np.exp(rng.normal(4.0, 1.2, n_devices))


MADE: dict[str, tuple[float, Make]] = {
    "additive, one level": (1.0, lambda days, n, rng: rng.normal(100, 5, (days, n))),
    "additive, many levels": (1.0, lambda days, n, rng: _levels(n, rng) + rng.normal(0, 3, (days, n))),
    "counts of many rates": (0.5, lambda days, n, rng: rng.poisson(_levels(n, rng), (days, n)).astype(float)),
    "rare counts": (0.5, lambda days, n, rng: rng.poisson(_levels(n, rng) / 50, (days, n)).astype(float)),
    "squares, one level": (0.5, lambda days, n, rng: (4 + rng.normal(size=(days, n))) ** 2),
    "factors, many levels": (0.0, lambda days, n, rng: _levels(n, rng) * np.exp(rng.normal(0, 0.15, (days, n)))),
    "bursts, one level": (0.0, lambda days, n, rng: 50 * np.exp(rng.normal(0, 0.8, (days, n)))),
}
"""Noise of known kinds, and the power that steadies its spread or makes it symmetric."""


def _made(what: str, n_days: int, n_devices: int, seed: int) -> FloatArray:
    return MADE[what][1](n_days, n_devices, np.random.default_rng(seed))


def _nearest(power: float) -> float:
    return min(POWERS, key=lambda known: abs(known - power))


@given(MATRICES, st.sampled_from(POWERS), st.floats(1e-9, 1e15))
def test_there_and_back(values: FloatArray, power: float, unit: float) -> None:
    scaled = Scale(power, np.full(values.shape[1], unit)).apply(values)
    assert np.array_equal(np.isnan(scaled), np.isnan(values))
    back = Scale(power, np.full(values.shape[1], unit)).invert(scaled)
    expected = values if power == 1 else np.maximum(values, 0.0)
    # A logarithm with a floor tells values apart down to a tiny share of its unit.
    np.testing.assert_allclose(back, expected, rtol=1e-12, atol=1e-15 * unit if power == 0 else 0.0)


@given(MATRICES, st.sampled_from(POWERS))
def test_no_scale_turns_devices_round(values: FloatArray, power: float) -> None:
    fitting = Scale(power, scale.choose(values).units)
    ordered = np.sort(values, axis=0)
    assert not (np.diff(fitting.apply(ordered), axis=0) < 0).any()


@given(MATRICES)
def test_some_scale_fits_whatever_came(values: FloatArray) -> None:
    fitting = scale.choose(values)
    assert fitting.power in POWERS
    assert (fitting.units > 0).all()
    back = fitting.invert(fitting.apply(values))
    assert np.array_equal(np.isnan(back), np.isnan(values))


@pytest.mark.parametrize("power", [0.5, 0.0])
def test_nothing_beyond_the_scale_is_negative_or_an_error(power: float) -> None:
    back = Scale(power, np.array([1e15])).invert(np.array([[-1e6], [-5.0], [1e3], [1e6], [np.nan]]))
    assert (back[:2] == 0).all()
    assert (back[2:4] > 0).all()
    assert np.isnan(back[4])


def test_a_share_of_the_traffic_is_a_step_on_the_logarithm(draw: Draw) -> None:
    values = 100 * np.exp(0.1 * draw("normal", (50, 2)))
    fitting = Scale(0.0, np.array([100.0, 100.0]))
    steps = fitting.apply(values * 1.5) - fitting.apply(values)
    np.testing.assert_allclose(steps, np.log(1.5), rtol=0.1)


def test_the_scale_of_one_device_is_its_column(draw: Draw) -> None:
    values = draw("lognormal", (40, 3)) * np.array([1.0, 1e3, 1e-6])
    for power in POWERS:
        whole = Scale(power, scale.choose(values).units)
        for place in range(3):
            alone = whole.of(place).apply(values[:, [place]])
            np.testing.assert_array_equal(alone, whole.apply(values)[:, [place]])


@pytest.mark.parametrize("n_days", [60, 366])
@pytest.mark.parametrize("n_devices", [20, 250])
@pytest.mark.parametrize("what", MADE)
def test_the_power_that_the_noise_was_made_with(what: str, n_devices: int, n_days: int) -> None:
    for seed in range(5):
        assert scale.choose(_made(what, n_days, n_devices, seed)).power == MADE[what][0]


@pytest.mark.parametrize("kind", ["steady", "lossy", "wandering", "counts", "bursty", "weekly"])
def test_the_powers_of_known_fleets(kind: str) -> None:
    expected = {"counts": 0.5, "bursty": 0.0, "weekly": 0.0}.get(kind, 1.0)
    for seed in range(10):
        assert scale.choose(plant.healthy_fleet(kind, 30, seed=seed).values).power == expected


@pytest.mark.parametrize("what", [what for what in MADE if "many" in what])
def test_power_by_a_line_through_level_and_spread(what: str) -> None:
    """Spread grows as the level to one minus the power: Theil's and Sen's line says how (scipy)."""
    for seed in range(5, 10):
        values = _made(what, 200, 40, seed)
        slope = stats.theilslopes(np.log(values.std(axis=0)), np.log(values.mean(axis=0)))[0]
        assert scale.choose(values).power == _nearest(1 - slope)


@pytest.mark.parametrize("what", ["squares, one level", "bursts, one level"])
@pytest.mark.parametrize("n_devices", [1, 2, 3, 30])
def test_power_by_box_and_cox(what: str, n_devices: int) -> None:
    """Where the levels are one, the middle device's most likely power (Box and Cox 1964; scipy)."""
    for seed in range(3):
        values = _made(what, 1000, n_devices, seed)
        likely = float(np.median([stats.boxcox_normmax(series, method="mle") for series in values.T[:3]]))
        assert scale.choose(values).power == _nearest(likely)


@pytest.mark.parametrize("n_devices", [1, 2, 3])
def test_few_devices_of_symmetric_noise_stay_as_measured(n_devices: int) -> None:
    for seed in range(20):
        assert scale.choose(_made("additive, one level", 60, n_devices, seed)).power == 1


@pytest.mark.parametrize("factor", [1e-9, 0.001, 1e6])
@pytest.mark.parametrize("what", [*MADE])
def test_another_unit_is_another_unit(what: str, factor: float) -> None:
    values = _made(what, 90, 25, seed=1)
    there, here = scale.choose(values * factor), scale.choose(values)
    assert there.power == here.power
    np.testing.assert_allclose(there.units, here.units * factor)


@pytest.mark.parametrize("what", [*MADE])
def test_the_order_of_the_devices_does_not_matter(what: str) -> None:
    values = _made(what, 90, 25, seed=2)
    assert scale.choose(values[:, ::-1]).power == scale.choose(values).power


def test_units_are_the_middle_of_the_positive_days() -> None:
    values = np.array([[0.0, -4.0, 0.0], [5.0, 3.0, np.nan], [7.0, np.nan, 0.0], [np.nan, np.nan, -2.0]])
    assert scale.choose(values).units.tolist() == [6.0, 3.0, 1.0]


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
@pytest.mark.parametrize("n_devices", [1, 3, 12])
def test_devices_that_say_nothing_are_judged_as_measured(value: float, n_devices: int) -> None:
    fitting = scale.choose(np.full((30, n_devices), value))
    assert fitting.power == 1
    assert (fitting.units == (value if value > 0 else 1.0)).all()


def test_a_few_days_say_nothing() -> None:
    assert scale.choose(_made("bursts, one level", 3, 30, seed=1)).power == 1


def test_no_device_is_judged_as_measured() -> None:
    assert scale.choose(np.zeros((30, 0))).power == 1


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0, -5.0])
@pytest.mark.parametrize("what", [*MADE])
def test_a_few_odd_devices_do_not_change_the_scale(what: str, value: float) -> None:
    values = _made(what, 90, 40, seed=3)
    values[:, :3] = value
    assert scale.choose(values).power == MADE[what][0]


def test_where_most_devices_go_below_zero_there_is_no_root(draw: Draw) -> None:
    assert scale.choose(3 * draw("exponential", (90, 12)) - 1).power == 1


@pytest.mark.parametrize("what", ["factors, many levels", "bursts, one level"])
def test_where_most_devices_have_silent_days_there_is_no_logarithm(what: str) -> None:
    values = _made(what, 120, 30, seed=4)
    values[::8] = 0.0
    assert scale.choose(values).power == 0.5


@pytest.mark.parametrize("spread", [0.15, 0.8])
@pytest.mark.parametrize("factors", [(1, 10, 10, 100), (1, 1, 10, 10, 10, 100, 100)])
def test_where_the_middle_levels_are_equal_the_form_of_the_noise_decides(
    factors: tuple[int, ...], spread: float, draw: Draw
) -> None:
    """As where one device is the copy of another, in a fleet of four."""
    alone = np.exp(spread * draw("normal", (60, 1)))
    values = alone * np.array(factors, float)
    assert scale._power_of_levels(values) is None
    assert scale.choose(values).power == scale.choose(alone).power


@pytest.mark.parametrize("factor", [1e300, 1e304, 1e306])
def test_numbers_whose_spread_is_beyond_all_measure_have_some_scale(draw: Draw, factor: float) -> None:
    with np.errstate(all="ignore"):
        assert scale.choose(factor * (100 + draw("normal", (30, 40)))).power in scale.POWERS
