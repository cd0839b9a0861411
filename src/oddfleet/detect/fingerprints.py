"""Copies among more devices than can be compared at once: by a few fingerprints of each.

Of the hashes of a device's windows only the smallest of every so many in a row are kept (winnowing; Schleimer,
Wilkerson and Aiken 2003). Two devices with a long enough stretch in common have at least one of them in common, at
whatever days; only such devices are then compared day by day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oddfleet.detect.windows import Windows
from oddfleet.model import BoolArray, IntArray

SPAN = 30
"""Of so many windows in a row one is kept: a stretch in common of this many days more than a window is surely met."""
Hashes = npt.NDArray[np.uint64]
_LAST = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Prints:
    """Fingerprints of some devices (arrays (prints,)).

    Attributes:
        hashes: the hashes.
        devices: whose each is.
    """

    hashes: Hashes
    devices: npt.NDArray[np.uint32]


def find(windows: Windows, places: IntArray, rare: BoolArray) -> Prints:
    """The fingerprints of a block of devices.

    Args:
        windows: their windows.
        places: int (devices,), where they are in the fleet.
        rare: bool (starts, devices), the windows that hardly meet by chance.
    """
    telling = windows.telling & rare
    kept = _winnowed(np.where(telling, windows.hashes, _LAST)) & telling
    return Prints(windows.hashes[kept], np.broadcast_to(places.astype(np.uint32), kept.shape)[kept])


def none() -> Prints:
    """Those of devices that have none."""
    return Prints(np.zeros(0, np.uint64), np.zeros(0, np.uint32))


def pairs(prints: Sequence[Prints]) -> IntArray:
    """Which devices have a fingerprint in common, (2, pairs): each with the next that has the same one.

    Args:
        prints: those of all blocks.
    """
    ordered = np.concatenate([np.zeros(0, np.uint64), *(found.hashes for found in prints)])
    ordered.sort()
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    again = [_of(found, twice) for found in (*prints, none())]
    hashes, devices = (np.concatenate(parts) for parts in zip(*again, strict=True))
    order = np.lexsort((devices, hashes))
    hashes, devices = hashes[order], devices[order]
    meets = (hashes[1:] == hashes[:-1]) & (devices[1:] != devices[:-1])
    met: IntArray = np.unique(np.stack([devices[:-1][meets], devices[1:][meets]]).astype(np.int64), axis=1)
    return met


def _of(found: Prints, some: Hashes) -> tuple[Hashes, npt.NDArray[np.uint32]]:
    """Those of some hashes, which are sorted."""
    if some.size == 0:
        return found.hashes[:0], found.devices[:0]
    kept = some[np.minimum(np.searchsorted(some, found.hashes), len(some) - 1)] == found.hashes
    return found.hashes[kept], found.devices[kept]


def _winnowed(hashed: Hashes) -> BoolArray:
    """Which hashes (starts, devices) are the smallest of some ``SPAN`` in a row."""
    span = min(SPAN, len(hashed))
    least = _sliding(hashed, span, np.minimum)
    edge = np.zeros((span - 1, hashed.shape[1]), np.uint64)
    # The smallest of a span that it is in: the largest of the smallest of all spans that it is in.
    kept: BoolArray = _sliding(np.concatenate([edge, least, edge]), span, np.maximum) == hashed
    return kept


def _sliding(rows: Hashes, span: int, best_of: np.ufunc) -> Hashes:
    """The best of every ``span`` rows in a row, by doubling."""
    length = 1
    while length < span:
        step = min(length, span - length)
        rows = best_of(rows[:-step], rows[step:])
        length += step
    return rows
