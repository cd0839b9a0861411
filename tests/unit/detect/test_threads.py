from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from oddfleet.detect import threads


@pytest.mark.parametrize("processors", [1, 2, 5])
def test_results_come_in_the_order_of_the_blocks(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(threads, "usable_processors", lambda: processors)
    slow = threading.Event()

    def square(number: int) -> int:
        if number == 0 and processors > 1:
            slow.wait(0.05)
        return number * number

    assert list(threads.each(square, range(40))) == [number * number for number in range(40)]
    assert list(threads.each(square, [])) == []


@pytest.mark.parametrize("processors", [1, 2])
def test_what_is_raised_comes_out(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(threads, "usable_processors", lambda: processors)

    def broken(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        return number

    results = threads.each(broken, range(40))
    assert [next(results) for _place in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)


def test_no_more_blocks_are_made_than_can_be_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_processors", lambda: 2)
    made: list[int] = []

    def blocks() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    results = threads.each(lambda number: number, blocks())
    assert next(results) == 0
    assert len(made) <= 2 * threads._WAITING + 1


@pytest.mark.parametrize("processors", [1, 2])
def test_numpy_is_as_quiet_as_where_it_was_asked(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(threads, "usable_processors", lambda: processors)

    def overflow(number: float) -> float:
        return float(np.exp(np.float64(number)))

    with np.errstate(over="ignore"):
        assert list(threads.each(overflow, [1e9, 1e9])) == [np.inf, np.inf]
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        list(threads.each(overflow, [1e9, 1e9]))


@pytest.mark.parametrize(("devices", "days"), [(0, 366), (1, 366), (1000, 366), (1001, 366), (5000, 366), (7, 10**6)])
def test_parts_are_all_devices_once_and_no_more_than_make_a_block(devices: int, days: int) -> None:
    parts = threads.parts(devices, days)
    assert [place for part in parts for place in range(part.start, part.stop)] == list(range(devices))
    assert max(part.stop - part.start for part in parts) <= threads.at_once(days)
    assert len(parts) == max(1, -(-devices // threads.at_once(days)))


def test_longer_records_make_blocks_of_fewer_devices() -> None:
    assert [threads.at_once(days) for days in (0, 30, 366, 732, 10**9)] == [1000, 1000, 1000, 500, 1]
