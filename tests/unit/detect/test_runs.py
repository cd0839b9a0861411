from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from oddfleet.detect import runs
from oddfleet.model import BoolArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

CLEAR = float(np.log(1e-4))


def _longest(flags: list[bool]) -> tuple[int, int]:
    """Start and length of the first longest stretch, by listing all stretches."""
    stretches, day = [(0, 0)], 0
    for flag, group in groupby(flags):
        length = len(list(group))
        stretches.append((day, length if flag else 0))
        day += length
    return max(stretches, key=lambda stretch: stretch[1])


def _chance_of_run(n_days: int, length: int, rate: float) -> float:
    """Exact chance of a stretch of at least ``length``: one day at a time, the chance of each stretch so far."""
    so_far, reached = [1.0] + [0.0] * (length - 1), 0.0
    for _ in range(n_days):
        reached += so_far[-1] * rate
        so_far = [sum(so_far) * (1 - rate)] + [chance * rate for chance in so_far[:-1]]
    return reached


def _surprise(flags: BoolArray) -> list[float]:
    return [float(value) for value in runs.log_surprise(flags, runs.usual_rate(flags))]


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_longest_run_by_listing(flags: BoolArray) -> None:
    starts, lengths = runs.longest_run(flags)
    for device, expected in enumerate(_longest(column) for column in flags.T.tolist()):
        assert lengths[device] == expected[1]
        if expected[1]:
            assert starts[device] == expected[0]


def test_quiet_days_are_zero_or_not_observed() -> None:
    values = np.array([[0.0], [np.nan], [1e-9], [-3.0], [-0.0]])
    assert runs.quiet_days(values)[:, 0].tolist() == [True, True, False, False, True]


def test_stuck_days_repeat_the_day_before() -> None:
    values = np.array([[5.0], [5.0], [5.0], [0.0], [0.0], [np.nan], [np.nan], [1e15], [1e15], [5.0]])
    assert np.flatnonzero(runs.stuck_days(values)).tolist() == [1, 2, 8]


def test_usual_rate_by_loops(draw: Draw) -> None:
    flags = draw("uniform", (50, 9)) < np.linspace(0, 0.8, 9)
    rates = [(sum(column) + 0.5) / (50 + 1) for column in flags.T.tolist()]
    assert runs.usual_rate(flags) == pytest.approx(sorted(rates)[4])


@given(st.integers(1, 40), st.integers(1, 12), st.floats(0.01, 0.9))
def test_surprise_bounds_the_exact_chance(n_days: int, length: int, rate: float) -> None:
    length = min(length, n_days)
    flags = (np.arange(n_days) < length)[:, None]
    bound = float(np.exp(runs.log_surprise(flags, rate))[0])
    assert bound >= _chance_of_run(n_days, length, rate) * (1 - 1e-9)


def test_surprise_is_not_far_from_the_exact_chance() -> None:
    flags = (np.arange(366) < 6)[:, None]
    assert np.exp(runs.log_surprise(flags, 0.1)[0]) == pytest.approx(_chance_of_run(366, 6, 0.1), rel=0.15)


@pytest.mark.parametrize(
    ("silent", "surprising"),
    [
        ([366], [True]),  # alone, and held to the promise of being active
        ([0, 366], [False, True]),
        ([0, 366, 366], [False, False, False]),  # most are silent, so that is how this fleet is recorded
        ([0, 0, 366], [False, False, True]),
        ([0, 0, 10], [False, False, True]),
        ([0, 0, 1], [False, False, False]),
        ([0], [False]),
        ([0, 0], [False, False]),
    ],
)
def test_edges(silent: list[int], surprising: list[bool]) -> None:
    flags = np.arange(366)[:, None] < np.array(silent)
    assert [value < CLEAR for value in _surprise(flags)] == surprising


def test_a_habit_of_silence_is_no_surprise() -> None:
    weekends = (np.arange(366) % 7 >= 5)[:, None] & np.ones(30, bool)
    assert min(_surprise(weekends)) > CLEAR
    one_of_many = weekends & (np.arange(30) == 3)
    assert min(_surprise(one_of_many)) > CLEAR


def test_half_the_fleet_silent_now_and_then_is_no_surprise(draw: Draw) -> None:
    flags = (draw("uniform", (366, 40)) < 0.2) & (np.arange(40) < 20)
    assert min(_surprise(flags)) > CLEAR


@pytest.mark.parametrize("rate", [0.002, 0.02, 0.2])
@pytest.mark.parametrize("n_devices", [1, 2, 3, 300])
def test_everyone_silent_now_and_then_is_no_surprise(draw: Draw, rate: float, n_devices: int) -> None:
    flags = draw("uniform", (3000 // n_devices, 366, n_devices)) < rate
    surprises = np.concatenate([_surprise(fleet) for fleet in flags])
    for alpha in (0.1, 0.01, 0.001):
        assert (surprises <= np.log(alpha)).mean() <= alpha + 3 * np.sqrt(alpha / len(surprises))
