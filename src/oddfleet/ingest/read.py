"""Whatever the user points at: a folder of device files, a zip of one, or one long table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from oddfleet.errors import InputError
from oddfleet.ingest.folder import Beside, read_folder, traffic_and_others
from oddfleet.ingest.listing import DeviceFile
from oddfleet.ingest.parquet import ENDING
from oddfleet.ingest.source import Source
from oddfleet.ingest.table import read_table, read_tables


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies at a path, looked up once for all who read it.

    Attributes:
        tables: the Parquet tables: the path itself, or those of a folder without files of single devices.
        files: files of single devices: a folder that has one is a folder of these, whatever else is in it.
        beside: what else is in the folder.
    """

    tables: tuple[Path, ...] = ()
    files: tuple[DeviceFile, ...] = ()
    beside: Beside = field(default_factory=Beside)


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
    return read_contents(path, contents_of(path), progress)


def contents_of(path: Path) -> Contents:
    """Look what lies at a path.

    Raises:
        InputError: when there is nothing, or a folder cannot be listed.
    """
    try:
        path.stat()
    except (OSError, ValueError) as error:
        needed = "a folder, a .zip, a .csv or a .parquet file is needed"
        raise InputError(
            f"{path}: {needed}, got {getattr(error, 'strerror', None) or error}; check the path"
        ) from error
    if not _is_folder(path):
        return Contents(tables=(path,) if path.is_file() and path.suffix.lower() == ENDING else ())
    files, beside = traffic_and_others(path)
    if files or not path.is_dir():
        return Contents(files=tuple(files), beside=beside)
    tables = tuple(entry.path for entry in beside.others if entry.path.suffix.lower() == ENDING)
    others = tuple(entry for entry in beside.others if entry.path not in tables)
    return Contents(tables=tables, beside=replace(beside, others=others))


def read_contents(path: Path, contents: Contents, progress: Callable[[int, int], None] | None) -> Source:
    """``read_source`` of a path whose contents are known."""
    if not _is_folder(path):
        return read_table(path, progress)
    if contents.tables:
        return read_tables(path, contents.tables, contents.beside, progress)
    return read_folder(path, contents.files, contents.beside, progress)


def _is_folder(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".zip"
