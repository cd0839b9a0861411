"""A fleet as the folder that a collector would leave."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from oddfleet.model import Fleet


def write_folder(fleet: Fleet, folder: Path) -> None:
    """Write a fleet as collectors leave it: ``iot_<id>.csv`` with ``date,traffic``, and ``device_meta.txt``.

    Args:
        fleet: the fleet; a day without observation has no line.
        folder: where to; made when missing. Files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    days = np.datetime_as_string(fleet.dates, "D")
    for place, device_id in enumerate(fleet.device_ids):
        series = fleet.values[:, place].tolist()
        lines = [f"{day},{value!r}" for day, value in zip(days, series, strict=True) if not math.isnan(value)]
        (folder / f"iot_{device_id}.csv").write_text("\n".join(["date,traffic", *lines, ""]), encoding="utf-8")
    entries = [{"id": i, "name": name} for i, name in zip(fleet.device_ids, fleet.names, strict=True)]
    (folder / "device_meta.txt").write_text(json.dumps(entries), encoding="utf-8")
