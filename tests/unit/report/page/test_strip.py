from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from oddfleet.model import Finding, Kind
from oddfleet.report.page.strip import strip

AMONG = np.array([90.0, 95, 98, 100, 102, 105, 110])
MakeFinding = Callable[..., Finding]


def test_places_are_in_the_order_of_the_numbers(make_finding: MakeFinding) -> None:
    place = strip(make_finding(kind=Kind.LEVEL, value=150.0), AMONG)
    assert place is not None
    row = [place.all[0], place.most[0], place.middle, place.most[1], place.all[1], place.own]
    assert row == sorted(row)
    assert row[0] >= 0
    assert row[-1] <= 100
    # On a straight strip shares are those of the numbers.
    assert (place.middle - row[0]) / (place.own - row[0]) == pytest.approx(10 / 60, abs=0.01)
    assert place.text == "9 in 10 of its cohort: 95 to 105 MB a day"


def test_what_is_magnitudes_away_leaves_the_others_readable(make_finding: MakeFinding) -> None:
    place = strip(make_finding(kind=Kind.LEVEL, value=1e6), AMONG)
    assert place is not None
    assert place.all[1] - place.all[0] > 1


@pytest.mark.parametrize("kind", [Kind.LEVEL_SHIFT, Kind.DRIFT])
def test_a_step_down_is_placed_by_its_size(make_finding: MakeFinding, kind: Kind) -> None:
    sizes = np.array([0.0, 0.1, 0.5, 1, 1.5, 2, 3])
    down, up = (strip(make_finding(kind=kind, value=value), sizes) for value in (-20.0, 20.0))
    assert down == up


def test_a_drop_of_the_level_is_placed_below(make_finding: MakeFinding) -> None:
    place = strip(make_finding(kind=Kind.LEVEL, value=-5.0), AMONG)
    assert place is not None
    assert place.own < place.all[0]


def test_where_all_others_are_the_same_one_number_is_told(make_finding: MakeFinding) -> None:
    place = strip(make_finding(kind=Kind.FROZEN, value=30.0, unit="days"), np.ones(7))
    assert place is not None
    assert place.text == "9 in 10 of its cohort: 1 day"
    assert place.all == place.most


@pytest.mark.parametrize(("value", "among"), [(1.0, None), (1.0, np.zeros(0)), (float("nan"), AMONG)])
def test_nothing_to_compare_is_no_strip(
    make_finding: MakeFinding, value: float, among: np.ndarray[tuple[int], np.dtype[np.float64]] | None
) -> None:
    assert strip(make_finding(value=value), among) is None


def test_numbers_beyond_all_measure_have_a_place(make_finding: MakeFinding) -> None:
    place = strip(make_finding(kind=Kind.LEVEL, value=1e306), AMONG * 1e304)
    assert place is not None
    assert 0 <= place.own <= 100
