from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import signal, stats

from oddfleet import plant
from oddfleet.detect import cohorts, descriptions
from oddfleet.detect import kinds as found_kinds
from oddfleet.model import Fleet, FloatArray, IntArray, Kind

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

ALIKE = [kind for kind in plant.FLEETS if kind != "mixed"]
SKEWNESS, KURTOSIS, WEEK, MEMORY, ZEROS = range(2, 7)

Rows = list[list[float]]


def _find(fleet: Fleet) -> IntArray:
    return found_kinds.find(fleet.values, fleet.dates).labels


def _groups(labels: IntArray) -> list[list[int]]:
    return sorted(np.flatnonzero(labels == label).tolist() for label in set(labels.tolist()))


def _three_kinds(n_devices: int, n_days: int, seed: int) -> tuple[Fleet, IntArray]:
    """60 % steady, 30 % with a working week, 10 % bursty, each on a level of its own; and which is which."""
    draw = np.random.default_rng(seed)
    kinds = draw.permutation(np.repeat(np.arange(3), np.array([6, 3, 1]) * n_devices // 10))
    shape = (n_days, n_devices)
    week = 1.0 - 0.5 * (np.arange(n_days) % 7 >= 5)[:, None]
    made = (
        draw.normal(100, 5, shape),
        30 * week * np.exp(draw.normal(0, 0.2, n_devices) + draw.normal(0, 0.1, shape)),
        400 * np.exp(draw.normal(0, 0.2, n_devices) + draw.normal(0, 0.5, shape)),
    )
    return replace(plant.steady_fleet(*shape[::-1], seed=1), values=np.choose(kinds, made)), kinds


# A slow and obvious twin: every cut of every description is tried, and the gap is computed by lists.


def _spread(numbers: Sequence[float]) -> float:
    middle = median(numbers)
    return 1.4826 * median([abs(number - middle) for number in numbers])


def _sides(numbers: Sequence[float], part: Sequence[bool]) -> tuple[list[float], list[float]]:
    return [x for x, high in zip(numbers, part, strict=True) if not high], [
        x for x, high in zip(numbers, part, strict=True) if high
    ]


def _may_part(rows: Rows, part: Sequence[bool], floor: float, *, several: bool) -> bool:
    """Whether a small side is apart in enough descriptions to be a kind, and a single device on another level.

    Where several kinds are known a single device needs less.
    """
    few, steps, wide = min(sum(part), len(part) - sum(part)), [], 0
    for row in rows:
        low, high = _sides(row, part)
        steps.append(abs(median(high) - median(low)))
        wide += steps[-1] > found_kinds.WIDE_GAP * max(_spread(low), _spread(high), floor)
    if steps[0] < math.log(1.5) and steps[1] < math.log(4) and steps[WEEK] < 0.3:  # no other purpose
        return False
    small = few == 1 or few < found_kinds.FEW_SHARE * len(part)
    ways = found_kinds.WAYS - 1 if several and few == 1 else found_kinds.WAYS
    return (wide >= ways or not small) and (steps[0] >= math.log(2) or few > 1 or several)


def _ashman(rows: Rows, part: Sequence[bool], floor: float, *, several: bool = False, strays: float = 0.0) -> float:
    """Ashman's D along Fisher's line, over what is needed; 0 where the two are not apart."""
    apart, between, distance = _along(rows, part, floor, strays)
    if not _may_part(rows, part, floor, several=several) or between < found_kinds.EMPTY * apart:
        return 0.0
    return distance / (found_kinds.WIDE_GAP + found_kinds.SMALL_GROUP / min(sum(part), len(part) - sum(part)))


def _lasts(rows: Rows, part: Sequence[bool], floor: float) -> bool:
    """Whether the gap is there in half of the record, by the devices that can be described in it."""
    known = [d for d in range(len(part)) if all(math.isfinite(row[d]) for row in rows)]
    sides = [part[d] for d in known]
    both = 0 < sum(sides) < len(sides)
    return both and _along([[row[d] for d in known] for row in rows], sides, floor)[2] > found_kinds.WIDE_GAP


def _along(rows: Rows, part: Sequence[bool], floor: float, strays: float = 0.0) -> tuple[float, float, float]:
    """Along Fisher's line: how far the centres and the nearest devices are apart, and Ashman's D."""
    weights = []
    for row in rows:
        low, high = _sides(row, part)
        weights.append((median(high) - median(low)) / max(_spread(low), _spread(high), floor) ** 2)
    along = [sum(weight * row[d] for weight, row in zip(weights, rows, strict=True)) for d in range(len(part))]
    low, high = _sides(along, part)
    apart = median(high) - median(low)
    noise = floor * math.sqrt(sum(weight**2 for weight in weights))
    nearest = sorted(high)[int(strays * len(high))] - sorted(low, reverse=True)[int(strays * len(low))]
    return apart, nearest, apart / max(_spread(low), _spread(high), noise)


def _nearer(rows: Rows, part: Sequence[bool], floor: float) -> list[bool]:
    """Who is beyond the middle between the two centres, along Fisher's line."""
    far = [0.0] * len(part)
    for row in rows:
        low, high = _sides(row, part)
        weight = (median(high) - median(low)) / max(_spread(low), _spread(high), floor) ** 2
        far = [so_far + weight * (x - (median(high) + median(low)) / 2) for so_far, x in zip(far, row, strict=True)]
    return [beyond > 0 for beyond in far]


def _split(tables: list[Rows], group: list[int], floor: float, fewest: int, *, several: bool) -> list[list[int]]:
    """A group, of several or the only one, split by its whole record where its halves agree."""
    fewest = max(fewest, int(found_kinds.SMALL_SHARE * len(tables[0][0])))
    rows, *halves = ([[row[d] for d in group] for row in table] for table in tables)
    cuts = [[x >= cut for x in row] for row in rows for cut in sorted(set(row))]
    large = [part for part in cuts if fewest <= sum(part) <= len(part) - fewest]
    lasting = [part for part in large if all(_lasts(half, part, floor) for half in halves)]
    gaps = [_ashman(rows, part, floor, several=several) for part in lasting]
    if max(gaps, default=0.0) <= 1:
        gaps = [_ashman(rows, part, floor, several=several, strays=found_kinds.STRAYS) for part in lasting]
    if max(gaps, default=0.0) <= 1:
        return [group]
    nearer = _nearer(rows, lasting[gaps.index(max(gaps))], floor)
    sides = ([int(d) for d in side] for side in _sides(group, nearer))
    return [part for side in sides for part in _split(tables, side, floor, fewest, several=True)]


def _find_slowly(fleet: Fleet) -> list[list[int]]:
    half, silent = fleet.n_days // 2, fleet.values == 0
    values = fleet.values if median(silent.sum(axis=0).tolist()) > 0 else np.where(silent, np.nan, fleet.values)
    whole, *halves = (
        descriptions.describe(values[days], fleet.dates[days]).tolist()
        for days in (slice(None), slice(half), slice(half, None))
    )
    tables, floor = (
        [whole, *(halves if half >= found_kinds.SHORTEST_HALF else [])],
        found_kinds.ERROR / fleet.n_days**0.5,
    )
    known = [d for d in range(fleet.n_devices) if all(math.isfinite(row[d]) for row in whole)]
    groups = _split(tables, known, floor, 2, several=False)
    if len(groups) > 1 or fleet.n_devices < found_kinds.FEW:
        several = len(groups) > 1
        groups = [part for group in groups for part in _split(tables, group, floor, 1, several=several)]
    joined = [list(group) for group in groups]
    for device in sorted(set(range(fleet.n_devices)) - set(known)):
        far = [abs(median([whole[0][d] for d in group]) - whole[0][device]) for group in groups]
        sizes = [-len(group) for group in groups]
        near = far.index(min(far)) if math.isfinite(whole[0][device]) else sizes.index(min(sizes))
        joined[near].append(device)
    return sorted(sorted(group) for group in joined)


def test_cohorts_are_numbered_by_size() -> None:
    fleet, kinds = _three_kinds(60, 120, seed=1)
    assert _find(fleet).tolist() == kinds.tolist()
    assert [cohorts.name(kind, 3) for kind in range(3)] == ["cohort 1", "cohort 2", "cohort 3"]


@pytest.mark.parametrize(("n_devices", "right"), [(20, 15), (60, 19), (300, 19)])
def test_three_kinds_are_found(n_devices: int, right: int) -> None:
    """Of 20 fleets. Of seeds 0 to 59 are right: 56 with 20 devices, two of them bursty, and all with more."""
    found = 0
    for seed in range(20):
        fleet, kinds = _three_kinds(n_devices, 180, seed)
        found += _groups(_find(fleet)) == _groups(kinds)
    assert found >= right


@pytest.mark.parametrize(
    ("n_devices", "n_days", "right"), [(20, 60, 12), (20, 366, 18), (60, 60, 18), (60, 366, 18), (300, 180, 18)]
)
def test_mixed_fleets_fall_into_their_kinds(n_devices: int, n_days: int, right: int) -> None:
    """Of 20 fleets of other levels each; of seeds 0 to 59 are right: 43, 57, 58 and 58, and all of 300 devices."""
    sizes = sorted(np.array([6, 3, 1]) * n_devices // 10)
    fleets = (plant.healthy_fleet("mixed", n_devices, n_days, seed=seed) for seed in range(20))
    assert sum(sorted(np.bincount(_find(fleet))) == sizes for fleet in fleets) >= right


@pytest.mark.parametrize(
    ("n_devices", "seeds", "allowed"),
    [(6, range(30), 3), (20, range(30), 1), (60, range(10), 0), (300, range(4), 0)],
)
@pytest.mark.parametrize("kind", ALIKE)
def test_a_fleet_of_one_kind_is_one_cohort(kind: str, n_devices: int, seeds: range, allowed: int) -> None:
    """Of seeds 0 to 99 at most 5 fleets of 5 to 12 devices are split, of 0 to 29 one of 20 (weekly), none larger."""
    fleets = (plant.healthy_fleet(kind, n_devices, seed=seed) for seed in seeds)
    assert sum(_find(fleet).any() for fleet in fleets) <= allowed


@pytest.mark.parametrize("law", ["normal", "exponential", "student", "uniform"])
@pytest.mark.parametrize("n_devices", [3, 20, 60, 300])
def test_descriptions_of_one_bell_fall_into_one_group(draw: Draw, law: str, n_devices: int) -> None:
    """Even where nothing is known of their errors; at most 4 of 200 tables (uniform, 20 devices) do not."""
    devices, split = np.arange(n_devices), 0
    views = found_kinds._Views(np.ones((2, n_devices)), np.datetime64("2021-03-05", "D") + np.arange(2))
    views.floor = 1e-9
    assert views.halves == ()  # of which nothing could be said
    for seed in range(60):
        views.whole = draw(law, (7, n_devices), seed)
        split += len(found_kinds._split(views, found_kinds._Part(devices), fewest=2)) > 1
    assert split <= 3


@pytest.mark.parametrize("n_devices", [20, 60])
@pytest.mark.parametrize("kind", ALIKE)
def test_one_odd_device_founds_no_cohort(kind: str, n_devices: int) -> None:
    fleet = plant.healthy_fleet(kind, n_devices, 180, seed=53)
    for fault in plant.FAULTS:
        if fault is not Kind.DETACHED or kind in ("weekly", "drop_days"):
            assert not _find(plant.with_fault(fleet, 3, fault, strength=2.0, seed=1)).any(), fault
    for value in (np.nan, 0.0, 1.0, -1.0, 1e15):
        values = fleet.values.copy()
        values[:, 7] = value
        assert not found_kinds.find(values, fleet.dates).labels.any(), value


@pytest.mark.parametrize(("n_devices", "alone", "moved"), [(20, 8, 3), (60, 8, 1), (300, 0, 0)])
def test_one_odd_device_seldom_founds_a_cohort_among_three_kinds(n_devices: int, alone: int, moved: int) -> None:
    """Of 40 fleets; of 243 with 20 devices 25 odd ones are judged alone, with 60 as many, and with 300 none."""
    fleet, kinds = _three_kinds(n_devices, 180, seed=1)
    labels = {}
    for fault in plant.FAULTS:
        for device in (0, 3):
            if fault is not Kind.DETACHED:
                labels[fault, device] = _find(plant.with_fault(fleet, device + 1, fault, seed=1))
    assert sum((found == found[device]).sum() == 1 for (_, device), found in labels.items()) <= alone
    others = ((np.delete(found, device), np.delete(kinds, device)) for (_, device), found in labels.items())
    assert sum(_groups(found) != _groups(known) for found, known in others) <= moved


@pytest.mark.parametrize("since", [0, 90])
@pytest.mark.parametrize("value", [np.nan, 0.0, 40.0])
def test_one_dead_device_does_not_hide_the_kinds(value: float, since: int) -> None:
    for seed in range(5):
        fleet = plant.healthy_fleet("mixed", 60, 180, seed=seed)
        values = fleet.values.copy()
        values[since:, 5] = value
        kinds = _groups(np.delete(_find(fleet), 5))
        assert _groups(np.delete(found_kinds.find(values, fleet.dates).labels, 5)) == kinds


@pytest.mark.parametrize(("value", "cohort"), [(np.nan, 0), (0.0, 0), (100.0, 0), (25.0, 1), (450.0, 2), (-1.0, 0)])
def test_what_cannot_be_described_is_judged_with_those_of_its_level_or_with_most(value: float, cohort: int) -> None:
    fleet, kinds = _three_kinds(60, 120, seed=1)
    for dead in ([7], [3, 50]):
        values = fleet.values.copy()
        values[:, dead] = value
        found = found_kinds.find(values, fleet.dates).labels
        assert (found[dead] == cohort).all()
        assert (np.delete(found, dead) == np.delete(kinds, dead)).all()


@pytest.mark.parametrize("value", [None, np.nan, 0.0])
def test_one_odd_device_of_a_few_founds_no_cohort_beside_a_dead_one(value: float | None) -> None:
    for n_devices in (6, 8, 9):
        for fault in (Kind.NEGATIVE_TRAFFIC, Kind.WEEKLY_RHYTHM, Kind.VOLATILITY_CHANGE):
            for seed in range(5):
                fleet = plant.healthy_fleet("steady", n_devices, 180, seed=seed)
                values = plant.with_fault(fleet, 3, fault, strength=2.0, seed=1).values.copy()
                values[:, 4] = values[:, 4] if value is None else value
                assert not found_kinds.find(values, fleet.dates).labels.any(), (n_devices, fault, seed)


@pytest.mark.parametrize("value", [np.nan, 0.0, 40.0])
def test_where_no_device_can_be_described_all_are_one_cohort(value: float) -> None:
    assert (
        found_kinds.find(np.full((60, 12), value), plant.steady_fleet(12, 60, seed=1).dates).labels.tolist() == [0] * 12
    )


@pytest.mark.parametrize(
    ("factor", "noise", "memory", "kinds"),
    [
        (1.25, 1.0, 0.0, 1),
        (2.0, 1.0, 0.0, 2),
        (0.5, 1.0, 0.0, 2),
        (1.0, 3.0, 0.0, 1),
        (1.0, 6.0, 0.0, 2),
        (1.0, 1.0, 0.9, 1),
    ],
)
def test_a_kind_has_another_level_or_much_more_noise(
    draw: Draw, factor: float, noise: float, memory: float, kinds: int
) -> None:
    """A little more of it in many devices, or memory, is what may be wrong with them."""
    fresh = draw("normal", (180, 60))
    own = signal.lfilter([np.sqrt(1 - memory**2)], [1.0, -memory], fresh, axis=0)
    values = 100 + 5 * np.where(np.arange(60) < 25, noise * own, fresh)
    values[:, :25] *= factor
    found = found_kinds.find(values, plant.steady_fleet(60, 180, seed=1).dates).labels
    assert _groups(found) == ([list(range(60))] if kinds == 1 else [list(range(25)), list(range(25, 60))])


def test_silent_days_found_no_cohort_where_they_are_rare() -> None:
    fleet, rng = plant.steady_fleet(60, 180, seed=1), np.random.default_rng(1)
    values = fleet.values.copy()
    for device in range(25):
        values[rng.choice(180, 40, replace=False), device] = 0.0
    assert not found_kinds.find(values, fleet.dates).labels.any()


def test_a_kind_that_is_seen_in_half_of_the_record_only_may_be_what_happened_on_the_way() -> None:
    fleet, kinds = _three_kinds(60, 120, seed=1)
    values = fleet.values.copy()
    values[60:, kinds == 2] = np.nan
    assert found_kinds.find(values, fleet.dates).labels[kinds < 2].tolist() == kinds[kinds < 2].tolist()
    assert set(found_kinds.find(values, fleet.dates).labels[kinds == 2]) <= {0, 1}


@pytest.mark.parametrize("first", [0, 20])
@pytest.mark.parametrize("moved", [8, 20, 30])
def test_what_happened_on_the_way_founds_no_cohort(moved: int, first: int) -> None:
    """Some devices get another level, week and spread in the middle of the record; before they were like the others."""
    whole, fleet = plant.healthy_fleet("steady", 60, 180, seed=1), plant.healthy_fleet("steady", 60, 180, seed=1)
    week = np.where(np.arange(180) % 7 < 5, 3.0, 1.0)[:, None]
    for since, cohort in ((0, {0, 1}), (90, {0})):
        values = whole.values.copy()
        values[since:, first : first + moved] *= week[since:]
        assert set(found_kinds.find(values, fleet.dates).labels.tolist()) == cohort


@pytest.mark.parametrize("factor", [1e-9, 0.001, 1e6])
@pytest.mark.parametrize("kind", plant.FLEETS)
def test_another_unit_gives_the_same_cohorts(kind: str, factor: float) -> None:
    fleet = plant.healthy_fleet(kind, 40, 120, seed=11)
    assert (found_kinds.find(fleet.values * factor, fleet.dates).labels == _find(fleet)).all()


@pytest.mark.parametrize("kind", plant.FLEETS)
def test_the_order_of_the_devices_does_not_matter(kind: str) -> None:
    fleet = plant.healthy_fleet(kind, 40, 120, seed=12)
    order = np.random.default_rng(1).permutation(40)
    assert (_find(fleet.subset(order)) == _find(fleet)[order]).all()


@pytest.mark.parametrize("dead", [(), (np.nan, 0.0, 30.0)])
@pytest.mark.parametrize(("n_devices", "n_days"), [(6, 20), (6, 60), (12, 60), (20, 366)])
def test_cohorts_by_trying_every_cut(n_devices: int, n_days: int, dead: tuple[float, ...]) -> None:
    for seed in range(6):
        fleet = plant.healthy_fleet("mixed", n_devices, n_days, seed=seed)
        values = fleet.values.copy()
        values[:, : len(dead)] = dead
        known = replace(fleet, values=values)
        assert _groups(_find(known)) == _find_slowly(known)


@pytest.mark.parametrize("strays", [0.0, 0.2])
@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("apart", [0.0, 3.0, 30.0])
def test_the_gap_is_ashmans_by_lists(apart: float, rows: int, strays: float) -> None:
    draw = np.random.default_rng(5)
    gaps = []
    for n_devices in range(3, 40):
        several = n_devices % 2 == 0
        table = draw.normal(size=(7, n_devices))
        part = np.arange(n_devices) < draw.integers(1, n_devices)
        table[:rows] += apart * part
        gaps.append(_ashman(table.tolist(), part.tolist(), 0.1, several=several, strays=strays))
        assert found_kinds._gap(table, part, 0.1, several=several, strays=strays) == pytest.approx(
            gaps[-1], rel=1e-9, abs=1e-12
        )
    if apart != 3.0:
        assert (max(gaps) > 1) == (apart > 0)


def test_the_gap_of_two_large_bells_is_their_distance_in_spreads() -> None:
    """With spread 1 each, D is the distance: 8 is enough and 4 is not."""
    draw = np.random.default_rng(6)
    part = np.arange(4000) < 2000
    for distance in (4.0, 8.0):
        bell = np.clip(draw.normal(size=4000), -1.5, 1.5) + distance * part
        gap = found_kinds._gap(bell[None], part, 1e-9) * (found_kinds.WIDE_GAP + found_kinds.SMALL_GROUP / 2000)
        assert gap == pytest.approx(distance, rel=0.05)


def _described(values: FloatArray) -> FloatArray:
    return descriptions.describe(values, np.datetime64("2021-03-05", "D") + np.arange(len(values)))


def test_a_device_is_described_as_by_scipy() -> None:
    """Noise without far days, so that nothing is clipped."""
    draw = np.random.default_rng(7)
    values = 5 + draw.uniform(size=(200, 3)) + np.array([0.0, 1.0, 0.3]) * (np.arange(200) % 7 == 2)[:, None]
    for series, told in zip(values.T, _described(values).T, strict=True):
        days = [series[weekday::7] for weekday in range(7)]
        f = stats.f_oneway(*days).statistic
        assert told[WEEK] ** 2 == pytest.approx(6 * f / (6 * f + 193))  # the weekdays' share of the variation
        centred = series - series.mean()
        assert told[MEMORY] == pytest.approx((centred[1:] * centred[:-1]).sum() / (centred**2).sum())
        assert told[ZEROS] == 0
        assert told[0] == pytest.approx(np.log(series.mean()))
        differences = np.abs(series[:, None] - series)[np.triu_indices(200, 1)]  # Gini's, all pairs
        assert told[1] == pytest.approx(np.log(differences.mean() / np.sqrt(2) / series.mean()))


def test_lost_days_and_another_unit_do_not_change_what_a_device_is() -> None:
    values = plant.healthy_fleet("counts", 5, 300, seed=1).values
    base, other = _described(values), _described(1e-6 * values)
    np.testing.assert_allclose(other[1:], base[1:], atol=1e-9)
    np.testing.assert_allclose(other[0], base[0] + np.log(1e-6))
    values[np.random.default_rng(2).uniform(size=values.shape) < 0.1] = np.nan
    np.testing.assert_allclose(_described(values), base, atol=0.2)
    np.testing.assert_allclose(
        _described(values)[ZEROS], np.nanmean(np.where(np.isnan(values), np.nan, values == 0), 0)
    )


@pytest.mark.parametrize(
    ("series", "known"),
    [
        ([np.nan] * 20, [WEEK, MEMORY, ZEROS]),
        ([0.0] * 20, [WEEK, MEMORY, ZEROS]),
        ([7.0] * 20, [0, WEEK, MEMORY, ZEROS]),
        ([0.0, 7.0] * 10, list(range(7))),
    ],
)
def test_what_cannot_be_told_is_nan(series: list[float], known: list[int]) -> None:
    described = _described(np.array(series)[:, None])
    assert np.flatnonzero(np.isfinite(described[:, 0])).tolist() == known


@pytest.mark.parametrize("n_devices", [0, 1, 2, 3])
def test_the_smallest_fleets_are_one_cohort(n_devices: int) -> None:
    fleet = plant.steady_fleet(n_devices, 30, seed=1)
    assert _find(fleet).tolist() == [0] * n_devices
    assert cohorts.name(0, 1) == "fleet"


@pytest.mark.parametrize("seed", range(6))
def test_odd_devices_in_the_gap_do_not_join_two_kinds(seed: int) -> None:
    """Faults may put a few devices anywhere between two kinds; those that keep out of it are parted all the same."""
    fleet, kinds = _three_kinds(200, 120, seed)
    values = fleet.values.copy()
    odd = np.random.default_rng(seed).choice(200, 8, replace=False)
    values[:, odd[:4]] *= np.geomspace(0.3, 4, 4)
    values[60:, odd[4:]] += 3 * np.abs(np.random.default_rng(seed).standard_cauchy((60, 4))) * values[60:, odd[4:]]
    labels = found_kinds.find(values, fleet.dates).labels
    healthy = np.setdiff1d(np.arange(200), odd)
    assert len(set(zip(labels[healthy].tolist(), kinds[healthy].tolist(), strict=True))) == 3


@pytest.mark.parametrize("seed", [22, 28])
def test_a_cut_between_two_kinds_leaves_a_third_whole(seed: int) -> None:
    """The first cut parts one kind from two others, whose centre is that of the larger."""
    fleet = plant.healthy_fleet("mixed", 3000, 120, seed=seed)
    sizes = np.bincount(found_kinds.find(fleet.values, fleet.dates).labels)
    np.testing.assert_allclose(sizes, [1800, 900, 300], atol=6)
