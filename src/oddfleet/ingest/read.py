"""Whatever the user points at: a folder of device files, a zip of one, or one long table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from oddfleet.errors import InputError
from oddfleet.ingest.folder import Beside, read_folder, traffic_and_others
from oddfleet.ingest.parquet import ENDING
from oddfleet.ingest.source import Source
from oddfleet.ingest.table import read_table, read_tables


def read_source(path: Path, progress: Callable[[int, int], None] | None = None) -> Source:
    """Read a folder of device files with their meta file, or one long table.

    Args:
        path: a folder, or a zip of one, with files such as ``iot_<id>.csv`` (header ``date,traffic``; days, MB) and
            a meta file with ``id`` and ``name``; or a CSV or Parquet file with columns ``date``,
            ``device_id`` and ``value``, or a folder of such Parquet files. docs/input.md says what else is understood.
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
    tables, beside = tables_at(path)
    if path.is_dir() and tables:
        return read_tables(path, tables, beside, progress)
    folder = path.is_dir() or path.suffix.lower() == ".zip"
    return read_folder(path, progress) if folder else read_table(path, progress)


def tables_at(path: Path) -> tuple[list[Path], Beside]:
    """The Parquet tables at a path and what lies beside them; none where it is no such table, nor a folder of them.

    A folder with files of single devices is one of these, whatever else is in it.

    Raises:
        InputError: when a folder cannot be listed.
    """
    if path.is_file():
        return ([path] if path.suffix.lower() == ENDING else []), Beside()
    if not path.is_dir():
        return [], Beside()
    files, beside = traffic_and_others(path)
    tables = [entry.path for entry in beside.others if entry.path.suffix.lower() == ENDING]
    if files or not tables:
        return [], Beside()
    return tables, replace(beside, others=tuple(entry for entry in beside.others if entry.path not in tables))
