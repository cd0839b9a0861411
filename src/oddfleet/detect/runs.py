"""Stretches of days: silent ones, and ones stuck at a value. Their p-values follow from how often such days occur."""

from __future__ import annotations

import numpy as np

from oddfleet.detect import moments
from oddfleet.model import BoolArray, FloatArray, IntArray

FEWEST_DEVICES = 3
"""Two devices that differ cannot say which of them is odd."""


def quiet_days(values: FloatArray) -> BoolArray:
    """Days (days, devices) with zero traffic or no observation."""
    quiet: BoolArray = np.isnan(values) | (values == 0)
    return quiet


def silent_to_the_end(values: FloatArray) -> IntArray:
    """On how many days (devices,) each device has been silent when the record ends, from values (days, devices).

    >>> silent_to_the_end(np.array([[1.0, 0.0, 5.0], [0.0, np.nan, 5.0]])).tolist()
    [1, 2, 0]
    """
    heard = ~quiet_days(values[::-1])
    days: IntArray = np.where(heard.any(axis=0), heard.argmax(axis=0), len(values))
    return days


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
    if not flags.any():
        return np.zeros(flags.shape[1], np.int64), np.zeros(flags.shape[1], np.int64)
    day = np.arange(len(flags))[:, None]
    last_false = moments.running(np.maximum, np.where(flags, -1, day))
    so_far = np.where(flags, day - last_false, 0)
    lengths = so_far.max(axis=0)
    return so_far.argmax(axis=0) - np.maximum(lengths, 1) + 1, lengths


def log_surprise_silent(values: FloatArray, rate: float | None = None) -> tuple[FloatArray, IntArray]:
    """Log p-value and length (devices,) of each device's longest silence.

    Args:
        values: float64 (days, devices); NaN = no observation.
        rate: how often such days are usual; None where the devices are the cohort, and say so themselves.
    """
    flags = quiet_days(values)
    _, lengths = longest_run(flags)
    return _log_surprise(flags, lengths, _rates(flags, lengths), rate), lengths


def log_surprise_stuck(values: FloatArray, rate: float | None = None) -> tuple[FloatArray, IntArray]:
    """Log p-value and length (devices,) of the longest stretch of days that repeat the day before.

    Args:
        values: float64 (days, devices); NaN = no observation, which repeats nothing.
        rate: as in ``log_surprise_silent``.
    """
    flags = stuck_days(values)
    if not flags.any():
        return np.zeros(values.shape[1]), np.zeros(values.shape[1], np.int64)
    starts, lengths = longest_run(flags)
    # A common value follows itself more often than values do on average.
    own = np.maximum(_rates(flags, lengths), _commonest_share(values, starts, lengths))
    return _log_surprise(flags, lengths, own, rate), lengths


def usual_rate(flags: BoolArray) -> float:
    """How often such days come, their longest stretch included, in the middle device of a cohort.

    One or two devices cannot say that such days are usual: 0, so that each is held to its own rate alone.
    """
    if flags.shape[1] < FEWEST_DEVICES:
        return 0.0
    return float(np.median((flags.sum(axis=0) + 0.5) / (len(flags) + 1)))


def _log_surprise(flags: BoolArray, lengths: IntArray, own: FloatArray, rate: float | None = None) -> FloatArray:
    """Log of the chance of so long a stretch among days that come independently, as often as is usual.

    A stretch of length L that begins on a given day has chance q**L, and there are as many days to
    begin on as the record has: T q**L bounds the chance of any (the union bound). The chance of a day, q, is
    the device's own rate outside its longest stretch or the cohort's usual one, whichever is larger, so that
    neither a device with many silent days nor a fleet of them is odd for a chain of them.

    Args:
        flags: bool (days, devices).
        lengths: int (devices,), of the longest stretches.
        own: float64 (devices,), the own rates.
        rate: the usual one; None = that of these devices.

    Returns:
        float64 (devices,), at most 0.
    """
    n_days = len(flags)
    rates = np.maximum(own, usual_rate(flags) if rate is None else rate)
    alone = np.minimum(np.log(n_days) + lengths * np.log(np.minimum(rates, 1.0)), 0.0)
    return np.where(lengths > 0, alone, 0.0)


def _commonest_share(values: FloatArray, starts: IntArray, lengths: IntArray) -> FloatArray:
    """Share (devices,) of the days outside the longest stuck stretch that have the commonest value but zero."""
    day = np.arange(len(values))[:, None]
    outside = (day < starts) | (day >= starts + lengths)
    ordered = np.sort(np.where(outside & (values != 0), values, np.nan), axis=0)
    same = np.zeros(values.shape, bool)
    same[1:] = ordered[1:] == ordered[:-1]
    commonest = longest_run(same)[1] + 1
    share: FloatArray = commonest / np.maximum(np.isfinite(np.where(outside, values, np.nan)).sum(axis=0), 1)
    return np.where(commonest > 1, share, 0.0)


def _rates(flags: BoolArray, lengths: IntArray) -> FloatArray:
    rates: FloatArray = (flags.sum(axis=0) - lengths + 0.5) / (len(flags) - lengths + 1)
    return rates
