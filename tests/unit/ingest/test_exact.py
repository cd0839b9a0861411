"""The exact reader's judgement of single lines, and that the fast reader never disagrees with it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddfleet.ingest.clean import read_clean
from oddfleet.ingest.exact import LineError, read_exactly, to_day, to_number
from oddfleet.ingest.layout import Layout, Piece

FOLDER = Layout(width=2, date=0, value=1, device_id=None, value_name="traffic")
TABLE = Layout(width=3, date=0, value=2, device_id=1, value_name="value")
FILE = Path("data/iot_7.csv")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2020-01-01,12,5,7", "traffic must be a number, got '12,5,7'"),
        ('2020-01-01,"12,5"', "traffic must be a number, got '12,5'"),
        ("2020-01-01,nan", "traffic must be a number, got 'nan'"),
        ("2020-01-01,-inf", "traffic must be a number, got '-inf'"),
        ("2020-01-01,1e999", "traffic must be a number, got '1e999'"),
        ("2020-01-01,1_000", "traffic must be a number, got '1_000'"),
        ("2020-01-01,\u0661", "traffic must be a number, got '\u0661'"),
        ("2020-01-01,0x1F", "traffic must be a number, got '0x1F'"),
        ("2020-01-01,.", "traffic must be a number, got '.'"),
        ("2020-01-01," + "9x" * 50, f"traffic must be a number, got '{'9x' * 19}9…'"),
        ("2020-02-30,1", "date must be a day such as 2020-01-31, got '2020-02-30'"),
        ("31/01/2020,1", "date must tell the day from the month, got '31/01/2020', and no line of the file does"),
        (
            "2020-01-01 13:00:00,1",
            "one line a day is needed, got '2020-01-01 13:00:00', a time of day that not all lines have",
        ),
        ("20200101,1", "date must be a day such as 2020-01-31, got '20200101'"),
        (",1", "date must be a day such as 2020-01-31, got ''"),
        ("2920-01-01,1", "date must lie between 1990-01-01 and 2089-12-31, got '2920-01-01'"),
        ("1989-12-31,1", "date must lie between 1990-01-01 and 2089-12-31, got '1989-12-31'"),
        ("0000-01-01,1", "date must be a day such as 2020-01-31, got '0000-01-01'"),
        ("2020-01-01", "the line must have 2 fields as the header, got 1"),
        ("2020-01-01;1", "the line must have 2 fields as the header, got 1"),
        (
            '2020-01-01,"1',
            "the line must be separated text, got '2020-01-01,\"1' (unexpected end of data)",
        ),
        ("date,traffic", "date must be a day such as 2020-01-31, got 'date'"),
    ],
)
def test_a_bad_line_and_its_reason(line: str, reason: str) -> None:
    body = f"2020-01-01,1\n{line}\n2020-01-03,3\n".encode()
    block = read_exactly(Piece(FILE, 2, body, FOLDER))
    assert [(issue.line, issue.reason) for issue in block.issues] == [(3, reason)]
    assert block.rows.rows() == [(date(2020, 1, 1), 1.0), (date(2020, 1, 3), 3.0)]
    assert block.lines == 3
    assert block.invalid.height == reason.startswith("traffic")
    assert read_clean([body], FOLDER) == [None]


def test_a_long_line_is_cut() -> None:
    block = read_exactly(Piece(FILE, 1, b"x" * 300_000, FOLDER))
    assert len(block.issues[0].text) == 200


def test_a_stray_quote_does_not_eat_the_lines_below() -> None:
    block = read_exactly(Piece(FILE, 1, b'2020-01-01,"1\n2020-01-02,2\n2020-01-03,3"\n', FOLDER))
    assert block.rows["date"].to_list() == [date(2020, 1, 2)]
    assert [issue.line for issue in block.issues] == [1, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2020-01-01,,1", "device_id must be a number or a word, got ''"),
        ("2020-01-01,4\x005,1", "device_id must be a number or a word, got '4\x005'"),
        ("2020-01-01,7,x", "value must be a number, got 'x'"),
        ("2020-01-01,7", "the line must have 3 fields as the header, got 2"),
    ],
)
def test_a_bad_line_of_a_table(line: str, reason: str) -> None:
    block = read_exactly(Piece(FILE, 1, line.encode(), TABLE))
    assert [issue.reason for issue in block.issues] == [reason]


def test_surplus_fields_count_where_the_value_is_not_last() -> None:
    layout = Layout(width=2, date=1, value=0, device_id=None, value_name="traffic")
    block = read_exactly(Piece(FILE, 1, b"12,5,2020-01-01\n", layout))
    assert [issue.reason for issue in block.issues] == ["the line must have 2 fields as the header, got 3"]


def test_first_and_last_day_that_count() -> None:
    assert to_day("1990-01-01") == date(1990, 1, 1)
    assert to_day("2089-12-31 00:00:00") == date(2089, 12, 31)
    with pytest.raises(LineError, match="2090-01-01"):
        to_day("2090-01-01")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_both_readers_take_every_number_bit_for_bit(number: float) -> None:
    body = f"2020-01-01,{number!r}\n".encode()
    (table,) = read_clean([body], FOLDER)
    assert to_number(repr(number)) == number
    assert table is not None
    assert table["value"].to_list() == [number]


DIRTY = st.text(alphabet='0123456789-:,.eE+ T"\r\n\tx\xe9', max_size=40)
CLEAN = st.builds(
    lambda day, gap, value: f"{day}{gap},{value}",
    st.builds(lambda n: date(1989, 12, 30) + timedelta(n), st.integers(0, 36_600)),
    st.sampled_from(["", " 00:00:00", "T00:00:00"]),
    st.sampled_from(["", "1", "-1.5", "1e5", "1e400", "0", "007", "1.", "+1"]),
)


@given(st.lists(st.lists(st.one_of(CLEAN, CLEAN, CLEAN, DIRTY), max_size=4), min_size=1, max_size=4))
def test_what_the_fast_reader_takes_is_what_the_exact_reader_says(files: list[list[str]]) -> None:
    bodies = ["\n".join(lines).encode() for lines in files]
    for body, table in zip(bodies, read_clean(bodies, FOLDER), strict=True):
        block = read_exactly(Piece(FILE, 1, body, FOLDER))
        if table is not None:
            assert table.equals(block.rows)
            assert block.issues == ()


def test_the_fast_reader_takes_a_clean_piece_beside_a_bad_one() -> None:
    good, bad = b"2020-01-01,1\n2020-01-02,\n", b"2020-01-01,1\n2020-02-30,2\n"
    tables = read_clean([good, bad, b"rubbish", good], FOLDER)
    assert [table is not None for table in tables] == [True, False, False, True]
    assert tables[3] is not None
    assert tables[3].rows() == [(date(2020, 1, 1), 1.0), (date(2020, 1, 2), None)]


@pytest.mark.parametrize("width", [3, 50, 30_000])
def test_the_fast_reader_takes_as_many_columns_as_it_can(width: int) -> None:
    layout = Layout(width=width, date=0, value=1, device_id=None, value_name="traffic")
    body = ("2020-01-01,1.5" + ",x" * (width - 2) + "\n").encode()
    (table,) = read_clean([body], layout)
    rows = read_exactly(Piece(FILE, 1, body, layout)).rows
    assert rows.rows() == [(date(2020, 1, 1), 1.5)]
    # A pattern of so many is too large: each line is then looked at closely.
    assert table is None if width == 30_000 else table is not None and table.equals(rows)
