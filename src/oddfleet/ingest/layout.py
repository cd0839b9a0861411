"""Where in a line the columns are and how they are written, and the pieces of text that travel to the readers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from oddfleet.model import DataIssue, DeviceId


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a line.

    Attributes:
        width: number of columns.
        date: place of the date.
        value: place of the value.
        device_id: place of the device id; None where the file name says it.
        value_name: what the header calls the value.
        separator: what stands between the columns.
        device_name: what the header calls the device id.
        decimal_comma: whether ``12,5`` is a number, and ``12.5`` is none.
        day_first: whether ``03/04/2020`` is in April; None where the file does not tell.
        clock: the one time of day that all lines have, such as ``06:00``; "" where there is none.
        hourly: whether lines are of hours, so that even a midnight is no day.
    """

    width: int
    date: int
    value: int
    device_id: int | None
    value_name: str
    separator: str = ","
    device_name: str = "device_id"
    decimal_comma: bool = False
    day_first: bool | None = None
    clock: str = ""
    hourly: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no line of a piece of text may be used.

    Attributes:
        reason: in plain words.
        header: the first line, where it is that which names no columns.
        endless: whether the piece is the beginning of one line without an end.
    """

    reason: str
    header: str | None = None
    endless: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of one file, not yet read.

    Attributes:
        file: the file they are from.
        first_line: number of the first of them in the file; 0 where there are none and the plan is about the file.
        body: the lines, without header and byte order mark.
        plan: how to read them, or why not to.
        device: the device that the file is of; a line that names another is rejected.
        settle: tells what only the whole file can tell of the plan; asked for where the lines are not plain.
    """

    file: Path
    first_line: int
    body: bytes
    plan: Layout | Refusal
    device: DeviceId | None = None
    settle: Callable[[], Layout] | None = None

    @property
    def is_about_the_file(self) -> bool:
        """Whether it says of the file as a whole why it cannot be read, and holds no line."""
        return self.first_line == 0


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What came out of a piece; ``rows.height`` and the issues with ``line > 0`` add up to ``lines``.

    Attributes:
        rows: columns ``date``, ``device_id`` (String; only where the layout has it) and ``value``, in line order.
        invalid: the same columns but ``value``, for each rejected line whose day and device are known.
        issues: one for each line that could not be read; one with line 0 when the piece as a whole could not.
        lines: data lines met.
        hours: how many of them were rejected for a time of day.
    """

    rows: pl.DataFrame
    invalid: pl.DataFrame
    issues: tuple[DataIssue, ...]
    lines: int
    hours: int = 0


def columns_of(layout: Layout | Refusal) -> dict[str, pl.DataType]:
    """Names and types of the columns of a block's rows."""
    with_device = isinstance(layout, Layout) and layout.device_id is not None
    device = {"device_id": pl.String()} if with_device else {}
    return {"date": pl.Date(), **device, "value": pl.Float64()}


def split_line(line: str, separator: str = ",") -> list[str]:
    """The fields of one line; a quote that is not closed raises ``csv.Error`` instead of eating the lines below."""
    return next(csv.reader([line], strict=True, delimiter=separator))
