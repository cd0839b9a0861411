"""What was read, before it is a database or a fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.ids import with_ids
from oddfleet.ingest.issues import make_issue
from oddfleet.ingest.layout import Block
from oddfleet.model import TOP_DEVICES, Answers, DataIssue, DeviceId, DeviceTotal, Fleet, id_order
from oddfleet.model.arrays import parts_from_cells


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Everything that could be read, as it stands, and a note of everything that could not.

    ``rows.height`` plus the number of issues with ``line > 0`` equals ``lines_read``.

    Attributes:
        rows: columns ``date`` (Date), ``device_id`` (Int64, or String when some id is no number) and ``value``
            (Float64, MB; null = the line had an empty value), in file order, then line order.
        meta: columns ``id`` (as ``device_id``), ``name`` (String) and any further ones of the meta file (String),
            one row an id, in the order of the meta file; no rows when there is no such file.
        issues: what could not be used, in file order; the meta file first.
        lines_read: data lines met in the traffic files (headers and blank lines apart).
        invalid: columns ``date`` and ``device_id`` of each rejected line whose value alone could not be read.
        silent: devices that have a file, but no line in it that can be used.
        unread: an issue for each file of which nothing, or not all, could be read.
    """

    rows: pl.DataFrame
    meta: pl.DataFrame
    issues: tuple[DataIssue, ...]
    lines_read: int
    invalid: pl.DataFrame
    silent: tuple[DeviceId, ...] = ()
    unread: tuple[DataIssue, ...] = ()

    @property
    def lines_rejected(self) -> int:
        """Data lines that could not be used."""
        return sum(issue.line > 0 for issue in self.issues)

    def present(self) -> set[DeviceId]:
        """The devices that have a row."""
        return set(self.rows["device_id"].unique().to_list())

    def parts(self) -> Iterator[tuple[pl.DataFrame, Sequence[DataIssue]]]:
        """All rows and all that could not be used, at once."""
        yield self.rows, self.issues

    @property
    def answers(self) -> Answers:
        """The standing questions, answered without SQL."""
        first = self.rows.filter(pl.col("date") == pl.col("date").min())
        totals = self.rows.group_by("device_id").agg(total=pl.col("value").sum())
        return Answers(first["date"][0], float(first["value"].sum()), top_devices(totals, self.meta))


def top_devices(totals: pl.DataFrame, meta: pl.DataFrame) -> tuple[DeviceTotal, ...]:
    """The devices with the most traffic, most first, ties in the order of their ids, with their names.

    Args:
        totals: columns ``device_id`` and ``total``, MB.
        meta: as ``Source.meta``.
    """
    top = totals.sort(["total", "device_id"], descending=[True, False]).head(TOP_DEVICES)
    names, _ = of_devices(meta, top["device_id"].to_list())
    return tuple(DeviceTotal(*row) for row in zip(top["device_id"], names, top["total"], strict=True))


def to_fleet(source: Source, progress: Callable[[int, int], None] | None = None) -> Fleet:
    """The fleet that a source describes, with the names and attributes of its meta file.

    A device whose every value was unreadable is still part of the fleet, and its days are marked as invalid; so is one
    whose file has no line, as a device without any observation.

    Args:
        source: what was read.
        progress: called with (parts done, parts in all).
    """
    parts = _arrays(source, progress or (lambda _done, _all: None))
    _append_silent(parts, source.silent)
    names, attributes = of_devices(source.meta, parts["device_ids"])
    parts["names"] = names
    return Fleet(**parts, attributes=attributes)


def _arrays(source: Source, told: Callable[[int, int], None]) -> dict[str, Any]:
    """What ``Fleet.from_long`` makes of the rows of a source, for which narwhals need not be imported."""
    told(0, 3)
    rows = pl.concat([source.rows, source.invalid.with_columns(value=pl.lit(None, pl.Float64))])
    device, day = rows["device_id"], rows["date"].to_numpy()
    ids = sorted(device.unique().to_list(), key=id_order)
    told(1, 3)
    words = device.dtype == pl.String
    column = device.cast(pl.Enum(ids)).to_physical() if words else np.searchsorted(ids, device.to_numpy())
    cell = (day - day.min()).astype(np.int64) * len(ids) + np.asarray(column, dtype=np.int64)
    told(2, 3)
    parts = parts_from_cells(tuple(ids), day, cell, rows["value"].to_numpy())
    told(3, 3)
    return parts


