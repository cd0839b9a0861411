"""Which files of a folder, of its sub-folders or of a zip are data: their names, nothing of what is in them."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oddfleet.errors import InputError
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.issues import printable, quote
from oddfleet.ingest.lines import Entry
from oddfleet.model import DeviceId

TABLES = (".csv", ".tsv", ".txt")
"""Endings of files with a line a day, also with ``.gz`` behind."""
_TABLES_OF_OTHERS = {".zip", ".7z", ".tar", ".tgz", ".xz", ".bz2", ".zst", ".parquet", ".xlsx", ".xls", ".ods"}
RESULTS = {"my_sqlite.db", "oddities.json", "findings.json", "report.html"}
"""What an earlier run may have written beside the data; one of them looks just like a meta file."""
_PICTURES = "plots"
_LITTER = re.compile(
    r"\.(?!\.?$).*|.*~|~\$.*|#.*#|.*\.(?:bak|swp|swo|tmp)|thumbs\.db|desktop\.ini|__macosx", re.IGNORECASE
)
_IOT = re.compile(r"iot_(\w[\w.-]*)", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:([A-Za-z]+)[-_ .]?)?(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """A file with lines of traffic.

    Attributes:
        entry: the file.
        device: the device it is about; None when its name does not say.
        refusal: why it may not be used, if so.
    """

    entry: Entry
    device: DeviceId | None
    refusal: str | None


def entries_of(path: Path) -> list[Entry]:
    """The files in a folder and its sub-folders, or in a zip, by name; litter and results of ours are passed over.

    Raises:
        InputError: when it cannot be listed.
    """
    try:
        parts = _of_zip(path) if path.suffix.lower() == ".zip" and path.is_file() else _of_folder(path)
    except OSError as error:
        raise InputError(f"{path}: a folder that can be listed is needed, got {error.strerror}; allow it") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, IndexError) as error:
        raise InputError(f"{path}: a zip of the folder is needed, got a broken one ({error}); make it anew") from error
    found = [(name, entry) for name, entry in parts if not any(_LITTER.fullmatch(part) for part in name.parts)]
    homes = {name.parent for name, _ in found if name.name == "findings.json"}
    return [
        entry
        for name, entry in sorted(found, key=lambda pair: pair[0].parts)
        if name.name not in RESULTS and not (name.parent.name == _PICTURES and name.parent.parent in homes)
    ]


def device_files(entries: Sequence[Entry]) -> tuple[list[DeviceFile], list[Entry]]:
    """The files with lines of traffic, by device id (numbers before words) and then by folder; and the others."""
    found: list[DeviceFile] = []
    others: list[Entry] = []
    first: dict[tuple[Path, DeviceId], Path] = {}
    for entry in entries:
        device, ending = _device(entry.path.name), _ending(entry.path.name)
        if ending not in TABLES or (device is None and ending == ".txt"):
            others.append(entry)
            continue
        if device is None:
            reason = f"the file name must be iot_<id>.csv or end in the id, got {quote(printable(entry.path.name))}"
            found.append(DeviceFile(entry, None, reason))
            continue
        holder = first.setdefault((entry.path.parent, device), entry.path)
        twice = f"device {device} must have one file, got a second one after {holder.name}"
        found.append(DeviceFile(entry, device, None if holder is entry.path else twice))
    return sorted(found, key=lambda file: (not isinstance(file.device, int), file.device is None, file.device)), others


def is_missed(entry: Entry) -> bool:
    """Whether a file that is not read as traffic may hold some: by the name of a device, or a packed or other table."""
    ending = _ending(entry.path.name)
    named = _device(entry.path.name) is not None and ending not in {".json", ".jsonl", ".ndjson"}
    return named or ending in _TABLES_OF_OTHERS


def _of_folder(folder: Path) -> list[tuple[Path, Entry]]:
    def refuse(error: OSError) -> None:
        # A sub-folder that is closed must not be lost without a word.
        raise error

    found = []
    for home, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not _LITTER.fullmatch(name)]
        # A folder where a file should be is told of when it is opened.
        named = [name for name in folders if _ending(name) in {*TABLES, ".json"}]
        places = [Path(home) / name for name in (*files, *named)]
        found += [(place.relative_to(folder), Entry(place)) for place in places]
    return found


def _of_zip(archive: Path) -> list[tuple[Path, Entry]]:
    opened = zipfile.ZipFile(archive)  # closed when the last of its entries goes
    found = []
    for info in opened.infolist():
        # Nothing is unpacked to where a name says, so a name can do no harm.
        name = Path(info.filename.replace("\\", "/").lstrip("/"))
        if not info.is_dir():
            found.append((name, Entry(archive / name, opened, info)))
    return found


def _device(name: str) -> DeviceId | None:
    """The device that a file name speaks of: ``iot_<id>``, or a number that ends it, with a word before it or none.

    >>> _device("iot_gate-7.csv"), _device("device-0004.csv.gz"), _device("4.csv"), _device("2020-01.csv")
    ('gate-7', 4, 4, None)
    """
    stem = name[: len(name) - len(_ending(name)) - (3 if name.lower().endswith(".gz") else 0)]
    if ours := _IOT.fullmatch(stem):
        return device_id(ours[1])
    numbered = _NUMBERED.fullmatch(stem)
    return device_id(numbered[2]) if numbered else None


def _ending(name: str) -> str:
    """The ending of a file name in small letters, that of what is packed for ``.gz``; as pathlib's ``suffix``.

    >>> _ending("iot_7.CSV"), _ending("iot_7.csv.gz"), _ending("7."), _ending(".csv")
    ('.csv', '.csv', '', '')
    """
    plain = name.lower().removesuffix(".gz")
    point = plain.rfind(".")
    return plain[point:] if 0 < point < len(plain) - 1 else ""
