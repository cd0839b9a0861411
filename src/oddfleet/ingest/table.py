"""One long table, a row an observation: a CSV or Parquet file with columns date, device_id and value."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl
import polars.selectors as cs

from oddfleet.errors import InputError
from oddfleet.ingest.dialect import known_header, settled
from oddfleet.ingest.ids import with_ids
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal
from oddfleet.ingest.lines import Entry, Stretch
from oddfleet.ingest.listing import TABLES
from oddfleet.ingest.pieces import pieces_of, read_pieces
from oddfleet.ingest.roster import read_roster, with_roster
from oddfleet.ingest.source import Source, from_blocks

ROWS_AT_ONCE = 1 << 17
"""Rows that are text at a time."""

_COLUMNS = ("date", "device_id", "value")
_NEEDED = "a table with the columns date, device_id and value is needed"
_TEXTS = (*TABLES, *(f"{ending}.gz" for ending in TABLES))


def read_table(file: Path, progress: Callable[[int, int], None] | None) -> Source:
    """Read a long table; without names, but for a Parquet file that tells them in its metadata.

    Args:
        file: a ``.csv``, ``.tsv`` or ``.txt`` file with a header, also packed as ``.gz``, or a ``.parquet`` file;
            further columns are passed over. In the issues of a Parquet file ``line`` is the number of the row, the
            first being 1.
        progress: called with (bytes or rows done, all of them) as they are done.

    Raises:
        InputError: when the file is no such table, holds no line that can be read, or its metadata is broken.
    """
    name = file.name.lower()
    if not name.endswith((*_TEXTS, ".parquet")):
        raise InputError(
            f"{file}: a folder, a .zip, a .csv or a .parquet file is needed, got '{file.suffix}'; convert it"
        )
    try:
        roster = read_roster(file) if name.endswith(".parquet") else None
        blocks = list(_blocks(file, progress))
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: {_NEEDED}, got a file that cannot be read ({reason}); write it anew") from error
    source = from_blocks(blocks, file)
    source = replace(source, unread=tuple(issue for issue in source.issues if issue.line == 0))
    return source if roster is None else with_roster(source, file, roster)


def _blocks(file: Path, progress: Callable[[int, int], None] | None) -> Iterator[Block]:
    total, done = max(file.stat().st_size, 1), 0
    for piece in _parquet_pieces(file) if file.suffix.lower() == ".parquet" else _text_pieces(file):
        yield _read(piece)
        # Of a packed file the text is longer than the file: then the end comes a little late.
        done += len(piece.body)
        if progress is not None:
            progress(min(done, total - 1), total)
    if progress is not None:
        progress(total, total)


def _read(piece: Piece) -> Block:
    block = read_pieces([piece])[0]
    # As numbers where they are, so that a long table of them stays small.
    return replace(block, rows=_with_device(block.rows), invalid=_with_device(block.invalid))


def _with_device(rows: pl.DataFrame) -> pl.DataFrame:
    if "device_id" not in rows.columns:
        rows = rows.with_columns(device_id=pl.lit(None, pl.String))
    values = ["value"] if "value" in rows.columns else []
    return with_ids(rows.select("date", "device_id", *values))


def _text_pieces(file: Path) -> Iterator[Piece]:
    """Stretches of whole lines, so that a file need not fit into memory as text.

    Raises:
        InputError: when the file begins with no header that names the three columns.
    """
    for place, piece in enumerate(pieces_of(Entry(file), with_device=True)):
        if place == 0 and isinstance(piece.plan, Refusal):
            if piece.plan.header is None:
                raise InputError(f"{file}: {_NEEDED}, got one of which {piece.plan.reason}; write it anew")
            header = quote(piece.plan.header.strip())
            raise InputError(f"{file}:{piece.first_line}: {_NEEDED}, got the header {header}; rename or add columns")
        if place == 0 and piece.first_line == 1:
            raise InputError(f"{file}: {_NEEDED}, got an empty file; write it anew")
        yield piece


def _parquet_pieces(file: Path) -> Iterator[Piece]:
    """The rows as CSV text, so that whatever types the columns have, one reader judges them."""
    table = _parquet_columns(file)
    plan = Layout(width=3, date=0, value=2, device_id=1, value_name="value")

    def stretches() -> Iterator[Stretch]:
        for start in range(0, table.height, ROWS_AT_ONCE):
            rows = table.slice(start, ROWS_AT_ONCE)
            text = rows.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f")
            yield Stretch(start + 1, text.encode())

    @cache
    def settle() -> Layout:
        return settled(plan, stretches())

    for stretch in stretches():
        yield Piece(file, stretch.first_line, stretch.body, plan, settle=settle)


def _parquet_columns(file: Path) -> pl.DataFrame:
    """The three columns, under our names.

    Raises:
        InputError: when they cannot be told.
    """
    names = list(pl.read_parquet_schema(file))
    line = io.StringIO()
    csv.writer(line).writerow(names)
    found = known_header(line.getvalue().strip(), with_device=True)
    if not isinstance(found, Layout) or found.device_id is None:
        got = f"one of which {found.reason}" if isinstance(found, Refusal) else ", ".join(names)
        raise InputError(f"{file}: {_NEEDED}, got {got}; rename or add columns")
    ours = dict(zip(_COLUMNS, (names[found.date], names[found.device_id], names[found.value]), strict=True))
    table = pl.read_parquet(file, columns=list(ours.values())).select(**{new: pl.col(old) for new, old in ours.items()})
    # How pandas writes an empty cell; and an end of line in one is written out, for one row is one line.
    table = table.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None), cs.categorical().cast(pl.String))
    return table.with_columns(pl.col(pl.String).str.replace_all("[\r\n]", r"\n"))
