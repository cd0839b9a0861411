"""What a Parquet file tells of its devices in its metadata: names, further columns, devices without a line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.issues import printable
from oddfleet.ingest.meta import meta_table
from oddfleet.ingest.source import Source, with_meta
from oddfleet.model import ROSTER_KEY, Roster


def read_roster(file: Path) -> Roster | None:
    """The roster of a Parquet file; None where it has none.

    Raises:
        InputError: when what stands in its place is no roster.
    """
    text = pl.read_parquet_metadata(file).get(ROSTER_KEY)
    if text is None:
        return None
    try:
        return Roster.from_json(text)
    except ValueError as error:
        raise InputError(
            f'{file}: its metadata {ROSTER_KEY} must be JSON such as {{"meta": [{{"id": 4, "name": "gopher"}}]}}, '
            f"got {error}; write the file anew"
        ) from error


def with_roster(source: Source, file: Path, roster: Roster) -> Source:
    """The source with what the roster of its file tells; a device that has a line after all is not silent."""
    kind = source.rows.schema["device_id"]
    seen = {*source.rows["device_id"].unique().to_list(), *source.invalid["device_id"].unique().to_list()}
    ids = [device_id(printable(str(device)).strip()) for device in roster.silent]
    if kind == pl.String:
        ids = [str(device) for device in ids]
    silent = tuple(device for device in dict.fromkeys(ids) if device not in seen)
    return with_meta(replace(source, silent=silent), file, *meta_table(file, roster.meta, kind))
