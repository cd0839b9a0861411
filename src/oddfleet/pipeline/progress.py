"""How whoever asks is told how far the work is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Whoever wants to be told how far a run is."""

    def step(self, label: str) -> Callable[[int, int], None]:
        """Begin a step of the work; what comes back is called with (done, in all)."""
