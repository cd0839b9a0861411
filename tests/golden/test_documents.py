"""The exact text of the JSON documents: programs and people's diffs depend on it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from oddfleet.errors import error_json
from oddfleet.model import AnomalousDay, Answers, DataHealth, DeviceTotal, Finding, Fleet, FleetDays, Kind, Oddities
from oddfleet.report import findings_json, oddities_json

FLEET = Fleet(
    device_ids=(4399, "hall", 12),
    names=("sneaking_catfish", None, "höhle"),
    dates=np.array(["2020-01-01"], "datetime64[D]"),
    values=np.ones((1, 3)),
)
FINDING = Finding(
    device_id=4399,
    name="sneaking_catfish",
    kind=Kind.LEVEL_SHIFT,
    since=date(2020, 7, 1),
    until=None,
    days=184,
    value=61.25,
    usual=float("nan"),
    unit="MB a day",
    p_value=3.2e-07,
    text="It fell.",
    rivals=("another model",),
    next_check="Ask.",
)
ODDITIES = """\
[
  {
    "id": 4399,
    "name": "sneaking_catfish"
  },
  {
    "id": "hall",
    "name": null
  },
  {
    "id": 12,
    "name": "höhle"
  }
]
"""
FINDINGS = """\
{
  "schema": 1,
  "alpha": 0.01,
  "answers": {
    "first_day": "2020-01-01",
    "first_day_total_mb": 7512.34,
    "top_devices": [
      {
        "device_id": 12,
        "name": "höhle",
        "total_mb": 37245.5
      }
    ]
  },
  "data": {
    "lines_read": 10,
    "rows_stored": 9,
    "lines_rejected": 1,
    "devices": 3,
    "named_without_data": 0,
    "data_without_name": 1,
    "first_day": "2020-01-01",
    "last_day": "2020-12-31",
    "unread": [],
    "gaps": 0,
    "rows_left": 0
  },
  "notes": [
    "A small fleet."
  ],
  "odd": [
    4399,
    "hall"
  ],
  "days": {
    "anomalous": [
      {
        "day": "2020-03-14",
        "until": "2020-03-15",
        "change": null,
        "devices": 0.96,
        "p_value": 1e-09,
        "text": "All fell."
      }
    ]
  },
  "findings": [
    {
      "device_id": 4399,
      "name": "sneaking_catfish",
      "kind": "level_shift",
      "since": "2020-07-01",
      "until": null,
      "value": 61.25,
      "usual": null,
      "unit": "MB a day",
      "p_value": 3.2e-07,
      "text": "It fell.",
      "rivals": [
        "another model"
      ],
      "next_check": "Ask."
    }
  ]
}
"""


@pytest.mark.parametrize(("ids", "text"), [([4399, "hall", 12], ODDITIES), ([], "[]\n")])
def test_oddities(ids: list[int | str], text: str) -> None:
    assert oddities_json(Oddities(ids=ids, findings=(), table={}, alpha=0.01), FLEET) == text


def test_findings() -> None:
    notes, nothing = ("A small fleet.",), np.zeros(0)
    odd = AnomalousDay(date(2020, 3, 14), date(2020, 3, 15), float("nan"), 0.96, 1e-9, "All fell.")
    daily = FleetDays(nothing, nothing.astype(int), nothing, nothing, nothing, (odd,))
    result = Oddities([4399, "hall"], (FINDING,), {}, 0.01, notes, days=daily)
    answers = Answers(date(2020, 1, 1), 7512.34, (DeviceTotal(12, "höhle", 37245.5),))
    health = DataHealth(10, 9, 1, 3, 0, 1, date(2020, 1, 1), date(2020, 12, 31))
    assert findings_json(result, answers, health) == FINDINGS


def test_error() -> None:
    assert error_json("data: no file") == '{\n  "schema": 1,\n  "error": "data: no file"\n}\n'
