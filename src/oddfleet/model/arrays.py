"""Observations as plain arrays to the matrices that a fleet is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from oddfleet.errors import InputError

MOST_DAYS = 36_600
"""A hundred years: a longer record is a mistyped date, and would ask for a matrix that no machine holds."""


def id_order(device_id: int | str) -> tuple[bool, int | str]:
    """The key that sorts device ids: numbers by size, then words."""
    return isinstance(device_id, str), device_id


def parts_from_cells(
    ids: tuple[int | str, ...],
    day: npt.NDArray[np.datetime64],
    cell: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
) -> dict[str, Any]:
    """Arguments for ``Fleet``, without names, from observations.

    Args:
        ids: the devices.
        day: the days on record, in any order; those between are of the fleet too.
        cell: int (observations,), as in ``matrices``.
        value: float64 (observations,), as in ``matrices``.

    Raises:
        InputError: when the days lie more than a hundred years apart.
    """
    n_days = _n_days(day)
    return {
        "device_ids": ids,
        "names": (None,) * len(ids),
        "dates": day.min() + np.arange(n_days).astype("timedelta64[D]"),
        **matrices((n_days, len(ids)), cell, value),
    }


def matrices(
    shape: tuple[int, int], cell: npt.NDArray[np.int64], value: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[Any]]:
    """The arguments ``values``, ``duplicated`` and ``invalid`` of a ``Fleet`` from observations.

    Args:
        shape: (days, devices).
        cell: int (observations,), ``day * devices + device`` of each, in the order of the record.
        value: float64 (observations,), what is not finite is no usable number.
    """
    size = shape[0] * shape[1]
    usable = np.isfinite(value)
    matrix = np.full(size, np.nan)
    # Written last to first, so that the first usable row of a day is the one that stays.
    matrix[cell[usable][::-1]] = value[usable][::-1]
    invalid = np.zeros(size, bool)
    invalid[cell[~usable]] = True
    return {
        "values": matrix.reshape(shape),
        "duplicated": (np.bincount(cell, minlength=size) > 1).reshape(shape),
        "invalid": invalid.reshape(shape),
    }


def _n_days(day: npt.NDArray[np.datetime64]) -> int:
    n_days = int((day.max() - day.min()).astype(np.int64)) + 1
    if n_days > MOST_DAYS:
        raise InputError(
            f"frame: dates must lie within {MOST_DAYS // 366} years of each other, got {day.min()} to {day.max()}; "
            "correct the date that is out of place"
        )
    return n_days
