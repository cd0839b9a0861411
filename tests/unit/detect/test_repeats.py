from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oddfleet import plant
from oddfleet.detect import commonness, repeats
from oddfleet.detect.repeats import Repeats
from oddfleet.detect.windows import Windows
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

CLEAR = float(np.log(1e-3))
LONG = 28
"""Stretches of so many days are found whatever the length of a window, and do not come by chance."""


class Stretch(NamedTuple):
    """``device`` repeats ``source``: the days from ``start`` on are those ``lag`` days before."""

    log_p: float
    start: int
    days: int
    source: int
    lag: int


NONE = Stretch(0.0, 0, 0, 0, 0)


def _told(found: Repeats) -> list[Stretch]:
    rows = zip(found.log_p, found.start, found.days, found.source, found.lag, strict=True)
    return [Stretch(float(p), int(start), int(days), int(source), int(lag)) for p, start, days, source, lag in rows]


# A slow and obvious twin: all pairs of devices, at all lags, day by day.


def _blocks(one: list[float], two: list[float], lag: int) -> Iterator[tuple[int, int]]:
    """First day and length of the stretches of equal days ``one[day] == two[day + lag]``, joined over lost days."""
    block, lost = (0, 0), 0
    for day in range(max(0, -lag), min(len(one), len(two) - lag)):
        here, there = one[day], two[day + lag]
        if here == there:
            start, days = block if block[1] else (day - lost, 0)
            block, lost = (start, days + lost + 1), 0
        elif block[1] and (np.isnan(here) or np.isnan(there)):
            lost += 1
        else:
            yield block
            block, lost = (0, 0), 0
    yield block


def _share(all_series: list[list[float]], device: int, day: int, *, nearby: bool) -> float:
    """How common the value of a day is: in the device's record, or nearby, where it is commoner there."""
    series = all_series[device]
    value, n_days = series[day], len(series)
    usual = series.count(value) / sum(not np.isnan(other) for other in series)
    if not nearby:
        return usual
    season = [series[d] for d in range(n_days) if abs(d - day) <= commonness.SEASON]
    weekday = series[day % 7 :: 7]
    others = sum(other[day] == value for other in all_series) - 1
    local = max(
        (season.count(value) - 1) / len(season),
        (weekday.count(value) - 1) / len(weekday),
        max(others - 1, 0) / max(len(all_series) - 1, 1),  # one other may be the source
    )
    return max(usual, local, 1 / n_days)


def _log_share(all_series: list[list[float]], device: int, first: int, days: int, *, nearby: bool) -> float:
    """Log of the chance of these days in this order, each as common as it is; a day like the one before is certain."""
    series = all_series[device]
    new = [day for day in range(first, first + days) if day == 0 or series[day] != series[day - 1]]
    return sum(log(_share(all_series, device, day, nearby=nearby)) for day in new if not np.isnan(series[day]))


def _find_slowly(values: FloatArray) -> tuple[list[Stretch], list[Stretch]]:
    """The most surprising replay and copy of every device."""
    n_days, n_devices = values.shape
    series = values.T.tolist()
    replays: list[list[Stretch]] = [[NONE] for _ in series]
    copies: list[list[Stretch]] = [[NONE] for _ in series]
    for one in range(n_devices):
        for two in range(one, n_devices):
            for lag in range(1 if one == two else 1 - n_days, n_days):
                for start, days in _blocks(series[one], series[two], lag):
                    if days < LONG:
                        continue
                    log_p = 0.0
                    for nearby in (False, True):
                        told = (
                            _log_share(series, d, s, days, nearby=nearby) for d, s in ((one, start), (two, start + lag))
                        )
                        if one == two:
                            places, overlap = n_days, min(lag / days, 1.0)
                        else:
                            places, overlap = 2 * n_devices * (1 if lag == 0 else n_days), 1.0
                        if not nearby or log_p < log(repeats.SURPRISING):
                            log_p = min(max(told) * overlap + log(n_days * n_devices) + log(places), 0.0)
                    if one == two:
                        replays[one].append(Stretch(log_p, start + lag, days, one, lag))
                    else:
                        copies[two].append(Stretch(log_p, start + lag, days, one, lag))
                        copies[one].append(Stretch(log_p, start, days, two, -lag))
    return [min(found) for found in replays], [min(found) for found in copies]


def _assert_same(got: Repeats, expected: list[Stretch]) -> None:
    for told, twin in zip(_told(got), expected, strict=True):
        assert told[1:] == twin[1:]
        assert told.log_p == pytest.approx(twin.log_p, rel=1e-9)


