"""One long table instead of a folder: CSV or Parquet with columns date, device_id and value."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import oddfleet
from tests.functional.inputs import DAYS, OTHERS, Lines, Run, cases

ALL = (OTHERS + 1) * DAYS


def long(data: Path) -> pl.DataFrame:
    """The whole fleet as a table of text, the devices one below the other."""
    parts = []
    for device in range(1, OTHERS + 2):
        part = pl.read_csv(data / f"iot_{device}.csv", infer_schema=False)
        parts.append(part.select("date", pl.lit(str(device)).alias("device_id"), pl.col("traffic").alias("value")))
    return pl.concat(parts)


def _other_words(table: pl.DataFrame) -> bytes:
    renamed = table.rename({"date": "Day", "device_id": "Device", "value": "Traffic (MB)"})
    return renamed.write_csv(separator=";").encode()


def _decimal_comma(table: pl.DataFrame) -> bytes:
    return table.with_columns(pl.col("value").str.replace(".", ",", literal=True)).write_csv(separator=";").encode()


TABLES: dict[str, Callable[[pl.DataFrame], bytes]] = {
    "plain": lambda table: table.write_csv().encode(),
    "further columns": lambda table: table.with_columns(site=pl.lit("a, b")).write_csv().encode(),
    "another order": lambda table: table.select("value", "date", "device_id").write_csv().encode(),
    "byte order mark, CRLF": lambda table: table.write_csv(include_bom=True, line_terminator="\r\n").encode(),
    "capitals": lambda table: table.rename({"date": "Date", "device_id": "Device_ID"}).write_csv().encode(),
    "blank line above": lambda table: b"\n" + table.write_csv().encode(),
    "UTF-16": lambda table: table.write_csv().encode("utf-16"),
    "tabs": lambda table: table.write_csv(separator="\t").encode(),
    "decimal comma": _decimal_comma,
    "other words": _other_words,
}


@pytest.mark.parametrize("write", cases(TABLES))
def test_a_long_csv(data: Path, lines: Lines, run: Run, write: Callable[[pl.DataFrame], bytes]) -> None:
    file = data.with_name("data-long.csv")
    file.write_bytes(write(long(data)))
    done = run(file)
    done.check_whole(lines)
    assert done.query("SELECT * FROM meta") == []


def test_a_long_csv_in_gzip(data: Path, lines: Lines, run: Run) -> None:
    file = data.with_name("data-long.csv.gz")
    file.write_bytes(gzip.compress(long(data).write_csv().encode()))
    run(file).check_whole(lines)


@pytest.mark.parametrize("day", [pl.String, pl.Date, pl.Datetime("us"), pl.Datetime("ms", "UTC")], ids=str)
@pytest.mark.parametrize("device", [pl.String, pl.Int32, pl.Float64], ids=str)
def test_a_long_parquet(data: Path, lines: Lines, run: Run, day: pl.DataType, device: pl.DataType) -> None:
    table = long(data).with_columns(pl.col("device_id").cast(device), pl.col("value").cast(pl.Float64))
    if day != pl.String:
        table = table.with_columns(pl.col("date").str.to_date().cast(day))
    table.write_parquet(data.with_name("data-long.parquet"))
    run(data.with_name("data-long.parquet")).check_whole(lines)


def test_a_bad_line_of_a_long_table_costs_only_itself(data: Path, lines: Lines, run: Run) -> None:
    bad = "2020-02-30,4,5\n2020-01-01,4,nan\n2020-01-01,,5\n2020-01-01,4\n"
    file = data.with_name("data-long.csv")
    file.write_text(long(data).write_csv() + bad)
    done = run(file)
    done.check_lines(len(lines) + 4)
    assert [line for line, _, _ in done.rejected()] == [ALL + 2 + place for place in range(4)]


def test_a_row_of_parquet_that_cannot_be_used_is_rejected(data: Path, lines: Lines, run: Run) -> None:
    days = [None, "2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04", "2020-02-30"]
    devices = ["4", None, "4", "4", "4", "4"]
    values = [1.0, 2.0, float("inf"), float("nan"), None, 3.0]
    bad = pl.DataFrame({"date": days, "device_id": devices, "value": values})
    file = data.with_name("data-long.parquet")
    pl.concat([long(data).with_columns(pl.col("value").cast(pl.Float64)), bad]).write_parquet(file)
    done = run(file)
    done.check_lines(len(lines) + 6)
    assert [line for line, _, _ in done.rejected()] == [ALL + place for place in (1, 2, 3, 6)]
    assert done.rows()[-2:] == [("2020-01-03", None), ("2020-01-04", None)]


def test_a_line_end_in_a_cell_of_parquet_makes_no_two_rows(data: Path, lines: Lines, run: Run) -> None:
    bad = pl.DataFrame({"date": ["2020-01-01\n", "x"], "device_id": ["4", "4"], "value": ["5", "5"]})
    file = data.with_name("data-long.parquet")
    pl.concat([long(data), bad]).write_parquet(file)
    done = run(file)
    done.check_lines(len(lines) + 2)
    assert [line for line, _, _ in done.rejected()][-1] == ALL + 2


def test_the_same_fleet_from_python(data: Path) -> None:
    table = data.with_name("data-long.csv")
    table.write_text(long(data).write_csv())
    folder, one = oddfleet.read(data), oddfleet.read(table)
    assert folder.device_ids == one.device_ids
    assert (folder.values == one.values).all()
