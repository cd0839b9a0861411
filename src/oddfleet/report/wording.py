"""What reports put in words beside what ``oddfleet.model.words`` does: together the one place, so that all agree."""

from __future__ import annotations

import math
from collections.abc import Sequence

from oddfleet.model import AnyFleet, Compaction, DataHealth, DeviceId, FaultTest, Kind, Oddities
from oddfleet.model.words import (
    chance,
    count,
    device,
    kind_words,
    number,
    percent,
    period,
    quantity,
    reach,
    runs_an_alarm,
    shortened,
    verdict,
)

__all__ = [
    "begins",
    "cannot_tell",
    "chance",
    "compaction_line",
    "count",
    "device",
    "health_line",
    "kind_words",
    "mb",
    "names_of_odd",
    "number",
    "percent",
    "period",
    "quantity",
    "reach",
    "runs_an_alarm",
    "shortened",
    "tick",
    "verdict",
]

_CANNOT_TELL: dict[Kind, str] = {
    Kind.MISSING_DAYS: "whether there was traffic on those days",
    Kind.DUPLICATE_DAYS: "which of the lines of a day is right",
    Kind.INVALID_VALUES: "what the traffic was on those days",
    Kind.NEGATIVE_TRAFFIC: "what the traffic was on those days",
    Kind.INACTIVE: "whether the device was off or only silent",
    Kind.LEVEL: "whether it ever was otherwise: the record begins with it",
    Kind.SPREAD: "whether its use varies or its counter does",
    Kind.SHAPE: "what happens within a day: only totals are on record",
    Kind.ROUNDED: "what the finer values were",
    Kind.WEEKLY_RHYTHM: "at which hours: only daily totals are on record",
    Kind.CYCLE: "what returns with this period: only volumes are on record",
    Kind.DETACHED: "whether what moves the others never reached it, or it was made up for",
    Kind.LEVEL_SHIFT: "the hour of the change, and whether it was wanted",
    Kind.DRIFT: "whether it goes on after the record ends",
    Kind.WANDER: "whether the use remembers or the counter does",
    Kind.VOLATILITY_CHANGE: "whether the use changed or the counter did",
    Kind.SPIKES: "where the traffic went: only volumes are on record",
    Kind.FROZEN: "what the traffic was in that stretch",
    Kind.REPLAYED: "what the traffic was in that stretch",
    Kind.COPIED: "which of the two devices is the original",
    Kind.MIXTURE: "which of these is the cause of the others",
}


def mb(value: float) -> str:
    """An amount of traffic.

    >>> mb(96.4), mb(37245.12)
    ('96.4 MB', '37,245.1 MB')
    """
    return quantity(value, "MB")


def tick(value: float, step: float) -> str:
    """The label of a mark on an axis whose marks are ``step`` apart.

    >>> tick(1000.5, 0.5), tick(20.0, 10.0), tick(3e7, 1e7)
    ('1,000.5', '20', '3e+07')
    """
    if abs(value) >= 1e7:
        return f"{value:.6g}"
    decimals = max(0, -math.floor(math.log10(step)))
    return f"{value + 0.0:,.{decimals}f}"


def cannot_tell(kind: Kind) -> str:
    """What a record of daily traffic cannot tell about such a finding, whatever is done with it.

    >>> cannot_tell(Kind.SPIKES)
    'where the traffic went: only volumes are on record'
    """
    return _CANNOT_TELL[kind]


def names_of_odd(result: Oddities, fleet: AnyFleet) -> dict[DeviceId, str | None]:
    """The names of the odd devices, None where there is none: a large fleet is gone through once for all of them."""
    odd = set(result.ids)
    return {one: name for one, name in zip(fleet.device_ids, fleet.names, strict=True) if one in odd}


def health_line(health: DataHealth) -> str:
    """What became of the input, in one line."""
    left = f"{health.rows_left:,} left where they are, " if health.rows_left else ""
    unnamed = count(health.data_without_name, "device")
    return (
        f"{count(health.lines_read, 'line')} read, {health.rows_stored:,} stored, "
        f"{left}{health.lines_rejected:,} rejected; "
        f"{count(health.devices, 'device')}, {health.first_day.isoformat()} to {health.last_day.isoformat()}, "
        f"{count(health.gaps, 'device day')} without a value; {unnamed} without a name"
    )


def compaction_line(done: Compaction) -> str:
    """What became of the input of a compaction, in one line."""
    kept = done.rows_without_number
    without = f" ({kept:,} of them kept as {'a row' if kept == 1 else 'rows'} without a value)" if kept else ""
    return (
        f"{count(done.lines_read, 'line')} read, {count(done.rows_written, 'row')} written, "
        f"{done.lines_rejected:,} rejected{without}; {count(done.devices, 'device')}"
    )


def begins(fault: FaultTest, strengths: Sequence[float]) -> str:
    """From what strength on half of such faults are found.

    >>> begins(FaultTest(None, (4, 4), (0.25, 0.75), 0.75, 1.0, 1.0), (0.5, 1.0))
    '0.75'
    """
    if not any(fault.planted):
        return "cannot be planted here"
    if fault.begins is None:
        return f"> {strengths[-1]:g}"
    return f"{fault.begins:.2g}" if fault.begins > strengths[0] else f"<= {strengths[0]:g}"
