"""``findings.json`` read back: of this version, or of an older one that has fewer keys."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from oddfleet.errors import SCHEMA
from oddfleet.model import DeviceId, Finding, Kind


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a document tells of a run, as far as one device is concerned.

    Attributes:
        alpha: the false-alarm rate.
        odd: the odd devices, oddest first.
        findings: all findings; ``days`` is 0 where the document does not tell it.
        n_devices: devices of the fleet; None where it does not tell.
        first_day: first day of the record; None where it does not tell.
        last_day: last day.
    """

    alpha: float
    odd: tuple[DeviceId, ...]
    findings: tuple[Finding, ...]
    n_devices: int | None
    first_day: date | None
    last_day: date | None


def read_findings(text: str) -> Results:
    """The results that a document holds.

    Args:
        text: what ``findings_json`` wrote.

    Raises:
        ValueError: when it is no such document; ``str(error)`` says what came instead.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError(f"a JSON {type(content).__name__}")
        if content.get("schema", SCHEMA) != SCHEMA:
            raise ValueError(f"schema {content['schema']!r}, not {SCHEMA}")
        data = content.get("data", {})
        return Results(
            alpha=float(content["alpha"]),
            odd=tuple(_id(one) for one in content["odd"]),
            findings=tuple(_finding(entry) for entry in content["findings"]),
            n_devices=data.get("devices"),
            first_day=_day(data.get("first_day")),
            last_day=_day(data.get("last_day")),
        )
    except KeyError as error:
        raise ValueError(f"one without the key {error}") from error
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"other types than expected ({error})") from error


def _finding(entry: dict[str, Any]) -> Finding:
    p_value = entry["p_value"]
    return Finding(
        device_id=_id(entry["device_id"]),
        name=entry["name"],
        kind=Kind(entry["kind"]),
        since=_day(entry["since"]),
        until=_day(entry["until"]),
        days=int(entry.get("days", 0)),
        value=_number(entry["value"]),
        usual=_number(entry["usual"]),
        unit=str(entry["unit"]),
        p_value=None if p_value is None else float(p_value),
        text=str(entry["text"]),
        rivals=tuple(map(str, entry["rivals"])),
        next_check=str(entry["next_check"]),
    )


def _id(value: Any) -> DeviceId:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} as an id")
    return value


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
