from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from oddfleet.detect import tails as tails_of
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge


def _mean_life(lives: list[float], heard: int) -> float:
    """Time lived for every end, less 1.5 standard errors, where all are watched until so many have ended."""
    until = sorted(lives)[heard - 1]
    return sum(min(life, until) for life in lives) / heard * float(1 - 1.5 / heard**0.5)


def _stretch_by_lifetimes(log_p: list[float]) -> tuple[float, float]:
    """Where the upper fifth begins, and its mean life, when its uppermost half or quarter is known to live longer."""
    lives = sorted(-value for value in log_p if value < 0)
    first, count = int(0.8 * len(lives)), len(lives)
    upper = [life - lives[first] for life in lives[first:]]
    shorter = min(_mean_life(upper, int(0.9 * count) - first), _mean_life(upper, int(0.95 * count) - first))
    return lives[first], min(max(1.0, shorter), tails_of.MOST_STRETCH)


def _lives(draw: Draw, shape: tuple[int, int], heavier: float) -> FloatArray:
    """Surprises whose upper fifth is so many times longer than that of p-values that hold."""
    lives = draw("exponential", shape)
    bend = np.log(5)
    return np.where(lives > bend, bend + (lives - bend) * heavier, lives)


@pytest.mark.parametrize("heavier", [1.0, 2.0, 6.0])
def test_tails_are_learned_as_lifetimes_are(draw: Draw, heavier: float) -> None:
    log_p = -_lives(draw, (4, 700), heavier)
    log_p[1, ::3] = 0.0
    tails = tails_of.learn(log_p)
    for row, feature in enumerate(log_p.tolist()):
        begins, stretch = _stretch_by_lifetimes(feature)
        assert tails.begins[row] == pytest.approx(begins)
        assert tails.stretch[row] == pytest.approx(stretch)


@pytest.mark.parametrize("n_devices", [100, 300, 5000])
def test_tails_of_p_values_that_hold_are_left_alone(draw: Draw, n_devices: int) -> None:
    stretch = tails_of.learn(-draw("exponential", (100, n_devices))).stretch
    assert (stretch >= 1).all()
    assert stretch.mean() < 1.02


@pytest.mark.parametrize("heavier", [1.5, 2.0, 3.0])
def test_heavier_tails_are_found_heavier_and_come_near_to_holding(
    draw: Draw, assert_held: Judge, heavier: float
) -> None:
    log_p = -_lives(draw, (3, 8000), heavier)
    tails = tails_of.learn(log_p)
    assert (tails.stretch > 1 + 0.6 * (heavier - 1)).all()
    assert (tails.stretch < 1.05 * heavier).all()
    held = np.exp(tails.apply(log_p))
    assert (np.exp(log_p) < 1e-3).mean() > 1.5e-3
    assert_held(held.ravel(), factor=1.5, least=0.9)


@pytest.mark.parametrize("heavier", [4.0, 50.0])
def test_no_tail_is_stretched_out_of_sight(draw: Draw, heavier: float) -> None:
    assert (tails_of.learn(-_lives(draw, (3, 4000), heavier)).stretch == tails_of.MOST_STRETCH).all()


@pytest.mark.parametrize(("odd", "factor"), [(0.0, 1.0), (0.01, 1.15), (0.02, 1.3), (0.04, 1.6)])
def test_odd_devices_are_hardly_heard(draw: Draw, odd: float, factor: float) -> None:
    log_p = -_lives(draw, (1, 4000), 2.0)
    clean = tails_of.learn(log_p).stretch[0]
    far = draw("uniform", (4000,)) < odd
    assert clean <= tails_of.learn(np.where(far, -700.0, log_p)).stretch[0] <= factor * clean


@pytest.mark.parametrize("n_devices", [100, 300, 4000])
@pytest.mark.parametrize("odd", [-20.0, -50.0, -700.0])
def test_more_odd_devices_than_a_twentieth_do_not_blow_the_stretch_up(draw: Draw, odd: float, n_devices: int) -> None:
    """8 % of them: so few healthy ones are left between them and the body that the tail seems heavier, but not more."""
    log_p = -draw("exponential", (20, n_devices))
    clean = tails_of.learn(log_p)
    log_p[:, : n_devices * 8 // 100] = odd
    tails = tails_of.learn(log_p)
    assert (clean.stretch < 1.2).all()
    assert (tails.stretch <= tails_of.MOST_STRETCH).all()
    # However far they are out.
    np.testing.assert_array_equal(tails.stretch, tails_of.learn(np.where(log_p == odd, -1e6, log_p)).stretch)
    assert (tails.apply(log_p)[:, 0] < odd / tails_of.MOST_STRETCH).all()


def test_few_devices_say_nothing_of_tails(draw: Draw) -> None:
    tails = tails_of.learn(-_lives(draw, (3, tails_of.FEWEST_FOR_TAILS - 1), 9.0))
    assert (tails.stretch == 1).all()
    log_p = -draw("exponential", (3, 50)) * 40
    np.testing.assert_array_equal(tails.apply(log_p), log_p)
    assert (tails_of.learn(np.zeros((2, 500))).stretch == 1).all()  # not compared


def test_tails_keep_the_order_and_lessen_surprise(draw: Draw) -> None:
    tails = tails_of.learn(-_lives(draw, (2, 3000), 3.0))
    log_p = -np.linspace(0, 700, 2000) * np.ones((2, 1))
    got = tails.apply(log_p)
    assert (np.diff(got) < 0).all()
    assert (got >= log_p).all()
    body = -log_p < tails.begins[:, None]
    np.testing.assert_array_equal(got[body], log_p[body])
    assert got[:, -1] == pytest.approx(-tails.begins - (700 - tails.begins) / tails.stretch)
