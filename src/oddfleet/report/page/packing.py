"""Numbers on their way into the page: as short as they can be for a script to read them."""

from __future__ import annotations

import base64

import numpy as np

from oddfleet.model import FloatArray, IntArray
from oddfleet.report.axis import LARGEST


def packed(values: FloatArray) -> str:
    """Numbers as 32-bit floats, little-endian, in base 64: seven digits in six letters; NaN stays NaN.

    Those beyond ``LARGEST`` are as large as that.

    >>> packed(np.array([1.0, np.nan]))
    'AACAPwAAwH8='
    """
    return base64.b64encode(np.clip(values, -LARGEST, LARGEST).astype("<f4").tobytes()).decode("ascii")


def telling_days(series: FloatArray, most: int) -> IntArray:
    """The days to draw of a series (days,): all of a short one; else the extremes of each of ``most / 2`` stretches.

    So no peak is lost. A stretch without any value is kept as one day without, for the gap to be seen.
    """
    if len(series) <= most:
        return np.arange(len(series))
    starts = np.arange(0, len(series), -(-len(series) // (most // 2)))
    days: set[int] = set()
    for stretch in np.split(np.arange(len(series)), starts[1:]):
        known = stretch[np.isfinite(series[stretch])]
        extremes = (known[series[known].argmin()], known[series[known].argmax()]) if len(known) else stretch[:1]
        days |= {int(day) for day in extremes}
    return np.array(sorted(days))
