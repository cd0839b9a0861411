"""The map of the fleet: every device by its level and its surprise; where they are too many, how many are where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from oddfleet.errors import visible
from oddfleet.model import BoolArray, DeviceId, FloatArray, IntArray, Oddities
from oddfleet.report import wording
from oddfleet.report.page.packing import packed

MOST_POINTS = 3000
"""Devices that are points each; of more, those that are not odd are counted by cells."""
MOST_ODD_POINTS = 2000
CELLS = (72, 36)
"""Cells of the map, across and up."""
MOST_SURPRISING = 16.0
"""Surprise (powers of ten) beyond which all are the same; broken promises, which are facts, are there too."""
_MOST_LETTERS = 60


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where devices are on the map (arrays (devices,)).

    Attributes:
        level: log10 of the mean, in MB a day; NaN where it has none.
        surprise: powers of ten by which the p-value is small.
        cohort: number of the cohort, the largest being 0.
        odd: the decision.
    """

    level: FloatArray
    surprise: FloatArray
    cohort: IntArray
    odd: BoolArray


def fleet_map(result: Oddities) -> dict[str, Any] | None:
    """What the page's script draws the map from; None where no device has a level.

    Odd devices are points with their names, oddest first; the others too where they are few, else cells with counts.

    Args:
        result: the decision; of its table ``id``, ``name``, ``cohort``, ``p_value``, ``odd`` and ``level_log_mb``.
    """
    at, names = _places(result)
    placed = np.isfinite(at.level)
    if not placed.any():
        return None
    ids = result.table["id"]
    rank = {device_id: place for place, device_id in enumerate(result.ids)}
    odd = sorted(np.flatnonzero(placed & at.odd).tolist(), key=lambda device: rank[ids[device]])[:MOST_ODD_POINTS]
    others = np.flatnonzero(placed & ~at.odd)
    drawn: dict[str, Any] = {
        "cohorts": names,
        "unplaced": int((~placed).sum()),
        "odd": _points(at, np.array(odd, np.int64), result),
    }
    if len(others) <= MOST_POINTS:
        return drawn | {"others": _points(at, others, result)}
    return drawn | {"cells": _cells(at.level[others], at.surprise[others])}


def _places(result: Oddities) -> tuple[_Places, list[str]]:
    table = result.table
    labels, number, size = np.unique(np.array(table["cohort"], str), return_inverse=True, return_counts=True)
    by_size = np.argsort(-size, kind="stable")
    p_value = np.maximum(np.asarray(table["p_value"], float), 10**-MOST_SURPRISING)
    at = _Places(
        level=np.asarray(table["level_log_mb"], float) / np.log(10),
        surprise=np.nan_to_num(-np.log10(p_value)) + 0.0,
        cohort=np.argsort(by_size)[number],
        odd=np.asarray(table["odd"], bool),
    )
    return at, [visible(wording.shortened(str(labels[place]), _MOST_LETTERS)) for place in by_size]


def _points(at: _Places, devices: IntArray, result: Oddities) -> dict[str, Any]:
    return {
        "level": packed(at.level[devices]),
        "surprise": packed(at.surprise[devices]),
        "cohort": at.cohort[devices].tolist(),
        "name": [_name(result.table["name"][device], result.table["id"][device]) for device in devices.tolist()],
    }


def _name(name: str | None, device_id: DeviceId) -> str:
    return visible(wording.shortened(wording.device(name, device_id), _MOST_LETTERS))


def _cells(level: FloatArray, surprise: FloatArray) -> dict[str, Any]:
    """How many devices are in each cell that is not empty."""
    reach = float(max(surprise.max(), 1.0))
    low, high = float(level.min()), float(level.max())
    pad = 0.5 if high == low else 0.0
    counts, across, up = np.histogram2d(level, surprise, CELLS, ((low - pad, high + pad), (0.0, reach)))
    x, y = np.nonzero(counts)
    return {
        "left": packed(across[x]),
        "bottom": packed(up[y]),
        "width": float(across[1] - across[0]),
        "height": float(up[1] - up[0]),
        "count": counts[x, y].astype(int).tolist(),
    }
