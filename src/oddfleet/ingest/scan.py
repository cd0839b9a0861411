"""Whatever the user points at, in memory only where it must be: Parquet tables are gone through in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.folder import meta_beside
from oddfleet.ingest.indexing import Index, index
from oddfleet.ingest.parquet import open_parquet
from oddfleet.ingest.read import Contents, contents_of, read_contents
from oddfleet.ingest.roster import meta_of, read_roster, silent_of
from oddfleet.ingest.source import Source, of_devices, to_fleet, top_devices
from oddfleet.ingest.stored import StoredFleet
from oddfleet.model import Answers, AnyFleet, DataIssue, DeviceId, id_order

MOST_CELLS = 5_000_000
"""A fleet with no more days of devices is as well held in memory."""
MOST_ROWS = 50_000_000
"""A table whose rows do not stand device after device must fit into memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Parquet tables as a source: what they hold is read when it is asked for, part by part.

    Attributes:
        fleet: the fleet.
        meta: as in ``Source``.
        issues: what could not be used of the meta file, or of files as a whole.
        lines_read: rows of all files.
        lines_rejected: rows that cannot be used.
        gaps: days of devices without a number.
        answers: the standing questions, answered.
        without_rows: devices in the tables of which no row can be used.
        unread: as in ``Source``.
    """

    fleet: StoredFleet
    meta: pl.DataFrame
    issues: tuple[DataIssue, ...]
    lines_read: int
    lines_rejected: int
    gaps: int
    answers: Answers
    without_rows: frozenset[DeviceId]
    unread: tuple[DataIssue, ...] = ()

    def parts(self) -> Iterator[tuple[pl.DataFrame, Sequence[DataIssue]]]:
        """All rows, and what could not be used, in the order of the files; the issues about the meta file first."""
        kind = self.meta.schema["id"]
        yield pl.DataFrame(schema={"date": pl.Date, "device_id": kind, "value": pl.Float64}), self.issues
        for span in self.fleet.spans:
            taken = span.take()
            yield taken.rows.cast({"device_id": kind}), taken.issues

    def present(self) -> set[DeviceId]:
        """The devices that have a row."""
        ids = self.fleet.device_ids
        return {ids[place] for place in self.fleet.places.tolist()} - self.without_rows


def fleet_of(source: Source | Stored, progress: Callable[[int, int], None] | None = None) -> tuple[AnyFleet, int]:
    """The fleet of a source, in memory where it is small, and on how many of its days devices have no number.

    Args:
        source: what was read, or is to be read part by part.
        progress: called with (parts done, parts in all) where all of it is brought in order.
    """
    if isinstance(source, Stored) and source.fleet.n_devices * source.fleet.n_days > MOST_CELLS:
        return source.fleet, source.gaps
    if isinstance(source, Source):
        fleet = to_fleet(source, progress)
    else:
        fleet = source.fleet.subset(np.arange(source.fleet.n_devices))
    return fleet, int(np.isnan(fleet.values).sum())


def scan_source(path: Path, progress: Callable[[int, int], None] | None = None) -> Source | Stored:
    """Look at a source, and read it where it cannot be read part by part.

    Args:
        path: as for ``read_source``.
        progress: called with (files or rows done, all of them).

    Raises:
        InputError: as ``read_source``; and when the rows of a device do not stand together in a table that is too large
            for memory.
    """
    contents = contents_of(path)
    if not contents.tables:
        return read_contents(path, contents, progress)
    try:
        files = [open_parquet(file) for file in contents.tables]
        rows = sum(file.rows for file in files)
        found = index(files, progress)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        # What is wrong with it is said where it is read as a whole.
        return read_contents(path, contents, progress)
    if found is not None and found.recorded.any():
        return _stored(path, contents, found)
    if rows > MOST_ROWS:
        raise InputError(
            f"{path}: the rows of a device must stand together in a table of more than {MOST_ROWS:,} rows, with days, "
            f"numbers or words, and numbers, got {rows:,} others; write it anew by device and day"
        )
    return read_contents(path, contents, progress)


def _stored(path: Path, contents: Contents, found: Index) -> Stored:
    words = isinstance(found.ids[0], str)
    known = pl.Series(found.ids, dtype=pl.String if words else pl.Int64)
    roster = read_roster(path) if path.is_file() else None
    meta = meta_beside(contents.beside, known) if roster is None else meta_of(roster, path, known)
    silent = () if roster is None else silent_of(roster, set(found.ids), words=words)
    fleet = _fleet(found, silent, meta.table)
    return Stored(
        fleet=fleet,
        meta=meta.table,
        issues=meta.issues,
        lines_read=found.rows,
        lines_rejected=found.rejected,
        gaps=fleet.n_devices * fleet.n_days - found.usable,
        answers=_answers(found, meta.table),
        without_rows=frozenset(found.ids[place] for place in np.flatnonzero(np.isnan(np.concatenate(found.totals)))),
        unread=meta.unread,
    )


def _fleet(found: Index, silent: Sequence[DeviceId], meta: pl.DataFrame) -> StoredFleet:
    ids = [*found.ids, *silent]
    order = sorted(range(len(ids)), key=lambda place: id_order(ids[place]))
    places = np.empty(len(ids), np.int64)
    places[order] = np.arange(len(ids))
    device_ids = tuple(ids[place] for place in order)
    first, last = (np.datetime64(day, "D") for day in found.days())
    dates = np.arange(first, last + 1)
    names, attributes = of_devices(meta, device_ids)
    return StoredFleet(device_ids, names, dates, tuple(found.spans), places[: len(found.ids)], attributes)


def _answers(found: Index, meta: pl.DataFrame) -> Answers:
    ids = pl.Series(found.ids, dtype=meta.schema["id"])
    totals = pl.DataFrame({"device_id": ids, "total": np.concatenate(found.totals)}).filter(
        pl.col("total").is_not_nan()
    )
    return Answers(*found.first_day(), top_devices(totals, meta))
