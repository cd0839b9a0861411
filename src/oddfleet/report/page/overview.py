"""What an operator asks of a fleet besides who is odd: who is silent now, when it carried most, what changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from oddfleet.model import DateArray, DeviceId, FleetDays, Oddities

SILENT_DAYS = 7
"""So many days without traffic when the record ends are told of any device."""
MOST_SILENT = 20
_MONTH = 28
"""Four weeks, so that each weekday is in them as often."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A device without traffic when the record ends; ``last_day`` is the last with any, None where there is none."""

    device_id: DeviceId
    name: str | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The answers.

    Attributes:
        silent: devices that were silent for a week when the record ends, those that fell silent last first.
        more_silent: how many there are besides.
        busiest: the day with most traffic, and how much it was in MB.
        quietest: the day with least.
        lately: traffic of the last four weeks, in MB; None where the record has less than eight.
        before: that of the four weeks before.
    """

    silent: tuple[Silent, ...]
    more_silent: int
    busiest: tuple[date, float]
    quietest: tuple[date, float]
    lately: float | None
    before: float | None


def overview(result: Oddities, days: FleetDays, dates: DateArray) -> Overview:
    """Answer them.

    Args:
        result: the decision; of its table ``id``, ``name`` and ``silent_days``.
        days: what the fleet carried on each day.
        dates: datetime64[D] (days,).
    """
    since = np.asarray(result.table["silent_days"])
    silent = np.flatnonzero(since >= SILENT_DAYS)
    silent = silent[np.argsort(since[silent], kind="stable")]
    total = days.total_mb
    known = np.flatnonzero(days.observed > 0)
    most, least = (int(known[find(total[known])]) if known.size else 0 for find in (np.argmax, np.argmin))
    enough = len(total) >= 2 * _MONTH
    return Overview(
        silent=tuple(_silent(result, place, dates[: len(dates) - since[place]]) for place in silent[:MOST_SILENT]),
        more_silent=max(len(silent) - MOST_SILENT, 0),
        busiest=(dates[most].item(), float(total[most])),
        quietest=(dates[least].item(), float(total[least])),
        lately=float(total[-_MONTH:].sum()) if enough else None,
        before=float(total[-2 * _MONTH : -_MONTH].sum()) if enough else None,
    )


def _silent(result: Oddities, place: int, heard: DateArray) -> Silent:
    last_day = heard[-1].item() if len(heard) else None
    return Silent(result.table["id"][place], result.table["name"][place], last_day)
