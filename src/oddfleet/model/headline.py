"""A finding in a few words with its number: the title of a picture, the head of a card."""

from __future__ import annotations

import math
from collections.abc import Callable

from oddfleet.model.finding import Finding, Kind
from oddfleet.model.words import count, kind_words, percent, period


def headline(finding: Finding) -> str:
    """What was found, when, and how much: short enough for a title.

    >>> from datetime import date
    >>> headline(Finding(7, "attic_pump", Kind.LEVEL_SHIFT, date(2020, 9, 21), None, 102, 16.23, 1.999, "MB a day",
    ...                  1e-9, "", (), ""))
    'level shift since 2020-09-21, +16.2 MB a day'
    """
    if not math.isfinite(finding.value):
        return f"{kind_words(finding.kind)}{_when(finding, ', ')}"
    return _HEADLINES[finding.kind](finding)


def _few(value: float) -> str:
    """A number with three digits that matter: a title is no table."""
    return f"{value + 0.0:,.3g}" if abs(value) < 1000 else f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"


def _two(value: float) -> str:
    """Two decimals; what rounds to nothing has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{_few(value)}"


def _when(finding: Finding, before: str) -> str:
    """The days a finding speaks of; nothing where it speaks of all."""
    if finding.since is None and finding.until is None:
        return ""
    return f"{before}{period(finding.since, finding.until).removeprefix('on ')}"


def _usual(finding: Finding, said: Callable[[float], str] = _few) -> str:
    return f" (usual {said(finding.usual)})" if math.isfinite(finding.usual) else ""


def _share(finding: Finding) -> str:
    return f"{percent(finding.value)} of its variation{_usual(finding, percent)}"


_HEADLINES: dict[Kind, Callable[[Finding], str]] = {
    Kind.MISSING_DAYS: lambda f: f"{count(f.days, 'missing day')}{_when(f, ', ')}",
    Kind.DUPLICATE_DAYS: lambda f: f"{count(f.days, 'duplicate day')}{_when(f, ', ')}",
    Kind.INVALID_VALUES: lambda f: f"{count(f.days, 'invalid value')}{_when(f, ', ')}",
    Kind.NEGATIVE_TRAFFIC: lambda f: f"negative traffic on {count(f.days, 'day')}{_when(f, ', ')}",
    Kind.INACTIVE: lambda f: f"inactive for {count(f.days, 'day')}{_when(f, ', ')}",
    Kind.LEVEL: lambda f: f"level of {_few(f.value)} {f.unit}{_usual(f)}",
    Kind.SPREAD: lambda f: f"spread of {_few(f.value)} {f.unit}{_usual(f)}",
    Kind.SHAPE: lambda f: f"shape, {f.unit} {_few(f.value)}{_usual(f)}",
    Kind.ROUNDED: lambda f: f"rounded, {_few(f.value)} {f.unit}{_usual(f)}",
    Kind.WEEKLY_RHYTHM: lambda f: f"weekly rhythm, {_share(f)}",
    Kind.CYCLE: lambda f: f"cycle, {_share(f)}",
    Kind.DETACHED: lambda f: f"detached, {_two(f.value)} {f.unit} coupling",
    Kind.LEVEL_SHIFT: lambda f: f"level shift{_when(f, ' ')}, {_signed(f.value)} {f.unit}",
    Kind.DRIFT: lambda f: f"drift{_when(f, ' ')}, {_signed(f.value)} {f.unit} over the record",
    Kind.WANDER: lambda f: f"wander, {f.unit} of {_two(f.value)} with the day before{_usual(f, _two)}",
    Kind.VOLATILITY_CHANGE: lambda f: f"volatility change{_when(f, ' ')}, {f.value:.2g} times what it was",
    Kind.SPIKES: lambda f: f"spikes on {count(f.days, 'day')}, up to {_few(f.value)} {f.unit}{_when(f, ', ')}",
    Kind.FROZEN: lambda f: f"frozen for {count(f.days, 'day')}{_when(f, ', ')}",
    Kind.REPLAYED: lambda f: f"replayed for {count(f.days, 'day')}{_when(f, ', ')}",
    Kind.COPIED: lambda f: f"copied for {count(f.days, 'day')}{_when(f, ', ')}",
    Kind.MIXTURE: lambda f: f"mixture, {_few(f.value)} unusual {f.unit}{_usual(f)}",
}
