"""What a device is, in a few numbers by which kinds of devices are told apart."""

from __future__ import annotations

import numpy as np

from oddfleet.detect import moments, scores
from oddfleet.detect.habits import weekdays
from oddfleet.model import DateArray, FloatArray

LEVEL, SPREAD, WEEK = 0, 1, 4
"""Rows of ``describe``."""


def telling(values: FloatArray, *, rarely_silent: bool) -> FloatArray:
    """The values that tell what a device is: where silence is a fault, those of its other days."""
    return np.where(values == 0, np.nan, values) if rarely_silent else values


def describe(values: FloatArray, dates: DateArray) -> FloatArray:
    """What a device is, in numbers that hold in any unit but for the level: float64 (descriptions, devices).

    Log of the level and of the relative spread, L-skewness, L-kurtosis, the weekdays' share of the variation (its root,
    as a correlation), the correlation with the day before, and the share of zeros. NaN where it cannot be told.
    """
    ordered = np.sort(values, axis=0)
    level, spread, skewness, kurtosis = moments.of_sorted(ordered)
    away = values - moments.median_of_sorted(ordered)
    usual = np.exp(spread)
    away = np.clip(away / np.where(usual > 0, usual, 1.0), -4, 4)
    away = moments.zeroed(away, np.isfinite(away))
    seen = np.isfinite(values)
    count = np.maximum(seen.sum(axis=0), 1)
    away = moments.zeroed(away - away.sum(axis=0) / count, seen)
    square = np.maximum(moments.products(away, away), 1e-12)
    week = scores.between_weekdays(away, seen, weekdays(dates)) / square
    memory = moments.products(away[1:], away[:-1]) / square
    zeros = (values == 0).sum(axis=0) / count
    return np.stack([level, spread - level, skewness, kurtosis, np.sqrt(week), memory, zeros])
