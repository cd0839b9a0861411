from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import farthest
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

FIVE = [50, 150, 200, 250, 300]


def _inner(away: list[float]) -> list[float]:
    """Distances from the mean of the days that are neither among the highest nor the lowest twentieth."""
    left_out = ceil(farthest.OUTER * len(away))
    return [abs(x) for x in sorted(away)[left_out : len(away) - left_out]]


def _p(away: FloatArray, device: int) -> float:
    """The definition: of the days that are as far on one side, each is this device's with its share of all days."""
    n_days, devices = away.shape
    usual = [float(np.mean(_inner(away[:, d].tolist()))) for d in range(devices)]
    square = float(np.mean(np.square(_inner(away[:, device].tolist())))) / usual[device] ** 2
    nearer, less = 1 + farthest.DOUBT * ((square - 1) / n_days) ** 0.5, farthest.DOUBT * (square / n_days) ** 0.5
    p = []
    for side in (away / usual, -away / usual):
        own = sorted(side[:, device], reverse=True)
        others = [float(x) for d in range(devices) if d != device for x in side[:, d]]
        for rank in range(1, farthest.RANKS + 1):
            before = sum(x >= (own[rank - 1] - less) / nearer for x in others)
            p.append(stats.binom.sf(rank - 1, before + rank, 1 / devices))
    return float(min(p) * 2 * farthest.RANKS)


def test_the_score_is_the_binomial_tail_of_the_furthest_days(draw: Draw) -> None:
    values = draw("normal", (60, 8))
    values[[5, 20, 40], 3] += 12.0
    got = farthest.members_score(farthest.find(values))
    away = values - values.mean(axis=0)
    expected = [min(_p(away, device), 0.9) for device in range(8)]
    assert expected[3] < 0.05
    np.testing.assert_allclose(stats.norm.sf(got), expected, rtol=1e-9)


def test_five_far_days_are_much_where_none_has_any_and_nothing_where_all_do(draw: Draw) -> None:
    quiet, heavy = draw("normal", (366, 60)), draw("student", (366, 60))
    for values in (quiet, heavy):
        values[FIVE, 7] += 9.0
    assert farthest.members_score(farthest.find(quiet))[7] > 5
    assert farthest.members_score(farthest.find(heavy))[7] < 3


def test_far_below_does_not_hide_far_above(draw: Draw) -> None:
    """A logarithm stretches the low days: there the others' lowest are further out than what is far above."""
    values = np.log(1 + 0.1 * draw("student", (366, 60)).clip(-9.9, 15))
    values[FIVE, 7] = np.log(1 + 0.1 * 40)
    assert farthest.members_score(farthest.find(values))[7] > 5


def test_those_far_out_do_not_speak_for_the_others(draw: Draw) -> None:
    values = draw("normal", (366, 60))
    values[::9, :6] += 30.0
    before = farthest.members_score(farthest.find(values))
    values[FIVE, 7] += 9.0
    assert before[7] < 3
    assert farthest.members_score(farthest.find(values))[7] > 5


def test_a_member_scores_as_a_probe_does_among_the_rest(draw: Draw) -> None:
    found = farthest.find(draw("normal", (100, 12)))
    others = np.arange(12) != 4
    got = farthest.probes_score(found.of(np.array([4])), found.of(others).pool())
    assert got[0] == pytest.approx(farthest.members_score(found)[4])


def test_unit_and_level_of_a_device_do_not_matter(draw: Draw) -> None:
    values, size = draw("normal", (100, 12)), np.geomspace(1e-9, 1e15, 12)
    got = farthest.members_score(farthest.find(size * (values + 5)))
    np.testing.assert_allclose(got, farthest.members_score(farthest.find(values)), rtol=1e-6)


@pytest.mark.parametrize("series", [[np.nan] * 40, [0.0] * 40, [3.0] + [np.nan] * 39])
def test_a_device_without_variation_has_no_far_day(draw: Draw, series: list[float]) -> None:
    values = draw("normal", (40, 5))
    values[:, 2] = series
    got = farthest.members_score(farthest.find(values))
    assert np.isfinite(got).all()
    assert got[2] < 0


@pytest.mark.parametrize("law", ["normal", "student", "lognormal", "uniform"])
@pytest.mark.parametrize(("n_days", "devices"), [(30, 8), (90, 40), (366, 40)])
def test_the_score_holds_in_clean_fleets(draw: Draw, assert_held: Judge, law: str, n_days: int, devices: int) -> None:
    fleets = 8000 // devices
    noise = draw(law, (n_days, 8000), seed=n_days).reshape(n_days, fleets, devices)
    scores = [farthest.members_score(farthest.find(noise[:, fleet])) for fleet in range(fleets)]
    assert_held(stats.norm.sf(np.concatenate(scores)))
