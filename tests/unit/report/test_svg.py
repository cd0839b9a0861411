from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from oddfleet.model import Finding, Fleet, Kind, Oddities
from oddfleet.report.chart import Charts
from oddfleet.report.svg import HEIGHT, Drawing, drawing

Draw = Callable[..., Drawing]


@pytest.fixture
def draw(make_fleet: Callable[..., Fleet], make_result: Callable[..., Oddities]) -> Draw:
    def make(series: list[float], findings: tuple[Finding, ...] = (), n_devices: int = 3) -> Drawing:
        fleet = make_fleet(n_devices, len(series))
        fleet.values[:, 0] = series
        return drawing(Charts(fleet, make_result(fleet, ids=[1], findings=findings)).of(1))

    return make


def _points(path: str) -> list[tuple[int, int]]:
    """The points of a path of M, l and h0, by hand."""
    points: list[tuple[int, int]] = []
    for command, across, down in re.findall(r"([Ml])(-?\d+) ?(-?\d+)", path):
        start = points[-1] if command == "l" else (0, 0)
        points.append((start[0] + int(across), start[1] + int(down)))
    return points


def test_path_goes_through_the_values(draw: Draw) -> None:
    shown = draw([0.0, 50.0, 100.0, 20.0], n_devices=1)
    # The axis runs from -5 to 105, its top is at 0.
    assert _points(shown.series) == [(0, 191), (1, 100), (2, 9), (3, 155)]
    assert (shown.band, shown.middle) == ("", "")
    assert not shown.bent


def test_gaps_break_the_line_and_a_lone_day_is_a_dot(draw: Draw) -> None:
    nan = float("nan")
    path = draw([nan, 100.0, nan, nan, 90.0, 95.0]).series
    assert path.count("M") == 2
    assert [x for x, _ in _points(path)] == [1, 4, 5]
    assert re.match(r"M1 \d+h0M4", path)


def test_nothing_but_gaps_is_an_empty_path(draw: Draw) -> None:
    assert draw([float("nan")] * 5).series == ""


def test_band_is_closed_and_keeps_within_the_frame(draw: Draw) -> None:
    shown = draw([100.0] * 30)
    points = _points(shown.band)
    assert shown.band.endswith("z")
    assert len(points) == 60
    assert points[0][0] == points[-1][0] == 0
    assert all(0 <= down <= HEIGHT for _, down in points)
    # The upper edge comes first and is nearer to the top.
    assert all(up[1] <= low[1] for up, low in zip(points[:30], points[:29:-1], strict=True))


def test_a_long_record_is_thinned_and_keeps_its_peaks(draw: Draw) -> None:
    series = [100.0] * 3650
    series[1234], series[2000] = 190.0, 10.0
    series[3000:3100] = [float("nan")] * 100
    shown = draw(series)
    points = dict(_points(shown.series))
    assert len(points) <= 400
    assert shown.series.count("M") == 2
    assert min(points, key=lambda day: points[day]) == 1234
    assert max(points, key=lambda day: points[day]) == 2000
    assert len(_points(shown.middle)) <= 183
    assert len(shown.band) < 4000


def test_band_of_a_long_record_is_the_mean_of_each_stretch(draw: Draw) -> None:
    shown = draw([100.0] * 366, n_devices=2)
    assert [day for day, _ in _points(shown.middle)] == list(range(0, 366, 2))


def test_marks_and_labels(draw: Draw, make_finding: Callable[..., Finding]) -> None:
    findings = (
        make_finding(),
        make_finding(kind=Kind.FROZEN, since=date(2020, 1, 5), until=date(2020, 1, 9)),
        make_finding(kind=Kind.SPIKES, since=None, days=1),
    )
    series = [100.0] * 60
    series[40] = 400.0
    shown = draw(series, findings)
    assert shown.spans == ((3.5, 5),)
    assert shown.changes == (19,)
    assert re.fullmatch(r"M40 \d+h0", shown.spikes)
    assert shown.day_labels[0] == (0.8, "2020-01-01")
    assert [label for _, label in shown.value_labels] == ["100", "200", "300", "400"]
    shares = [share for share, _ in shown.value_labels]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 100 for share in shares)
    assert shares == [rule / HEIGHT * 100 for rule in shown.rules]


def test_squeezed_axis_is_told(draw: Draw) -> None:
    assert draw(list(np.linspace(1, 2, 30))).bent


@pytest.mark.parametrize("value", [float("nan"), 97.0, -1e300, 1e300])
def test_one_day_is_drawn(draw: Draw, value: float) -> None:
    shown = draw([value])
    assert shown.days == 1
    assert (shown.series == "") == np.isnan(value)
    assert shown.band.endswith("z")
