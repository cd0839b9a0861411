from __future__ import annotations

import threading
from collections.abc import Iterator

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
