"""Whatever can be read, in one Parquet file that is read again as the same fleet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oddfleet.errors import OutputError
from oddfleet.model import Compaction
from oddfleet.pipeline.exchanging import exchanged, sole_writer, told
from oddfleet.pipeline.progress import Progress

if TYPE_CHECKING:
    from oddfleet.ingest import Source

_ENDING = ".parquet"
_REJECTED = ".rejected.csv"
"""Ending of the file, beside the other, with what could not be used."""


def compact(data: Path, file: Path, progress: Progress) -> Compaction:
    """Read a fleet and write it to one file; what could not be used goes to ``<name>.rejected.csv`` beside it.

    Both appear, or take the place of older ones, only when they are complete.

    Args:
        data: a folder of daily CSV files, or one CSV or Parquet table.
        file: the file to write, which ends in ``.parquet``.
        progress: told how far the work is.

    Raises:
        InputError: when there is no usable data.
        OutputError: when ``file`` cannot be written, or something else is in its place.
    """
    from oddfleet import ingest, store  # noqa: PLC0415 - Polars only when there is work

    rejected = file.with_name(f"{file.name[: -len(_ENDING)]}{_REJECTED}")
    with told(file):
        _check_places(data, file, rejected)
    with sole_writer([rejected, file]):
        source = ingest.read_source(data, progress.step("reading"))
        written = progress.step("writing")
        with exchanged([rejected, file]) as (new_rejected, new_file):
            store.write_parquet(new_file, source.rows, source.invalid, source.meta, source.silent, written)
            if source.issues:
                store.write_rejected(new_rejected, source.issues)
    return _compaction(source, file, rejected)


def _check_places(data: Path, file: Path, rejected: Path) -> None:
    """Nothing of another kind may be where a result goes, and no result where it would be read as data.

    Raises:
        OutputError: when it is so; better said now than when all is read.
    """
    from oddfleet import store  # noqa: PLC0415

    if file.suffix.lower() != _ENDING:
        raise OutputError(f"{file}: a name that ends in {_ENDING} is needed, got '{file.name}'; choose one that does")
    place = file.resolve()
    if not place.parent.is_dir():
        raise OutputError(f"{file}: a folder that exists is needed, got {file.parent}; make it or choose another")
    if file.exists() and not file.is_file():
        raise OutputError(f"{file}: a file is to be written here, got something else; rename it or choose another name")
    if _is_same(place, data):
        raise OutputError(
            f"{file}: a file other than the data is needed, for not all of it may go there, got the data itself; "
            "choose another name"
        )
    if any(_is_same(folder, data) for folder in place.parents):
        raise OutputError(
            f"{file}: a place outside of {data} is needed, got one in it, where results would be read as data; "
            "choose another folder"
        )
    if rejected.exists() and not store.is_rejected_file(rejected):
        raise OutputError(
            f"{rejected}: lines that cannot be used are to be written here, got something else; rename what is there "
            "or choose another name for the Parquet file"
        )


def _is_same(path: Path, data: Path) -> bool:
    """Whether two names are of one file or folder; not where one of them cannot be looked at, which others tell."""
    try:
        return path.samefile(data)
    except OSError:
        return False


def _compaction(source: Source, file: Path, rejected: Path) -> Compaction:
    lines = [issue for issue in source.issues if issue.line > 0]
    devices = {*source.rows["device_id"].unique().to_list(), *source.invalid["device_id"].unique().to_list()}
    return Compaction(
        file=file,
        lines_read=source.lines_read,
        rows_written=source.rows.height + source.invalid.height,
        lines_rejected=len(lines),
        rows_without_number=source.invalid.height,
        devices=len(devices) + len(source.silent),
        first_rejected=lines[0].sentence if lines else None,
        rejected=rejected if source.issues else None,
        unread=tuple(issue.sentence for issue in source.unread),
    )