def of_devices(
    meta: pl.DataFrame, device_ids: Sequence[DeviceId]
) -> tuple[tuple[str | None, ...], dict[str, tuple[str | None, ...]]]:
    """The names of devices by the table of a meta file, and its further columns, one entry a device."""
    columns = meta.to_dict(as_series=False)
    row = {device: place for place, device in enumerate(columns.pop("id"))}
    places = [row.get(device) for device in device_ids]
    told = {
        name: tuple(None if place is None else values[place] for place in places) for name, values in columns.items()
    }
    return told.pop("name"), told


def _append_silent(parts: dict[str, Any], silent: tuple[DeviceId, ...]) -> None:
    """Add devices without observation to the parts of a fleet, in the order of ids."""
    ids = (*parts["device_ids"], *silent)
    order = sorted(range(len(ids)), key=lambda place: id_order(ids[place]))
    parts["device_ids"] = tuple(ids[place] for place in order)
    for name, nothing in (("values", np.nan), ("duplicated", False), ("invalid", False)):
        columns = np.full((len(parts["dates"]), len(silent)), nothing)
        parts[name] = np.concatenate([parts[name], columns], axis=1)[:, order]


def from_blocks(blocks: Sequence[Block], path: Path) -> Source:
    """One source, still without names, from blocks that have a column ``device_id``.

    Raises:
        InputError: when there is no row at all, or when most lines are of hours and not of days: the few others alone
            would pass for the fleet.
    """
    hours, lines = sum(block.hours for block in blocks), sum(block.lines for block in blocks)
    if 2 * hours > lines:
        raise InputError(
            f"{path}: one line a day is needed, got a time of day in {hours:,} of {lines:,} lines; "
            "add the hours up to days first"
        )
    issues = tuple(issue for block in blocks for issue in block.issues)
    rows = [with_ids(block.rows) for block in blocks if block.rows.height]
    invalid = [with_ids(block.invalid) for block in blocks if block.invalid.height]
    if not rows:
        raise InputError(_no_row(path, issues))
    words = any(part.schema["device_id"] == pl.String for part in (*rows, *invalid))
    kind: pl.DataType = pl.String() if words else pl.Int64()
    if words:
        rows, invalid = ([part.cast({"device_id": kind}) for part in parts] for parts in (rows, invalid))
    nothing = pl.DataFrame(schema={"date": pl.Date, "device_id": kind})
    return Source(
        rows=pl.concat(rows),
        meta=Meta.nothing(kind).table,
        issues=issues,
        lines_read=lines,
        invalid=pl.concat([nothing, *invalid]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Meta:
    """What is known of the devices besides their traffic.

    Attributes:
        table: as ``Source.meta``.
        issues: what could not be used of it.
        unread: what of that is told.
    """

    table: pl.DataFrame
    issues: tuple[DataIssue, ...] = ()
    unread: tuple[DataIssue, ...] = ()

    @classmethod
    def nothing(cls, kind: pl.DataType) -> Meta:
        """Nothing is known of devices with ids of this type."""
        return cls(pl.DataFrame(schema={"id": kind, "name": pl.String}))

    @classmethod
    def of(cls, file: Path, table: pl.DataFrame, issues: Sequence[DataIssue], known: pl.Series) -> Meta:
        """A table and the issues met in its file, of which a first one is told; ``known`` are the devices with rows."""
        if table.height and not table["id"].is_in(known.implode()).any():
            issues = [make_issue(file, 0, "", "an id must be that of a file, got none that is"), *issues]
        if not issues:
            return cls(table)
        told = f"{len(issues):,} of its entries cannot be used; the first: {issues[0].reason}"
        return cls(table, tuple(issues), (make_issue(file, 0, "", told),))

    def also(self, issues: Sequence[DataIssue], unread: Sequence[DataIssue]) -> Meta:
        """The same with what else could not be used beside it: told of before it."""
        return Meta(self.table, (*issues, *self.issues), (*unread, *self.unread))


def with_meta(source: Source, meta: Meta) -> Source:
    """The source with what is known of its devices."""
    issues, unread = (*meta.issues, *source.issues), (*source.unread, *meta.unread)
    return replace(source, meta=meta.table, issues=issues, unread=unread)


def _no_row(path: Path, issues: Sequence[DataIssue]) -> str:
    first = f"; the first: {issues[0].file}, line {issues[0].line}: {issues[0].reason}" if issues else ""
    return (
        f"{path}: at least one line with a date and a number is needed, got none that can be read{first}; "
        "write lines such as 2020-01-31,96.4"
    )
