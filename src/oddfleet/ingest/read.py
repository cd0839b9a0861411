"""Whatever the user points at: a folder of device files, a zip of one, or one long table."""

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
        path: a folder, or a zip of one, with files such as ``iot_<id>.csv`` (header ``date,traffic``; days, MB) and
            a meta file with ``id`` and ``name``; or a CSV or Parquet file with columns ``date``,
            ``device_id`` and ``value``. docs/input.md says what else is understood.
        progress: called with (files done, files in all) as files are done.

    Raises:
        InputError: when there is nothing at ``path``, no device file, no line that can be read, or when most lines are
            of hours and not of days.
    """
    try:
        path.stat()
    except (OSError, ValueError) as error:
        needed = "a folder, a .zip, a .csv or a .parquet file is needed"
        raise InputError(
            f"{path}: {needed}, got {getattr(error, 'strerror', None) or error}; check the path"
        ) from error
    folder = path.is_dir() or path.suffix.lower() == ".zip"
    return read_folder(path, progress) if folder else read_table(path, progress)
