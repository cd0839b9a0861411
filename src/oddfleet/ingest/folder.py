"""A folder (or a zip of it) with a file a device, such as ``iot_<id>.csv``, and a meta file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.exact import PLAIN
from oddfleet.ingest.issues import make_issue
from oddfleet.ingest.layout import Block, Piece
from oddfleet.ingest.lines import BYTES_AT_ONCE, Entry
from oddfleet.ingest.listing import DeviceFile, device_files, entries_of, is_missed
from oddfleet.ingest.meta import choose_meta_file, is_meta_table, read_meta
from oddfleet.ingest.pieces import pieces_of, read_pieces
from oddfleet.ingest.source import Meta, Source, from_blocks, with_meta
from oddfleet.model import DataIssue

PIECES_AT_ONCE = 64
"""Pieces read together: enough to make the most of one call of Polars, few enough for any machine."""
_EMPTY = "the file must have data lines below the header date,traffic, got none"
_NOT_READ = "not read: the file of a device must end in .csv, .tsv or .txt, packed as .gz or not; convert it"


def read_folder(
    folder: Path, files: Sequence[DeviceFile], beside: Beside, progress: Callable[[int, int], None] | None
) -> Source:
    """Read every device file of a folder and of its sub-folders, and the meta file.

    Args:
        folder: an existing folder, or a zip of one.
        files: the device files in it, as ``traffic_and_others`` finds them.
        beside: the other files.
        progress: called with (files done, files in all).

    Raises:
        InputError: when there is no file of a device or no line that can be read, or the meta file is broken.
    """
    if not files:
        raise InputError(
            f"{folder}: a file iot_<id>.csv for each device is needed, got a folder without any; "
            "give the folder that holds them"
        )
    blocks: list[list[Block]] = [[] for _ in files]
    if progress is not None:
        progress(0, len(files))
    for place, block in _blocks(files):
        blocks[place].append(block)
        if progress is not None:
            progress(place + 1, len(files))
    blocks = [
        found if any(b.lines or b.issues for b in found) else [_nothing(file)]
        for file, found in zip(files, blocks, strict=True)
    ]
    source = from_blocks([block for found in blocks for block in found], folder)
    source = _with_silent(source, files, blocks)
    return with_meta(source, meta_beside(beside, source.rows["device_id"].unique()))


@dataclass(frozen=True, slots=True)
class Beside:
    """Files that are not read as traffic.

    Attributes:
        lists: tables of devices.
        others: all others.
    """

    lists: tuple[Entry, ...] = ()
    others: tuple[Entry, ...] = ()


def meta_beside(beside: Beside, known: pl.Series) -> Meta:
    """What the meta file says, if there is one, and which files beside it are not read.

    Args:
        beside: the files that are not read as traffic.
        known: ids of the devices that have traffic.

    Raises:
        InputError: when the meta file is broken.
    """
    missed_files = [entry for entry in beside.others if is_missed(entry)]
    meta_file, issues = choose_meta_file([*beside.lists, *(e for e in beside.others if e not in missed_files)])
    missed = [make_issue(entry.path, 0, "", _NOT_READ) for entry in missed_files]
    if meta_file is None:
        return Meta.nothing(known.dtype).also([*issues, *missed], missed)
    return Meta.of(meta_file.path, *read_meta(meta_file, known.dtype), known).also([*issues, *missed], missed)


def traffic_and_others(folder: Path) -> tuple[list[DeviceFile], Beside]:
    """The files of a folder with lines of one device each, and all others, of which one may be the meta file.

    Hidden files and editor backups are passed over.

    Raises:
        InputError: when the folder cannot be listed.
    """
    files, others = device_files(entries_of(folder))
    tables = [file.entry for file in files if _may_be_meta(file) and is_meta_table(file.entry)]
    return [file for file in files if file.entry not in tables], Beside(tuple(tables), tuple(others))


def _may_be_meta(file: DeviceFile) -> bool:
    return file.device is None or "meta" in file.entry.path.name.lower()


def _blocks(files: Sequence[DeviceFile]) -> Iterator[tuple[int, Block]]:
    """What is in the files, each block with the place of its file, in the order of the files."""
    held: list[tuple[int, Piece]] = []
    size = 0
    for place, file in enumerate(files):
        for piece in pieces_of(file.entry, device=file.device, refusal=file.refusal):
            held.append((place, piece))
            size += len(piece.body)
            if len(held) >= PIECES_AT_ONCE or size > BYTES_AT_ONCE:
                yield from _read(files, held)
                held, size = [], 0
    yield from _read(files, held)


def _read(files: Sequence[DeviceFile], held: Sequence[tuple[int, Piece]]) -> Iterator[tuple[int, Block]]:
    blocks = read_pieces([piece for _, piece in held])
    yield from ((place, _of_device(files[place], block)) for (place, _), block in zip(held, blocks, strict=True))


def _nothing(file: DeviceFile) -> Block:
    """The block of a file without any line, with an issue about the file as a whole."""
    block = read_pieces([Piece(file.entry.path, 1, b"", PLAIN)])[0]
    return _of_device(file, replace(block, issues=(make_issue(file.entry.path, 0, "", file.refusal or _EMPTY),)))


def _with_silent(source: Source, files: Sequence[DeviceFile], blocks: Sequence[Sequence[Block]]) -> Source:
    """The source, told which devices have files without a line that can be used, and which files were not read."""
    words = source.rows.schema["device_id"] == pl.String
    used = {
        file.device
        for file, found in zip(files, blocks, strict=True)
        if any(b.rows.height or b.invalid.height for b in found)
    }
    silent = dict.fromkeys(file.device for file in files if file.device is not None and file.device not in used)
    return replace(
        source,
        silent=tuple(str(device) if words else device for device in silent),
        unread=tuple(issue for found in blocks for issue in _unread(found)),
    )


def _unread(blocks: Sequence[Block]) -> list[DataIssue]:
    """An issue of a file that could not be read, not to its end, or of which no line could be used; for the eye."""
    issues = [issue for block in blocks for issue in block.issues]
    broken = [issue for issue in issues if issue.line == 0]
    if broken or any(block.rows.height for block in blocks):
        return broken[:1]
    return issues[:1]


def _of_device(file: DeviceFile, block: Block) -> Block:
    """The block with a column ``device_id``."""
    kind = pl.Int64 if isinstance(file.device, int) else pl.String
    # Not by an expression: a thousand of these would take a quarter of the time of reading.
    name = pl.Series("device_id", [file.device], kind)

    def named(table: pl.DataFrame) -> pl.DataFrame:
        # Some lines say themselves of which device they are.
        others = table.drop("device_id") if "device_id" in table.columns else table.clone()
        return others.insert_column(1, name.new_from_index(0, table.height))

    # What is empty, and mostly is, is left as it is.
    invalid = named(block.invalid) if block.invalid.height else block.invalid
    return replace(block, rows=named(block.rows), invalid=invalid)
