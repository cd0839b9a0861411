"""The meta file: a JSON list of devices with their names and whatever else is known of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from oddfleet.errors import InputError
from oddfleet.ingest.ids import device_id
from oddfleet.ingest.issues import make_issue, printable, quote
from oddfleet.model import DataIssue, DeviceId

_OUR_OWN = {"oddities.json", "findings.json"}
"""What an earlier run may have written beside the data: the first looks just like a meta file."""


def choose_meta_file(files: Sequence[Path]) -> tuple[Path | None, list[DataIssue]]:
    """Which of the text and JSON files of a folder is the meta file, and an issue for each that is not.

    It is the first one with ``meta`` in its name, else the first one that begins as a JSON list does.
    """
    candidates = [file for file in files if file.name.lower() not in _OUR_OWN]
    named = [file for file in candidates if "meta" in file.name.lower()]
    chosen = next(iter(named or filter(_begins_as_list, candidates)), None)
    why = f"not used: the meta file is {chosen.name}" if chosen else "not used: it is no JSON list of devices"
    return chosen, [make_issue(file, 0, "", why) for file in candidates if file != chosen]


def read_meta(file: Path, id_type: pl.DataType) -> tuple[pl.DataFrame, list[DataIssue]]:
    """Read a meta file.

    Args:
        file: UTF-8 text holding a JSON list of objects with ``id``, ``name`` and any further keys.
        id_type: type of the device ids, Int64 or String.

    Returns:
        A table with ``id`` (of ``id_type``; no repeats), ``name`` and the further keys (String), and an
        issue with line 0 for each entry that names no device or one already named.

    Raises:
        InputError: when the file is no such list.
    """
    entries = _load(file)
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


def _load(file: Path) -> list[Any]:
    expected = f'{file}: the meta file must be a JSON list of objects such as {{"id": 4, "name": "running_gopher"}}'
    try:
        entries = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{expected}, got a file that cannot be read ({error.strerror}); make it readable") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{expected}, got text that is no JSON ({error}); mend it or move it away") from error
    if not isinstance(entries, list):
        raise InputError(f"{expected}, got a JSON {type(entries).__name__}; mend it or move it away")
    return entries


def _entry_id(entry: Any, id_type: pl.DataType) -> tuple[DeviceId | None, str]:
    """The id of an entry, or why it has none."""
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


def _begins_as_list(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
    except OSError:  # not readable as anything, so not as a list
        return False
