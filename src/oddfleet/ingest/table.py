"""One long table, a row an observation: a CSV or Parquet file with columns date, device_id and value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.dialect import settled
from oddfleet.ingest.folder import Beside, meta_beside
from oddfleet.ingest.ids import with_ids
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal
from oddfleet.ingest.lines import Entry, Stretch
from oddfleet.ingest.listing import TABLES
from oddfleet.ingest.parquet import ENDING, NEEDED, PLAN, as_text, open_parquet
from oddfleet.ingest.pieces import pieces_of, read_pieces
from oddfleet.ingest.roster import read_roster, with_roster
from oddfleet.ingest.source import Source, from_blocks, with_meta

ROWS_AT_ONCE = 1 << 17
"""Rows that are text at a time."""

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
    if not name.endswith((*_TEXTS, ENDING)):
        raise InputError(
            f"{file}: a folder, a .zip, a .csv or a .parquet file is needed, got '{file.suffix}'; convert it"
        )
    source = from_blocks(_read_blocks(file, progress), file)
    roster = read_roster(file) if name.endswith(ENDING) else None
    source = replace(source, unread=tuple(issue for issue in source.issues if issue.line == 0))
    return source if roster is None else with_roster(source, file, roster)


def read_tables(
    folder: Path, files: Sequence[Path], beside: Beside, progress: Callable[[int, int], None] | None
) -> Source:
    """Read a folder of Parquet tables, and the meta file beside them.

    Args:
        folder: where they are.
        files: the tables.
        beside: the other files.
        progress: called with (files done, files in all).

    Raises:
        InputError: as ``read_table``, and when the meta file is broken.
    """
    blocks: list[Block] = []
    for place, file in enumerate(files):
        if progress is not None:
            progress(place, len(files))
        blocks += _read_blocks(file, None)
    if progress is not None:
        progress(len(files), len(files))
    source = from_blocks(blocks, folder)
    source = replace(source, unread=tuple(issue for issue in source.issues if issue.line == 0))
    return with_meta(source, meta_beside(beside, source.rows["device_id"].unique()))


def _read_blocks(file: Path, progress: Callable[[int, int], None] | None) -> list[Block]:
    try:
        return list(_blocks(file, progress))
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: {NEEDED}, got a file that cannot be read ({reason}); write it anew") from error


def _blocks(file: Path, progress: Callable[[int, int], None] | None) -> Iterator[Block]:
    total, done = max(file.stat().st_size, 1), 0
    if progress is not None:
        progress(done, total)
    for piece in _parquet_pieces(file) if file.suffix.lower() == ENDING else _text_pieces(file):
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
                raise InputError(f"{file}: {NEEDED}, got one of which {piece.plan.reason}; write it anew")
            header = quote(piece.plan.header.strip())
            raise InputError(f"{file}:{piece.first_line}: {NEEDED}, got the header {header}; rename or add columns")
        if place == 0 and piece.first_line == 1:
            raise InputError(f"{file}: {NEEDED}, got an empty file; write it anew")
        yield piece


def _parquet_pieces(file: Path) -> Iterator[Piece]:
    """The rows as CSV text, so that whatever types the columns have, one reader judges them."""
    table = open_parquet(file).read()

    def stretches() -> Iterator[Stretch]:
        for start in range(0, table.height, ROWS_AT_ONCE):
            yield Stretch(start + 1, as_text(table.slice(start, ROWS_AT_ONCE)))

    @cache
    def settle() -> Layout:
        return settled(PLAN, stretches())

    for stretch in stretches():
        yield Piece(file, stretch.first_line, stretch.body, PLAN, settle=settle)
