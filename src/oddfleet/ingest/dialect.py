"""How a file writes its lines: separator, header, decimal mark, the order of day and month, the time of day.

What the file does not say is not guessed: then its lines are rejected, each with the reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from oddfleet.ingest.exact import DAY_MONTH_YEAR, LINE_END, MIDNIGHT, day_parts, is_day, text_of
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Layout, Refusal, split_line
from oddfleet.ingest.lines import Stretch, UnreadableError, count_line_ends

DATE_WORDS = ("date", "day", "timestamp", "datetime", "time")
VALUE_WORDS = ("traffic", "value", "traffic_mb", "volume", "volume_mb", "mb", "megabytes")
TABLE_VALUE_WORDS = ("value", "traffic", *VALUE_WORDS[2:])
DEVICE_WORDS = ("device_id", "device", "id", "sensor_id", "sensor")
"""What a column may be called. The first of each is ours: where it stands, others of them are further columns."""
_CLOCK_WORD = re.compile(r"hours?|.*_hour|hour_.*|minutes?|clock|time|.*_time|time_.*")
UNIT_WORDS = {"unit", "units", "uom", "unit_of_measurement"}
SEPARATORS = (",", ";", "\t", "|")
_UNIT = re.compile(r"(.*?)\s*[(\[](.*)[)\]]")
_MB = re.compile(r"m(?:ega)?b(?:ytes?)?")
_OTHER_UNIT = re.compile(
    r"(?:k|m|g|t|kilo|mega|giga|tera)?i?(?:bits?|octets?)|(?:k|g|t|kilo|giga|tera|mi)?i?bytes?|[kgt]i?bs?|mibs?|"
    r"[kmgt]b?ps|b|packets?"
)
_A_DAY = {"day", "d", "daily", "per", "a"}
_BLANK_LINES = re.compile(rb"(?:[^\S\r\n]*(?:\r\n|\r|\n))*")
_END = re.compile(rb"\r\n|\r|\n")
_EXCEL = re.compile(r"sep=.", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d*|\d{1,3}(?:\.\d{3})+),\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}", re.ASCII)
_DECIMAL_POINT = re.compile(r"[+-]?(?:\d*|\d{1,3}(?:,\d{3})+)\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
"""May be thousands or decimals: proves nothing."""
_NOTHING = {"nan", "n/a", "na", "null", "none", "inf", "infinity", "-", "?", "nil"}
_MANY = 10
"""A comma is the decimal mark if it is proved so many times as often as a point; what says otherwise is rejected."""
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
    if _EXCEL.fullmatch(top.strip(" ")):
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

    A number such as ``1,5`` or ``1.234.567`` proves a decimal comma, ``1.5`` or ``1,234.5`` a point; ``1,234`` may be
    thousands and proves nothing; where both come, commas are decimals only if nearly all say so. A day that exists in
    one order only proves that order.

    Args:
        plan: what the first stretch tells.
        stretches: the whole file, or what of it can be read.
    """
    orders, clocks = set[bool](), set[str]()
    commas, points, midnights, hours = 0, 0, 0, 0
    for day, value in _days_and_values(plan, stretches):
        if plan.separator != "," and not _EITHER.fullmatch(value):
            commas += _DECIMAL_COMMA.fullmatch(value) is not None
            points += _DECIMAL_POINT.fullmatch(value) is not None
        match = day_parts(day)
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
        decimal_comma=commas > _MANY * points,
        day_first=orders.pop() if len(orders) == 1 else None,
        clock=clocks.pop() if len(clocks) == 1 else "",
        hourly=len(clocks) > 1 and hours >= _HOURLY * max(midnights, 1),
    )


@lru_cache(16)
def known_header(top: str, *, with_device: bool) -> Layout | Refusal | None:
    """The layout that a header line describes, in known words, in any order and among others; None when it is none."""
    for separator in SEPARATORS:
        names = _fields(top, separator)
        if names is None or len(names) < 2:
            continue
        words = [_word(name) for name in names]
        values = TABLE_VALUE_WORDS if with_device else VALUE_WORDS
        found = {"day": _places(words, DATE_WORDS), "traffic": _places(words, values)}
        device = _places(words, DEVICE_WORDS if with_device else [word for word in DEVICE_WORDS if word != "id"])
        found |= {"device": device} if with_device else {}
        if not all(found.values()):
            continue
        twice = next((what for what, places in found.items() if len(places) > 1), None)
        if twice:
            both = " and ".join(quote(names[place]) for place in found[twice])
            return Refusal(f"the header must name one column of the {twice}, got {both}")
        (date,), (value,) = found["day"], found["traffic"]
        refusal = _hours_or_units(names, words, date) or _other_unit(names[value])
        place = device[0] if device else None
        called = "device_id" if place is None else words[place]
        return refusal or Layout(len(names), date, value, place, words[value], separator, called)
    return None


def _hours_or_units(names: Sequence[str], words: Sequence[str], date: int) -> Refusal | None:
    """Why a further column tells that lines are of hours, or may be in other units; None where none does."""
    for place, (name, word) in enumerate(zip(names, words, strict=True)):
        if place != date and _CLOCK_WORD.fullmatch(word):
            return Refusal(f"one line a day is needed, got a column {quote(name)}; add the hours up to days first")
        if word in UNIT_WORDS:
            return Refusal(f"traffic must be in MB, got a column {quote(name)} of units; convert it")
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
        dates = [day_parts(field) is not None for field in fields]
        if len(fields) == 2 and sum(dates) == 1:
            return Layout(2, dates.index(True), dates.index(False), None, "traffic", separator)
    return None


def _is_header(names: Sequence[str], below: Layout) -> bool:
    """Whether a line names the columns of the line below: words, none a number, a day or a way to say nothing."""
    plain = [name.strip().lower() for name in names]
    return len(names) == below.width and all(
        name[:1].isalpha() and name not in _NOTHING and not _NUMBER.fullmatch(name) and not re.search(r"\d{4}", name)
        for name in plain
    )


def _other_unit(name: str) -> Refusal | None:
    """Why a column of values may not be taken for MB: by what its name says."""
    unit = _UNIT.fullmatch(name.strip())
    said = unit[2].strip() if unit else name.strip()
    # Mb is a megabit, though not to all who write it.
    other = any(_OTHER_UNIT.fullmatch(word) for word in _plain_words(name))
    megabit = re.search(r"(?<![A-Za-z])Mb(?![A-Za-z])", name) is not None
    strange = unit is not None and any(not _MB.fullmatch(word) and word not in _A_DAY for word in _plain_words(said))
    if other or megabit or strange:
        return Refusal(f"traffic must be in MB, got a column in {quote(said)}; convert it")
    return None


def _plain_words(name: str) -> list[str]:
    """The words of a name, in small letters: ``trafficGB`` and ``traffic_gb`` are two."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


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
