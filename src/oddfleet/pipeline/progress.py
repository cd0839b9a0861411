"""How whoever asks is told how far the work is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Step = Callable[[int, int], None]
"""Told how far a step of the work is: (done, in all)."""


class Progress(Protocol):
    """Whoever wants to be told how far a run is."""

    def step(self, label: str) -> Step:
        """Announce a step of the work; what comes back is called with (done, in all), first when it begins."""
