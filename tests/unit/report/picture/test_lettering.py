from __future__ import annotations

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from oddfleet.report.picture.lettering import DPI, FONT, MOST_LETTERS, drawable, fitted, width_of, wrapped

SENTENCE = "Since 2020-07-22 it carries 13.86 MB a day more than before; the largest step of a usual device is 1.639."


@pytest.mark.parametrize("text", [SENTENCE, "attic_pump (7): level shift", "W" * 60, "illi.,;'" * 20, "Tj$_^ÄéŁ"])
@pytest.mark.parametrize("size", [11.0, 14.0])
@pytest.mark.parametrize("bold", [False, True])
def test_the_width_is_what_matplotlib_draws_and_a_little_more(text: str, size: float, bold: bool) -> None:
    figure = Figure(dpi=DPI)
    FigureCanvasAgg(figure)
    weight = "bold" if bold else "normal"
    drawn = figure.text(0, 0, text, fontsize=size, family=FONT, weight=weight, parse_math=False).get_window_extent()
    assert drawn.width <= width_of(text, size, bold=bold) <= 1.1 * drawn.width + 3


def test_text_that_fits_stays_and_other_text_shows_the_cut() -> None:
    assert fitted("short", 11.0, 100.0) == "short"
    cut = fitted("W" * 100, 11.0, 100.0)
    assert cut == "W" * (len(cut) - 1) + "…"
    assert width_of(cut, 11.0) <= 100.0 < width_of(f"W{cut}", 11.0)
    assert fitted("W", 11.0, 1.0) == "…"
    assert fitted("i" * (MOST_LETTERS + 1), 11.0, 1e9) == "i" * MOST_LETTERS + "…"


def test_lines_break_between_words_and_none_is_too_wide() -> None:
    lines = wrapped(SENTENCE, 11.0, 300.0, 9)
    assert " ".join(lines) == SENTENCE
    assert max(width_of(line, 11.0) for line in lines) <= 300.0
    for line, after in itertools.pairwise(lines):
        assert width_of(f"{line} {after.split()[0]}", 11.0) > 300.0


def test_what_is_more_than_the_lines_hold_is_cut() -> None:
    lines = wrapped(SENTENCE, 11.0, 300.0, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert width_of(lines[1], 11.0) <= 300.0
    assert wrapped("W" * 100, 11.0, 300.0, 2) == [fitted("W" * 100, 11.0, 300.0)]
    assert wrapped("", 11.0, 300.0, 2) == wrapped(" " * 2 * MOST_LETTERS, 11.0, 300.0, 2) == []
    assert wrapped("a " * MOST_LETTERS, 11.0, 1e9, 2)[0].endswith(" a …")


def test_what_the_font_lacks_is_written_out() -> None:
    assert drawable("é $x 客厅\x1b🔥") == "é $x \\u5ba2\\u5385\\x1b\\U0001f525"
