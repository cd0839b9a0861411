"""The JSON documents: the answer of the exercise; findings, self-test, compaction and one device in full."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from datetime import date
from pathlib import Path
from typing import Any

from oddfleet.errors import SCHEMA
from oddfleet.model import Answers, AnyFleet, Compaction, DataHealth, Explanation, Finding, Oddities, SelfTest
from oddfleet.report import wording


def oddities_json(result: Oddities, fleet: AnyFleet) -> str:
    """The odd devices, oddest first, as ``[{"id": …, "name": …}, …]`` and nothing else.

    Args:
        result: the decision.
        fleet: where the names are; a device without a name gets null.
    """
    names = wording.names_of_odd(result, fleet)
    return _document([{"id": device_id, "name": names[device_id]} for device_id in result.ids])


def findings_json(result: Oddities, answers: Answers, health: DataHealth) -> str:
    """Everything a run has to say, for programs: dates as ISO text, null where there is no number.

    Args:
        result: the decision, its notes and its findings.
        answers: the standing questions, answered.
        health: what became of the input.
    """
    return _document(
        {
            "schema": SCHEMA,
            "alpha": result.alpha,
            "answers": _plain(dataclasses.asdict(answers)),
            "data": _plain(dataclasses.asdict(health)),
            "notes": list(result.notes),
            "odd": list(result.ids),
            "days": {"anomalous": _anomalous_days(result)},
            "findings": [_finding(finding) for finding in result.findings],
        }
    )


def selftest_json(result: SelfTest) -> str:
    """A self-test as ``{"schema": 1, "selftest": {…}}``: null where there is no number.

    Args:
        result: what would have been found; one entry a kind in ``faults``, ``overall`` for all (its kind is null).
    """
    return _document({"schema": SCHEMA, "selftest": _plain(dataclasses.asdict(result))})


def compaction_json(done: Compaction) -> str:
    """A compaction as ``{"schema": 1, "compact": {…}}``: paths as text, null where there is no such file or line.

    Args:
        done: what went into the file, and what did not.
    """
    return _document({"schema": SCHEMA, "compact": _plain(dataclasses.asdict(done))})


def explanation_json(device: Explanation) -> str:
    """One device of a run as ``{"schema": 1, "explain": {…}}``: its findings as in ``findings.json``.

    Args:
        device: what is known of it; ``place`` is null where it is not odd.
    """
    return _document(
        {
            "schema": SCHEMA,
            "explain": {
                "id": device.device_id,
                "name": device.name,
                "odd": device.place is not None,
                "place": device.place,
                "n_odd": device.n_odd,
                "n_devices": device.n_devices,
                "alpha": device.alpha,
                "findings": [_finding(finding) for finding in device.findings],
            },
        }
    )


def _anomalous_days(result: Oddities) -> list[dict[str, Any]]:
    odd = () if result.days is None else result.days.anomalous
    return [_plain(dataclasses.asdict(day)) for day in odd]


def _finding(finding: Finding) -> dict[str, Any]:
    entry: dict[str, Any] = _plain(dataclasses.asdict(finding))
    # The number of days is for Python; the document holds the keys of its contract and no more.
    del entry["days"]
    return entry


def _plain(value: Any) -> Any:
    """Dates to ISO text, paths to text and numbers that JSON cannot hold to null, however deep."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _document(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    # Half a surrogate pair, which a meta file may hold, has no UTF-8 form: without this no file could be written.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)
