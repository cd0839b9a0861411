"""What is told of the input besides the decision: the standing questions, the health of the data, a compaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from oddfleet.model.fleet import DeviceId

TOP_DEVICES = 5
"""So many devices with the most traffic are named."""


@dataclass(frozen=True, slots=True)
class DeviceTotal:
    """A device's traffic over the whole record, in MB; ``name`` is None where the meta file has none."""

    device_id: DeviceId
    name: str | None
    total_mb: float


@dataclass(frozen=True, slots=True)
class Answers:
    """The standing questions, answered in SQL.

    Attributes:
        first_day: the first day on record.
        first_day_total_mb: traffic of all devices on that day, in MB.
        top_devices: the devices with the most traffic in all, most first.
    """

    first_day: date
    first_day_total_mb: float
    top_devices: tuple[DeviceTotal, ...]


@dataclass(frozen=True, slots=True)
class DataHealth:
    """What became of the input; ``lines_read == rows_stored + rows_left + lines_rejected``.

    Attributes:
        lines_read: data lines met (headers and blank lines apart).
        rows_stored: lines that went to ``time_series``.
        lines_rejected: lines that went to ``rejected``.
        devices: devices of the fleet, those without any row too.
        named_without_data: ids in the meta file that have no file (a subset of a fleet is normal).
        data_without_name: devices that have data but no name in the meta file.
        first_day: first day on record.
        last_day: last day on record.
        unread: a sentence for each file of which nothing, or not all, could be read.
        gaps: days of devices without a number that can be used.
        rows_left: lines that could be read and were not stored, for the user did not want them to be.
    """

    lines_read: int
    rows_stored: int
    lines_rejected: int
    devices: int
    named_without_data: int
    data_without_name: int
    first_day: date
    last_day: date
    unread: tuple[str, ...] = ()
    gaps: int = 0
    rows_left: int = 0


@dataclass(frozen=True, slots=True)
class Compaction:
    """What went into one Parquet file; ``lines_read == rows_written - rows_without_number + lines_rejected``.

    Attributes:
        file: the Parquet file.
        lines_read: data lines met (headers and blank lines apart).
        rows_written: rows of the file.
        lines_rejected: lines that could not be used.
        rows_without_number: how many of these were kept as a row without a value, for their day and device are known.
        devices: devices of the fleet, those without any row too.
        first_rejected: where the first line is that could not be used, and why; None where all could.
        rejected: the file with all that could not be used; None where there is nothing of the kind.
        unread: a sentence for each file of which nothing, or not all, could be read.
    """

    file: Path
    lines_read: int
    rows_written: int
    lines_rejected: int
    rows_without_number: int
    devices: int
    first_rejected: str | None = None
    rejected: Path | None = None
    unread: tuple[str, ...] = ()
