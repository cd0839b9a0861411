"""What a Parquet file tells of its devices in its metadata: names, further columns, devices without a line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.issues import printable
from oddfleet.ingest.meta import meta_table
from oddfleet.ingest.source import Meta, Source, with_meta
from oddfleet.model import ROSTER_KEY, DeviceId, Roster


def read_roster(file: Path) -> Roster | None:
    """The roster of a Parquet file; None where it has none.

    Raises:
        InputError: when what stands in its place is no roster.
    """
    with file.open("rb") as opened:
        # Not by its name, in which Polars would take a star for a pattern.
        text = pl.read_parquet_metadata(opened).get(ROSTER_KEY)
    if text is None:
        return None
    try:
        return Roster.from_json(text)
    except ValueError as error:
        raise InputError(
            f'{file}: its metadata {ROSTER_KEY} must be JSON such as {{"meta": [{{"id": 4, "name": "gopher"}}]}}, '
            f"got {error}; write the file anew"
        ) from error


def meta_of(roster: Roster, file: Path, known: pl.Series) -> Meta:
    """What the roster of a file says of its devices; ``known`` are the ids of those with rows."""
    return Meta.of(file, *meta_table(file, roster.meta, known.dtype), known)


def silent_of(roster: Roster, seen: Collection[DeviceId], *, words: bool) -> tuple[DeviceId, ...]:
    """The devices without a line: one that was seen to have a line after all is none. Ids are texts where they must."""
    ids = [device_id(printable(str(device)).strip()) for device in roster.silent]
    if words:
        ids = [str(device) for device in ids]
    return tuple(device for device in dict.fromkeys(ids) if device not in seen)


def with_roster(source: Source, file: Path, roster: Roster) -> Source:
    """The source with what the roster of its file tells."""
    known = source.rows["device_id"].unique()
    seen = {*known.to_list(), *source.invalid["device_id"].unique().to_list()}
    silent = silent_of(roster, seen, words=known.dtype == pl.String)
    return with_meta(replace(source, silent=silent), meta_of(roster, file, known))