def _values(law: str, n_days: int, n_devices: int, seed: int) -> FloatArray:
    draw = np.random.default_rng(seed)
    if law == "few":
        return draw.integers(0, 9, (n_days, n_devices)).astype(float)
    if law == "whole":
        return draw.poisson(60, (n_days, n_devices)).astype(float)
    return draw.lognormal(size=(n_days, n_devices))


def _repeated(values: FloatArray, device: int, source: int, stretch: tuple[int, int, int], lost: int) -> FloatArray:
    """With a stretch (start, days, lag) of a source in a device, which loses days in the middle of it."""
    start, days, lag = stretch
    changed = values.copy()
    changed[start : start + days, device] = values[start - lag : start - lag + days, source]
    changed[start + days // 2 : start + days // 2 + lost, device] = np.nan
    return changed


@pytest.mark.parametrize("law", ["any", "whole", "few"])
@pytest.mark.parametrize(
    ("stretch", "lost"),
    [
        ((95, 75, 75), 0),
        ((125, 40, 55), 0),
        ((95, 75, 75), 3),
        ((100, 64, 70), 1),
        ((96, 70, 72), 6),
        ((95, 95, 95), 0),
    ],
)
def test_a_replay_is_found_as_by_comparing_all_days(law: str, stretch: tuple[int, int, int], lost: int) -> None:
    values = _repeated(_values(law, 190, 3, seed=1), 1, 1, stretch, lost)
    replays, copies = repeats.find(values)
    expected = _find_slowly(values)
    assert expected[0][1].source == 1
    assert expected[0][1].log_p < CLEAR
    _assert_same(replays, expected[0])
    _assert_same(copies, expected[1])


@pytest.mark.parametrize("law", ["any", "whole", "few"])
@pytest.mark.parametrize(
    ("stretch", "lost"),
    [
        ((20, 150, 0), 0),
        ((80, 60, 0), 0),
        ((120, 50, 40), 0),
        ((20, 50, -90), 0),
        ((20, 150, 0), 3),
        ((29, 80, -3), 1),
        ((90, 80, 60), 6),
        ((0, 190, 0), 0),
    ],
)
def test_a_copy_is_found_as_by_comparing_all_days(law: str, stretch: tuple[int, int, int], lost: int) -> None:
    values = _repeated(_values(law, 190, 4, seed=2), 2, 0, stretch, lost)
    replays, copies = repeats.find(values)
    expected = _find_slowly(values)
    assert expected[1][2].source == 0
    assert expected[1][2].log_p < CLEAR
    _assert_same(replays, expected[0])
    _assert_same(copies, expected[1])


def test_the_source_may_have_lost_days_too() -> None:
    values = _values("any", 190, 4, seed=2)
    values[40:45, 0] = np.nan
    values[20:170, 3] = values[20:170, 0]
    values[90:92, 3] = np.nan
    _assert_same(repeats.find(values)[1], _find_slowly(values)[1])


def test_of_several_repeats_the_most_surprising_is_told() -> None:
    values = _values("any", 366, 30, seed=3)
    values[200:230, 1] = values[20:50, 1]
    values[300:360, 1] = values[100:160, 1]
    values[5:40, 2] = values[50:85, 0]
    values[120:190, 2] = values[220:290, 3]
    replays, copies = repeats.find(values)
    assert _told(replays)[1][1:] == (300, 60, 1, 200)
    assert _told(copies)[2][1:] == (120, 70, 3, -100)
    assert _told(copies)[3][1:] == (220, 70, 2, 100)
    assert _told(copies)[0][1:] == (50, 35, 2, 45)


# Windows, hashed.


def _windows_by_tuples(values: FloatArray, window: int) -> list[tuple[int, int, int, int]]:
    places: dict[tuple[float, ...], list[tuple[int, int]]] = defaultdict(list)
    for device, series in enumerate(values.T.tolist()):
        for start in range(len(series) - window + 1):
            days = range(start, start + window)
            changes = sum(day > 0 and series[day] != series[day - 1] for day in days)
            if changes >= 2 and not any(np.isnan(series[day]) for day in days):
                places[tuple(series[start : start + window])].append((device, start))
    pairs = (pair for group in places.values() for pair in pairwise(group))
    return sorted((one[0], two[0], one[1], two[1] - one[1]) for one, two in pairs)


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(4, 30), st.integers(1, 4)),
        elements=st.sampled_from([np.nan, 0.0, -0.0, 1.0, 2.0, 1e15]),
    ),
    st.integers(2, 4),
)
def test_equal_windows_by_tuples(values: FloatArray, window: int) -> None:
    pairs = repeats._equal_windows(Windows.of(values, window))
    assert sorted(map(tuple, pairs.T.tolist())) == _windows_by_tuples(values, window)


