"""One function on many blocks, on all processors: numpy lets go of Python's lock while it computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from oddfleet.processors import usable_processors

_Block = TypeVar("_Block")
_Result = TypeVar("_Result")
_WAITING = 2
"""Blocks that wait for each processor: one is always at hand, and no more are in memory than that."""


def each(function: Callable[[_Block], _Result], blocks: Iterable[_Block]) -> Iterator[_Result]:
    """The results of a function for each block, in the order of the blocks, whichever is done first.

    What the function or the blocks raise is raised here; of the blocks no more are asked for than can be worked on.
    """
    processors = usable_processors()
    if processors == 1:
        yield from map(function, blocks)
        return
    with ThreadPoolExecutor(processors) as threads:
        begun: deque[Future[_Result]] = deque()
        try:
            for block in blocks:
                begun.append(threads.submit(function, block))
                if len(begun) > _WAITING * processors:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for waiting in begun:
                waiting.cancel()
