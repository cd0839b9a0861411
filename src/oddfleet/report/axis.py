"""The vertical axis of a chart: straight, or squeezed where a device and its cohort are magnitudes apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from oddfleet.model import FloatArray
from oddfleet.report.wording import number, tick

LARGEST = 1e15
"""Values are drawn as if at most this large: a thousand exabytes a day is a fault, and arithmetic near the
largest float overflows."""

_FAR_APART = 10.0
"""A series this many times smaller than the other would be a flat line on a straight axis."""

_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """The vertical axis of a chart.

    Attributes:
        low: value at the foot.
        high: value at the top.
        width: None for a straight axis; else values up to about ``width`` are spaced evenly and those
            beyond by their logarithm (an inverse hyperbolic sine, which takes zero and negative values too).
        ticks: values to name, with their labels.
    """

    low: float
    high: float
    width: float | None
    ticks: tuple[tuple[float, str], ...]

    def place(self, values: FloatArray) -> FloatArray:
        """Values as shares of the axis: 0 at its foot, 1 at its top; NaN stays NaN."""
        low, high = self._bent(np.array([self.low, self.high]))
        share: FloatArray = (self._bent(values) - low) / (high - low)
        return share

    def _bent(self, values: FloatArray) -> FloatArray:
        return values if self.width is None else np.arcsinh(values / self.width)


def axis_for(series: FloatArray, band: FloatArray) -> Axis:
    """The axis on which both a device and the band of its cohort can be read.

    Args:
        series: float64 (days,) of the device, NaN = no observation.
        band: float64, any values of the band.
    """
    shown = np.concatenate([series, band])
    shown = shown[np.isfinite(shown)]
    if len(shown) == 0:
        return Axis(0.0, 1.0, None, _straight_ticks(0.0, 1.0))
    small, large = sorted((_reach(series), _reach(band)))
    low, high = float(shown.min()), float(shown.max())
    if small > 0 and large > _FAR_APART * small:
        # No more than seven magnitudes below the larger one: what is smaller may be flat.
        return _bent_axis(low, high, max(small, large * 1e-6) / 10)
    constant = high - low <= 1e-9 * max(abs(low), abs(high))
    margin = (abs(high) * 0.1 or 1.0) if constant else (high - low) * 0.05
    return Axis(low - margin, high + margin, None, _straight_ticks(low - margin, high + margin))


def _reach(values: FloatArray) -> float:
    """The largest size of a value; 0 where there is none."""
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def _bent_axis(low: float, high: float, width: float) -> Axis:
    foot, top = math.asinh(low / width), math.asinh(high / width)
    margin = (top - foot) * 0.05
    low, high = width * math.sinh(foot - margin), width * math.sinh(top + margin)
    return Axis(low, high, width, _bent_ticks(low, high, width))


def _straight_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Round values about a fifth of the axis apart."""
    wanted = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(wanted))
    step = next(times * magnitude for times in (1, 2, 5, 10) if times * magnitude >= wanted * (1 - 1e-9))
    values = [step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return tuple((value, tick(value, step)) for value in values)


def _bent_ticks(low: float, high: float, width: float) -> tuple[tuple[float, str], ...]:
    """Zero, and round values of every magnitude, fewer the more magnitudes there are."""
    magnitudes = range(math.floor(math.log10(width)), math.ceil(math.log10(max(abs(low), abs(high)))) + 1)
    for digits, stride in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2)):
        sizes = [times * 10.0**power for power in magnitudes[::stride] for times in digits]
        values = [0.0, *(sign * size for sign in (-1, 1) for size in sizes if size >= width)]
        shown = sorted(value for value in values if low <= value <= high)
        if len(shown) <= _MOST_TICKS:
            break
    return tuple((value, number(value)) for value in shown)
