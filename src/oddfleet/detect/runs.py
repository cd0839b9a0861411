"""Stretches of days: silent ones, and ones stuck at a value. Their p-values follow from how often such days occur."""

from __future__ import annotations

import numpy as np

from oddfleet.model import BoolArray, FloatArray, IntArray

FEWEST_DEVICES = 3
"""Two devices that differ cannot say which of them is odd."""


def quiet_days(values: FloatArray) -> BoolArray:
    """Days (days, devices) with zero traffic or no observation."""
    quiet: BoolArray = np.isnan(values) | (values == 0)
    return quiet


def stuck_days(values: FloatArray) -> BoolArray:
    """Days (days, devices) that repeat the value of the day before, zero and no observation apart."""
    stuck = np.zeros(values.shape, bool)
    stuck[1:] = (values[1:] == values[:-1]) & (values[1:] != 0)
    return stuck


def longest_run(flags: BoolArray) -> tuple[IntArray, IntArray]:
    """First day (index) and length of the longest stretch of True in each column; the first of equals.

    Args:
        flags: bool (days, devices).

    Returns:
        starts and lengths, int (devices,); a length of 0 where nothing is True.

    >>> starts, lengths = longest_run(np.array([[True], [False], [True], [True]]))
    >>> starts.tolist(), lengths.tolist()
    ([2], [2])
    """
    day = np.arange(len(flags))[:, None]
    last_false = np.maximum.accumulate(np.where(flags, -1, day), axis=0)
    so_far = np.where(flags, day - last_false, 0)
    lengths = so_far.max(axis=0)
    return so_far.argmax(axis=0) - np.maximum(lengths, 1) + 1, lengths


def usual_rate(flags: BoolArray) -> float:
    """How often such days come, their longest stretch included, in the middle device of a cohort.

    One or two devices cannot say that such days are usual: 0, so that each is held to its own rate alone.
    """
    if flags.shape[1] < FEWEST_DEVICES:
        return 0.0
    return float(np.median((flags.sum(axis=0) + 0.5) / (len(flags) + 1)))


def log_surprise(flags: BoolArray, usual: float) -> FloatArray:
    """Log of the chance of so long a stretch among days that come independently, as often as is usual.

    A stretch of length L that begins on a given day has chance q**L, and there are as many days to
    begin on as the record has: T q**L bounds the chance of any (the union bound). The chance of a day, q, is
    the device's own rate outside its longest stretch or the cohort's usual one, whichever is larger, so that
    neither a device with many silent days nor a fleet of them is odd for a chain of them.

    Args:
        flags: bool (days, devices).
        usual: ``usual_rate`` of the cohort.

    Returns:
        float64 (devices,), at most 0.
    """
    n_days = len(flags)
    _, lengths = longest_run(flags)
    rates = np.maximum(_rates(flags, lengths), usual)
    result: FloatArray = np.minimum(np.log(n_days) + lengths * np.log(rates), 0.0)
    return np.where(lengths > 0, result, 0.0)


def _rates(flags: BoolArray, lengths: IntArray) -> FloatArray:
    rates: FloatArray = (flags.sum(axis=0) - lengths + 0.5) / (len(flags) - lengths + 1)
    return rates
