"""How common the values of a device are: whether days that come twice say anything."""

from __future__ import annotations

import numpy as np

from oddfleet.model import FloatArray, IntArray

SEASON = 15
"""Days before and after, within which a value may be common."""


def of_record(values: FloatArray) -> FloatArray:
    """Log of the share (days, devices) of a device's days that have the value of this day; 0 = says nothing."""
    n_days, devices = values.shape
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    begins = np.ones(values.shape, bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    group = np.cumsum(begins, axis=0) - 1 + np.arange(devices) * n_days
    counts = np.bincount(group.ravel(), minlength=n_days * devices)
    share = np.empty(values.shape)
    np.put_along_axis(share, order, counts[group] / np.maximum(np.isfinite(values).sum(axis=0), 1), axis=0)
    repeated = np.zeros(values.shape, bool)
    repeated[1:] = values[1:] == values[:-1]
    return np.where(repeated | ~np.isfinite(values), 0.0, np.log(np.minimum(share, 1.0)))


def local(values: FloatArray, involved: IntArray, sample: FloatArray) -> FloatArray:
    """As ``of_record`` (days, involved), by the largest share.

    Of the record, or of the other days of the same weekday, of the days about, or of the fleet on that day.
    """
    n_days = len(values)
    day = np.arange(n_days)
    about = day[:, None] + np.arange(-SEASON, SEASON + 1)
    near = np.clip(about, 0, n_days - 1)
    there = near == about
    local = np.empty((n_days, len(involved)))
    for column, device in enumerate(involved):
        series = values[:, device]
        same_about = ((series[near] == series[:, None]) & there).sum(axis=1) - 1
        shares = [same_about / there.sum(axis=1), _share_on_day(series, sample)]
        for weekday in range(7):
            same = series[weekday::7]
            shares.append(np.zeros(n_days))
            shares[-1][weekday::7] = ((same[:, None] == same).sum(axis=1) - 1) / max(len(same), 1)
        local[:, column] = np.max(shares, axis=0)
    common = of_record(values[:, involved])
    return np.where(common < 0, np.maximum(common, np.log(np.maximum(local, 1 / n_days))), 0.0)


def _share_on_day(series: FloatArray, sample: FloatArray) -> FloatArray:
    """The share (days,) of the devices of a sample that have the value of a series on the same day."""
    # The device itself, and one other, the source of a copy, are no sign that a value is common.
    same = (sample == series[:, None]).sum(axis=1) - 2
    share: FloatArray = np.maximum(same, 0) / max(sample.shape[1] - 1, 1)
    return share
