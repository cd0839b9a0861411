"""Line by line: slow and exact, for text that is not clean; says of each bad line why it is bad."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from math import isfinite

import polars as pl

from oddfleet.ingest.issues import make_issue, quote
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal, columns_of, split_line
from oddfleet.model import DataIssue

EARLIEST, LATEST = date(1990, 1, 1), date(2089, 12, 31)
"""A day outside is a mistyped one. A fleet is a matrix of every day from first to last, so one such
line would cost the whole run; as a rejected line it costs itself."""

_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T]00:00:00)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LINE_END = re.compile(r"\r\n|\r|\n")


class LineError(ValueError):
    """A line cannot be read; ``str(error)`` is the reason in plain words."""


def read_exactly(piece: Piece) -> Block:
    r"""Read a piece line by line; each line gives a row or an issue.

    Args:
        piece: any bytes at all; what is not UTF-8 shows as ``\xff`` in the text of the issue.
    """
    plan = piece.plan
    rows: list[tuple[date | str | float | None, ...]] = []
    invalid: list[tuple[date | str, ...]] = []
    issues: list[DataIssue] = []
    for number, line in _data_lines(piece):
        known: tuple[date | str, ...] = ()
        try:
            if isinstance(plan, Refusal):
                raise LineError(plan.reason)
            known, value = _split(line, plan)
            rows.append((*known, to_number(value, plan.value_name)))
        except LineError as error:
            issues.append(make_issue(piece.file, number, line, str(error)))
            if known:
                invalid.append(known)
    columns = columns_of(plan)
    table = pl.DataFrame(rows, schema=columns, orient="row")
    del columns["value"]
    return Block(table, pl.DataFrame(invalid, schema=columns, orient="row"), tuple(issues), len(rows) + len(issues))


def is_data_line(line: str, layout: Layout) -> bool:
    """Whether a line can be read as a row."""
    try:
        to_number(_split(line, layout)[1], layout.value_name)
    except LineError:
        return False
    return True


def to_day(text: str) -> date:
    """A day from ``2020-01-31``, also with a time at midnight.

    Raises:
        LineError: when it is no such day, or not one that a record of devices can hold.

    >>> to_day("2020-01-31T00:00:00")
    datetime.date(2020, 1, 31)
    """
    match = _DAY.fullmatch(text.strip())
    try:
        day = date.fromisoformat(match[1]) if match else None
    except ValueError:  # the thirtieth of February
        day = None
    if day is None:
        raise LineError(f"date must be a day such as 2020-01-31, got {quote(text)}")
    if not EARLIEST <= day <= LATEST:
        raise LineError(f"date must lie between {EARLIEST} and {LATEST}, got {quote(text)}")
    return day


def to_number(text: str, name: str) -> float | None:
    """A finite number; None for an empty text, which is a line that says nothing of its day.

    Raises:
        LineError: when it is no finite number (``nan`` and ``inf`` are none).

    >>> to_number("12.5", "traffic"), to_number("", "traffic")
    (12.5, None)
    """
    if not text.strip():
        return None
    number = float(text) if _NUMBER.fullmatch(text.strip()) else float("nan")
    if not isfinite(number):
        raise LineError(f"{name} must be a number, got {quote(text)}")
    return number


def _split(line: str, layout: Layout) -> tuple[tuple[date | str, ...], str]:
    """The day (and the device id, where the line has one) and the text of the value."""
    try:
        fields = split_line(line)
    except csv.Error as error:
        raise LineError(f"the line must be comma-separated text, got {quote(line)} ({error})") from error
    if layout.value == layout.width - 1:  # '12,5' in the last column is one bad number, not a column too many
        fields[layout.value :] = [",".join(fields[layout.value :])] if len(fields) > layout.value else []
    if len(fields) != layout.width:
        raise LineError(f"the line must have {layout.width} fields as the header, got {len(fields)}")
    day = to_day(fields[layout.date])
    if layout.device_id is None:
        return (day,), fields[layout.value]
    device_id = fields[layout.device_id].strip()
    if not device_id:
        raise LineError("device_id must not be empty")
    return (day, device_id), fields[layout.value]


def _data_lines(piece: Piece) -> Iterator[tuple[int, str]]:
    text = piece.body.decode("utf-8", "backslashreplace")
    for number, line in enumerate(_LINE_END.split(text), piece.first_line):
        if line.strip():
            yield number, line
