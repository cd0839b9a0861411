"""Whatever rows a fleet has, they come out of the database as they went into the CSV files."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from oddfleet.ingest import read_source, to_fleet
from oddfleet.store import read_meta, write_database

Line = tuple[date, float | None]

LINES = st.lists(
    st.tuples(
        st.dates(date(1990, 1, 1), date(2089, 12, 31)), st.none() | st.floats(allow_nan=False, allow_infinity=False)
    ),
    min_size=1,
    max_size=8,
).flatmap(lambda lines: st.just(lines) | st.just([*lines, *lines[:2]]))
FLEETS = st.dictionaries(st.integers(0, 10**12), LINES, min_size=1, max_size=4)
NAMES = st.dictionaries(st.integers(0, 10**12), st.none() | st.text(max_size=8), max_size=4)


def write_folder(folder: Path, fleet: dict[int, list[Line]], newline: str) -> None:
    for device, lines in fleet.items():
        text = [f"{day},{'' if value is None else repr(value)}" for day, value in lines]
        (folder / f"iot_{device}.csv").write_bytes(newline.join(["date,traffic", *text, ""]).encode())


@given(fleet=FLEETS, newline=st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=60)
def test_rows_in_rows_out(fleet: dict[int, list[Line]], newline: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "x.db"
        write_folder(folder, fleet, newline)
        source = read_source(folder)
        write_database(path, source.parts(), source.meta)
        with closing(sqlite3.connect(path)) as connection:
            stored = connection.execute("SELECT device_id, date, value FROM time_series ORDER BY rowid").fetchall()
    expected = [(device, str(day), value) for device in sorted(fleet) for day, value in fleet[device]]
    assert stored == expected
    assert source.issues == ()
    assert source.lines_read == len(expected)
    assert source.rows.rows() == [(date.fromisoformat(day), device, value) for device, day, value in expected]


@given(fleet=FLEETS, names=NAMES)
@settings(max_examples=30)
def test_names_in_names_out(fleet: dict[int, list[Line]], names: dict[int, str | None]) -> None:
    known = {**names, min(fleet): "the first"}
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "x.db"
        write_folder(folder, fleet, "\n")
        entries = [{"id": device, "name": text} for device, text in known.items()]
        (folder / "device_meta.txt").write_text(json.dumps(entries))
        source = read_source(folder)
        write_database(path, source.parts(), source.meta)
        assert read_meta(path) == list(known.items())
    assert to_fleet(source).names == tuple(known.get(device) for device in sorted(fleet))


@given(rubbish=st.dictionaries(st.integers(1, 50), st.binary(max_size=80), max_size=4))
@settings(max_examples=100)
def test_whatever_stands_in_the_files_no_line_is_lost(rubbish: dict[int, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_folder(folder, {99: [(date(2020, 1, 1), 1.0)]}, "\n")
        for device, content in rubbish.items():
            (folder / f"iot_{device}.csv").write_bytes(b"date,traffic\n" + content)
        source = read_source(folder)
        write_database(folder / "x.db", source.parts(), source.meta)
    met = sum(
        1 for content in rubbish.values() for line in content.splitlines() if line.decode(errors="ignore").strip()
    )
    rejected = [issue for issue in source.issues if issue.line > 0]
    assert source.rows.height + len(rejected) == source.lines_read
    assert source.lines_read >= met + 1
