"""The devices of a fleet as a Parquet file tells them, beside its rows: names, what else is known, who is silent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oddfleet.errors import SCHEMA
from oddfleet.model.fleet import DeviceId

ROSTER_KEY = "oddfleet"
"""Under which a Parquet file holds its roster."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What the rows of a fleet do not say of its devices; JSON in the metadata of a Parquet file, under one key.

    Attributes:
        meta: entries as a meta file has them, such as ``{"id": 4, "name": "running_gopher", "room": "hall"}``; not
            yet judged where they come from JSON.
        silent: devices without any line.

    >>> roster = Roster([{"id": 4, "name": "running_gopher"}], (7,))
    >>> roster.to_json()
    '{"schema":1,"meta":[{"id":4,"name":"running_gopher"}],"silent":[7]}'
    >>> Roster.from_json(roster.to_json()) == roster
    True
    """

    meta: Sequence[Mapping[str, Any]] = ()
    silent: tuple[DeviceId, ...] = ()

    def to_json(self) -> str:
        """The roster as one line of JSON, always the same for the same roster."""
        content = {"schema": SCHEMA, "meta": list(self.meta), "silent": list(self.silent)}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Roster:
        """The roster that a text holds; every key of it may be missing.

        Raises:
            ValueError: when it is none; ``str(error)`` says what came instead.
        """
        try:
            content = json.loads(text)
        except RecursionError as error:
            raise ValueError("JSON without an end to its brackets") from error
        if not isinstance(content, dict):
            raise ValueError(f"a JSON {type(content).__name__}")
        if content.get("schema", SCHEMA) != SCHEMA:
            raise ValueError(f"schema {content['schema']!r}, not {SCHEMA}")
        meta, silent = content.get("meta", []), content.get("silent", [])
        if not isinstance(meta, list):
            raise ValueError(f"meta as a JSON {type(meta).__name__}")
        if not isinstance(silent, list) or not all(map(_is_id, silent)):
            raise ValueError("silent that is no list of ids")
        return cls(meta, tuple(silent))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(str(value).strip())
