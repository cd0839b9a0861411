"""Blocks of devices, and one function on many of them on all processors: numpy lets go of Python's lock to compute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from oddfleet.processors import usable_processors

_Block = TypeVar("_Block")
_Result = TypeVar("_Result")
_WAITING = 2
"""Blocks that wait for each processor: one is always at hand, and no more are in memory than that."""
DEVICES_AT_ONCE = 1000
"""Devices worked on together: in smaller blocks Python takes as long as numpy, larger ones do not stay in the cache. Of
1024 all days of a device would compete for the same few lines of the cache: to sort them takes twice as long."""
DAYS_AT_ONCE = 366
"""With more days than that fewer devices are in a block."""


def at_once(days: int) -> int:
    """How many devices with so many days make a block."""
    return max(1, min(DEVICES_AT_ONCE, DEVICES_AT_ONCE * DAYS_AT_ONCE // max(days, 1)))


def parts(devices: int, days: int) -> list[slice]:
    """So many devices in as few stretches of like length as keep to ``at_once``; one where there are none."""
    many = max(1, -(-devices // at_once(days)))
    return [slice(devices * part // many, devices * (part + 1) // many) for part in range(many)]


def each(function: Callable[[_Block], _Result], blocks: Iterable[_Block]) -> Iterator[_Result]:
    """The results of a function for each block, in the order of the blocks, whichever is done first.

    What the function or the blocks raise is raised here; of the blocks no more are asked for than can be worked on.
    What numpy is to say of overflows and the like is as where this is asked.
    """
    processors, said = usable_processors(), np.geterr()

    def worked(block: _Block) -> _Result:
        with np.errstate(**said):
            return function(block)

    if processors == 1:
        yield from map(function, blocks)
        return
    with ThreadPoolExecutor(processors) as threads:
        begun: deque[Future[_Result]] = deque()
        try:
            for block in blocks:
                begun.append(threads.submit(worked, block))
                if len(begun) > _WAITING * processors:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for waiting in begun:
                waiting.cancel()
