"""One long table, as CSV or Parquet, in all the types that a column may have."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from oddfleet.errors import InputError
from oddfleet.ingest import read_source, table, to_fleet
from oddfleet.model import Fleet

FIRST, SECOND = date(2020, 1, 1), date(2020, 1, 2)


def write_csv(folder: Path, text: str) -> Path:
    file = folder / "long.CSV"
    file.write_bytes(text.encode())
    return file


def write_parquet(folder: Path, **columns: Any) -> Path:
    file = folder / "long.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return file


def test_a_csv_with_further_columns_in_another_order(tmp_path: Path) -> None:
    text = "\ufeffdevice_id,value,series_type,date\r\n9,1.5,traffic_mb,2020-01-02\r\n7,,traffic_mb,2020-01-01\r\n"
    source = read_source(write_csv(tmp_path, text))
    assert source.rows.rows() == [(SECOND, 9, 1.5), (FIRST, 7, None)]
    assert source.rows.columns == ["date", "device_id", "value"]
    assert source.issues == ()
    assert source.meta.schema == {"id": pl.Int64(), "name": pl.String()}
    assert source.lines_read == 2


def test_a_device_id_in_the_last_column_of_a_crlf_file(tmp_path: Path) -> None:
    text = "date,value,device_id\r\n2020-01-01,1,gate-7\r\n2020-01-01,2,007\r\n"
    assert read_source(write_csv(tmp_path, text)).rows["device_id"].to_list() == ["gate-7", "7"]


def test_bad_lines_keep_their_numbers_across_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oddfleet.ingest.lines.BYTES_AT_ONCE", 40)
    lines = [f"2020-01-0{1 + n % 9},{n},{'x' if n in {4, 31} else n}" for n in range(40)]
    lines[10] = ""
    source = read_source(write_csv(tmp_path, "\n".join(["date,device_id,value", *lines])))
    assert [(issue.line, issue.text) for issue in source.issues] == [(6, lines[4]), (33, lines[31])]
    assert source.rows["device_id"].to_list() == [n for n in range(40) if n not in {4, 10, 31}]
    assert source.lines_read == 39
    assert source.invalid.rows() == [(date(2020, 1, 5), 4), (date(2020, 1, 5), 31)]


def test_an_unusable_id_column_with_spaces_and_accents(tmp_path: Path) -> None:
    text = 'date,device_id,value\n2020-01-01, Küche 1 ,1\n2020-01-01,"a,b",2\n2020-01-01, ,3\n'
    source = read_source(write_csv(tmp_path, text))
    assert source.rows["device_id"].to_list() == ["Küche 1", "a,b"]
    assert [issue.reason for issue in source.issues] == ["device_id must be a number or a word, got ''"]


@pytest.mark.parametrize(
    ("days", "ids", "values"),
    [
        ([FIRST, SECOND], [7, 8], [1.5, None]),
        ([datetime(2020, 1, 1), datetime(2020, 1, 2)], [7.0, 8.0], [1.5, float("nan")]),
        (["2020-01-01", "2020-01-02T00:00:00"], ["7", "8"], ["1.5", ""]),
        ([datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)], ["07", "8.0"], ["1.5", None]),
    ],
    ids=["dates", "datetimes", "text", "zoned"],
)
def test_parquet_in_whatever_types(tmp_path: Path, days: list[Any], ids: list[Any], values: list[Any]) -> None:
    source = read_source(write_parquet(tmp_path, value=values, note=["", ""], device_id=ids, date=days))
    assert source.rows.rows() == [(FIRST, 7, 1.5), (SECOND, 8, None)]
    assert source.issues == ()


def test_parquet_numbers_stay_bit_for_bit(tmp_path: Path) -> None:
    values = [0.1 + 0.2, 1 / 3, -1e-300, 1.7976931348623157e308, 5e-324, 123456789.123456789]
    source = read_source(write_parquet(tmp_path, date=[FIRST] * 6, device_id=range(6), value=values))
    assert source.rows["value"].to_list() == values


def test_bad_rows_of_a_parquet_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 2)
    moments = [datetime(2020, 1, 1), None, datetime(2020, 1, 1, 0, 0, 0, 1), datetime(2020, 1, 1), datetime(2020, 1, 2)]
    path = write_parquet(tmp_path, date=moments, device_id=[7, 7, 7, None, 7], value=[1.0, 1.0, 1.0, 1.0, float("inf")])
    source = read_source(path)
    assert [(issue.line, issue.reason) for issue in source.issues] == [
        (2, "date must be a day such as 2020-01-31, got ''"),
        (3, "one line a day is needed, got '2020-01-01 00:00:00.000001', a time of day that not all lines have"),
        (4, "device_id must be a number or a word, got ''"),
        (5, "value must be a number, got 'inf'"),
    ]
    assert source.rows.rows() == [(FIRST, 7, 1.0)]
    assert source.lines_read == 5


def test_the_fleet_marks_days_whose_value_was_unreadable(tmp_path: Path) -> None:
    text = "date,device_id,value\n2020-01-01,7,1\n2020-01-02,7,x\n2020-01-02,8,y\n2020-01-02,8,5\n"
    fleet = to_fleet(read_source(write_csv(tmp_path, text)))
    assert fleet.device_ids == (7, 8)
    assert fleet.invalid.tolist() == [[False, False], [True, True]]
    assert fleet.duplicated.tolist() == [[False, False], [False, True]]
    assert fleet.values[1, 1] == 5
    assert fleet.names == (None, None)


@pytest.mark.parametrize("ids", [["9", "10", "9", "7", "9"], ["9", "Küche", "9", "10", "gate"]])
def test_the_fleet_is_the_one_that_its_rows_make_as_a_frame(tmp_path: Path, ids: list[str]) -> None:
    days, values = [3, 1, 3, 6, 1], ["1.5", "", "2.5", "4", "x"]
    lines = [f"2020-01-0{day},{device},{value}" for day, device, value in zip(days, ids, values, strict=True)]
    source = read_source(write_csv(tmp_path, "\n".join(["date,device_id,value", *lines])))
    got, wanted = to_fleet(source), Fleet.from_long(pl.concat([source.rows, source.invalid], how="diagonal"))
    assert (got.device_ids, got.names) == (wanted.device_ids, wanted.names)
    for name in ("dates", "values", "duplicated", "invalid"):
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name))
    assert got.duplicated.any()
    assert got.invalid.any()


def test_a_device_without_any_usable_value_is_in_the_fleet(tmp_path: Path) -> None:
    source = read_source(write_csv(tmp_path, "date,device_id,value\n2020-01-01,7,1\n2020-01-01,gate,x\n"))
    assert to_fleet(source).device_ids == ("7", "gate")
    assert source.rows["device_id"].to_list() == ["7"]


def test_progress_goes_with_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oddfleet.ingest.lines.BYTES_AT_ONCE", 40)
    monkeypatch.setattr("oddfleet.ingest.lines._BITE", 40)
    seen: list[tuple[int, int]] = []
    path = write_csv(tmp_path, "date,device_id,value\n" + "2020-01-01,7,1\n" * 9)
    read_source(path, lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert {total for _, total in seen} == {size}
    done = [place for place, _ in seen]
    assert len(done) > 3
    assert done == sorted(done)
    assert done[-1] == size


def test_a_csv_without_the_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"long\.CSV:1: a table with .* got the header 'date,traffic'; rename"):
        read_source(write_csv(tmp_path, "date,traffic\n2020-01-01,1\n"))


def test_a_parquet_without_the_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"long\.parquet: a table with .* got date, mb; rename"):
        read_source(write_parquet(tmp_path, date=[FIRST], mb=[1.0]))


def test_a_parquet_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="got a file that cannot be read") as caught:
        read_source(tmp_path / "x.parquet")
    assert "\n" not in str(caught.value)


def test_a_parquet_with_a_list_for_a_value(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got a file that cannot be read"):
        read_source(write_parquet(tmp_path, date=[FIRST], device_id=[7], value=[[1.0]]))


def test_a_table_without_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got none that can be read; write lines"):
        read_source(write_csv(tmp_path, "date,device_id,value\n"))


def test_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "long.xlsx").write_bytes(b"")
    with pytest.raises(InputError, match=r"got '\.xlsx'; convert it"):
        read_source(tmp_path / "long.xlsx")
