"""A folder of device files: what is read, in what order, and what becomes of everything else in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from oddfleet.errors import InputError
from oddfleet.ingest import Source, read_source
from oddfleet.model import DataIssue

Row = tuple[date, int | str, float | None]


def write(folder: Path, **files: str | bytes) -> Path:
    """Files ``iot_<key>.csv``, with the usual header unless given as bytes."""
    for key, content in files.items():
        data = content if isinstance(content, bytes) else f"date,traffic\n{content}".encode()
        (folder / f"iot_{key.removeprefix('_')}.csv").write_bytes(data)
    return folder


def rows(source: Source) -> list[Row]:
    return source.rows.rows()


def days(source: Source, device: int | str) -> list[str]:
    return [str(day) for day, device_id, _ in rows(source) if device_id == device]


def check_nothing_lost(source: Source) -> None:
    assert source.rows.height + sum(issue.line > 0 for issue in source.issues) == source.lines_read


def test_rows_come_as_they_stand_in_file_order(tmp_path: Path) -> None:
    write(tmp_path, _7="2020-01-02,-5.5\n2020-01-01,1e3\n2020-01-01,\n2020-01-01,1e3\n")
    source = read_source(tmp_path)
    assert rows(source) == [
        (date(2020, 1, 2), 7, -5.5),
        (date(2020, 1, 1), 7, 1000.0),
        (date(2020, 1, 1), 7, None),
        (date(2020, 1, 1), 7, 1000.0),
    ]
    assert dict(source.rows.schema) == {"date": pl.Date(), "device_id": pl.Int64(), "value": pl.Float64()}
    assert source.issues == ()
    assert source.lines_read == 4


def test_devices_are_sorted_as_numbers(tmp_path: Path) -> None:
    write(tmp_path, _10="2020-01-01,1\n", _9="2020-01-01,2\n", _100="2020-01-01,3\n")
    assert [device for _, device, _ in rows(read_source(tmp_path))] == [9, 10, 100]


def test_an_id_that_is_no_number_makes_all_ids_text(tmp_path: Path) -> None:
    write(tmp_path, _b="2020-01-01,1\n", _007="2020-01-01,2\n", _a="2020-01-01,3\n")
    assert [device for _, device, _ in rows(read_source(tmp_path))] == ["7", "a", "b"]


def test_a_file_without_usable_lines_does_not_decide_the_type_of_the_ids(tmp_path: Path) -> None:
    write(tmp_path, _gate="", _7="2020-01-01,2\n")
    assert read_source(tmp_path).rows["device_id"].to_list() == [7]


def test_a_bad_line_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n", _2="2020-01-01,1\n2020-01-02,12,5,7\n\n2020-01-03,3\n", _3="2020-01-01,1\n")
    source = read_source(tmp_path)
    reason = "traffic must be a number, got '12,5,7'"
    assert source.issues == (DataIssue(str(tmp_path / "iot_2.csv"), 3, "2020-01-02,12,5,7", reason),)
    assert days(source, 2) == ["2020-01-01", "2020-01-03"]
    assert [device for _, device, _ in rows(source)] == [1, 2, 2, 3]
    assert source.invalid.rows() == [(date(2020, 1, 2), 2)]
    check_nothing_lost(source)
    assert source.lines_read == 5


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbfdate,traffic\n2020-01-01,1\n2020-01-02,2\n", id="bom"),
        pytest.param(b"date,traffic\r\n2020-01-01,1\r\n2020-01-02,2\r\n", id="crlf"),
        pytest.param(b"date,traffic\r2020-01-01,1\r2020-01-02,2", id="cr"),
        pytest.param(b"date,traffic\n2020-01-01,1\n2020-01-02,2", id="no last newline"),
        pytest.param(b"date,traffic\n2020-01-01,1\n2020-01-02,2\n\r\n  \n\n", id="blank below"),
        pytest.param(b"\n \r\nDate , TRAFFIC\n\n2020-01-01,1\n\n2020-01-02,2\n", id="blank between"),
        pytest.param(b"date,traffic\n2020-01-01 00:00:00,1\n2020-01-02T00:00:00,2\n", id="midnight"),
        pytest.param(b'"date","traffic"\n"2020-01-01","1"\n"2020-01-02","2"\n', id="quoted"),
        pytest.param(b"date,traffic\n 2020-01-01 , +1.\n2020-01-02,\t.2e1 \n", id="blanks"),
        pytest.param(b"traffic,note,date\n1,a,2020-01-01\n2,\xc3\xa9,2020-01-02\n", id="other columns"),
        pytest.param(b"2020-01-01,1\n2020-01-02,2\n", id="no header"),
    ],
)
def test_every_way_to_write_the_same_two_lines(tmp_path: Path, content: bytes) -> None:
    source = read_source(write(tmp_path, _4=content))
    assert rows(source) == [(date(2020, 1, 1), 4, 1.0), (date(2020, 1, 2), 4, 2.0)]
    assert source.lines_read == 2
    assert source.issues == ()


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    content = b"\r\n\r\ndate,traffic\r\n2020-01-01,1\r\n\r\n2020-01-02,x\r\n"
    assert [issue.line for issue in read_source(write(tmp_path, _4=content)).issues] == [6]


def test_lines_below_a_foreign_header_are_rejected_one_by_one(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n", _2=b"when,in,out\n2020-01-01,1,2\n")
    source = read_source(tmp_path)
    reason = "the file must begin with the header date,traffic, got 'when,in,out'"
    assert [(issue.line, issue.text, issue.reason) for issue in source.issues] == [
        (1, "when,in,out", reason),
        (2, "2020-01-01,1,2", reason),
    ]
    assert source.silent == (2,)
    assert [issue.line for issue in source.unread] == [1]
    assert source.lines_read == 3
    assert source.invalid.is_empty()


def test_a_header_with_a_stray_quote_costs_itself(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n", _2=b'"date,traffic\n2020-01-01,1\n')
    assert [issue.line for issue in read_source(tmp_path).issues] == [1]


@pytest.mark.parametrize("unit", ["GB", "bytes", "kB", "Mbit"])
def test_another_unit_is_not_taken_for_mb(tmp_path: Path, unit: str) -> None:
    write(tmp_path, _1="2020-01-01,1\n", _2=f"date,traffic ({unit})\n2020-01-01,1\n".encode())
    reasons = {issue.reason for issue in read_source(tmp_path).issues}
    assert reasons == {f"traffic must be in MB, got a column in '{unit}'; convert it"}


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", b"date,traffic\n", b"date,traffic"])
def test_a_file_without_data_lines_is_an_issue_about_the_file(tmp_path: Path, content: bytes) -> None:
    source = read_source(write(tmp_path, _1="2020-01-01,1\n", _2=content))
    assert [(issue.file, issue.line) for issue in source.issues] == [(str(tmp_path / "iot_2.csv"), 0)]
    assert source.lines_read == 1


def test_of_two_files_for_a_device_the_first_counts(tmp_path: Path) -> None:
    write(tmp_path, _07="2020-01-01,1\n", _7="2020-01-01,2\n2020-01-02,3\n")
    source = read_source(tmp_path)
    assert rows(source) == [(date(2020, 1, 1), 7, 1.0)]
    reason = "device 7 must have one file, got a second one after iot_07.csv"
    assert [(issue.line, issue.reason) for issue in source.issues] == [(2, reason), (3, reason)]
    check_nothing_lost(source)


def test_a_file_whose_name_holds_no_id_is_rejected_line_by_line(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n")
    (tmp_path / "iot_1 (1).csv").write_text("date,traffic\n2020-01-01,1\n")
    (tmp_path / "other.csv").write_text("date,traffic\n2020-01-01,1\n")
    source = read_source(tmp_path)
    assert [(Path(issue.file).name, issue.line) for issue in source.issues] == [("iot_1 (1).csv", 2), ("other.csv", 2)]
    check_nothing_lost(source)


def test_a_file_that_cannot_be_read_is_an_issue(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n")
    (tmp_path / "iot_2.csv").symlink_to(tmp_path / "gone")
    (issue,) = read_source(tmp_path).issues
    assert (issue.line, issue.reason) == (0, "the file cannot be read: No such file or directory")


def test_what_no_utf_8_can_hold_is_spelt_out(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n", _2=b"date,traffic\n2020-01-01,1\xff\n")
    (issue,) = read_source(tmp_path).issues
    assert issue.text == "2020-01-01,1\\xff"


def test_litter_and_our_own_results_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,1\n")
    for name in ("._iot_2.csv", ".DS_Store", "iot_3.csv~", "my_sqlite.db", "report.html"):
        (tmp_path / name).write_bytes(b"\x00")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "plots").mkdir()
    source = read_source(tmp_path)
    assert source.issues == ()
    assert source.lines_read == 1


def test_file_names_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "IOT_5.CSV").write_text("date,traffic\n2020-01-01,1\n")
    assert rows(read_source(tmp_path)) == [(date(2020, 1, 1), 5, 1.0)]


def test_progress_counts_files(tmp_path: Path) -> None:
    write(tmp_path, **{f"_{device}": "2020-01-01,1\n" for device in range(70)})
    seen: list[tuple[int, int]] = []
    read_source(tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(done, 70) for done in range(71)]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"gone: a folder, a \.zip, a \.csv or a \.parquet file is needed, got No such file"
    ):
        read_source(tmp_path / "gone")


def test_a_path_no_system_takes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="check the path"):
        read_source(tmp_path / ("x" * 5000))


def test_a_folder_without_device_files(tmp_path: Path) -> None:
    (tmp_path / "device_meta.txt").write_text("[]")
    with pytest.raises(InputError, match=r"iot_<id>\.csv for each device is needed, got a folder without any"):
        read_source(tmp_path)


def test_no_usable_row_names_the_first_reason(tmp_path: Path) -> None:
    write(tmp_path, _1="2020-01-01,x\n")
    with pytest.raises(InputError, match=r"got none that can be read; the first: .*iot_1\.csv, line 2: traffic must"):
        read_source(tmp_path)


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        read_source(tmp_path)


def test_the_real_data_are_read_whole(real_data: Path) -> None:
    source = read_source(real_data)
    assert source.lines_read == source.rows.height == 183_000
    assert source.issues == ()
    assert source.rows["device_id"].n_unique() == 500
    assert source.meta.height == 1000
    assert source.rows.row(0) == (date(2020, 1, 1), 4, pytest.approx(96.4, abs=0.05))


def test_hours_are_not_taken_for_days(tmp_path: Path) -> None:
    hours = "".join(f"2020-01-0{day} {hour:02}:00:00,1\n" for day in (1, 2, 3) for hour in range(24))
    with pytest.raises(
        InputError, match=r"one line a day is needed, got a time of day in 72 of 72 lines; add the hours"
    ):
        read_source(write(tmp_path, _1=hours))


def test_a_few_hours_among_days_are_rejected_lines(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, _1="2020-01-01,1\n2020-01-02,1\n2020-01-02 13:00,1\n"))
    assert [issue.line for issue in source.issues] == [4]
    check_nothing_lost(source)
