from __future__ import annotations

import numpy as np
import pytest

from oddfleet.report.axis import LARGEST, axis_for


def _band(low: float, high: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([low, high])


def test_straight_axis_holds_all_values_with_round_ticks() -> None:
    axis = axis_for(np.array([95.0, np.nan, 160.0]), _band(90, 110))
    assert axis.width is None
    assert axis.low < 90
    assert axis.high > 160
    assert [label for _, label in axis.ticks] == ["100", "120", "140", "160"]
    np.testing.assert_allclose(axis.place(np.array([axis.low, axis.high])), [0, 1])


@pytest.mark.parametrize("level", [0.5, 4000.0])
def test_a_device_magnitudes_away_is_not_a_flat_line(level: float) -> None:
    device, band = np.array([level * 0.9, level * 1.1]), _band(90, 110)
    axis = axis_for(device, band)
    assert axis.width is not None
    for values in (device, band):
        places = axis.place(values)
        assert ((places > 0) & (places < 1)).all()
        assert places[1] - places[0] > 0.02
    assert 3 <= len(axis.ticks) <= 8


def test_twenty_times_is_bent_and_twice_is_not() -> None:
    assert axis_for(np.array([5.0]), _band(90, 100)).width is not None
    assert axis_for(np.array([50.0]), _band(90, 100)).width is None


def test_zero_is_far_from_everything_and_still_straight() -> None:
    assert axis_for(np.zeros(3), _band(90, 110)).width is None


def test_bent_axis_takes_negative_and_tiny_values() -> None:
    axis = axis_for(np.array([-1e-300, -3e4, 2e4]), _band(1e-9, 2e-9))
    places = axis.place(np.array([-3e4, 0.0, 2e4]))
    assert (np.diff(places) > 0).all()
    assert "0" in [label for _, label in axis.ticks]
    assert len(axis.ticks) <= 12


@pytest.mark.parametrize("value", [0.0, 97.0, -3.0, 1e-200, LARGEST])
def test_constant_values_get_room(value: float) -> None:
    axis = axis_for(np.full(5, value), np.full(2, np.nan))
    assert axis.low < value < axis.high
    assert len(axis.ticks) >= 2


def test_nothing_to_show_is_an_empty_axis() -> None:
    axis = axis_for(np.full(5, np.nan), np.full(2, np.nan))
    assert (axis.low, axis.high, axis.width) == (0.0, 1.0, None)
    assert len(axis.ticks) == 6
