"""Line by line: slow and exact, for text that is not clean; says of each bad line why it is bad."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from math import isfinite

import polars as pl

from oddfleet.ingest.ids import device_id as as_id
from oddfleet.ingest.issues import make_issue, quote
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal, columns_of, split_line
from oddfleet.model import DataIssue, DeviceId

PLAIN = Layout(width=2, date=0, value=1, device_id=None, value_name="traffic")
EARLIEST, LATEST = date(1990, 1, 1), date(2089, 12, 31)
"""A day outside is a mistyped one. A fleet is a matrix of every day from first to last, so one such
line would cost the whole run; as a rejected line it costs itself."""

_TIME = r"(?:[ T](?P<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|[+-]\d\d:?\d\d)?)?"
ISO_DAY = re.compile(r"(\d{4})([-/])(\d\d)\2(\d\d)" + _TIME, re.ASCII)
DAY_MONTH_YEAR = re.compile(r"(\d\d?)([/.-])(\d\d?)\2(\d{4})" + _TIME, re.ASCII)
"""Which of the first two numbers is the day, only the file as a whole can tell."""
MIDNIGHT = re.compile(r"00:00(?::00(?:\.0+)?)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LINE_END = re.compile(r"\r\n|\r|\n")


class LineError(ValueError):
    """A line cannot be read; ``str(error)`` is the reason in plain words."""


class HourError(LineError):
    """A line is about a time of day, not about a day."""


def read_exactly(piece: Piece) -> Block:
    r"""Read a piece line by line; each line gives a row or an issue.

    Args:
        piece: any bytes at all; what is not UTF-8 shows as ``\xff`` in the text of the issue.
    """
    plan = piece.plan
    rows: list[tuple[date | str | float | None, ...]] = []
    invalid: list[tuple[date | str, ...]] = []
    issues: list[DataIssue] = []
    hours = 0
    for number, line in _data_lines(piece):
        known: tuple[date | str, ...] = ()
        try:
            if isinstance(plan, Refusal):
                raise LineError(plan.reason)
            known, value = _split(line, plan, piece.device)
            rows.append((*known, to_number(value, plan)))
        except LineError as error:
            hours += isinstance(error, HourError)
            issues.append(make_issue(piece.file, number, line, str(error)))
            if known:
                invalid.append(known)
    columns = columns_of(plan)
    table = pl.DataFrame(rows, schema=columns, orient="row")
    del columns["value"]
    return Block(
        table, pl.DataFrame(invalid, schema=columns, orient="row"), tuple(issues), len(rows) + len(issues), hours
    )


def text_of(content: bytes) -> str:
    r"""Bytes as text; what is not UTF-8 shows as ``\xff``."""
    return content.decode("utf-8", "backslashreplace")


def to_day(text: str, layout: Layout = PLAIN) -> date:
    """A day from ``2020-01-31``, also with a time at midnight, or with the one time of day that all lines have.

    ``31/01/2020`` and ``01/31/2020`` are days only where the layout says which order is the file's.

    Raises:
        HourError: when it has another time of day.
        LineError: when it is no day, or not one that a record of devices can hold.

    >>> to_day("2020-01-31T00:00:00Z")
    datetime.date(2020, 1, 31)
    """
    match = day_parts(text)
    if match is None:
        raise LineError(f"date must be a day such as 2020-01-31, got {quote(text)}")
    clock = match["clock"] or ""
    if clock and clock != layout.clock and (layout.hourly or not MIDNIGHT.fullmatch(clock)):
        raise HourError(f"one line a day is needed, got {quote(text)}, a time of day that not all lines have")
    first, middle, last = int(match[1]), int(match[3]), int(match[4])
    if match.re is ISO_DAY:
        year, month, number = first, middle, last
    elif layout.day_first is None:
        raise LineError(f"date must tell the day from the month, got {quote(text)}, and no line of the file does")
    else:
        year, month, number = last, *((middle, first) if layout.day_first else (first, middle))
    try:
        day = date(year, month, number)
    except ValueError as error:  # the thirtieth of February
        raise LineError(f"date must be a day such as 2020-01-31, got {quote(text)}") from error
    if not EARLIEST <= day <= LATEST:
        raise LineError(f"date must lie between {EARLIEST} and {LATEST}, got {quote(text)}")
    return day


def day_parts(text: str) -> re.Match[str] | None:
    """The three numbers (groups 1, 3 and 4) and the ``clock`` of a day in either form; None where it is none."""
    return ISO_DAY.fullmatch(text.strip()) or DAY_MONTH_YEAR.fullmatch(text.strip())


def is_day(year: str, month: str, day: str) -> bool:
    """Whether numbers as they are written make a day that a record of devices can hold."""
    try:
        return EARLIEST <= date(int(year), int(month), int(day)) <= LATEST
    except ValueError:
        return False


def to_number(text: str, layout: Layout = PLAIN) -> float | None:
    """A finite number; None for an empty text, which is a line that says nothing of its day.

    Raises:
        LineError: when it is no finite number (``nan`` and ``inf`` are none), or not in the decimal mark of its file.

    >>> to_number("12.5"), to_number("")
    (12.5, None)
    """
    plain = text.strip()
    if not plain:
        return None
    if layout.decimal_comma:
        if "." in plain:
            raise LineError(
                f"{layout.value_name} must have a decimal comma as other lines of the file, got {quote(text)}"
            )
        plain = plain.replace(",", ".", 1)
    number = float(plain) if _NUMBER.fullmatch(plain) else float("nan")
    if not isfinite(number):
        raise LineError(f"{layout.value_name} must be a number, got {quote(text)}")
    return number


def _split(line: str, layout: Layout, of: DeviceId | None) -> tuple[tuple[date | str, ...], str]:
    """The day (and the device id, where the line has one) and the text of the value.

    Args:
        line: the line.
        layout: where things are in it.
        of: the device that the whole file is of, if it is of one.
    """
    try:
        fields = split_line(line, layout.separator)
    except csv.Error as error:
        raise LineError(f"the line must be separated text, got {quote(line)} ({error})") from error
    # '12,5' in the last column is one bad number, not a column too many.
    if layout.separator == "," and layout.value == layout.width - 1:
        fields[layout.value :] = [",".join(fields[layout.value :])] if len(fields) > layout.value else []
    if len(fields) != layout.width:
        raise LineError(f"the line must have {layout.width} fields as the header, got {len(fields)}")
    day = to_day(fields[layout.date], layout)
    if layout.device_id is None:
        return (day,), fields[layout.value]
    device_id = fields[layout.device_id].strip()
    if of is None and (not device_id.isprintable() or not device_id):
        raise LineError(f"device_id must be a number or a word, got {quote(device_id)}")
    if of is not None and not _is_of(as_id(device_id), of, surely=layout.device_name == "device_id"):
        raise LineError(
            f"device_id must be that of the file, {of}, got {quote(device_id)}; give a long table by itself"
        )
    return (day, device_id), fields[layout.value]


def _is_of(said: DeviceId, of: DeviceId, *, surely: bool) -> bool:
    """Whether a line that says a device is of this one: ``4``, ``iot_4`` and, unless it is an id, any name are of 4."""
    if isinstance(said, int):
        return said == of
    return said in {"", of} or said.endswith(f"_{of}") or not surely


def _data_lines(piece: Piece) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(LINE_END.split(text_of(piece.body)), piece.first_line):
        if line.strip():
            yield number, line
