"""A Parquet file with columns date, device_id and value: which of its columns these are, and stretches of its rows."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import polars.selectors as cs

from oddfleet.errors import InputError
from oddfleet.ingest.dialect import known_header
from oddfleet.ingest.exact import EARLIEST, LATEST, read_exactly
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.layout import Layout, Piece, Refusal
from oddfleet.model import DataIssue

COLUMNS = ("date", "device_id", "value")
NEEDED = "a table with the columns date, device_id and value is needed"
ENDING = ".parquet"
PLAN = Layout(width=3, date=0, value=2, device_id=1, value_name="value")
"""The rows as lines of text, for what only the reader of lines can judge."""
_LONGEST_NUMBER = 10**18
_CALENDAR = (-719_162, 2_932_896)
"""The first day of the year 1 and the last of 9999, counted from 1970-01-01."""


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet file.

    Attributes:
        path: the file.
        names: its columns that are the date, the device and the value.
        rows: number of rows.
        stamp: size and time of change when it was opened.
    """

    path: Path
    names: tuple[str, str, str]
    rows: int
    stamp: tuple[int, int]

    def read(self, start: int = 0, rows: int | None = None, *columns: str) -> pl.DataFrame:
        """Some of its rows, of whatever types, under our names; of all three columns or of some."""
        wanted = columns or COLUMNS
        ours = [pl.col(old).alias(new) for new, old in zip(COLUMNS, self.names, strict=True) if new in wanted]
        return _scan(self.path).slice(start, rows).select(ours).collect()


def open_parquet(path: Path) -> ParquetFile:
    """Look at the columns of a file.

    Raises:
        InputError: when they cannot be told.
    """
    names = _scan(path).collect_schema().names()
    line = io.StringIO()
    csv.writer(line).writerow(names)
    found = known_header(line.getvalue().strip(), with_device=True)
    if not isinstance(found, Layout) or found.device_id is None:
        got = f"one of which {found.reason}" if isinstance(found, Refusal) else ", ".join(names)
        raise InputError(f"{path}: {NEEDED}, got {got}; rename or add columns")
    rows = int(_scan(path).select(pl.len()).collect().item())
    return ParquetFile(path, (names[found.date], names[found.device_id], names[found.value]), rows, stamp_of(path))


def _scan(path: Path) -> pl.LazyFrame:
    """This file, whatever is in its name: a star is a star, and ``a=1`` is no column."""
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of change of a file: with another one it is another file."""
    told = path.stat()
    return told.st_size, told.st_mtime_ns


def as_text(rows: pl.DataFrame) -> bytes:
    """Rows as lines of CSV, one each, so that whatever types the columns have, one reader judges them."""
    # How pandas writes an empty cell; and an end of line in one is written out, for one row is one line.
    plain = rows.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None), cs.categorical().cast(pl.String))
    plain = plain.with_columns(pl.col(pl.String).str.replace_all("[\r\n]", r"\n"))
    # Polars cannot write days beyond the calendar.
    day = pl.col(pl.Date)
    plain = plain.with_columns(pl.when(day.to_physical().is_between(*_CALENDAR)).then(day))
    return plain.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f").encode()


def typed(rows: pl.DataFrame) -> pl.DataFrame | None:
    """Rows with days (Date), ids (Int64 or String) and numbers (Float64, NaN as null), as the reader of lines has them.

    None where a column has another type, such as days as text or times of day: then each row must be read as a line.
    """
    date, ids, value = (rows[name] for name in COLUMNS)
    if isinstance(date.dtype, pl.Datetime):
        day = date.dt.date()
        if (day.cast(date.dtype) != date.dt.replace_time_zone(None).cast(date.dtype)).any():
            return None
        date = day
    if date.dtype != pl.Date or not (value.dtype.is_integer() or value.dtype.is_float()):
        return None
    if ids.dtype.is_integer():
        ids = ids.cast(pl.Int64, strict=False)
        if ids.null_count() > rows["device_id"].null_count() or (ids.abs() >= _LONGEST_NUMBER).any():
            return None
    elif isinstance(ids.dtype, pl.Categorical | pl.Enum | pl.String):
        ids = _as_read(ids.cast(pl.String))
    else:
        return None
    return pl.DataFrame([date.alias("date"), ids.alias("device_id"), as_numbers(value).fill_nan(None).alias("value")])


def as_numbers(value: pl.Series) -> pl.Series:
    """Whole numbers or floats as Float64; those of 32 bits as they read: 96.4, not what is nearest to it in 32 bits."""
    return (value.cast(pl.String) if value.dtype == pl.Float32 else value).cast(pl.Float64)


def _as_read(ids: pl.Series) -> pl.Series:
    """Ids (String) as the reader of lines has them; null where it would not take one."""
    texts = ids.unique().drop_nulls().to_list()
    stripped = {text: text.replace("\r", r"\n").replace("\n", r"\n").strip() for text in texts}
    taken = {text: str(device_id(plain)) for text, plain in stripped.items() if plain and plain.isprintable()}
    return ids.replace_strict(taken, default=None, return_dtype=pl.String)


def doubtful(rows: pl.DataFrame) -> pl.Series:
    """Which typed rows only the reader of lines can judge: days and devices that are none, and endless numbers."""
    return rows.select(
        ~pl.col("date").is_between(EARLIEST, LATEST).fill_null(value=False)
        | pl.col("device_id").is_null()
        | pl.col("value").is_infinite().fill_null(value=False)
    ).to_series()


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What could be taken of some rows of a file; ``rows.height`` and the issues add up to their number.

    Attributes:
        rows: columns ``date`` (Date), ``device_id`` (Int64 or String) and ``value`` (Float64; null = none).
        invalid: columns ``date`` and ``device_id`` of each row whose value alone cannot be used.
        issues: one for each row that cannot be used.
    """

    rows: pl.DataFrame
    invalid: pl.DataFrame
    issues: tuple[DataIssue, ...] = ()

    def observed(self) -> pl.DataFrame:
        """The rows, and the invalid ones without a value."""
        if not self.invalid.height:
            return self.rows
        nulls = self.invalid.with_columns(value=pl.lit(None, pl.Float64)).cast(self.rows.schema)
        return pl.concat([self.rows, nulls])


def take(file: ParquetFile, start: int, rows: pl.DataFrame) -> Taken | None:
    """Take some rows of a file.

    Args:
        file: the file.
        start: place of the first of them in it.
        rows: the rows as they stand.

    Returns:
        None where they are of types that must be read as lines.
    """
    table = typed(rows)
    if table is None:
        return None
    doubt = doubtful(table)
    if not doubt.any():
        return Taken(table, table.clear().select("date", "device_id"))
    places = doubt.arg_true()
    lines = as_text(rows[places]).splitlines(keepends=True)
    blocks = [
        read_exactly(Piece(file.path, start + place + 1, line, PLAN))
        for place, line in zip(places.to_list(), lines, strict=True)
    ]
    invalid = pl.concat([block.invalid for block in blocks]).cast({"device_id": table.schema["device_id"]})
    if table.schema["device_id"] == pl.String:
        invalid = invalid.with_columns(_as_read(invalid["device_id"]))
    return Taken(table.filter(~doubt), invalid, tuple(issue for block in blocks for issue in block.issues))
