"""Traps: files that a quick reader takes for something they are not. Nothing is stored wrongly, nothing lost."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from oddfleet.ingest import Source, read_source
from oddfleet.ingest import lines as ingest_lines
from tests.functional.inputs import cases

GOOD = "date,traffic\n2020-01-01,1\n"


def read(folder: Path, **files: str | bytes) -> Source:
    """Files ``iot_<key>.csv`` beside a good one."""
    for name, content in {"iot_1": GOOD, **files}.items():
        (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_source(folder)


def check(source: Source, rows: Sequence[tuple[str, float | None]], rejected: list[int]) -> None:
    """What became of the lines of device 2; and that they add up."""
    assert [(str(day), value) for day, device, value in source.rows.rows() if device == 2] == list(rows)
    assert [issue.line for issue in source.issues if issue.line] == rejected
    assert source.lines_read == 1 + len(rows) + len(rejected)


UNITS = (
    "date,gigabytes",
    "date,trafficGB",
    "date,KBytes",
    "date,traffic (MB/s)",
    "date,traffic (1000 MB)",
    "date,octets",
    "date,download (GB)",
    "date,bytes",
    "date,traffic_gb",
    "date,traffic (Mb)",
    "day;volume (MiB)",
    "date,traffic [kB]",
)


@pytest.mark.parametrize("header", UNITS)
def test_another_unit_is_not_mb_under_any_header(tmp_path: Path, header: str) -> None:
    separator = ";" if ";" in header else ","
    source = read(tmp_path, iot_2=f"{header}\n2020-01-01{separator}5\n")
    check(source, [], [2])
    assert "must be in MB" in source.issues[0].reason


FIRST_LINES = (
    "2020-1-1,nan",
    "Jan 1 2020,null",
    "2020-1-1,-",
    "2020-01-01x,abc",
    "2020-1-1,5",
    ",5",
    "n/a,5",
    "20200101,5",
    "Jan 1 2020,5",
    "\02020-01-01,5",
    "2020-01-01,",
)


@pytest.mark.parametrize("line", FIRST_LINES)
def test_a_first_line_that_cannot_be_read_is_no_header(tmp_path: Path, line: str) -> None:
    rows = [("2020-01-02", 6.0)]
    if line == "2020-01-01,":
        check(read(tmp_path, iot_2=f"{line}\n2020-01-02,6\n"), [("2020-01-01", None), *rows], [])
    else:
        check(read(tmp_path, iot_2=f"{line}\n2020-01-02,6\n"), rows, [1])


def test_a_byte_order_mark_put_there_twice(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" * 2 + b"2020-01-01,5\n2020-01-02,6\n"
    check(read(tmp_path, iot_2=content), [("2020-01-01", 5.0), ("2020-01-02", 6.0)], [])


@pytest.mark.parametrize("word", ["time", "hour", "Clock", "hours", "start_time", "hour_of_day"])
def test_a_column_of_hours_is_no_further_column(tmp_path: Path, word: str) -> None:
    source = read(tmp_path, iot_2=f"date,{word},traffic\n2020-01-01,00:00,1\n2020-01-01,01:00,2\n")
    check(source, [], [2, 3])
    assert "add the hours up" in source.issues[0].reason


def test_a_column_of_units_is_no_further_column(tmp_path: Path) -> None:
    check(read(tmp_path, iot_2="date,traffic,unit\n2020-01-01,5,GB\n2020-01-02,5,MB\n"), [], [2, 3])


@pytest.mark.parametrize("clocks", [("00:00", "12:00"), tuple(f"{hour:02}:00" for hour in range(24))])
def test_the_midnights_of_hours_are_no_days(tmp_path: Path, clocks: tuple[str, ...]) -> None:
    lines = [f"2020-01-0{day} {clock},1" for day in (1, 2) for clock in clocks]
    days = "".join(f"2020-03-{day:02},1\n" for day in range(1, 32))
    source = read(tmp_path, iot_2="\n".join(["date,traffic", *lines, ""]), iot_3="date,traffic\n" + 3 * days)
    assert not source.rows.filter(source.rows["device_id"] == 2).height
    assert sum(issue.line > 0 for issue in source.issues) == len(lines)


def test_one_stray_hour_leaves_the_midnights(tmp_path: Path) -> None:
    content = "date,traffic\n2020-01-01 00:00,1\n2020-01-02 00:00,2\n2020-01-03 00:00,3\n2020-01-03 13:00,4\n"
    check(read(tmp_path, iot_2=content), [("2020-01-01", 1.0), ("2020-01-02", 2.0), ("2020-01-03", 3.0)], [5])


def test_a_long_table_is_not_taken_for_a_device(tmp_path: Path) -> None:
    source = read(tmp_path, traffic2="date,device_id,traffic\n2020-01-01,2,1\n2020-01-01,8,100\n")
    check(source, [("2020-01-01", 1.0)], [3])
    assert "give a long table by itself" in source.issues[0].reason


@pytest.mark.parametrize("word", ["device", "sensor", "Sensor_ID"])
def test_a_long_table_under_other_words_neither(tmp_path: Path, word: str) -> None:
    check(read(tmp_path, iot_2=f"date,{word},traffic\n2020-01-01,2,1\n2020-01-01,8,9\n"), [("2020-01-01", 1.0)], [3])


@pytest.mark.parametrize("said", ["2", "002", "iot_2", "2.0"])
def test_the_file_of_a_device_may_name_it(tmp_path: Path, said: str) -> None:
    check(read(tmp_path, iot_2=f"date,device_id,traffic\n2020-01-01,{said},1\n"), [("2020-01-01", 1.0)], [])


def test_a_column_of_names_is_a_further_column(tmp_path: Path) -> None:
    check(read(tmp_path, iot_2="date,device,traffic\n2020-01-01,lamp,1\n"), [("2020-01-01", 1.0)], [])


THOUSANDS: dict[str, tuple[list[str], list[float], list[int]]] = {
    "thousands only": (["1,234", "987", "987.5"], [987.0, 987.5], [2]),
    "ambiguous": (["1,234", "12,345"], [], [2, 3]),
    "a point and a comma": (["987.5", "2,345", "1,5"], [987.5], [3, 4]),
    "an American and a comma": (["1,234.5", "2,345", "1,5"], [], [2, 3, 4]),
    "millions with points": (["1.234.567", "12.345", "987"], [987.0], [2, 3]),
    "small": (["0,123", "0,456"], [0.123, 0.456], []),
    "both marks": (["1.234", "12.345", "1.234,5"], [], [2, 3, 4]),
    "decimal": (["1,5", "1,234", "2"], [1.5, 1.234, 2.0], []),
}


@pytest.mark.parametrize("case", cases(THOUSANDS))
def test_thousands_prove_no_decimal_comma(tmp_path: Path, case: tuple[list[str], list[float], list[int]]) -> None:
    written, stored, rejected = case
    content = "\n".join(["date;traffic", *(f"2020-01-0{day};{value}" for day, value in enumerate(written, 1)), ""])
    source = read(tmp_path, iot_2=content)
    assert [value for _, device, value in source.rows.rows() if device == 2] == stored
    assert [issue.line for issue in source.issues] == rejected


def test_the_decimal_mark_does_not_depend_on_the_size_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_lines, "BYTES_AT_ONCE", 64)
    monkeypatch.setattr(ingest_lines, "_BITE", 64)
    lines = [f"2020-01-{day:02};1.500" for day in range(1, 20)]
    source = read(tmp_path, iot_2="\n".join(["date;traffic", *lines, "2020-01-20;2,5", ""]))
    check(source, [("2020-01-20", 2.5)], list(range(2, 21)))


@pytest.mark.parametrize("proof", ["01/32/2020", "45/45/2020", "31/31/2020", "13/01/1900"])
def test_a_day_that_does_not_exist_proves_no_order(tmp_path: Path, proof: str) -> None:
    source = read(tmp_path, iot_2=f"date,traffic\n03/04/2020,1\n04/05/2020,2\n{proof},3\n")
    check(source, [], [2, 3, 4])


SAME_COLUMNS = ("date,mb,volume", "date,traffic,traffic", "day,timestamp,traffic", "date,traffic,traffic,value")


@pytest.mark.parametrize("header", SAME_COLUMNS)
def test_of_two_columns_that_could_be_meant_none_is_guessed(tmp_path: Path, header: str) -> None:
    fields = ",".join("2020-01-01" if name in {"date", "day", "timestamp"} else "1" for name in header.split(","))
    source = read(tmp_path, iot_2=f"{header}\n{fields}\n")
    check(source, [], [2])
    assert "must name one column" in source.issues[0].reason


def test_our_own_word_for_a_column_beats_others(tmp_path: Path) -> None:
    content = "date,timestamp,value,traffic\n2020-01-01,2020-01-09,7,1\n"
    check(read(tmp_path, iot_2=content), [("2020-01-01", 1.0)], [])


def test_a_comma_in_a_device_id_stays(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("date;device_id;value\n2020-01-01;a,b;1,5\n2020-01-02;a,b;2\n")
    source = read_source(tmp_path / "t.csv")
    assert source.rows["device_id"].to_list() == ["a,b", "a,b"]
    assert source.rows["value"].to_list() == [1.5, 2.0]


def test_an_unnamed_first_column_between_tabs(tmp_path: Path) -> None:
    check(read(tmp_path, iot_2="\tdate\ttraffic\n0\t2020-01-01\t5\n"), [("2020-01-01", 5.0)], [])


def test_the_separator_as_excel_writes_it(tmp_path: Path) -> None:
    check(read(tmp_path, iot_2="sep=;\r\ndate;traffic\r\n2020-01-01;5\r\n"), [("2020-01-01", 5.0)], [])


def test_an_endless_line_of_blanks_counts(tmp_path: Path) -> None:
    check(read(tmp_path, iot_2=f"{GOOD}{' ' * 5_000_000}x"), [("2020-01-01", 1.0)], [3])


def test_lines_of_other_ends_below_a_header_are_not_one_line(tmp_path: Path) -> None:
    lines = 100_000
    source = read(tmp_path, iot_2="date,traffic\n" + "2020-01-01,1.5\r" * lines)
    assert (source.lines_read, source.rows.height) == (lines + 1, lines + 1)


def test_a_packed_file_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    content = gzip.compress(
        ("date,traffic\n" + "".join(f"31/01/{year},{year}.5\n" for year in range(1990, 2089))).encode()
    )
    (tmp_path / "iot_2.csv.gz").write_bytes(content[:-60])
    source = read(tmp_path)
    rows = [value for _, device, value in source.rows.rows() if device == 2]
    assert rows == [1990.5 + place for place in range(len(rows))]
    assert len(rows) > 10
    (issue,) = source.unread
    assert "cannot be read to its end" in issue.reason


def test_a_zip_with_names_that_lead_elsewhere(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("../iot_1.csv", "/etc/iot_2.csv", "data\\iot_3.csv"):
            archive.writestr(name, GOOD)
    assert sorted(read_source(tmp_path / "x.zip").rows["device_id"].to_list()) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


META: dict[str, tuple[str, str, list[tuple[int, str | None]]]] = {
    "an unnamed index": ("meta.csv", "\tid\tname\n0\t1\tfoo\n1\t2\tbar\n", [(1, "foo"), (2, "bar")]),
    "two kinds of id": ("meta.csv", "id,device_id,name\n1,9,foo\n", [(1, "foo")]),
    "a date of its own": ("devices.csv", "id,name,date\n1,foo,2020-01-01\n", [(1, "foo")]),
    "a year in its name": ("meta_2020.csv", "id,name\n1,foo\n", [(1, "foo")]),
    "one long line": ("meta.json", json.dumps([{"id": 1, "name": "foo", "x": "y" * 2_000_000}]), [(1, "foo")]),
    "prose beside it": ("meta.txt", "Read the names in the other file.", []),
}


@pytest.mark.parametrize("case", cases(META))
def test_names_are_those_of_their_devices(tmp_path: Path, case: tuple[str, str, list[tuple[int, str | None]]]) -> None:
    name, content, expected = case
    (tmp_path / name).write_text(content)
    if not expected:
        (tmp_path / "names.json").write_text('[{"id": 1, "name": "foo"}]')
        (tmp_path / "metadata.pdf").write_bytes(b"%PDF")
        expected = [(1, "foo")]
    source = read(tmp_path)
    assert source.meta.select("id", "name").rows() == expected
    assert source.lines_read == 1


def test_a_name_with_a_comma_that_nobody_quoted_is_an_issue(tmp_path: Path) -> None:
    (tmp_path / "meta.csv").write_text("id,name\n2,Smith, kitchen\n1,bar\n")
    source = read(tmp_path)
    assert source.meta.rows() == [(1, "bar")]
    assert [issue.reason for issue in source.issues] == ["entry 1: it must have no more fields than the header"]


def test_a_traffic_table_is_no_meta_file(tmp_path: Path) -> None:
    (tmp_path / "readings.csv").write_text("datetime,device_id,value\n2020-01-01,7,1\n")
    source = read(tmp_path)
    assert source.meta.is_empty()
    assert source.lines_read == 2


def test_a_parquet_file_under_other_words_with_days_as_text(tmp_path: Path) -> None:
    days, ids = ["13/01/2020 06:00", "02/01/2020 06:00"], [7.0, float("nan")]
    frame = pl.DataFrame({"Day": days, "Device": ids, "MB": [1.5, 2.5], "note": ["a", "b"]})
    frame.write_parquet(tmp_path / "t.parquet")
    source = read_source(tmp_path / "t.parquet")
    assert [(str(day), device, value) for day, device, value in source.rows.rows()] == [("2020-01-13", 7, 1.5)]
    assert [issue.line for issue in source.issues] == [2]


def test_names_for_another_fleet_are_told(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text('[{"id": 8, "name": "foo"}]')
    (issue,) = read(tmp_path).unread
    assert "an id must be that of a file, got none that is" in issue.reason


def test_a_long_table_with_names_is_no_meta_file(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("date,device_id,name,value\n2020-01-01,7,lamp,1\n2020-01-01,8,lock,1\n")
    assert read(tmp_path).lines_read == 3


def test_a_device_file_that_is_not_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "iot_4.xlsx").write_bytes(b"PK")
    assert [Path(issue.file).name for issue in read(tmp_path).unread] == ["iot_4.xlsx"]


def test_a_tab_after_sep(tmp_path: Path) -> None:
    check(read(tmp_path, iot_2="sep=\t\ndate\ttraffic\n2020-01-01\t5\n"), [("2020-01-01", 5.0)], [])


def test_a_line_end_in_a_category_is_one_row(tmp_path: Path) -> None:
    ids = pl.Series("device_id", ["7\n8", "7"]).cast(pl.Categorical)
    pl.DataFrame({"date": ["2020-01-01"] * 2, "device_id": ids, "value": [1.0, 2.0]}).write_parquet(
        tmp_path / "t.parquet"
    )
    source = read_source(tmp_path / "t.parquet")
    assert (source.lines_read, source.rows["device_id"].to_list()) == (2, ["7\\n8", "7"])
