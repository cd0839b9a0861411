from __future__ import annotations

import threading

import pytest

from oddfleet.pipeline.beside import beside
from oddfleet.pipeline.progress import Step


def _nothing(_done: int, _of: int) -> None:
    pass


def test_the_result_and_the_progress_come_through() -> None:
    told: list[tuple[int, int]] = []

    def work(step: Step) -> int:
        step(1, 2)
        return threading.get_ident()

    with beside(work, lambda done, of: told.append((done, of))) as working:
        other = working.result()
    assert other != threading.get_ident()
    assert told == [(1, 2)]


def test_an_error_of_the_work_is_raised_where_its_result_is_asked_for() -> None:
    def work(_step: Step) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"), beside(work, _nothing) as working:
        working.result()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_work_that_nobody_waits_for_ends_at_its_next_step(error: type[BaseException]) -> None:
    began, failed, steps = threading.Event(), threading.Event(), []

    def work(step: Step) -> None:
        began.set()
        assert failed.wait(10)
        for place in range(1_000):
            step(place, 1_000)
            steps.append(place)

    def fail() -> None:
        assert began.wait(10)
        # The block has failed before the work may go on: the first step after that is its last.
        threading.Timer(0.1, failed.set).start()
        raise error

    with pytest.raises(error), beside(work, _nothing):
        fail()
    assert steps == []
    assert not any(thread.name.startswith("ThreadPoolExecutor") for thread in threading.enumerate())
