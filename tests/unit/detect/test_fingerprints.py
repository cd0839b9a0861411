"""Copies among many devices: which fingerprints are kept, and who has one in common."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from oddfleet.detect import fingerprints
from oddfleet.detect.fingerprints import SPAN, Prints
from oddfleet.detect.windows import Windows
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

WINDOW = 7


def _prints(values: FloatArray, first: int = 0) -> Prints:
    windows = Windows.of(values, WINDOW)
    return fingerprints.find(windows, first + np.arange(values.shape[1]), np.ones(windows.telling.shape, bool))


def _kept_slowly(hashes: list[int], telling: list[bool]) -> set[int]:
    """The hashes that are the smallest of some SPAN in a row."""
    span = min(SPAN, len(hashes))
    known = [one if says else 2**64 - 1 for one, says in zip(hashes, telling, strict=True)]
    smallest = [min(range(start, start + span), key=known.__getitem__) for start in range(len(hashes) - span + 1)]
    return {known[place] for place in smallest if telling[place]}


@pytest.mark.parametrize("days", [7, 20, 36, 37, 120])
@pytest.mark.parametrize("same", [0.0, 0.3, 0.95])
def test_kept_is_the_smallest_of_every_so_many_in_a_row(draw: Draw, days: int, same: float) -> None:
    values = draw("normal", (days, 5))
    for day in range(1, days):
        values[day] = np.where(draw("uniform", (5,), seed=day) < same, values[day - 1], values[day])
    values[draw("uniform", values.shape, seed=9) < 0.01] = np.nan
    windows, found = Windows.of(values, WINDOW), _prints(values)
    for device in range(5):
        expected = _kept_slowly(windows.hashes[:, device].tolist(), windows.telling[:, device].tolist())
        assert set(found.hashes[found.devices == device].tolist()) == expected


def test_few_of_the_windows_are_kept(draw: Draw) -> None:
    found = _prints(draw("normal", (366, 400)))
    assert len(found.hashes) / 400 == pytest.approx(2 / (SPAN + 1) * 360, rel=0.1)


@pytest.mark.parametrize("lag", [0, 3, -40])
@pytest.mark.parametrize("start", [50, 111, 200])
def test_a_long_enough_stretch_in_common_is_surely_met(draw: Draw, start: int, lag: int) -> None:
    """Of so many days more than a window, wherever they are; shorter ones only by luck."""
    days = WINDOW + SPAN - 1
    for seed in range(20):
        values = draw("normal", (366, 6), seed)
        values[start + lag : start + lag + days, 4] = values[start : start + days, 1]
        assert fingerprints.pairs([_prints(values[:, :3]), _prints(values[:, 3:], 3)]).tolist() == [[1], [4]]


def test_pairs_by_dictionaries(draw: Draw) -> None:
    hashes = (draw("uniform", (300,)) * 100).astype(np.uint64)
    devices = (draw("uniform", (300,), seed=2) * 40).astype(np.uint32)
    holders = defaultdict(set)
    for one, device in zip(hashes.tolist(), devices.tolist(), strict=True):
        holders[one].add(device)
    expected = set()
    for found in holders.values():
        ordered = sorted(found)
        expected |= set(pairwise(ordered))
    parts = [Prints(hashes[part], devices[part]) for part in (slice(0, 90), slice(90, 300))]
    got = fingerprints.pairs([*parts, fingerprints.none()])
    assert {(one, other) for one, other in got.T.tolist()} == expected


def test_nothing_in_common_is_no_pair(draw: Draw) -> None:
    assert fingerprints.pairs([]).shape == (2, 0)
    assert fingerprints.pairs([_prints(draw("normal", (100, 9)))]).shape == (2, 0)


def test_a_device_that_repeats_itself_meets_nobody(draw: Draw) -> None:
    values = draw("normal", (200, 3))
    values[100:160, 1] = values[20:80, 1]
    assert fingerprints.pairs([_prints(values)]).shape == (2, 0)
