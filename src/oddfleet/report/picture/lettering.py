"""Text in pictures: only what the font has, and never wider than its place."""

from __future__ import annotations

import functools

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font

from oddfleet.errors import visible

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that a picture is the same everywhere."""
DPI = 100
MOST_LETTERS = 600
"""Of a longer text the rest is not even measured."""
_MEASURED = 20
"""The size in points at which letters are measured."""
_ROOM = 1.02
"""Letters are set on whole pixels, which may make a line wider."""


def drawable(text: str) -> str:
    """Text with the characters that the font has no picture of written out, as those that do not show are."""
    known = _font().get_char_index
    return "".join(
        letter if known(ord(letter)) else letter.encode("unicode_escape").decode("ascii") for letter in visible(text)
    )


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Width in pixels of a line of text that can be drawn, its letters ``size`` points high; rather more than less."""
    return sum(_advance(letter, bold) for letter in text) * size * _ROOM


def fitted(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Text cut to a width in pixels, the cut shown."""
    if len(text) <= MOST_LETTERS and width_of(text, size, bold=bold) <= width:
        return text
    fits, too_many = 0, min(len(text), MOST_LETTERS) + 1
    while too_many - fits > 1:
        letters = (fits + too_many) // 2
        if width_of(f"{text[:letters]}…", size, bold=bold) <= width:
            fits = letters
        else:
            too_many = letters
    return f"{text[:fits]}…"


def wrapped(text: str, size: float, width: float, most: int) -> list[str]:
    """Text in at most ``most`` lines of a width in pixels; the last ends in "…" where there is more.

    A word that is too long for a line stands on one of its own and is cut.
    """
    words = text[:MOST_LETTERS].split()
    lines: list[str] = []
    for word in words:
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(fitted(word, size, width))
    if len(lines) > most or (lines and len(text) > MOST_LETTERS):
        lines = lines[:most]
        lines[-1] = fitted(f"{lines[-1]} …", size, width)
    return lines


@functools.lru_cache(maxsize=4096)
def _advance(letter: str, bold: bool) -> float:
    """Width of a letter in pixels for each point of its size; to ask the font for a whole line takes a millisecond."""
    font = _font(bold=bold)
    font.set_size(_MEASURED, DPI)
    return float(font.load_char(ord(letter)).linearHoriAdvance) / 65536 / _MEASURED


def _font(*, bold: bool = False) -> FT2Font:
    return get_font(findfont(FontProperties(family=FONT, weight="bold" if bold else "normal")))
