"""One long table, a row an observation: a CSV or Parquet file with columns date, device_id and value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.issues import quote
from oddfleet.ingest.layout import Layout, Piece, count_line_ends, header_layout
from oddfleet.ingest.pieces import read_pieces
from oddfleet.ingest.source import Source, from_blocks

BYTES_AT_ONCE = 1 << 22
ROWS_AT_ONCE = 1 << 17
"""What is held as text at a time; a bad line sends only its own stretch through the slow reader."""

_COLUMNS = ("date", "device_id", "value")
_NEEDED = "a table with the columns date, device_id and value is needed"


def read_table(file: Path, progress: Callable[[int, int], None] | None) -> Source:
    """Read a long table; without names, for it has no meta file.

    Args:
        file: a ``.csv`` file with a header, or a ``.parquet`` file; further columns are passed over. In the
            issues of a Parquet file ``line`` is the number of the row, the first being 1.
        progress: called with (1, 1) when it is done.

    Raises:
        InputError: when the file is no such table, or holds no line that can be read.
    """
    pieces = _PIECES_OF.get(file.suffix.lower())
    if pieces is None:
        raise InputError(f"{file}: a folder, a .csv or a .parquet file is needed, got '{file.suffix}'; convert it")
    try:
        blocks = [block for piece in pieces(file) for block in read_pieces([piece])]
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: {_NEEDED}, got a file that cannot be read ({reason}); write it anew") from error
    if progress is not None:
        progress(1, 1)
    return from_blocks(blocks, file)


def _csv_pieces(file: Path) -> Iterator[Piece]:
    """Stretches of whole lines, so that a file need not fit into memory as text."""
    with file.open("rb") as stream:
        header = stream.readline().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "backslashreplace")
        layout = header_layout(header, "value", with_device=True)
        if layout is None:
            raise InputError(f"{file}:1: {_NEEDED}, got the header {quote(header.strip())}; rename or add columns")
        line = 2
        while body := stream.read(BYTES_AT_ONCE):
            body += stream.readline()
            yield Piece(file, line, body, layout)
            line += count_line_ends(body)


def _parquet_pieces(file: Path) -> Iterator[Piece]:
    """The rows as CSV text, so that whatever types the columns have, one reader judges them."""
    names = list(pl.read_parquet_schema(file))
    if not set(_COLUMNS) <= set(names):
        raise InputError(f"{file}: {_NEEDED}, got {', '.join(names)}; rename or add columns")
    table = pl.read_parquet(file, columns=list(_COLUMNS)).select(_COLUMNS)
    if table.schema["value"].is_float():
        table = table.with_columns(pl.col("value").fill_nan(None))  # how pandas writes an empty value
    layout = Layout(width=3, date=0, value=2, device_id=1, value_name="value")
    for start in range(0, table.height, ROWS_AT_ONCE):
        rows = table.slice(start, ROWS_AT_ONCE)
        text = rows.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f")
        yield Piece(file, start + 1, text.encode(), layout)


_PIECES_OF: dict[str, Callable[[Path], Iterator[Piece]]] = {".csv": _csv_pieces, ".parquet": _parquet_pieces}