@pytest.mark.parametrize("law", ["whole", "few", "any"])
def test_windows_hardly_ever_meet_by_chance(law: str) -> None:
    for seed in range(5):
        values = _values(law, 366, 10, seed)
        windows = Windows.of(values, repeats._window(values, values.shape[1]))
        assert repeats._equal_windows(windows).shape[1] < 0.03 * values.size


def test_the_commoner_the_values_the_longer_the_window(draw: Draw) -> None:
    made = draw("normal", (366, 20))
    steps = [repeats._window(np.round(made / step), made.shape[1]) for step in (1e-9, 0.01, 0.1, 0.5, 1.0, 3.0, 100.0)]
    assert steps == sorted(steps)
    assert len(set(steps)) > 2
    assert repeats._window(np.zeros((0, 4)), 4) == repeats._window(np.zeros((30, 0)), 0) == max(repeats.WINDOWS)


# What is not a repeat.


@pytest.mark.parametrize("n_devices", [1, 3, 20, 100])
@pytest.mark.parametrize("kind", plant.FLEETS)
def test_nothing_in_clean_fleets(kind: str, n_devices: int) -> None:
    for seed in range(3):
        values = plant.healthy_fleet(kind, n_devices, seed=seed).values
        for found in repeats.find(values):
            if kind == "counts":
                assert (found.log_p > CLEAR).all()
            else:
                assert _told(found) == [NONE] * n_devices


