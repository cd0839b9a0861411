"""The database: just the promised tables, every row as it stands, and one-line errors."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from oddfleet.errors import InputError, OutputError
from oddfleet.model import DataIssue
from oddfleet.store import answer_questions, database, read_devices, read_meta, read_series, write_database

FIRST = date(2020, 1, 1)
META = pl.DataFrame({"id": [7, 8], "name": ["a", None]}, schema={"id": pl.Int64, "name": pl.String})


def table_of(*rows: tuple[date, int | str, float | None], ids: type[pl.DataType] = pl.Int64) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"date": pl.Date, "device_id": ids, "value": pl.Float64}, orient="row")


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def write(path: Path, rows: pl.DataFrame, meta: pl.DataFrame = META, issues: Sequence[DataIssue] = ()) -> Path:
    write_database(path, [(rows, issues)], meta)
    return path


def test_rows_are_stored_as_they_stand(tmp_path: Path) -> None:
    rows = table_of((date(2020, 1, 2), 7, -1.5), (FIRST, 8, None), (FIRST, 8, 0.1 + 0.2), (FIRST, 8, 0.1 + 0.2))
    path = write(tmp_path / "x.db", rows)
    assert ask(path, "SELECT * FROM time_series ORDER BY rowid") == [
        ("2020-01-02", 7, "traffic_mb", -1.5),
        ("2020-01-01", 8, "traffic_mb", None),
        ("2020-01-01", 8, "traffic_mb", 0.1 + 0.2),
        ("2020-01-01", 8, "traffic_mb", 0.1 + 0.2),
    ]


def test_the_tables_have_just_the_promised_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "x.db", table_of((FIRST, 7, 1.0)))
    columns = "SELECT m.name, group_concat(c.name) FROM sqlite_schema m, pragma_table_info(m.name) c GROUP BY 1"
    assert dict(ask(path, columns)) == {
        "time_series": "date,device_id,series_type,value",
        "meta": "id,name",
        "rejected": "file,line,text,reason",
    }


def test_rejected_lines_and_meta(tmp_path: Path) -> None:
    issue = DataIssue("data/iot_7.csv", 3, "2020-01-02,x", "traffic must be a number, got 'x'")
    path = write(tmp_path / "x.db", table_of((FIRST, 7, 1.0)), issues=[issue])
    assert ask(path, "SELECT * FROM rejected") == [(issue.file, issue.line, issue.text, issue.reason)]
    assert ask(path, "SELECT * FROM meta") == read_meta(path) == [(7, "a"), (8, None)]


def test_further_meta_columns_go_to_a_table_of_their_own(tmp_path: Path) -> None:
    meta = META.with_columns(site=pl.Series(["x", None]), floor=pl.Series(["1", "2"]))
    path = write(tmp_path / "x.db", table_of((FIRST, 7, 1.0)), meta)
    assert ask(path, "SELECT * FROM meta") == [(7, "a"), (8, None)]
    assert ask(path, "SELECT id, attribute, value FROM meta_attributes") == [
        (7, "site", "x"),
        (8, "site", None),
        (7, "floor", "1"),
        (8, "floor", "2"),
    ]


def test_text_ids_stay_text(tmp_path: Path) -> None:
    meta = pl.DataFrame({"id": ["7", "gate"], "name": ["a", "b"]})
    path = write(tmp_path / "x.db", table_of((FIRST, "7", 1.0), (FIRST, "gate", 2.0), ids=pl.String), meta)
    assert ask(path, "SELECT device_id FROM time_series") == [("7",), ("gate",)]
    top = answer_questions(path).top_devices
    assert [(device.device_id, device.name) for device in top] == [("gate", "b"), ("7", "a")]


def test_text_is_data_and_never_sql(tmp_path: Path) -> None:
    name = "'); DROP TABLE meta; --"
    path = write(tmp_path / "x.db", table_of((FIRST, 7, 1.0)), pl.DataFrame({"id": [7], "name": [name]}))
    assert read_meta(path) == [(7, name)]


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\u00fc \U0001f41f", "x" * 100_000])
def test_text_of_every_kind(tmp_path: Path, text: str) -> None:
    issue = DataIssue("iot_7.csv", 3, text, "no number")
    meta = pl.DataFrame({"id": [text], "name": [text], "site": [text]})
    path = write(tmp_path / "x.db", table_of((FIRST, text, 1.0), ids=pl.String), meta, [issue])
    assert ask(path, "SELECT device_id FROM time_series") == [(text,)]
    assert ask(path, "SELECT text FROM rejected") == [(text,)]
    assert ask(path, "SELECT id, value FROM meta_attributes") == [(text, text)]
    assert read_meta(path) == [(text, text)]


NUMBERS = [0.1, -0.0, 5e-324, 1.7976931348623157e308, -1 / 3, 2.0**53 + 1, None]


def test_numbers_stay_bit_for_bit(tmp_path: Path) -> None:
    path = write(tmp_path / "x.db", table_of(*((FIRST, 2**62 + 1, number) for number in NUMBERS)))
    stored = [value for (value,) in ask(path, "SELECT value FROM time_series")]
    # SQLite has one zero.
    assert [repr(value) for value in stored] == [repr(0.0 if value == 0 else value) for value in NUMBERS]
    assert ask(path, "SELECT DISTINCT device_id, typeof(device_id) FROM time_series") == [(2**62 + 1, "integer")]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to the size of a file")
def test_a_full_disk(tmp_path: Path) -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        "from datetime import date; from pathlib import Path; import polars as pl; from oddfleet.store import *;"
        "rows = pl.DataFrame({'date': [date(2020, 1, 1)], 'device_id': [7], 'value': [1.5]}).sample(30_000, "
        "with_replacement=True);"
        "write_database(Path('x.db'), [(rows, [])], pl.DataFrame({'id': [7], 'name': ['a']}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("oddfleet.errors.OutputError: x.db: a new SQLite file is to be written, got '")
    assert last.endswith("'; choose a folder that exists and has room")


def test_progress_ends_at_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ROWS_AT_ONCE", 2)
    rows = table_of(*((FIRST + timedelta(n), 7, float(n)) for n in range(5)))
    seen: list[int] = []
    write_database(tmp_path / "x.db", [(rows, [])], META, seen.append)
    assert seen == [2, 4, 5]
    assert ask(tmp_path / "x.db", "SELECT value FROM time_series") == [(0,), (1,), (2,), (3,), (4,)]


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()
    assert read_meta(write(tmp_path / "x.db", table_of((FIRST, 7, 1.0)))) == [(7, "a"), (8, None)]


@pytest.mark.parametrize("name", ["gone/x.db", "folder", "text.db", "old.db"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("not a database, but long enough to look into" * 20)
    write(tmp_path / "old.db", table_of((FIRST, 7, 1.0)))
    with pytest.raises(OutputError, match="a new SQLite file is to be written, got '") as caught:
        write(tmp_path / name, table_of((FIRST, 7, 1.0)))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("question", [answer_questions, read_meta])
def test_questions_to_no_database(tmp_path: Path, question: Any) -> None:
    with pytest.raises(InputError, match=r"gone\.db: a database written by oddfleet is needed"):
        question(tmp_path / "gone.db")
    assert not (tmp_path / "gone.db").exists()


def test_questions_to_an_empty_database(tmp_path: Path) -> None:
    path = write(tmp_path / "x.db", table_of())
    with pytest.raises(InputError, match="at least one row in time_series is needed"):
        answer_questions(path)


def test_a_path_with_signs_that_mean_something_in_a_uri(tmp_path: Path) -> None:
    path = write(tmp_path / "a?b#c%20 d.db", table_of((FIRST, 7, 1.0)))
    assert answer_questions(path).first_day_total_mb == 1.0


@pytest.mark.parametrize("name", [":memory:", "file:x.db?mode=memory", "'x';y.db", "ü 🐟.db"])
def test_a_name_that_means_something_to_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path(name), table_of((FIRST, 7, 1.0)))
    assert answer_questions(tmp_path / name).first_day_total_mb == 1.0


@pytest.mark.parametrize("height", [1, 49, 50, 51, 157])
def test_every_row_arrives_however_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, height: int) -> None:
    monkeypatch.setattr(database, "ROWS_AT_ONCE", 50)
    days = [FIRST + timedelta(days=day) for day in range(height)]
    rows = table_of(*((day, place % 3, place / 3 or None) for place, day in enumerate(days)))
    write_database(tmp_path / "it.db", [(rows, ())], META)
    stored = [(day.isoformat(), place % 3, "traffic_mb", place / 3 or None) for place, day in enumerate(days)]
    assert ask(tmp_path / "it.db", "SELECT * FROM time_series") == stored


def test_the_rows_of_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = date(2020, 1, 2)
    rows = table_of((second, 7, 1.5), (FIRST, 7, None), (FIRST, 70, 9.0), (second, 7, 2.5), (second, 3, 4.0))
    path = write(tmp_path / "x.db", rows)
    monkeypatch.setattr(database, "ROWS_A_LOOK", 2)
    told: list[tuple[int, int]] = []
    found = read_series(path, 7, lambda done, total: told.append((done, total)))
    assert found == [(second, 1.5), (FIRST, None), (second, 2.5)]
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert read_series(path, "7") == []
    assert read_devices(path, lambda done, total: told.append((done, total))) == [7, 70, 3]
    assert told[3:] == told[:3]
    assert read_devices(path) == [7, 70, 3]


def test_words_and_numbers_are_different_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "x.db", table_of((FIRST, "7", 1.5), ids=pl.String), META.cast({"id": pl.String}))
    assert read_series(path, "7") == [(FIRST, 1.5)]
    assert read_series(path, 7) == []
    assert read_devices(path) == ["7"]


def test_no_rows_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "x.db", table_of())
    assert read_series(path, 7) is None
    assert read_devices(path) == []


def test_a_date_that_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "x.db", table_of((FIRST, 7, 1.0)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE time_series SET date = 'soon'")
    with pytest.raises(InputError, match=r"x\.db: dates must be days such as 2020-01-31 in time_series, got others"):
        read_series(path, 7)
    with pytest.raises(InputError, match=r"y\.db: a database written by oddfleet is needed"):
        read_series(tmp_path / "y.db", 7)
