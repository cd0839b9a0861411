"""Rows -> CSV in any dialect -> database -> rows: whatever a collector chooses, the same rows come out."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from oddfleet.ingest import read_source
from oddfleet.store import write_database

Row = tuple[date, float | None]


@dataclass(frozen=True)
class Dialect:
    """How a collector writes."""

    separator: str
    header: str
    day: str
    decimal: str
    end: str
    coding: str
    quoted: bool
    last_end: bool
    packed: bool

    def text(self, rows: list[Row]) -> bytes:
        """The rows as a file."""
        lines = [self.header.replace("|", self.separator)] if self.header else []
        for day, value in rows:
            number = "" if value is None else repr(value).replace(".", self.decimal)
            fields = [day.strftime(self.day), number]
            lines.append(self.separator.join(f'"{field}"' if self.quoted else field for field in fields))
        text = self.end.join(lines) + (self.end if self.last_end else "")
        content = text.encode(self.coding)
        return gzip.compress(content, mtime=0) if self.packed else content


DIALECTS = st.builds(
    Dialect,
    separator=st.sampled_from([",", ";", "\t"]),
    header=st.sampled_from(["date|traffic", "Date|Traffic (MB)", "timestamp|value", "Day|Volume", ""]),
    day=st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT00:00:00Z", "%Y-%m-%d 06:30", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"]),
    decimal=st.just("."),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    coding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoted=st.booleans(),
    last_end=st.booleans(),
    packed=st.booleans(),
).flatmap(
    # A comma cannot be both.
    lambda dialect: st.sampled_from([".", ","]).map(
        lambda mark: dialect if dialect.separator == "," else Dialect(**{**dialect.__dict__, "decimal": mark})
    )
)
# The thirteenth and later days of a month prove the order; a number with a fraction proves the decimal mark.
PROOF: list[Row] = [(date(2020, 1, 31), 0.5)]
ROWS = st.lists(
    st.tuples(
        st.integers(0, 700).map(lambda days: date(2020, 1, 1) + timedelta(days)),
        st.none() | st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 3)),
    ),
    max_size=6,
)


@given(dialect=DIALECTS, rows=ROWS)
@settings(max_examples=150)
def test_rows_in_rows_out_in_any_dialect(dialect: Dialect, rows: list[Row]) -> None:
    written = PROOF + rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ("iot_7.csv.gz" if dialect.packed else "iot_7.csv")).write_bytes(dialect.text(written))
        source = read_source(folder)
        write_database(folder / "x.db", source.parts(), source.meta)
        with closing(sqlite3.connect(folder / "x.db")) as connection:
            stored = connection.execute("SELECT date, value FROM time_series ORDER BY rowid").fetchall()
    assert source.issues == ()
    assert stored == [(str(day), value) for day, value in written]
    assert source.lines_read == len(written)
