"""A folder with one CSV file a device, ``iot_<id>.csv``, and a meta file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.exact import is_data_line
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.issues import make_issue, printable, quote
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal, count_line_ends, header_layout
from oddfleet.ingest.meta import choose_meta_file, read_meta
from oddfleet.ingest.pieces import read_pieces
from oddfleet.ingest.source import Source, from_blocks, with_meta
from oddfleet.model import DeviceId

FILES_AT_ONCE = 64
"""Files held in memory together: enough to make the most of one call of Polars, few enough for any machine."""

_FILE_NAME = re.compile(r"iot_(\w[\w.-]*)\.csv", re.IGNORECASE)
_USUAL_LAYOUT = Layout(width=2, date=0, value=1, device_id=None, value_name="traffic")


@dataclass(frozen=True, slots=True)
class _DeviceFile:
    """A CSV file, the device it is about (None when its name does not say) and why it may not be used, if so."""

    path: Path
    device: DeviceId | None
    refusal: str | None


def read_folder(folder: Path, progress: Callable[[int, int], None] | None) -> Source:
    """Read every device file of a folder and its meta file.

    Args:
        folder: an existing folder; hidden files, editor backups and sub-folders are passed over.
        progress: called with (files done, files in all).

    Raises:
        InputError: when the folder cannot be listed, holds no CSV file or no line that can be read, or
            its meta file is broken.
    """
    files = _visible_files(folder)
    devices = _device_files([file for file in files if file.suffix.lower() == ".csv"])
    if not devices:
        raise InputError(
            f"{folder}: a file iot_<id>.csv for each device is needed, got a folder without any; "
            "give the folder that holds them"
        )
    blocks: list[Block] = []
    silent: list[DeviceId] = []
    for start in range(0, len(devices), FILES_AT_ONCE):
        batch = devices[start : start + FILES_AT_ONCE]
        pieces = [_open(device) for device in batch]
        for device, piece, block in zip(batch, pieces, read_pieces(pieces), strict=True):
            if device.device is not None and not block.lines and not isinstance(piece.plan, Refusal):
                silent.append(device.device)
            blocks.append(_of_device(device, _note_if_empty(piece, block)))
            if progress is not None:
                progress(len(blocks), len(devices))
    source = _with_silent(from_blocks(blocks, folder), silent)
    meta_file, issues = choose_meta_file([file for file in files if file.suffix.lower() in {".txt", ".json"}])
    if meta_file is None:
        return with_meta(source, source.meta, issues)
    meta, meta_issues = read_meta(meta_file, source.rows.schema["device_id"])
    return with_meta(source, meta, issues + meta_issues)


def _visible_files(folder: Path) -> list[Path]:
    """What lies in the folder itself, by name; system litter (``.DS_Store``, ``__MACOSX``, ``iot_7.csv~``) is not."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: a folder that can be listed is needed, got {error.strerror}; allow it") from error
    return [folder / name for name in names if not name.startswith(".") and name != "__MACOSX" and name[-1] != "~"]


def _device_files(files: Sequence[Path]) -> list[_DeviceFile]:
    """The files sorted by device id (numbers before words), so that no result depends on the order of a directory."""
    found: list[_DeviceFile] = []
    first: dict[DeviceId, Path] = {}
    for file in files:
        match = _FILE_NAME.fullmatch(file.name)
        if match is None:
            reason = f"the file name must be iot_<id>.csv, got {quote(printable(file.name))}"
            found.append(_DeviceFile(file, None, reason))
            continue
        device = device_id(match[1])
        holder = first.setdefault(device, file)
        reason = f"device {device} must have one file, got a second one after {holder.name}"
        found.append(_DeviceFile(file, device, None if holder is file else reason))
    return sorted(found, key=lambda file: (not isinstance(file.device, int), file.device is None, file.device))


def _open(device: _DeviceFile) -> Piece:
    """The data lines of a file and how to read them."""
    try:
        content = device.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        return Piece(device.path, 1, b"", Refusal(f"the file cannot be read: {error.strerror}"))
    text = content.lstrip()
    above = content[: len(content) - len(text)]
    first, *below = re.split(rb"\r\n|\r|\n", text, maxsplit=1)
    header = first.decode("utf-8", "backslashreplace")
    layout: Layout | Refusal | None = header_layout(header, "traffic", with_device=False)
    body, first_line = b"".join(below), 2 + count_line_ends(above)
    if layout is None:
        # No header: the first line is data, and counts as such whether it can be used or not.
        body, first_line = content, 1
        wrong = Refusal(f"the file must begin with the header date,traffic, got {quote(header)}")
        layout = _USUAL_LAYOUT if is_data_line(header, _USUAL_LAYOUT) else wrong
    return Piece(device.path, first_line, body, Refusal(device.refusal) if device.refusal else layout)


def _note_if_empty(piece: Piece, block: Block) -> Block:
    """The block, with an issue about the file as a whole when it has no line that could carry one."""
    if block.lines:
        return block
    empty = "the file must have data lines below the header date,traffic, got none"
    reason = piece.plan.reason if isinstance(piece.plan, Refusal) else empty
    return replace(block, issues=(make_issue(piece.file, 0, "", reason),))


def _with_silent(source: Source, silent: Sequence[DeviceId]) -> Source:
    """The source, told which devices have a file without any line; their ids as those of the others are."""
    words = source.rows.schema["device_id"] == pl.String
    return replace(source, silent=tuple(str(device) if words else device for device in silent))


def _of_device(device: _DeviceFile, block: Block) -> Block:
    """The block with a column ``device_id``."""
    column = pl.lit(str(device.device)).alias("device_id")
    return replace(block, rows=block.rows.select("date", column, "value"), invalid=block.invalid.select("date", column))
