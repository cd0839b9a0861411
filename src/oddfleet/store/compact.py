"""A fleet in one Parquet file that is read again as the same fleet, and what could not be used beside it, as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from oddfleet.errors import OutputError
from oddfleet.model import ROSTER_KEY, DataIssue, DeviceId, Roster

ROWS_A_GROUP = 1 << 20
"""Rows that a reader has to hold at least; a group tells the least and the greatest device in it."""
REJECTED_COLUMNS = ("file", "line", "text", "reason")


def write_parquet(  # noqa: PLR0913, PLR0917  (what a fleet is made of, where to, and who is told)
    path: Path,
    rows: pl.DataFrame,
    invalid: pl.DataFrame,
    meta: pl.DataFrame,
    silent: Sequence[DeviceId],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a fleet, its rows by device (numbers by size, then words) and then by day; those of one day as they came.

    The same fleet gives the same bytes. A crash leaves half a file: write to a temporary name and rename.

    Args:
        path: a file that does not exist yet.
        rows: columns ``date`` (Date), ``device_id`` (Int64 or String) and ``value`` (Float64, MB; null stays null).
        invalid: columns ``date`` and ``device_id`` of lines without a number; they become rows with a null.
        meta: columns ``id``, ``name`` and any further ones; kept in the file's metadata with ``silent``.
        silent: devices without any line.
        progress: called with (parts done, parts in all): to sort, then to write.

    Raises:
        OutputError: when the file cannot be written.
    """
    told = progress or (lambda _done, _all: None)
    told(0, 2)
    roster = Roster(meta.to_dicts(), tuple(silent))
    nulls = invalid.with_columns(value=pl.lit(None, pl.Float64))
    # Polars sorts words by their bytes in UTF-8, which is the order of their letters in Python too.
    table = pl.concat([rows, nulls]).sort("device_id", "date", maintain_order=True)
    told(1, 2)
    try:
        with path.open("xb") as file:
            table.write_parquet(
                file,
                compression="zstd",
                row_group_size=ROWS_A_GROUP,
                statistics=True,
                metadata={ROSTER_KEY: roster.to_json()},
            )
    except (OSError, pl.exceptions.PolarsError) as error:
        said = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise OutputError(
            f"{path}: a new Parquet file is to be written, got '{said}'; choose a folder that has room"
        ) from error
    told(2, 2)


def write_rejected(path: Path, issues: Sequence[DataIssue]) -> None:
    """Write what could not be used: a CSV with the columns of the table ``rejected``.

    Args:
        path: a file that does not exist yet.
        issues: what goes into it, in this order.

    Raises:
        OSError: when it cannot be written.
    """
    columns = {name: [getattr(issue, name) for issue in issues] for name in REJECTED_COLUMNS}
    with path.open("xb") as file:
        # As bytes: Python says of an error what it is, Polars only that there was one.
        file.write(pl.DataFrame(columns).write_csv().encode())


def is_rejected_file(path: Path) -> bool:
    """Whether a file is one that ``write_rejected`` wrote, by its first line."""
    header = ",".join(REJECTED_COLUMNS).encode() + b"\n"
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(header)) == header
