"""A series as one line of characters, to be seen at a glance."""

from __future__ import annotations

import numpy as np

from oddfleet.model import FloatArray
from oddfleet.report.axis import LARGEST

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = ".:-=+*#@"
"""The same heights for a stream that has no code for blocks: the darker, the higher."""
_ALIKE = 1e-9
"""Means that differ by less, in parts of the larger one, are alike."""


def sparkline(series: FloatArray, cells: int, encoding: str = "utf-8") -> str:
    """The means of equal stretches of a series, each as a character between the lowest and the highest of them.

    Args:
        series: float64 (days,), NaN = no observation.
        cells: most characters; a shorter series has one a day.
        encoding: of the stream; where it has no blocks, they are plain characters.

    Returns:
        One character a stretch; a space where a stretch has no observation, middling ones where all are alike.

    >>> sparkline(np.array([1.0, 2.0, 3.0, np.nan, 8.0, 8.0]), 3), sparkline(np.array([1.0, np.nan, 8.0]), 24)
    ('▁▂█', '▁ █')
    """
    marks = BLOCKS if _has(encoding, BLOCKS) else PLAIN
    means = _means(np.clip(series, -LARGEST, LARGEST), min(cells, len(series)))
    seen = np.isfinite(means)
    if not seen.any():
        return " " * len(means)
    low, high = means[seen].min(), means[seen].max()
    # Means of what is always the same differ in their last digit.
    differ = high - low > _ALIKE * max(abs(low), abs(high))
    share = (means - low) / (high - low) if differ else np.full(len(means), 0.5)
    heights = np.where(seen, np.minimum(np.nan_to_num(share) * len(marks), len(marks) - 1), -1).astype(int)
    return "".join(" " if height < 0 else marks[height] for height in heights.tolist())


def _means(series: FloatArray, cells: int) -> FloatArray:
    """The mean of each of so many equal stretches (cells,), NaN where nothing was observed."""
    ends = np.arange(cells + 1) * len(series) // max(cells, 1)
    # Sums from the first day on: a stretch is the difference of two.
    seen = np.concatenate([[0], np.isfinite(series).cumsum()])[ends]
    sums = np.concatenate([[0.0], np.nan_to_num(series).cumsum()])[ends]
    count = np.diff(seen)
    return np.where(count > 0, np.diff(sums) / np.maximum(count, 1), np.nan)


def _has(encoding: str, letters: str) -> bool:
    """Whether a stream of this encoding can show the letters."""
    try:
        letters.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
