"""Whatever the user points at: a folder of device files, or one long table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from oddfleet.errors import InputError
from oddfleet.ingest.folder import read_folder
from oddfleet.ingest.source import Source
from oddfleet.ingest.table import read_table


def read_source(path: Path, progress: Callable[[int, int], None] | None = None) -> Source:
    """Read a folder of device files with their meta file, or one long table.

    Args:
        path: a folder with files ``iot_<id>.csv`` (header ``date,traffic``; ISO dates, MB) and at most one
            JSON list of objects with ``id`` and ``name``; or a CSV or Parquet file with columns ``date``,
            ``device_id`` and ``value``.
        progress: called with (files done, files in all) as files are done.

    Raises:
        InputError: when there is nothing at ``path``, no device file, or no line that can be read.
    """
    try:
        if path.is_dir():
            return read_folder(path, progress)
        path.stat()
    except (OSError, ValueError) as error:
        needed = "a folder, a .csv or a .parquet file is needed"
        raise InputError(
            f"{path}: {needed}, got {getattr(error, 'strerror', None) or error}; check the path"
        ) from error
    return read_table(path, progress)
