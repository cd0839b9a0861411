"""Work done in a second thread while the first goes on: SQLite and numpy both let go of Python's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from oddfleet.pipeline.progress import Step

_Result = TypeVar("_Result")


class _Stopped(Exception):  # noqa: N818 - no error: nobody waits for the work any more
    """The first thread has failed, so what the second does is not needed."""


@contextmanager
def beside(work: Callable[[Step], _Result], progress: Step) -> Iterator[Future[_Result]]:
    """Begin the work; its future is to be asked for the result before the block ends.

    Where the block fails, by Ctrl-C for instance, the work is stopped when it next tells how far it is, and the block
    ends only then: nothing is written behind anybody's back.

    Args:
        work: gets a function to call with (done, in all).
        progress: what that function calls.
    """
    unwanted = Event()

    def step(done: int, of: int) -> None:
        if unwanted.is_set():
            raise _Stopped
        progress(done, of)

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(work, step)
        try:
            yield future
        except BaseException:
            unwanted.set()
            raise
