"""How a file writes its lines: separator, header, decimal mark, the order of day and month, the time of day.

What the file does not say is not guessed: then its lines are rejected, each with the reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from oddfleet.ingest.exact import DAY_MONTH_YEAR, ISO_DAY, LINE_END, text_of
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Layout, Refusal, split_line
from oddfleet.ingest.lines import Stretch, count_line_ends

DATE_WORDS = ("date", "day", "timestamp", "datetime", "time")
VALUE_WORDS = ("traffic", "value", "traffic_mb", "volume", "volume_mb", "mb", "megabytes", "usage", "data")
DEVICE_WORDS = ("device_id", "device", "id", "device_name", "sensor_id", "sensor")
SEPARATORS = (",", ";", "\t", "|")
_UNIT = re.compile(r"(.*?)\s*[(\[](.*)[)\]]")
_MB = {"mb", "mbyte", "mbytes", "megabyte", "megabytes", "mb/day", "mb per day", "mb a day"}
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclass(frozen=True, slots=True)
class Opening:
    """How the first stretch of a file begins.

    Attributes:
        plan: how to read the lines, or why not to.
        body: what of the stretch are data lines.
        first_line: number of the first of them.
    """

    plan: Layout | Refusal
    body: bytes
    first_line: int


def opening(first: Stretch, *, with_device: bool) -> Opening:
    """Tell header and columns from the first stretch of a file.

    Without a header two columns are taken for date and value. A header in words that are not known will do where there
    are two columns, and the line below shows which of them is the date.

    Args:
        first: the first stretch.
        with_device: whether each line has to name its device.
    """
    text = first.body.lstrip()
    above = first.body[: len(first.body) - len(text)]
    line_end = re.search(rb"\r\n|\r|\n", text)
    rest = text[line_end.end() :] if line_end else b""
    top = text_of(text[: line_end.start()] if line_end else text)
    number = first.first_line + count_line_ends(above)
    plan = None if with_device else _without_header(top)
    if plan is not None:
        return Opening(plan, text, number)
    layout = _known_header(top, with_device=with_device) or _own_words(top, rest, with_device=with_device)
    if layout is None:
        # The first line is data as far as anybody can tell, and counts as such.
        needed = "date,device_id,value" if with_device else "date,traffic"
        return Opening(Refusal(f"the file must begin with the header {needed}, got {quote(top)}"), text, number)
    return Opening(layout, rest, number + 1)


def settled(plan: Layout, stretches: Iterable[Stretch]) -> Layout:
    """The plan, with what only a look at the whole file can tell: decimal mark, day or month first, time of day.

    Args:
        plan: what the first stretch tells.
        stretches: the whole file.
    """
    orders, clocks, decimal_comma = set[bool](), set[str](), False
    for day, value in _days_and_values(plan, stretches):
        decimal_comma |= plan.separator != "," and _DECIMAL_COMMA.fullmatch(value) is not None
        match = ISO_DAY.fullmatch(day) or DAY_MONTH_YEAR.fullmatch(day)
        if match is None:
            continue
        clocks.add(match["clock"] or "")
        if match.re is DAY_MONTH_YEAR and max(int(match[1]), int(match[3])) > 12:
            orders.add(int(match[1]) > 12)
    clock = clocks.pop() if len(clocks) == 1 else ""
    day_first = orders.pop() if len(orders) == 1 else None
    return replace(plan, decimal_comma=decimal_comma, day_first=day_first, clock=clock)


def _days_and_values(layout: Layout, stretches: Iterable[Stretch]) -> Iterator[tuple[str, str]]:
    for stretch in stretches:
        for line in LINE_END.split(text_of(stretch.body)):
            try:
                fields = split_line(line, layout.separator) if line.strip() else []
            except csv.Error:
                continue
            if len(fields) == layout.width:
                yield fields[layout.date].strip(), fields[layout.value].strip()


def _known_header(top: str, *, with_device: bool) -> Layout | Refusal | None:
    """The layout that a header line describes, in known words, in any order and among others; None when it is none."""
    for separator in SEPARATORS:
        names = _fields(top, separator)
        if names is None or len(names) < 2:
            continue
        words = [_word(name) for name in names]
        date, value = _place(words, DATE_WORDS), _place(words, VALUE_WORDS)
        device = _place(words, DEVICE_WORDS) if with_device else None
        if date is None or value is None or (with_device and device is None):
            continue
        unit = _UNIT.fullmatch(names[value].strip())
        if unit and unit[2].strip().lower() not in _MB:
            return Refusal(f"traffic must be in MB, got a column in {quote(unit[2])}; convert it")
        return Layout(len(names), date, value, device, words[value], separator)
    return None


def _own_words(top: str, below: bytes, *, with_device: bool) -> Layout | None:
    """The layout of two columns under a header in words of its own, by the next line."""
    first = next((line for line in LINE_END.split(text_of(below[:10_000])) if line.strip()), "")
    layout = None if with_device else _without_header(first)
    names = _fields(top, layout.separator) if layout else None
    if layout is None or names is None or len(names) != layout.width:
        return None
    return replace(layout, value_name=_word(names[layout.value]) or layout.value_name)


def _without_header(line: str) -> Layout | None:
    """The layout of a data line of two columns, of which one is a date; None when it is none."""
    for separator in SEPARATORS:
        fields = _fields(line, separator) or []
        dates = [bool(ISO_DAY.fullmatch(field.strip()) or DAY_MONTH_YEAR.fullmatch(field.strip())) for field in fields]
        if len(fields) == 2 and sum(dates) == 1:
            return Layout(2, dates.index(True), dates.index(False), None, "traffic", separator)
    return None


def _fields(line: str, separator: str) -> list[str] | None:
    try:
        return split_line(line, separator)
    except csv.Error:
        return None


def _word(name: str) -> str:
    """A column's name as it is looked up: small, without its unit.

    >>> _word(" Traffic (MB) ")
    'traffic'
    """
    plain = name.strip().lower()
    unit = _UNIT.fullmatch(plain)
    return (unit[1] if unit else plain).replace(" ", "_")


def _place(words: list[str], known: tuple[str, ...]) -> int | None:
    """Where the first of the known words stands that stands there just once."""
    return next((words.index(word) for word in known if words.count(word) == 1), None)
