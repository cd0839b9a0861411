from __future__ import annotations

import numpy as np
import pytest

from oddfleet.report.terminal.sparkline import BLOCKS, PLAIN, sparkline

NAN = float("nan")


def test_means_of_equal_stretches_from_lowest_to_highest() -> None:
    assert sparkline(np.repeat(np.arange(8.0), 3), 8) == BLOCKS
    assert sparkline(-np.repeat(np.arange(8.0), 3), 8) == BLOCKS[::-1]
    # Means of 1.5 and 3.5 lie three sevenths and a whole apart from 0.
    assert sparkline(np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0]), 3) == "▁▄█"


def test_every_day_counts_once_whatever_the_width() -> None:
    for days in range(1, 40):
        for cells in range(1, 40):
            series = np.zeros(days)
            series[-1] = 1.0
            line = sparkline(series, cells)
            assert len(line) == min(days, cells)
            if min(days, cells) > 1:
                assert line == "▁" * (len(line) - 1) + "█"


def test_a_gap_is_a_space_and_a_day_without_value_does_not_count() -> None:
    assert sparkline(np.array([1.0, NAN, NAN, NAN, 9.0, NAN]), 3) == "▁ █"
    assert sparkline(np.array([NAN, NAN]), 24) == "  "
    assert sparkline(np.zeros(0), 24) == ""


@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e15])
def test_what_is_always_the_same_is_flat(value: float) -> None:
    # Sums of different numbers of days: their means differ in the last digit, and that is no shape.
    assert sparkline(np.full(366, value), 24) == BLOCKS[4] * 24


def test_numbers_beyond_all_measure() -> None:
    assert sparkline(np.array([1e308, -1e308, 0.0]), 3) == "█▁▅"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "iso-8859-1"])
def test_plain_characters_where_the_stream_has_no_blocks(encoding: str) -> None:
    line = sparkline(np.array([*range(8), NAN]), 9, encoding)
    assert line == f"{PLAIN} "
    assert line.encode(encoding)
    assert sparkline(np.arange(8.0), 8, "cp437") == PLAIN
    assert sparkline(np.arange(8.0), 8, "utf-16") == BLOCKS
