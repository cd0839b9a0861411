"""Lines that say nothing or say it wrongly: each costs only itself and keeps its reason, and no date is guessed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.functional.inputs import Lines, Run, Write, cases, comma, dated, expected, text, written

# One bad line costs itself.


def with_line(lines: Lines, line: bytes, header: str = "date,traffic", form: str = "{},{}") -> bytes:
    """The forty lines and one more, line 12 of the file."""
    rows = text(lines, header, form).encode().split(b"\n")
    return b"\n".join([*rows[:11], line, *rows[11:]])


@pytest.mark.parametrize(
    "value",
    [
        "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "1,234.5", "1 234", "1\u00a0234", "1'234",
        "12,5", "12.5 MB", "1.2.3", "--5", "1_000", "0x10", "\u0661\u0662", "null", "N/A", "-", "=1+1", "5\x1b[31m",
    ],
)  # fmt: skip
def test_what_is_no_number_is_rejected(data: Path, lines: Lines, run: Run, value: str) -> None:
    line = f"2020-01-10,{value}"
    (data / "iot_4.csv").write_bytes(with_line(lines, line.encode()))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() == expected(lines)
    ((number, kept, reason),) = done.rejected()
    assert (number, kept) == (12, line)
    assert re.search(r"number|fields|columns", reason)


ENORMOUS = {value: value for value in ("1e15", "1e200", "1e308", "-1e308")}


@pytest.mark.parametrize("value", cases(ENORMOUS))
def test_an_enormous_number_is_a_number(data: Path, lines: Lines, run: Run, value: str) -> None:
    (data / "iot_4.csv").write_text(text([*lines, ("2020-02-10", value)]))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows()[-1] == ("2020-02-10", float(value))


@pytest.mark.parametrize("line", ['2020-01-10,"1,234.5"', '2020-01-10,"1 234.5"'])
def test_thousands_in_quotes_are_read_as_such_or_rejected(data: Path, lines: Lines, run: Run, line: str) -> None:
    (data / "iot_4.csv").write_bytes(with_line(lines, line.encode()))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() in (expected(lines), expected([*lines[:10], ("2020-01-10", "1234.5"), *lines[10:]]))


@pytest.mark.parametrize("value", ["1.234", "1.234,5", "1,234.5"])
def test_a_point_among_decimal_commas_is_not_guessed(data: Path, lines: Lines, run: Run, value: str) -> None:
    line = f"2020-01-10;{value}".encode()
    (data / "iot_4.csv").write_bytes(with_line(comma(lines), line, "date;traffic", "{};{}"))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() in (expected(lines), expected([*lines[:10], ("2020-01-10", "1234.5"), *lines[10:]]))


@pytest.mark.parametrize("value", ["", "  ", '""'])
def test_an_empty_value_is_null(data: Path, lines: Lines, run: Run, value: str) -> None:
    (data / "iot_4.csv").write_bytes(with_line(lines, f"2020-01-10,{value}".encode()))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows()[10] == ("2020-01-10", None)
    assert done.rejected() == []


@pytest.mark.parametrize(
    "day",
    ["2020-02-30", "2021-02-29", "2020-13-01", "2020-00-10", "2020-01-32", "0000-00-00", "", "yesterday", "1e3"],
)
def test_a_day_that_does_not_exist_is_rejected(data: Path, lines: Lines, run: Run, day: str) -> None:
    (data / "iot_4.csv").write_bytes(with_line(lines, f"{day},5".encode()))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() == expected(lines)
    ((number, kept, reason),) = done.rejected()
    assert (number, kept) == (12, f"{day},5")
    assert re.search(r"\b(date|day)\b", reason)


@pytest.mark.parametrize(
    "line",
    [b"2020-01-10,\x005", b"2020-01-\x0010,5", b"\x00" * 4096, b'2020-01-10,"5', b"2020-01-10", b"2020-01-10,5,6,7"],
    ids=["NUL in value", "NUL in date", "block of NUL", "open quote", "one field", "four fields"],
)
def test_a_broken_line_costs_only_itself(data: Path, lines: Lines, run: Run, line: bytes) -> None:
    (data / "iot_4.csv").write_bytes(with_line(lines, line))
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() == expected(lines)
    assert [number for number, _, _ in done.rejected()] == [12]


def test_nul_bytes_below_the_last_line(data: Path, lines: Lines, run: Run) -> None:
    (data / "iot_4.csv").write_bytes(text(lines).encode() + b"\x00" * 4096)
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() == expected(lines)
    assert [number for number, _, _ in done.rejected()] == [42]


def test_a_bad_first_line_of_a_file_without_header(data: Path, lines: Lines, run: Run) -> None:
    (data / "iot_4.csv").write_text(text([("2020-01-01", "nan"), *lines[1:]], header=""))
    done = run(data)
    done.check_lines(len(lines))
    assert done.rows() == expected(lines[1:])
    assert [line for line, _, _ in done.rejected()] == [1]


def test_below_an_unknown_header_no_line_is_lost(data: Path, lines: Lines, run: Run) -> None:
    (data / "iot_4.csv").write_text(text(lines, header="foo,bar"))
    done = run(data)
    done.check_done()
    numbers = {line for line, _, _ in done.rejected("iot_4.csv")} - {0, 1}
    assert len(done.rows()) + len(numbers) == len(lines)
    assert all("header" in reason and "foo,bar" in reason for _, _, reason in done.rejected("iot_4.csv"))


# Day and month.


def test_an_order_that_cannot_be_told_is_not_guessed(data: Path, lines: Lines, run: Run) -> None:
    (data / "iot_4.csv").write_bytes(dated("{d}/{m}/{y}")(lines[:12]))
    (data / "iot_5.csv").write_bytes(dated("{d}/{m}/{y}")(lines))
    done = run(data)
    done.check_lines(12)
    assert done.rows() == []
    assert done.rows(5) == expected(lines)
    assert all("day" in reason and "month" in reason for _, _, reason in done.rejected("iot_4.csv"))


def test_an_order_told_by_no_file_is_an_error(data: Path, lines: Lines, run: Run) -> None:
    for file in data.glob("iot_*.csv"):
        file.write_bytes(dated("{d}/{m}/{y}")(lines[:12]))
    done = run(data)
    done.check_error("data")
    assert re.search(r"\bday\b.*\bmonth\b|\bmonth\b.*\bday\b", done.stderr)


def test_a_file_that_proves_both_orders_proves_none(data: Path, lines: Lines, run: Run) -> None:
    both = [("13/01/2020", "1"), ("01/14/2020", "2"), ("02/03/2020", "3")]
    (data / "iot_4.csv").write_text(text(both))
    done = run(data)
    done.check_lines(3)
    assert len(done.rows()) < 3
    assert ("2020-01-13", 1.0) not in done.rows() or ("2020-01-14", 2.0) not in done.rows()


def test_a_day_that_does_not_exist_in_a_proven_order(data: Path, lines: Lines, run: Run) -> None:
    content = dated("{d}/{m}/{y}")(lines) + b"31/02/2020,5\n"
    (data / "iot_4.csv").write_bytes(content)
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() == expected(lines)
    assert [line for line, _, _ in done.rejected()] == [42]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(dated("{dd}/{mm}/{y}"), id="31/1/2020"),
        pytest.param(dated("{d}.{m}.{y}"), id="31.01.2020"),
        pytest.param(dated("{d}-{m}-{y}"), id="31-01-2020"),
        pytest.param(dated("{y}/{m}/{d}"), id="2020/01/31"),
        pytest.param(dated("{y}{m}{d}"), id="20200131"),
        pytest.param(dated("{y}-{mm}-{dd}"), id="2020-1-31"),
        pytest.param(written("date,traffic", "{} 06:00:00,{}"), id="every day at six"),
        pytest.param(lambda lines: text(comma(lines), line='{},"{}"').encode(), id="decimal comma in quotes"),
        pytest.param(lambda lines: text(comma(lines), "date\ttraffic", "{}\t{}").encode(), id="decimal comma, tabs"),
        pytest.param(written("date,note,traffic", '{},"two\nlines",{}'), id="text of two lines"),
        pytest.param(written("date,traffic", "{},{}", "utf-16-le"), id="UTF-16 without mark"),
        pytest.param(written("", "{},{},ok"), id="no header, three columns"),
        pytest.param(written("date,device_id,traffic", "{},9,{}"), id="with the id of another device"),
    ],
)
def test_what_nobody_promised_is_read_right_or_rejected(data: Path, lines: Lines, run: Run, write: Write) -> None:
    (data / "iot_4.csv").write_bytes(write(lines))
    done = run(data)
    done.check_done()
    rows = done.rows()
    assert set(rows) <= set(expected(lines))
    numbers = {line for line, _, _ in done.rejected("iot_4.csv")} - {0}
    assert len(rows) + len(numbers) >= len(lines)
