"""Traffic files as collectors, spreadsheets and databases write them: all are read alike.

Every test counts: each data line of a file is a row of ``time_series`` or a row of ``rejected``, and the run says so.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.functional.inputs import Lines, Run, Write, cases, comma, dated, expected, text, written

SAME: dict[str, Write] = {
    "plain": lambda lines: text(lines).encode(),
    "byte order mark": lambda lines: text(lines).encode("utf-8-sig"),
    "CRLF": lambda lines: text(lines).replace("\n", "\r\n").encode(),
    "CR": lambda lines: text(lines).replace("\n", "\r").encode(),
    "no last newline": lambda lines: text(lines).rstrip("\n").encode(),
    "blank lines": lambda lines: ("\n" + text(lines) + "\n \r\n\n").encode(),
    "UTF-16 little endian": lambda lines: b"\xff\xfe" + text(lines).encode("utf-16-le"),
    "UTF-16 big endian": lambda lines: b"\xfe\xff" + text(lines).encode("utf-16-be"),
    "UTF-16 CRLF": lambda lines: text(lines).replace("\n", "\r\n").encode("utf-16"),
    "UTF-8 words": written("date,traffic,Ort", "{},{},Köln 東京"),
    "Latin-1 words": written("date,traffic,Ort", "{},{},Köln", "latin-1"),
    "Latin-1 header": written("date,traffic,Größe", "{},{},1", "latin-1"),
    "semicolons": written("date;traffic", "{};{}"),
    "tabs": written("date\ttraffic", "{}\t{}"),
    "semicolons and commas in text": written("date;note;traffic", "{};a, b, c;{}"),
    "decimal comma": lambda lines: text(comma(lines), "date;traffic", "{};{}").encode(),
    "decimal comma, quoted": lambda lines: text(comma(lines), "date;traffic", '"{}";"{}"').encode(),
    "quoted": written('"date","traffic"', '"{}","{}"'),
    "quoted values": written("date,traffic", '{},"{}"'),
    "quoted text": written("date,note,traffic", '{},"a, ""b""",{}'),
    "blanks around": written(" date , traffic ", " {} , {} "),
    "extra columns": written("no,date,site,traffic,note", "7,{},roof,{},"),
    "columns in another order": lambda lines: text([(v, d) for d, v in lines], "traffic,date").encode(),
    "capitals": written("DATE,Traffic", "{},{}"),
    "Date,Traffic (MB)": written("Date,Traffic (MB)", "{},{}"),
    "timestamp,value": written("timestamp,value", "{},{}"),
    "Day;Volume": written("Day;Volume", "{};{}"),
    "Day;Volume, decimal comma": lambda lines: text(comma(lines), "Day;Volume", "{};{}").encode(),
    "no header": written("", "{},{}"),
    "no header, byte order mark": written("", "{},{}", "utf-8-sig"),
    "no header, semicolons": written("", "{};{}"),
    "no header, decimal comma": lambda lines: text(comma(lines), "", "{};{}").encode(),
    "no header, tabs": written("", "{}\t{}"),
    "midnight": written("date,traffic", "{} 00:00:00,{}"),
    "midnight with T": written("date,traffic", "{}T00:00:00,{}"),
    "midnight with Z": written("date,traffic", "{}T00:00:00Z,{}"),
    "midnight with fractions": written("date,traffic", "{}T00:00:00.000Z,{}"),
    "midnight with zone": written("date,traffic", "{}T00:00:00+00:00,{}"),
    "midnight without seconds": written("date,traffic", "{} 00:00,{}"),
    "day first": dated("{d}/{m}/{y}"),
    "month first": dated("{m}/{d}/{y}"),
    "day first, no header": dated("{d}/{m}/{y}", header=""),
}
"""Ways to write the same forty lines."""

DATE = "only 2020-01-31, with 00:00:00 or without, is known; every line rejected"


@pytest.mark.parametrize("write", cases(SAME))
def test_read_like_plain_lines(data: Path, lines: Lines, run: Run, write: Write) -> None:
    (data / "iot_4.csv").write_bytes(write(lines))
    done = run(data)
    done.check_lines(len(lines))
    assert done.rejected() == []
    assert done.rows() == expected(lines)
    assert done.document("oddities.json") == []


@pytest.mark.parametrize("name", ["iot_4.csv.gz", "IOT_4.CSV.GZ"])
def test_gzip(data: Path, lines: Lines, run: Run, name: str) -> None:
    (data / "iot_4.csv").unlink()
    (data / name).write_bytes(gzip.compress(text(lines).encode()))
    done = run(data)
    done.check_lines(len(lines))
    assert done.rows() == expected(lines)


@pytest.mark.parametrize("name", ["reversed", "shuffled"])
def test_unsorted_lines_stay_as_they_stand(data: Path, lines: Lines, run: Run, name: str) -> None:
    mixed = lines[::-1] if name == "reversed" else lines[1::2] + lines[::2]
    (data / "iot_4.csv").write_text(text(mixed))
    done = run(data)
    done.check_lines(len(lines))
    assert done.rows() == expected(mixed)


EMPTY = {
    "empty": b"",
    "blank": b"\n \r\n",
    "byte order mark": b"\xef\xbb\xbf",
    "header": b"date,traffic\n",
    "header without newline": b"date,traffic",
    "other header": b"Day;Volume\n",
    "UTF-16 mark": b"\xff\xfe",
}


@pytest.mark.parametrize("content", cases(EMPTY))
def test_a_file_without_data_lines_is_named(data: Path, run: Run, content: bytes) -> None:
    (data / "iot_4.csv").write_bytes(content)
    done = run(data)
    done.check_lines(0)
    assert [line for line, _, _ in done.rejected("iot_4.csv")] == [0]
