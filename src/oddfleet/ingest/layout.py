"""Where in a line the columns are, and the pieces of text that travel from the files to the readers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from oddfleet.model import DataIssue


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of the columns in a line.

    Attributes:
        width: number of columns.
        date: place of the date.
        value: place of the value.
        device_id: place of the device id; None where the file name says it.
        value_name: what the header calls the value.
    """

    width: int
    date: int
    value: int
    device_id: int | None
    value_name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no line of a piece of text may be used."""

    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of one file, not yet read.

    Attributes:
        file: the file they are from.
        first_line: number of the first of them in the file.
        body: the lines, without header and byte order mark.
        plan: how to read them, or why not to.
    """

    file: Path
    first_line: int
    body: bytes
    plan: Layout | Refusal


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What came out of a piece; ``rows.height`` and the issues with ``line > 0`` add up to ``lines``.

    Attributes:
        rows: columns ``date``, ``device_id`` (String; only where the layout has it) and ``value``, in line order.
        invalid: the same columns but ``value``, for each rejected line whose day and device are known.
        issues: one for each line that could not be read; one with line 0 when the piece as a whole could not.
        lines: data lines met.
    """

    rows: pl.DataFrame
    invalid: pl.DataFrame
    issues: tuple[DataIssue, ...]
    lines: int


def columns_of(layout: Layout | Refusal) -> dict[str, pl.DataType]:
    """Names and types of the columns of a block's rows."""
    with_device = isinstance(layout, Layout) and layout.device_id is not None
    device = {"device_id": pl.String()} if with_device else {}
    return {"date": pl.Date(), **device, "value": pl.Float64()}


def header_layout(line: str, value_name: str, *, with_device: bool) -> Layout | None:
    """The layout that a header line describes; None when it is no such header.

    Columns may come in any order and others may stand between them; letter case and blanks around names are ignored.

    >>> header_layout("Date, Traffic", "traffic", with_device=False)
    Layout(width=2, date=0, value=1, device_id=None, value_name='traffic')
    """
    try:
        names = [name.strip().lower() for name in split_line(line)]
    except csv.Error:
        return None
    needed = ["date", value_name, *(["device_id"] if with_device else [])]
    if any(names.count(name) != 1 for name in needed):
        return None
    device_id = names.index("device_id") if with_device else None
    return Layout(len(names), names.index("date"), names.index(value_name), device_id, value_name)


def count_line_ends(text: bytes) -> int:
    r"""Number of line ends, be they ``\n``, ``\r\n`` or ``\r``."""
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def split_line(line: str) -> list[str]:
    """The fields of one line; a quote that is not closed raises ``csv.Error`` instead of eating the lines below."""
    return next(csv.reader([line], strict=True))
