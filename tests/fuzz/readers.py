"""What must hold of any bytes at all in a device file, in a long table, and in a meta file."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from oddfleet.errors import OddfleetError
from oddfleet.ingest import Source, read_source, to_fleet
from oddfleet.store import write_database

_GOOD = "date,traffic\n2020-01-01,1\n2020-01-02,2\n"
_NAMES = ("iot_2.csv", "iot_2.tsv", "iot_2.csv.gz", "device-0002.txt")


def read_folder(content: bytes) -> None:
    """A device file beside a good one; the first byte chooses its name."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "iot_1.csv").write_text(_GOOD)
        (folder / _NAMES[content[0] % len(_NAMES) if content else 0]).write_bytes(content[1:])
        source = read_source(folder)
        _check(source, folder)
        assert source.rows["device_id"].to_list().count(1) == 2


def read_table(content: bytes) -> None:
    """A long table; an error in one line is an answer."""
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "long.csv"
        file.write_bytes(content)
        try:
            source = read_source(file)
        except OddfleetError as error:
            _check_error(error, file)
            return
        _check(source, Path(home))


def read_meta(content: bytes) -> None:
    """A meta file beside a good device file; the first byte chooses its ending."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "iot_1.csv").write_text(_GOOD)
        (
            folder / ("device_meta.txt", "names.json", "devices.csv", "meta.jsonl")[content[0] % 4 if content else 0]
        ).write_bytes(content[1:])
        try:
            source = read_source(folder)
        except OddfleetError as error:
            _check_error(error, folder)
            return
        _check(source, folder)
        assert source.meta["id"].n_unique() == source.meta.height


READERS: dict[str, Callable[[bytes], None]] = {"folder": read_folder, "table": read_table, "meta": read_meta}


def _check(source: Source, folder: Path) -> None:
    """Every line is a row or rejected, once; and both fit into the database and, the rows, into a fleet."""
    lines = [(issue.file, issue.line) for issue in source.issues if issue.line > 0]
    assert source.rows.height + len(lines) == source.lines_read
    assert len(set(lines)) == len(lines)
    assert source.rows["value"].is_finite().all()
    assert all(issue.reason and "\n" not in issue.reason and len(issue.text) <= 200 for issue in source.issues)
    write_database(folder / "x.db", source.parts(), source.meta)
    with closing(sqlite3.connect(folder / "x.db")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM time_series").fetchone() == (source.rows.height,)
        assert connection.execute("SELECT COUNT(*) FROM rejected WHERE line > 0").fetchone() == (len(lines),)
    days = source.rows["date"]
    if (days.max() - days.min()).days < 3000:  # type: ignore[operator,union-attr]
        to_fleet(source)


def _check_error(error: OddfleetError, place: Path) -> None:
    assert str(place) in str(error)
    assert "\n" not in str(error)
    assert "; " in str(error)
