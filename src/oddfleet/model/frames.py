"""Anyone's table (pandas, Polars, Arrow) to the plain arrays a Fleet is made of."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from oddfleet.errors import InputError
from oddfleet.model.arrays import id_order, parts_from_cells

_DAY = r"^\d{4}-\d\d-\d\d(?:[T ]|$)"


def long_parts(frame: Any) -> dict[str, Any]:
    """Arguments for ``Fleet`` from a table with columns ``date``, ``device_id`` and ``value``.

    Rows may come in any order. The devices are sorted by id (numbers before words). Of several rows
    for one device and day the first that holds a finite number counts.

    Args:
        frame: the table.

    Raises:
        InputError: when a column is missing, a date is not a day, or there is no row.
    """
    table = _table(frame)
    missing = [name for name in ("date", "device_id", "value") if name not in table.columns]
    if missing:
        raise InputError(
            f"frame: columns date, device_id and value are needed, got {list(table.columns)}; "
            f"rename or add {', '.join(missing)}"
        )
    if len(table) == 0:
        raise InputError("frame: at least one row is needed, got none; check the query or file it came from")
    day = _days(table["date"])
    ids, column = _codes(table["device_id"])
    value = _numbers(table["value"], "value")
    cell = (day - day.min()).astype(np.int64) * len(ids) + column
    return parts_from_cells(ids, day, cell, value)


def wide_parts(frame: Any) -> dict[str, Any]:
    """Arguments for ``Fleet`` from a table with one column a device.

    The dates are the index of a pandas frame, or a column ``date`` of any frame. A missing value is
    no observation. A date that appears twice marks its days as duplicated.

    Raises:
        InputError: when there is no date, no device, or a column is not numeric.
    """
    table = _table(frame)
    if "date" in table.columns:
        dates = table.get_column("date")
        table = table.drop("date")
    else:
        index = nw.maybe_get_index(table)
        if index is None:
            raise InputError("frame: dates are needed as a pandas index or a column 'date', got neither; add one")
        dates = nw.from_native(index.to_series(), series_only=True)
    if len(table) == 0 or not table.columns:
        raise InputError("frame: at least one day and one device are needed, got none; check where it came from")
    day = _days(dates)
    values = np.column_stack([_numbers(table.get_column(name), str(name)) for name in table.columns])
    row, seen = (day - day.min()).astype(np.int64), ~np.isnan(values)
    cell = (row[:, None] * values.shape[1] + np.arange(values.shape[1]))[seen]
    ids = tuple(_plain(name) for name in table.columns)
    return parts_from_cells(ids, day, cell, values[seen])


def _table(frame: Any) -> Any:
    """Any frame in narwhals' clothes."""
    try:
        return nw.from_native(frame, eager_only=True)
    except (TypeError, ValueError) as error:
        said = str(error).strip().splitlines()[0]
        raise InputError(
            f"frame: a pandas, Polars or Arrow table is needed, got {type(frame).__name__} ({said}); convert it"
        ) from error


def _days(dates: Any) -> npt.NDArray[np.datetime64]:
    """Calendar days (rows,) as ``datetime64[D]`` from dates, timestamps at midnight or ISO text."""
    if dates.dtype.is_numeric():
        raise InputError(f"frame: dates must be days such as 2020-01-31, got the number {dates[0]}; parse them first")
    if dates.is_null().any():
        raise InputError(f"frame: every row needs a date, got {int(dates.is_null().sum())} without; drop or date them")
    if dates.dtype == nw.String and not dates.str.contains(_DAY).all():
        other = dates.filter(~dates.str.contains(_DAY))[0]
        raise InputError(f"frame: dates must be days such as 2020-01-31, got {other!r}; parse them first")
    if isinstance(dates.dtype, nw.Datetime) and dates.dtype.time_zone:
        # A day is what the clock on the wall says where the record was made.
        dates = dates.dt.replace_time_zone(None)
    try:
        moments = np.asarray(dates.to_numpy()).astype("datetime64[us]")
    except (TypeError, ValueError) as error:
        raise InputError(f"frame: dates must be days such as 2020-01-31, got others ({error}); parse them") from error
    days: npt.NDArray[np.datetime64] = moments.astype("datetime64[D]")
    if (moments != days).any():
        other = np.datetime_as_string(moments[moments != days][0], "s")
        raise InputError(f"frame: dates must be days, got {other}; sum the values to days first")
    return days


def _codes(ids: Any) -> tuple[tuple[int | str, ...], npt.NDArray[np.int64]]:
    """The distinct ids, sorted, and each row's place among them."""
    if ids.is_null().any() or (ids.dtype.is_float() and ids.is_nan().any()):
        raise InputError("frame: every row needs a device_id, got rows without one; drop or name them")
    distinct = sorted((_plain(value) for value in ids.unique().to_list()), key=id_order)
    place = {value: position for position, value in enumerate(distinct)}
    rows = np.asarray(ids.to_numpy())
    if rows.dtype.kind in "iu":
        return tuple(distinct), np.searchsorted(np.asarray(distinct), rows).astype(np.int64)
    return tuple(distinct), np.fromiter((place[_plain(v)] for v in rows.tolist()), np.int64, len(rows))


def _plain(value: Any) -> int | str:
    """A device id as a Python int or str."""
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value)


def _numbers(column: Any, name: str) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(column.cast(nw.Float64).to_numpy(), dtype=np.float64)
    except Exception as error:
        raise InputError(f"frame: column {name} must hold numbers, got {column.dtype}; convert it first") from error
