"""What reports put in words beside what ``oddfleet.model.words`` does: together the one place, so that all agree."""

from __future__ import annotations

import math
from collections.abc import Sequence

from oddfleet.model import AnyFleet, Compaction, DataHealth, DeviceId, Explanation, FaultTest, Oddities
from oddfleet.model.words import (
    cannot_tell,
    chance,
    count,
    device,
    evidence,
    fleet_days,
    kind_words,
    number,
    percent,
    period,
    promise,
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
    "evidence",
    "fleet_days",
    "health_line",
    "kind_words",
    "mb",
    "names_of_odd",
    "number",
    "percent",
    "period",
    "promise",
    "quantity",
    "reach",
    "runs_an_alarm",
    "shortened",
    "tick",
    "verdict",
    "verdict_on",
]


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


def names_of_odd(result: Oddities, fleet: AnyFleet) -> dict[DeviceId, str | None]:
    """The names of the odd devices, None where there is none: a large fleet is gone through once for all of them."""
    odd = set(result.ids)
    return {one: name for one, name in zip(fleet.device_ids, fleet.names, strict=True) if one in odd}


def verdict_on(device: Explanation) -> str:
    """The decision on one device in one sentence, with the promise it was made under."""
    among = "" if device.n_devices is None else f" among {device.n_devices:,}"
    rank = f", number {device.place:,} of {count(device.n_odd, 'odd device')}{among}" if device.place else ""
    return f"{'Odd' if device.place else 'Not odd'}{rank}; {promise(device.alpha)} (alpha {device.alpha:g})."


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
