"""Beside a run: readers of the last results go on, a user's own files stay; and the same again gives the same."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.functional.outputs import DOCUMENTS, Home, broken, job, oddfleet, shape, state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and /proc")
ALL_ROWS = "SELECT rowid, * FROM time_series ORDER BY rowid"
OWN_FILES = (
    "notes.txt", ".hidden", "my_sqlite.db.bak", "oddities-2019.json", "2019/oddities.json", ".oddfleet-notes.txt",
    "plots/mine.png", "plots/9.png", "plots/old/8.png", "plots/notes.txt",
)  # fmt: skip
LEAVES_A_LOG = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.argv[2:]:
    connection.execute(line)
os._exit(0)
"""
"""A program that dies with the database open: what it wrote stays in a log beside it."""


def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute(ALL_ROWS).fetchall()


def test_a_reader_sees_the_old_rows_and_the_next_reader_the_new(home: Home, tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    with closing(sqlite3.connect(out / "my_sqlite.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = rows(reader)
        ended = oddfleet(home, "after", out, "--quiet")
        assert (ended.status, ended.stderr) == (0, "")
        assert rows(reader) == before
        with closing(sqlite3.connect(out / "my_sqlite.db")) as next_reader:
            assert rows(next_reader) != before
    assert home.whose(out) == "new"


def test_a_program_that_locks_the_database_stops_no_run(home: Home, tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    with closing(sqlite3.connect(out / "my_sqlite.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        (ended,) = broken([job(home, "none", out)])
    assert (ended.status, ended.stderr, home.whose(out)) == (0, "", "new")


@pytest.mark.parametrize(
    "lines",
    [
        ("PRAGMA journal_mode = WAL", "UPDATE time_series SET value = -1"),
        ("PRAGMA cache_size = 1", "BEGIN", "UPDATE time_series SET value = -1", "DELETE FROM time_series"),
    ],
    ids=["write-ahead log", "rollback journal"],
)
def test_the_log_of_a_program_that_wrote_to_the_old_database(
    home: Home, tmp_path: Path, lines: tuple[str, ...]
) -> None:
    home.plain_copy(tmp_path / "plain")
    for out in (*home.copies(tmp_path, ["linked"]), tmp_path / "plain"):
        subprocess.run([sys.executable, "-c", LEAVES_A_LOG, out / "my_sqlite.db", *lines], check=True, timeout=60)
        assert len(list(out.rglob("my_sqlite.db-*"))) > 0
        (ended,) = broken([job(home, "none", out)])
        assert (ended.status, ended.stderr) == (0, "")
        assert home.whose(out) == "new"
        assert list(out.rglob("my_sqlite.db-*")) == []


def test_the_same_again_is_the_same(home: Home, tmp_path: Path) -> None:
    (over,) = home.copies(tmp_path, ["over"])
    ends = broken([job(home, "none", over, data="before"), job(home, "none", tmp_path / "afresh", data="before")])
    assert [ended.status for ended in ends] == [0, 0]
    for out in (over, tmp_path / "afresh"):
        for name in DOCUMENTS:
            assert (out / name).read_bytes() == (home.template / name).read_bytes()
        assert state(out) == home.old
        assert shape(out) == shape(home.template)


def test_a_users_own_files_are_left_alone(home: Home, changes: list[str], tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    for name in OWN_FILES:
        (out / name).parent.mkdir(exist_ok=True, parents=True)
        (out / name).write_text(f"{name} is mine\n", encoding="utf-8")
    own = {name: (out / name).read_text(encoding="utf-8") for name in OWN_FILES}
    for mode, at in (("kill", len(changes) // 2), ("refuse", len(changes) // 2), ("none", 0)):
        broken([job(home, mode, out, at)])
        assert {name: (out / name).read_text(encoding="utf-8") for name in OWN_FILES} == own
    assert home.whose(out) == "new"
