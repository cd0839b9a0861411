"""Windows of a few days, hashed, so that equal ones are found by sorting (Karp and Rabin 1987)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oddfleet.detect import moments
from oddfleet.model import BoolArray, FloatArray

_BASE = np.uint64(0x9E3779B97F4A7C15)
_Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """All windows of so many days of some devices (arrays (starts, devices)).

    Attributes:
        hashes: a hash of the values of each, uint64.
        telling: whether a window says something: its days change and none is lost.
    """

    hashes: _Hashes
    telling: BoolArray

    @classmethod
    def of(cls, values: FloatArray, window: int) -> Windows:
        """Those of values (days, devices)."""
        starts = len(values) - window + 1
        bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
        # A value's bits are mixed before they are added up, for nearby values share most of theirs.
        mixed = (bits ^ (bits >> np.uint64(29))) * _BASE
        mixed ^= mixed >> np.uint64(32)
        hashed, days = mixed, 1
        # Twice as many days at a time, and one more where the binary digit asks for it.
        for digit in f"{window:b}"[1:]:
            hashed, days = _joined(hashed, hashed[days:], days), 2 * days
            if digit == "1":
                hashed, days = _joined(hashed, mixed[days:], 1), days + 1
        same, lost = values[1:] == values[:-1], np.isnan(values)
        telling = np.ones(hashed.shape, bool)
        if same.any() or lost.any():
            stays = np.concatenate([np.ones((1, values.shape[1]), bool), same])
            past, gone = _so_far(~stays), _so_far(lost)
            telling = (past[window:] - past[:starts] >= 2) & (gone[window:] == gone[:starts])
        return cls(hashed, telling)


def _joined(first: _Hashes, then: _Hashes, days: int) -> _Hashes:
    """Hashes (starts, devices) of windows each followed by one of so many days."""
    hashed = first[: len(then)] * np.uint64(pow(int(_BASE), days, 1 << 64))
    hashed += then
    return hashed


def _so_far(days: BoolArray) -> npt.NDArray[np.int32]:
    """How many of the days (days, devices) before each day are marked, and in the end of all: (days + 1, devices)."""
    count = np.zeros((len(days) + 1, days.shape[1]), np.int32)
    count[1:] = moments.running(np.add, days.astype(np.int32))
    return count
