"""What must not matter does not: the order of devices, lines and files, the unit, the names, and asking twice."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from oddfleet import Fleet, Kind, Oddities, find_oddities, pipeline, plant, read
from oddfleet.model import DeviceId
from oddfleet.settings import Settings

# A steady fleet shares nothing that a device could be detached from.
KINDS = [kind for kind in plant.FAULTS if kind is not Kind.DETACHED]
FAULTS = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(KINDS)), max_size=3, unique_by=lambda fault: fault[0])
steadily = settings(max_examples=25, derandomize=True, database=None)
seldom = settings(steadily, max_examples=6)


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Twelve devices, up to three of them with a fault."""
    seed = draw(st.integers(0, 999))
    fleet = plant.steady_fleet(12, draw(st.integers(60, 150)), seed=seed)
    for device, kind in draw(FAULTS):
        fleet = plant.with_fault(fleet, device, kind, seed=seed)
    return fleet


def kinds(result: Oddities) -> dict[DeviceId, list[Kind]]:
    """What is said of each device, strongest first."""
    return {device: [finding.kind for finding in result.of(device)] for device in result.table["id"]}


def ranked(result: Oddities) -> list[DeviceId]:
    """The odd devices, oddest first, those as odd as each other by id."""
    p_values = dict(zip(result.table["id"], result.table["p_value"], strict=True))
    return sorted(result.ids, key=lambda device: (p_values[device], device))


def test_the_strategy_has_odd_fleets_and_healthy_ones() -> None:
    found = []

    @steadily
    @given(fleets())
    def look(fleet: Fleet) -> None:
        found.append(len(find_oddities(fleet).ids))

    look()
    assert 0 in found
    assert max(found) > 1


@steadily
@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_the_devices(fleet: Fleet, chance: random.Random) -> None:
    order = list(range(fleet.n_devices))
    chance.shuffle(order)
    result, again = find_oddities(fleet), find_oddities(fleet.subset(np.array(order)))
    assert ranked(again) == ranked(result)
    assert kinds(again) == kinds(result)


@steadily
@given(fleets(), st.sampled_from([1000, 0.001, 8, 1 / 1024]))
def test_the_unit(fleet: Fleet, factor: float) -> None:
    result, again = find_oddities(fleet), find_oddities(replace(fleet, values=fleet.values * factor))
    assert again.ids == result.ids
    assert kinds(again) == kinds(result)


@steadily
@given(fleets(), st.integers(1, 10**6), st.integers(0, 10**9), st.booleans())
def test_the_names(fleet: Fleet, step: int, start: int, words: bool) -> None:
    def renamed(device: DeviceId) -> DeviceId:
        number = start + step * int(device)
        return f"lamp-{number:020}" if words else number

    result = find_oddities(fleet)
    again = find_oddities(replace(fleet, device_ids=tuple(map(renamed, fleet.device_ids))))
    assert again.ids == [renamed(device) for device in result.ids]
    assert kinds(again) == {renamed(device): said for device, said in kinds(result).items()}


@steadily
@given(fleets())
def test_asking_twice(fleet: Fleet) -> None:
    values = fleet.values.copy()
    result, again = find_oddities(fleet), find_oddities(fleet)
    assert repr(again.findings) == repr(result.findings)
    assert repr(again.table) == repr(result.table)
    np.testing.assert_array_equal(fleet.values, values)


def same_fleet(one: Fleet, other: Fleet) -> None:
    assert one.device_ids == other.device_ids
    assert one.names == other.names
    for part in ("dates", "values", "duplicated", "invalid"):
        np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


@seldom
@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_files(fleet: Fleet, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as name:
        ordered, mixed = Path(name, "ordered"), Path(name, "mixed")
        mixed.mkdir()
        plant.write_folder(fleet, ordered)
        files = sorted(ordered.iterdir())
        chance.shuffle(files)
        for file in files:
            header, *lines = file.read_text(encoding="utf-8").splitlines()
            chance.shuffle(lines)
            (mixed / file.name).write_text("\n".join([header, *lines]), encoding="utf-8")
        same_fleet(read(mixed), read(ordered))


@seldom
@given(fleets(), st.integers(0, 999))
def test_the_order_of_rows(fleet: Fleet, seed: int) -> None:
    table = pl.DataFrame(
        {
            "date": fleet.dates.repeat(fleet.n_devices),
            "device_id": list(fleet.device_ids) * fleet.n_days,
            "value": fleet.values.ravel(),
        }
    ).drop_nans()
    mixed = table.sample(fraction=1, shuffle=True, seed=seed)
    same_fleet(Fleet.from_long(mixed), Fleet.from_long(table))


class _Quiet:
    def step(self, _label: str) -> Callable[[int, int], None]:
        return lambda _done, _total: None


@seldom
@given(fleets())
def test_running_twice_gives_the_same_bytes(fleet: Fleet) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name, "data")
        plant.write_folder(fleet, data)
        outs = [Path(name, "one"), Path(name, "two")]
        for out in outs:
            pipeline.run(data, out, Settings(), _Quiet())
        for file in ("oddities.json", "findings.json", "report.html"):
            one, two = ((out / file).read_bytes() for out in outs)
            assert one == two