def _smallest_p(fleets: Iterable[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Of each fleet, the smallest p-value of a replay and of a copy; the bounds hold for a fleet as a whole."""
    smallest = np.exp([[found.log_p.min() for found in repeats.find(values)] for values in fleets])
    return smallest[:, 0], smallest[:, 1]


@pytest.mark.parametrize("step", [1.0, 5.0])
@pytest.mark.parametrize("kind", ["steady", "lossy", "wandering", "bursty", "drop_days"])
def test_rounded_values_of_clean_fleets_are_not_surprising(kind: str, step: float, assert_held: Judge) -> None:
    """Of seeds 0 to 299 of each, at most 1 fleet has a replay at 0.01, and 2 a copy."""
    fleets = (step * np.round(plant.healthy_fleet(kind, 30, 180, seed=seed).values / step) for seed in range(40))
    for p in _smallest_p(fleets):
        assert_held(p)


@pytest.mark.parametrize("kind", ["weekly", "mixed"])
def test_rounded_values_that_depend_on_the_day_are_not_surprising(kind: str, assert_held: Judge) -> None:
    """Whole MB and a week: of 50 clean fleets of 100 devices 2 of each kind have a device that is odd for it."""
    fleets = (np.round(plant.healthy_fleet(kind, 100, seed=seed).values) for seed in range(30))
    for p in _smallest_p(fleets):
        assert_held(p)


NOISE: dict[str, Callable[[np.random.Generator, tuple[int, int]], FloatArray]] = {
    "rates of 5": lambda draw, shape: draw.poisson(5, shape).astype(float),
    "many rates": lambda draw, shape: draw.poisson(np.exp(draw.normal(0, 1.5, shape[1])), shape).astype(float),
    "ten values": lambda draw, shape: draw.integers(0, 10, shape).astype(float),
    "two values": lambda draw, shape: draw.integers(0, 2, shape).astype(float),
    "a week": lambda draw, shape: draw.poisson((2 + 8 * (np.arange(shape[0]) % 7 < 5))[:, None], shape).astype(float),
    "lost days": lambda draw, shape: np.where(draw.uniform(size=shape) < 0.05, np.nan, draw.poisson(5, shape)),
}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize(("n_days", "n_devices", "fleets"), [(60, 3, 200), (120, 6, 100), (366, 20, 20)])
def test_clean_whole_numbers_are_not_surprising(
    noise: str, n_days: int, n_devices: int, fleets: int, assert_held: Judge
) -> None:
    made = (NOISE[noise](np.random.default_rng(seed), (n_days, n_devices)) for seed in range(fleets))
    for p in _smallest_p(made):
        assert_held(p)


def test_stuck_silent_and_constant_devices_are_no_copies() -> None:
    values = _values("any", 200, 30, seed=5)
    values[20:120, 3] = values[40, 4]
    values[20:120, 4] = values[20, 3]  # stuck at the same value on the same days
    values[:, 5:7] = 42.0
    values[:, 7:9] = 0.0
    values[:, 9:11] = np.nan
    values[:, 11:13] = np.where(np.arange(200) < 90, 7.0, 8.0)[:, None]  # one step
    for found in repeats.find(values):
        assert _told(found) == [NONE] * 30


def test_a_strict_week_is_no_replay() -> None:
    values = _values("any", 364, 5, seed=6)
    values[:, 2] = np.tile(values[:7, 2], 52)
    assert (repeats.find(values)[0].log_p > CLEAR).all()


@pytest.mark.parametrize(("n_devices", "replaying", "told"), [(30, 3, 3), (30, 4, 0), (2, 2, 2), (5, 2, 2), (5, 3, 0)])
def test_what_a_tenth_of_the_fleet_does_is_not_told(n_devices: int, replaying: int, told: int) -> None:
    values = _values("any", 200, n_devices, seed=7)
    values[120:180, :replaying] = values[20:80, :replaying]
    replays, copies = repeats.find(values)
    assert (replays.log_p < CLEAR).sum() == told
    assert (replays.days == 60).sum() == told
    assert (copies.log_p == 0).all()


@pytest.mark.parametrize(("n_devices", "copies", "told"), [(30, 2, 3), (30, 3, 0), (3, 1, 2), (3, 2, 0)])
def test_copies_and_their_source_are_a_tenth_of_the_fleet_at_most(n_devices: int, copies: int, told: int) -> None:
    values = _values("any", 200, n_devices, seed=8)
    values[:, 1 : 1 + copies] = values[:, [0]]
    replays, found = repeats.find(values)
    assert (replays.log_p == 0).all()
    named = np.flatnonzero(found.log_p < CLEAR)
    assert len(named) == told
    assert (found.days[named] == 200).all()
    assert (found.lag[named] == 0).all()
    for device in named:
        assert found.source[device] != device
        assert (values[:, found.source[device]] == values[:, device]).all()


# What does not matter.


@pytest.mark.parametrize("kind", ["replay", "copy"])
def test_unit_sign_of_zero_and_order_do_not_matter(kind: str) -> None:
    values = _values("whole", 200, 12, seed=9)
    source = 4 if kind == "replay" else 2
    values[100:160, 4] = values[10:70, source]
    place = 0 if kind == "replay" else 1
    found = _told(repeats.find(values)[place])
    assert found[4][1:] == (100, 60, source, 90)
    signed = np.where(np.arange(12) == 4, np.where(values == 0, -0.0, values), values)
    for same in (values * 1024, values * 2.0**-30, signed):
        assert _told(repeats.find(same)[place]) == found
    turned = _told(repeats.find(values[:, ::-1])[place])[::-1]
    assert turned[4][1:] == (100, 60, 11 - source, 90)
    assert turned[4].log_p == pytest.approx(found[4].log_p)


def test_both_ends_of_a_copy_are_named() -> None:
    values = _values("any", 300, 25, seed=10)
    values[200:260, 20] = values[150:210, 6]
    copies = repeats.find(values)[1]
    assert np.flatnonzero(copies.log_p).tolist() == [6, 20]
    assert copies.log_p[6] == copies.log_p[20]
    assert _told(copies)[20][1:] == (200, 60, 6, 50)
    assert _told(copies)[6][1:] == (150, 60, 20, -50)


@pytest.mark.parametrize(
    ("n_days", "n_devices"),
    [
        (0, 3),
        (30, 0),
        *[(1, 1), (1, 5), (2, 3), (13, 4), (14, 1), (55, 2)],
    ],
)
def test_the_shortest_records_say_nothing(n_days: int, n_devices: int) -> None:
    for values in (_values("any", n_days, n_devices, seed=11), np.full((n_days, n_devices), np.nan)):
        for found in repeats.find(values):
            assert _told(found) == [NONE] * n_devices


def test_stretches_are_joined_over_lost_days_only() -> None:
    values = _values("few", 200, 4, seed=12)
    values[50:90, 1] = values[50:90, 0]
    whole = _told(repeats.find(values)[1])[1]
    values[67:73, 1] = values[67:73, 0] + 1
    parted = _told(repeats.find(values)[1])[1]
    assert parted.days < whole.days
    assert parted.log_p > whole.log_p + 10
