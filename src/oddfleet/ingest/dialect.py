"""How a file writes its lines: separator, header, decimal mark, the order of day and month, the time of day.

What the file does not say is not guessed: then its lines are rejected, each with the reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from oddfleet.ingest.exact import DAY_MONTH_YEAR, ISO_DAY, LINE_END, MIDNIGHT, is_day, text_of
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Layout, Refusal, split_line
from oddfleet.ingest.lines import Stretch, UnreadableError, count_line_ends

DATE_WORDS = ("date", "day", "timestamp", "datetime", "time")
VALUE_WORDS = ("traffic", "value", "traffic_mb", "volume", "volume_mb", "mb", "megabytes")
TABLE_VALUE_WORDS = ("value", "traffic", *VALUE_WORDS[2:])
DEVICE_WORDS = ("device_id", "device", "id", "sensor_id", "sensor")
"""What a column may be called. The first of each is ours: where it stands, others of them are further columns."""
CLOCK_WORDS = {"time", "hour", "clock"}
SEPARATORS = (",", ";", "\t", "|")
_UNIT = re.compile(r"(.*?)\s*[(\[](.*)[)\]]")
_OTHER_UNITS = {
    "gb", "kb", "tb", "gib", "kib", "tib", "mib", "byte", "bytes", "gbyte", "kbyte",
    "bit", "bits", "gbit", "mbit", "kbit",
}  # fmt: skip
_BLANK_LINES = re.compile(rb"(?:[^\S\r\n]*(?:\r\n|\r|\n))*")
_END = re.compile(rb"\r\n|\r|\n")
_EXCEL = re.compile(r"sep=.", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d*|\d{1,3}(?:\.\d{3})+),\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+", re.ASCII)
_HOURLY = 0.5
"""With so many other times of day a midnight, the midnights are hours too."""


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
    number, top, text, rest = _first_line(first.body, first.first_line)
    if _EXCEL.fullmatch(top.strip()):
        # Excel's way to name the separator; no line of data.
        number, top, text, rest = _first_line(rest, number + 1)
    plan = known_header(top, with_device=with_device)
    if plan is not None:
        return Opening(plan, rest, number + 1)
    layout = None if with_device else _by_a_line(top)
    below = None if with_device or layout else _by_a_line(_first_line(rest, 0)[1])
    if layout is None and below is not None:
        names = _fields(top, below.separator) or []
        if not _is_header(names, below):
            # A line that cannot be read, above one that can: data, and for its own issue.
            return Opening(below, text, number)
        plan = _other_unit(names[below.value]) or replace(below, value_name=_word(names[below.value]))
        return Opening(plan, rest, number + 1)
    if layout is None:
        # The first line is data as far as anybody can tell, and counts as such.
        needed = "date,device_id,value" if with_device else "date,traffic"
        reason = f"the file must begin with the header {needed}, got {quote(top)}"
        return Opening(Refusal(reason, header=top), text, number)
    return Opening(layout, text, number)


def settled(plan: Layout, stretches: Iterable[Stretch]) -> Layout:
    """The plan, with what only a look at the whole file can tell: decimal mark, day or month first, time of day.

    A number such as ``1,5`` proves a decimal comma; ``1,234`` may be thousands and proves nothing. A day that exists in
    one order only proves that order.

    Args:
        plan: what the first stretch tells.
        stretches: the whole file, or what of it can be read.
    """
    orders, clocks, decimal_comma, midnights, hours = set[bool](), set[str](), False, 0, 0
    for day, value in _days_and_values(plan, stretches):
        if plan.separator != "," and _DECIMAL_COMMA.fullmatch(value) and not _THOUSANDS.fullmatch(value):
            decimal_comma = True
        match = ISO_DAY.fullmatch(day) or DAY_MONTH_YEAR.fullmatch(day)
        if match is None:
            continue
        clock = match["clock"] or ""
        clocks.add(clock)
        hours += bool(clock) and not MIDNIGHT.fullmatch(clock)
        midnights += bool(MIDNIGHT.fullmatch(clock))
        if match.re is DAY_MONTH_YEAR:
            day_first, month_first = (
                is_day(match[4], *order) for order in ((match[3], match[1]), (match[1], match[3]))
            )
            orders |= {day_first} if day_first != month_first else set()
    return replace(
        plan,
        decimal_comma=decimal_comma,
        day_first=orders.pop() if len(orders) == 1 else None,
        clock=clocks.pop() if len(clocks) == 1 else "",
        hourly=len(clocks) > 1 and hours >= _HOURLY * max(midnights, 1),
    )


def known_header(top: str, *, with_device: bool) -> Layout | Refusal | None:
    """The layout that a header line describes, in known words, in any order and among others; None when it is none."""
    for separator in SEPARATORS:
        names = _fields(top, separator)
        if names is None or len(names) < 2:
            continue
        words = [_word(name) for name in names]
        values = TABLE_VALUE_WORDS if with_device else VALUE_WORDS
        found = {"day": _places(words, DATE_WORDS), "traffic": _places(words, values)}
        device = _places(words, DEVICE_WORDS if with_device else DEVICE_WORDS[:1])
        found |= {"device": device} if with_device else {}
        if not all(found.values()):
            continue
        twice = next((what for what, places in found.items() if len(places) > 1), None)
        if twice:
            both = " and ".join(quote(names[place]) for place in found[twice])
            return Refusal(f"the header must name one column of the {twice}, got {both}")
        (date,), (value,) = found["day"], found["traffic"]
        clock = next((place for place, word in enumerate(words) if word in CLOCK_WORDS and place != date), None)
        if clock is not None:
            return Refusal(
                f"one line a day is needed, got a column {quote(names[clock])}; add the hours up to days first"
            )
        layout = Layout(len(names), date, value, device[0] if device else None, words[value], separator)
        return _other_unit(names[value]) or layout
    return None


def _first_line(body: bytes, number: int) -> tuple[int, str, bytes, bytes]:
    """Number and text of the first line that is not blank, the text from it on, and that below it."""
    blank = _BLANK_LINES.match(body)
    above = blank.group() if blank else b""
    text = body[len(above) :]
    end = _END.search(text)
    top, rest = (text[: end.start()], text[end.end() :]) if end else (text, b"")
    return number + count_line_ends(above), text_of(top), text, rest


def _days_and_values(layout: Layout, stretches: Iterable[Stretch]) -> Iterator[tuple[str, str]]:
    try:
        for stretch in stretches:
            for line in LINE_END.split(text_of(stretch.body)):
                fields = _fields(line, layout.separator) if line.strip() else None
                if fields is not None and len(fields) == layout.width:
                    yield fields[layout.date].strip(), fields[layout.value].strip()
    except UnreadableError:
        # Told of where the file is read; what came before it broke off is as good as any.
        return


def _by_a_line(line: str) -> Layout | None:
    """The layout of a data line of two columns, of which one is a date; None when it is none."""
    for separator in SEPARATORS:
        fields = _fields(line, separator) or []
        dates = [bool(ISO_DAY.fullmatch(field.strip()) or DAY_MONTH_YEAR.fullmatch(field.strip())) for field in fields]
        if len(fields) == 2 and sum(dates) == 1:
            return Layout(2, dates.index(True), dates.index(False), None, "traffic", separator)
    return None


def _is_header(names: Sequence[str], below: Layout) -> bool:
    """Whether a line names the columns of the line below: two words, neither of them a number or nothing."""
    return len(names) == below.width and all(name.strip() and not _NUMBER.fullmatch(name.strip()) for name in names)


def _other_unit(name: str) -> Refusal | None:
    """Why a column of values may not be taken for MB: by what its name says."""
    unit = _UNIT.fullmatch(name.strip())
    said = unit[2].strip() if unit else name.strip()
    words = set(re.split(r"[^a-z]+", name.lower()))
    # Mb is a megabit, though not to all who write it.
    if (
        words & _OTHER_UNITS
        or said == "Mb"
        or (unit and "mb" not in words and not words & {"mbyte", "mbytes", "megabytes"})
    ):
        return Refusal(f"traffic must be in MB, got a column in {quote(said)}; convert it")
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


def _places(words: Sequence[str], known: Sequence[str]) -> list[int]:
    """Where the first of the known words stands; where it does not, all places of the others."""
    ours = [place for place, word in enumerate(words) if word == known[0]]
    return ours or [place for place, word in enumerate(words) if word in known]
