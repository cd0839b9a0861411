"""Where things stand in a picture, in pixels from its upper left corner: so that no text meets another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from oddfleet.model import FloatArray
from oddfleet.model.reasons import headline
from oddfleet.report.chart import Chart, Mark
from oddfleet.report.picture.lettering import drawable, fitted, width_of, wrapped
from oddfleet.report.wording import device, kind_words

WIDTH, HEIGHT = 1200, 500
EDGE = 16
TITLE, TEXT = 14.0, 11.0
"""Sizes of letters in points: those of half the size can still be read."""
LINE, ROW = 21, 25
"""Height of a line of text, and of a row of flags."""
_MOST_LINES, _MOST_ROWS = 3, 4
_BETWEEN = 12
_AXIS_TITLE, _TICK, _GLYPH = 24, 10, 30
_FOOT = 44
_WIDEST_FLAG = 300

Glyph = Literal["line", "thick", "patch", "ring", "tick"]


@dataclass(frozen=True, slots=True)
class Flag:
    """The name of a mark, above the drawing.

    Attributes:
        text: the kinds of the findings that are marked there.
        mark: one of the marks.
        left: where the text begins.
        row: 0 is the row next to the drawing.
        stem: whether a line can lead to it from the mark without crossing another flag.
    """

    text: str
    mark: Mark
    left: float
    row: int
    stem: bool


@dataclass(frozen=True, slots=True)
class Key:
    """What a line or colour stands for, beside the drawing.

    Attributes:
        text: the name.
        glyph: how it looks.
        height: share of the axis at which it would best stand.
    """

    text: str
    glyph: Glyph
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """All of it.

    Attributes:
        title: who, and what was found.
        lines: the finding in a sentence.
        flags: names of the marks.
        keys: what is drawn, each with its distance from the top.
        left: where the drawing begins.
        right: where it ends.
        top: its upper edge.
        bottom: its lower edge.
    """

    title: str
    lines: tuple[str, ...]
    flags: tuple[Flag, ...]
    keys: tuple[tuple[Key, float], ...]
    left: float
    right: float
    top: float
    bottom: float


def layout_of(chart: Chart) -> Layout:
    """Where the parts of a chart's picture stand."""
    lines = wrapped(drawable(chart.findings[0].text), TEXT, WIDTH - 2 * EDGE, _MOST_LINES) if chart.findings else []
    keys = _keys(chart)
    left = EDGE + _AXIS_TITLE + _TICK + max((width_of(label, TEXT) for _, label in chart.axis.ticks), default=0.0)
    right = WIDTH - EDGE - _GLYPH - _TICK - max(width_of(key.text, TEXT) for key in keys)
    flags = _flags(chart, left, right)
    rows = max((flag.row + 1 for flag in flags), default=0)
    top = 44.0 + LINE * len(lines) + ROW * rows + 16
    bottom = float(HEIGHT - _FOOT)
    return Layout(_title(chart), tuple(lines), flags, _apart(keys, top, bottom), left, right, top, bottom)


def _title(chart: Chart) -> str:
    found = drawable(headline(chart.findings[0]) if chart.findings else "nothing found")
    left = WIDTH - 2 * EDGE - width_of(f": {found}", TITLE, bold=True)
    # A long name is cut, not what was found, nor the id, unless that is endless as well.
    own = fitted(drawable(str(chart.device_id)), TITLE, left / 2, bold=True)
    name = fitted(drawable(chart.name or ""), TITLE, left - width_of(f" ({own})", TITLE, bold=True), bold=True)
    return f"{device(name, own)}: {found}"


def _flags(chart: Chart, left: float, right: float) -> tuple[Flag, ...]:
    """The names of stretches and changes; where they would take too much room, those of the strongest findings."""
    named: dict[tuple[int, int], list[Mark]] = {}
    for mark in chart.marks:
        if mark.style != "day":
            named.setdefault((mark.first, mark.last), []).append(mark)
    groups = list(named.values())
    a_day = (right - left) / len(chart.dates)
    flags = _raised(groups, left, a_day)
    while any(flag.row >= _MOST_ROWS for flag in flags):
        groups.pop()
        flags = _raised(groups, left, a_day)
    return flags


def _raised(groups: Sequence[Sequence[Mark]], left: float, a_day: float) -> tuple[Flag, ...]:
    """A flag for each group of marks, beginning above them, in as few rows as will do."""
    flags: list[Flag] = []
    begins: list[float] = []  # of each row, where its leftmost flag begins
    # From right to left: a mark that stands further left has its flag higher up, and nothing is in the way.
    for marks in sorted(groups, key=lambda marks: (marks[0].first, marks[0].last), reverse=True):
        text = fitted(", ".join(dict.fromkeys(kind_words(mark.kind) for mark in marks)), TEXT, _WIDEST_FLAG)
        width, above = width_of(text, TEXT), left + marks[0].first * a_day
        begin = min(above, WIDTH - EDGE - width)
        row = next((row for row, other in enumerate(begins) if begin + width + _BETWEEN <= other), len(begins))
        flags.append(Flag(text, marks[0], begin, row, stem=all(other > above for other in begins[:row])))
        begins[row : row + 1] = [begin]
    return tuple(flags)


def _keys(chart: Chart) -> list[Key]:
    """What is drawn, where its line ends."""
    keys = [Key("this device", "line", _end(chart, chart.series))]
    if np.isfinite(chart.band.low).any():
        keys += [
            Key("5–95 % of cohort", "patch", _end(chart, chart.band.high)),
            Key("cohort median", "thick", _end(chart, chart.band.middle)),
        ]
    rings = [mark for mark in chart.marks if mark.style == "day"]
    if rings:
        heights = chart.axis.place(chart.series[[mark.first for mark in rings]])
        kinds = ", ".join(dict.fromkeys(kind_words(mark.kind) for mark in rings))
        keys.append(Key(kinds, "ring", float(np.max(heights))))
    if np.isnan(chart.series).any():
        keys.append(Key("no value", "tick", 0.0))
    return keys


def _end(chart: Chart, values: FloatArray) -> float:
    """How high a line is where it ends; half way up where there is none."""
    known = values[np.isfinite(values)]
    return float(chart.axis.place(known[-1:])[0]) if len(known) else 0.5


def _apart(keys: Sequence[Key], top: float, bottom: float) -> tuple[tuple[Key, float], ...]:
    """The keys from the top down, each as near to its height as the others let it."""
    ranked = sorted(keys, key=lambda key: -key.height)
    places = [bottom - key.height * (bottom - top) for key in ranked]
    for nth in range(1, len(places)):
        places[nth] = max(places[nth], places[nth - 1] + LINE)
    places[-1] = min(places[-1], bottom - LINE / 2)
    for nth in range(len(places) - 2, -1, -1):
        places[nth] = min(places[nth], places[nth + 1] - LINE)
    return tuple(zip(ranked, places, strict=True))
