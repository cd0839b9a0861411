from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from oddfleet.detect import spells
from oddfleet.detect.spells import Spell
from oddfleet.model import AnomalousDay, BoolArray, FloatArray

DAYS, DEVICES = 60, 10
DATES = np.datetime64("2020-03-02") + np.arange(DAYS)  # from a Monday on
LEVELS = np.arange(1.0, DEVICES + 1) * 10


def _fleet() -> FloatArray:
    values: FloatArray = np.tile(LEVELS, (DAYS, 1)) + np.tile([[-1.0], [1.0]], (DAYS // 2, 1))
    return values


def _told(
    values: FloatArray, days: list[int], usual: BoolArray | None = None, *, less: bool = True, weekly: bool = False
) -> AnomalousDay:
    usual = ~np.isin(np.arange(DAYS), days) if usual is None else usual
    return spells.told(Spell(np.array(days), 1e-4, less), values, DATES, usual, weekly=weekly)


def test_a_day_is_told_with_its_numbers() -> None:
    values = _fleet()
    values[12] = 0.6 * LEVELS
    values[12, 0] = 900.0
    said = _told(values, [12])
    assert (said.day, said.until, said.p_value) == (date(2020, 3, 14), date(2020, 3, 14), 1e-4)
    assert said.devices == 0.9
    assert said.change == pytest.approx(-0.4, abs=0.01)
    assert said.text == (
        "On 2020-03-14 nearly the whole fleet carried less: 90 % of its devices were below their usual, "
        "the average one by 40 %."
    )


def test_days_in_a_row_are_told_as_one() -> None:
    values = _fleet()
    values[12:15, :8] *= 3
    said = _told(values, [12, 13, 14], less=False)
    assert said.devices == pytest.approx(0.8 + 0.2 / 3)
    assert said.text.startswith(
        "From 2020-03-14 to 2020-03-16 most of the fleet carried more: 87 % of its devices were"
    )


def test_devices_that_are_as_usual_stand_half_on_either_side() -> None:
    values = np.tile(LEVELS, (DAYS, 1))
    values[12, :4] = 0.0
    assert _told(values, [12]).devices == pytest.approx(0.4 + 0.6 / 2)
    assert _told(values, [12], less=False).devices == pytest.approx(0.6 / 2)


def test_of_a_fleet_of_small_counts_that_is_as_ever_half_is_beyond() -> None:
    values = np.random.default_rng(1).poisson(0.6, (DAYS, 3000)).astype(float)
    assert _told(values, [12]).devices == pytest.approx(0.5, abs=0.02)
    assert _told(values, [12], less=False).devices == pytest.approx(0.5, abs=0.02)


def test_days_of_other_spells_and_lost_days_say_nothing_of_what_is_usual() -> None:
    values = _fleet()
    values[12] *= 0.5
    values[13:30] *= 100
    values[3:9, ::2] = np.nan
    values[12, 1] = np.nan
    said = _told(values, [12], ~np.isin(np.arange(DAYS), range(12, 30)))
    assert said.devices == 1.0
    assert said.change == pytest.approx(-0.5, abs=0.03)


def test_where_there_is_a_week_the_day_is_held_against_its_weekday() -> None:
    values = _fleet() * np.where(np.arange(DAYS) % 7 >= 5, 0.2, 1.0)[:, None]
    values[12] *= 0.5
    assert _told(values, [12], weekly=True).change == pytest.approx(-0.5, abs=0.06)
    assert _told(values, [12], weekly=False).change < -0.8


def test_where_no_such_weekday_is_usual_any_day_will_do() -> None:
    values = _fleet()
    values[12] *= 0.5
    usual = np.arange(DAYS) % 7 != 5
    assert _told(values, [12], usual, weekly=True).change == pytest.approx(-0.5, abs=0.06)


def test_small_counts_that_halve_are_told_so() -> None:
    """Their median would be told to be as usual, or to have lost all."""
    rng = np.random.default_rng(1)
    values = rng.poisson(1.2, (DAYS, 3000)).astype(float)
    values[12] = rng.poisson(0.6, 3000)
    assert _told(values, [12]).change == pytest.approx(-0.55, abs=0.06)


@pytest.mark.parametrize("level", [0.0, -5.0])
def test_what_is_usually_nothing_has_no_change(level: float) -> None:
    values = np.full((DAYS, DEVICES), level)
    values[12] = -9.0
    said = _told(values, [12])
    assert np.isnan(said.change)
    assert said.text.endswith("below their usual.")


def test_the_average_device_is_not_told_of_where_it_moved_the_other_way() -> None:
    values = _fleet()
    values[12, :4] *= 0.01
    values[12, 4:] = LEVELS[4:] + 5.0
    said = _told(values, [12], less=False)
    assert said.change < 0
    assert said.text == "On 2020-03-14 most of the fleet carried more: 60 % of its devices were above their usual."


def test_of_devices_without_a_usual_day_none_is_beyond_it() -> None:
    values = _fleet()
    values[12] = np.nan
    assert _told(values, [12]).devices == 0
