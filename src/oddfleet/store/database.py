"""Write the database of a run and ask it the standing questions; the SQL is in ``sql/``, one file a question."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
from adbc_driver_sqlite import dbapi

from oddfleet.errors import InputError, OutputError
from oddfleet.model import TOP_DEVICES, Answers, DataIssue, DeviceId, DeviceTotal

SERIES_TYPE = "traffic_mb"
_NO_JOURNAL = ("PRAGMA synchronous = OFF;", "PRAGMA journal_mode = OFF;")
ROWS_AT_ONCE = 50_000
"""How often ``progress`` is called: a twentieth of a second."""
ROWS_A_LOOK = 1_000_000
"""Rows that are looked through at a time when one device is looked for: a fraction of a second."""


def write_database(
    path: Path,
    parts: Iterable[tuple[pl.DataFrame, Sequence[DataIssue]]],
    meta: pl.DataFrame,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Create the database of a run.

    It is written without a journal, so a crash leaves half a file: write to a temporary name and rename.

    Args:
        path: a file that does not exist yet, or is empty.
        parts: rows, with columns ``date`` (Date), ``device_id`` (Int64 or String) and ``value`` (Float64, MB; null
            stays NULL), each part with what goes to the table ``rejected``.
        meta: columns ``id``, ``name`` and any further ones, which go to a table ``meta_attributes``.
        progress: called with the number of rows written.

    Raises:
        OutputError: when the file cannot be written or is a database already.
    """
    attributes = [name for name in meta.columns if name not in {"id", "name"}]
    schemas = ["schema", "schema_meta_attributes"] if attributes else ["schema"]
    try:
        with closing(sqlite3.connect(path.absolute())) as connection:
            for script in (*_NO_JOURNAL, *map(_sql, schemas)):
                connection.executescript(script)
        with _open_to_add(path) as add:
            add("meta", meta.select("id", "name"))
            for name in attributes:
                add("meta_attributes", meta.select("id", attribute=pl.lit(name), value=name))
            done = 0
            for rows, issues in parts:
                add("rejected", _rejected(issues))
                for some in rows.iter_slices(ROWS_AT_ONCE):
                    add("time_series", _as_stored(some))
                    done += some.height
                    if progress is not None:
                        progress(done)
    except (sqlite3.Error, dbapi.Error) as error:
        reason, *_ = str(error).split("\n")
        raise OutputError(
            f"{path}: a new SQLite file is to be written, got '{reason}'; choose a folder that exists and has room"
        ) from error


def answer_questions(path: Path, progress: Callable[[int, int], None] | None = None) -> Answers:
    """Ask the standing questions.

    Args:
        path: a database that ``write_database`` wrote.
        progress: called with (questions answered, questions in all).

    Returns:
        The traffic of all devices on the first day on record, and the five devices with the most
        traffic in all, ties in the order of their ids.

    Raises:
        InputError: when there is no such database, or no row in it.
    """
    told = progress or (lambda _done, _all: None)
    told(0, 2)
    with _open_to_read(path) as connection:
        first = connection.execute(_sql("first_day_total"), {"series_type": SERIES_TYPE}).fetchone()
        told(1, 2)
        top = connection.execute(_sql("top_devices"), {"series_type": SERIES_TYPE, "devices": TOP_DEVICES}).fetchall()
    told(2, 2)
    if first is None:
        raise InputError(f"{path}: at least one row in time_series is needed, got none; run it again on data")
    return Answers(date.fromisoformat(first[0]), first[1], tuple(DeviceTotal(*row) for row in top))


def read_meta(path: Path) -> list[tuple[DeviceId, str | None]]:
    """All records of the table ``meta``: (id, name), in the order of the meta file.

    Raises:
        InputError: when there is no database at ``path`` that ``write_database`` wrote.
    """
    with _open_to_read(path) as connection:
        return connection.execute(_sql("all_meta")).fetchall()


def read_series(
    path: Path, device_id: DeviceId, progress: Callable[[int, int], None] | None = None
) -> list[tuple[date, float | None]] | None:
    """The rows of one device, in the order of the record; None where no rows of any device were stored.

    Args:
        path: a database that ``write_database`` wrote.
        device_id: the device; a number is another than the same in words.
        progress: called with (rows looked at, rows in all).

    Returns:
        Date and value (MB, None = the line had an empty value) of each row.

    Raises:
        InputError: when there is no such database, or a date in it is none.
    """
    with _open_to_read(path) as connection:
        if connection.execute(_sql("last_row")).fetchone()[0] is None:
            return None
        rows = list(_each_part(connection, "device_rows", {"device_id": device_id}, progress))
    try:
        return [(date.fromisoformat(day), value) for day, value in rows]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}: dates must be days such as 2020-01-31 in time_series, got others ({error}); run it again"
        ) from error


def read_devices(path: Path, progress: Callable[[int, int], None] | None = None) -> list[DeviceId]:
    """The devices that have rows, each once, in the order of the record.

    Args:
        path: a database that ``write_database`` wrote.
        progress: called with (rows looked at, rows in all).

    Raises:
        InputError: when there is no such database.
    """
    with _open_to_read(path) as connection:
        return list(dict.fromkeys(device for (device,) in _each_part(connection, "all_devices", {}, progress)))


def _each_part(
    connection: sqlite3.Connection,
    question: str,
    facts: dict[str, DeviceId],
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[Any, ...]]:
    """The answers to a question that is put to one part of the rows after the other, so that one can tell how far."""
    last = connection.execute(_sql("last_row")).fetchone()[0] or 0
    for first in range(1, last + 1, ROWS_A_LOOK):
        end = min(first + ROWS_A_LOOK - 1, last)
        yield from connection.execute(
            _sql(question), {"series_type": SERIES_TYPE, "first": first, "last": end, **facts}
        )
        if progress is not None:
            progress(end, last)


@contextmanager
def _open_to_add(path: Path) -> Iterator[Callable[[str, pl.DataFrame], None]]:
    """What adds the rows of a frame to a table, column by column of the same name.

    By ADBC, which turns none of them into objects of Python, and so stores beside a thread that computes. It brings a
    SQLite of its own, and neither knows of the other's locks: no connection of ``sqlite3`` may be open meanwhile.
    """
    with dbapi.connect(str(path.absolute()), autocommit=True) as connection, connection.cursor() as cursor:
        for setting in _NO_JOURNAL:
            cursor.execute(setting)

        def add(table: str, rows: pl.DataFrame) -> None:
            if rows.height:
                cursor.adbc_ingest(table, rows, mode="append")

        yield add


def _as_stored(rows: pl.DataFrame) -> pl.DataFrame:
    day = pl.col("date").dt.to_string("%Y-%m-%d")
    return rows.select(day, "device_id", series_type=pl.lit(SERIES_TYPE), value="value")


def _rejected(issues: Sequence[DataIssue]) -> pl.DataFrame:
    rows = [(issue.file, issue.line, issue.text, issue.reason) for issue in issues]
    schema = {"file": pl.String, "line": pl.Int64, "text": pl.String, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


@contextmanager
def _open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise InputError(
            f"{path}: a database written by oddfleet is needed, got '{error}'; run oddfleet to write one"
        ) from error


@cache
def _sql(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files("oddfleet.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
