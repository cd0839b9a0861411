"""The meta file: devices with their names and whatever else is known of them, as JSON list, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.dialect import DATE_WORDS, SEPARATORS, VALUE_WORDS
from oddfleet.ingest.exact import LINE_END
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.issues import make_issue, printable, quote
from oddfleet.ingest.lines import Entry, UnreadableError, in_utf8
from oddfleet.model import DataIssue, DeviceId

_ENDINGS = ("", ".txt", ".json", ".jsonl", ".ndjson", ".csv", ".tsv")
"""A file of one of these that is not used is worth a word; a picture is not."""


def choose_meta_file(files: Sequence[Entry]) -> tuple[Entry | None, list[DataIssue]]:
    """Which of the files of a folder is the meta file, and an issue for each that might have been and is not.

    It is the first one with ``meta`` in its name that begins as a list of devices does, else the first that does, else
    the first text with ``meta`` in its name, which then is broken.
    """
    named = [file for file in files if "meta" in file.path.name.lower()]
    texts = [file for file in named if file.path.suffix.lower() in _ENDINGS]
    candidates = (*filter(_begins_as_list, named), *filter(_begins_as_list, files), *texts)
    chosen = next(iter(candidates), None)
    why = f"not used: the meta file is {chosen.path.name}" if chosen else "not used: it is no list of devices"
    others = [file for file in files if file != chosen and (file in named or file.path.suffix.lower() in _ENDINGS)]
    return chosen, [make_issue(file.path, 0, "", why) for file in others]


def is_meta_table(file: Entry) -> bool:
    """Whether a CSV file is about devices: it has a column ``id`` and none of dates, or a JSON list in it."""
    start = _start(file)
    return start.startswith("[") or _separator(start) is not None


def read_meta(file: Entry, id_type: pl.DataType) -> tuple[pl.DataFrame, list[DataIssue]]:
    """Read a meta file.

    Args:
        file: a JSON list of objects with ``id``, ``name`` and any further keys; an object a line; or CSV with
            these columns.
        id_type: type of the device ids, Int64 or String.

    Returns:
        A table with ``id`` (of ``id_type``; no repeats), ``name`` and the further keys (String), and an
        issue with line 0 for each entry that names no device or one already named.

    Raises:
        InputError: when the file is no such list.
    """
    return meta_table(file.path, _load(file), id_type)


def meta_table(file: Path, entries: Sequence[Any], id_type: pl.DataType) -> tuple[pl.DataFrame, list[DataIssue]]:
    """The table of ``read_meta`` from entries as they were parsed; ``file`` is where they stand."""
    kept: dict[DeviceId, dict[str, str | None]] = {}
    issues: list[DataIssue] = []
    for place, entry in enumerate(entries, 1):
        key, reason = _entry_id(entry, id_type)
        if key is not None and key in kept:
            reason = f"the id must appear once, got {key} again; the first entry counts"
        if key is None or reason:
            text = json.dumps(entry, ensure_ascii=False)
            issues.append(make_issue(file, 0, printable(text), f"entry {place}: {reason}"))
            continue
        kept[key] = {printable(name): _as_text(value) for name, value in entry.items() if name != "id"}
    further = dict.fromkeys(name for entry in kept.values() for name in entry if name != "name")
    columns = {name: [entry.get(name) for entry in kept.values()] for name in ("name", *further)}
    schema = {"id": id_type, **dict.fromkeys(columns, pl.String())}
    return pl.DataFrame({"id": list(kept), **columns}, schema=schema), issues


def _load(file: Entry) -> list[Any]:
    expected = (
        f'{file.path}: the meta file must be a JSON list of objects such as {{"id": 4, "name": "running_gopher"}}, '
        "or a CSV with columns id and name"
    )
    try:
        # As one: a list of devices is often a single line.
        text = b"".join(in_utf8(file.blocks())).decode("utf-8")
        return _entries(text)
    except UnreadableError as error:
        raise InputError(f"{expected}, got a file that cannot be read ({error}); make it readable") from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise InputError(f"{expected}, got text that is neither ({error}); mend it or move it away") from error


def _entries(text: str) -> list[Any]:
    """The entries of a list, of lines of JSON, or of CSV; whichever the text begins as."""
    begin = text.lstrip()[:1]
    if begin == "{":
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    separator = None if begin == "[" else _separator(text)
    if separator is None:
        entries = json.loads(text)
        if not isinstance(entries, list):
            raise ValueError(f"a JSON {type(entries).__name__}")
        return entries
    header, *rows = csv.reader(io.StringIO(text.lstrip("\r\n "), newline=""), delimiter=separator, strict=True)
    names = _columns(header)
    return [_entry(names, row) for row in rows if any(cell.strip() for cell in row)]


def _columns(header: Sequence[str]) -> list[str]:
    """The names of the columns of a CSV: ``id`` and ``name`` in any letters, or ``device_id`` and ``device_name``.

    Raises:
        ValueError: when a column is there twice.
    """
    plain = [name.strip() for name in header]
    for ours, other in (("id", "device_id"), ("name", "device_name")):
        words = [name.lower().replace(" ", "_") for name in plain]
        place = words.index(ours) if ours in words else words.index(other) if other in words else None
        if place is not None:
            plain[place] = ours
    twice = next((name for name in plain if name and plain.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the column {twice} twice")
    return plain


def _entry(names: Sequence[str], row: Sequence[str]) -> Any:
    """A row as an object; as it is, which is no entry, where it has more fields than the header."""
    if len(row) > len(names):
        return row
    return {name: cell or None for name, cell in zip(names, row, strict=False) if name}


def _separator(text: str) -> str | None:
    """What separates the columns of a CSV about devices; None where the first line is no header with an ``id``."""
    header = LINE_END.split(text.lstrip("\r\n "), maxsplit=1)[0]
    for separator in SEPARATORS:
        try:
            names = _columns(next(csv.reader([header], delimiter=separator), []))
        except (csv.Error, ValueError):
            continue
        # What has an id and days, and values or no name, is a table of traffic.
        words = {name.lower() for name in names}
        dated, valued = words & set(DATE_WORDS), words & set(VALUE_WORDS)
        if "id" in names and len(names) > 1 and not (dated and (valued or "name" not in names)):
            return separator
    return None


def _entry_id(entry: Any, id_type: pl.DataType) -> tuple[DeviceId | None, str]:
    """The id of an entry, or why it has none."""
    if isinstance(entry, list):
        return None, "it must have no more fields than the header"
    value = entry.get("id") if isinstance(entry, dict) else None
    text = printable(str(value)).strip()
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not text:
        return None, 'it must be an object with an "id", a number or a text'
    key = device_id(text)
    if id_type == pl.String:
        return str(key), ""
    if isinstance(key, str):
        return None, f"the id must be a whole number as those of the data, got {quote(key)}"
    return key, ""


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _begins_as_list(file: Entry) -> bool:
    start = _start(file)
    return start.startswith(("[", '{"')) or _separator(start) is not None


def _start(file: Entry) -> str:
    """The beginning of a file, as text."""
    try:
        first = next(in_utf8(block[:4096] for block in file.blocks()), b"")
    except UnreadableError:  # not readable as anything, so not as a list
        return ""
    return first.decode("utf-8", "replace").lstrip("\r\n ")
