"""One long table, a row an observation: a CSV or Parquet file with columns date, device_id and value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.exact import text_of
from oddfleet.ingest.ids import with_ids
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal
from oddfleet.ingest.lines import Entry
from oddfleet.ingest.pieces import pieces_of, read_pieces
from oddfleet.ingest.source import Source, from_blocks

ROWS_AT_ONCE = 1 << 17
"""Rows that are text at a time."""

_COLUMNS = ("date", "device_id", "value")
_NEEDED = "a table with the columns date, device_id and value is needed"
_TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


def read_table(file: Path, progress: Callable[[int, int], None] | None) -> Source:
    """Read a long table; without names, for it has no meta file.

    Args:
        file: a ``.csv``, ``.tsv`` or ``.txt`` file with a header, also packed as ``.gz``, or a ``.parquet`` file;
            further columns are passed over. In the issues of a Parquet file ``line`` is the number of the row, the
            first being 1.
        progress: called with (bytes or rows done, all of them) as they are done.

    Raises:
        InputError: when the file is no such table, or holds no line that can be read.
    """
    name = file.name.lower()
    if not name.endswith((*_TEXTS, ".parquet")):
        raise InputError(
            f"{file}: a folder, a .zip, a .csv or a .parquet file is needed, got '{file.suffix}'; convert it"
        )
    try:
        blocks = list(_blocks(file, progress))
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: {_NEEDED}, got a file that cannot be read ({reason}); write it anew") from error
    source = from_blocks(blocks, file)
    return replace(source, unread=tuple(issue for issue in source.issues if issue.line == 0))


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
        if place == 0 and piece.is_about_the_file and isinstance(piece.plan, Refusal):
            raise InputError(f"{file}: {_NEEDED}, got one of which {piece.plan.reason}; write it anew")
        if place == 0 and (isinstance(piece.plan, Refusal) or piece.first_line == 1):
            header = text_of(piece.body.split(b"\n", 1)[0]).strip()
            raise InputError(f"{file}:1: {_NEEDED}, got the header {quote(header)}; rename or add columns")
        yield piece


def _parquet_pieces(file: Path) -> Iterator[Piece]:
    """The rows as CSV text, so that whatever types the columns have, one reader judges them."""
    names = list(pl.read_parquet_schema(file))
    if not set(_COLUMNS) <= set(names):
        raise InputError(f"{file}: {_NEEDED}, got {', '.join(names)}; rename or add columns")
    table = pl.read_parquet(file, columns=list(_COLUMNS)).select(_COLUMNS)
    if table.schema["value"].is_float():
        table = table.with_columns(pl.col("value").fill_nan(None))  # how pandas writes an empty value
    # One row, one line: an end of line in a cell is written out.
    table = table.with_columns(pl.col(pl.String).str.replace_all("[\\r\\n]", "\\\\n"))
    layout = Layout(width=3, date=0, value=2, device_id=1, value_name="value")
    for start in range(0, table.height, ROWS_AT_ONCE):
        rows = table.slice(start, ROWS_AT_ONCE)
        text = rows.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f")
        yield Piece(file, start + 1, text.encode(), layout)
