"""Findings in a few words: the title of a picture, the head of a card, a line of a table."""

from __future__ import annotations

import math
from collections.abc import Callable

from oddfleet.model.finding import Finding, Kind
from oddfleet.model.words import count, kind_words, number, percent, period, quantity


def headline(finding: Finding) -> str:
    """What was found, when, and how much: short enough for a title.

    >>> from datetime import date
    >>> headline(Finding(7, "attic_pump", Kind.LEVEL_SHIFT, date(2020, 9, 21), None, 102, 16.23, 1.999, "MB a day",
    ...                  1e-9, "", (), ""))
    'level shift since 2020-09-21: +16.23 MB a day, usual 1.999'
    """
    always = finding.since is None and finding.until is None
    what = kind_words(finding.kind) + ("" if always else f" {period(finding.since, finding.until)}")
    return f"{what}: {reason(finding)}" if math.isfinite(finding.value) else what


def reason(finding: Finding) -> str:
    """The numbers of a finding in a few words; what is usual is left out where it is not known.

    Args:
        finding: the finding; its period stands elsewhere.
    """
    said = _REASONS[finding.kind](finding)
    usual = "" if math.isnan(finding.usual) else _USUAL.get(finding.kind, _usual_number)(finding)
    return f"{said}, {usual}" if usual else said


def _signed(value: float, unit: str) -> str:
    return f"{'+' if value > 0 else ''}{quantity(value, unit)}"


def _usual_number(finding: Finding) -> str:
    return f"usual {number(finding.usual)}"


def _usual_days(finding: Finding) -> str:
    return "usual none" if finding.usual == 0 else f"usual {number(finding.usual)}"


def _usual_share(finding: Finding) -> str:
    return f"usual {percent(finding.usual)}"


def _unsaid(_finding: Finding) -> str:
    """What is usual is plain from the words before."""
    return ""


def _two(value: float) -> str:
    """Two decimals, as a correlation has them; what rounds to nothing has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"


_REASONS: dict[Kind, Callable[[Finding], str]] = {
    Kind.MISSING_DAYS: lambda f: f"{count(f.days, 'day')} missing",
    Kind.DUPLICATE_DAYS: lambda f: f"{count(f.days, 'day')} more than once",
    Kind.INVALID_VALUES: lambda f: f"{count(f.days, 'day')} without a number",
    Kind.NEGATIVE_TRAFFIC: lambda f: f"negative on {count(f.days, 'day')}",
    Kind.INACTIVE: lambda f: f"silent for {count(f.days, 'day')}",
    Kind.LEVEL: lambda f: quantity(f.value, f.unit),
    Kind.SPREAD: lambda f: f"varies by {quantity(f.value, f.unit)}",
    Kind.SHAPE: lambda f: f"{f.unit} {_two(f.value)}",
    Kind.ROUNDED: lambda f: quantity(f.value, f.unit),
    Kind.WEEKLY_RHYTHM: lambda f: f"{percent(f.value)} by day of the week",
    Kind.CYCLE: lambda f: f"{percent(f.value)} in one cycle",
    Kind.DETACHED: lambda f: f"follows the others {_two(f.value)} times",
    Kind.LEVEL_SHIFT: lambda f: _signed(f.value, f.unit),
    Kind.DRIFT: lambda f: f"{_signed(f.value, f.unit)} in all",
    Kind.WANDER: lambda f: f"{f.unit} {_two(f.value)}",
    Kind.VOLATILITY_CHANGE: lambda f: f"varies {number(f.value)} times as much",
    Kind.SPIKES: lambda f: f"{count(f.days, 'day')}, up to {quantity(f.value, f.unit)} off",
    Kind.FROZEN: lambda f: f"one value for {count(f.days, 'day')}",
    Kind.REPLAYED: lambda f: f"repeats {count(f.days, 'day')} of its own",
    Kind.COPIED: lambda f: f"{count(f.days, 'day')} of another device",
    Kind.MIXTURE: lambda f: f"{quantity(f.value, f.unit)} a little out",
}
_USUAL: dict[Kind, Callable[[Finding], str]] = {
    **dict.fromkeys(
        (
            Kind.MISSING_DAYS,
            Kind.DUPLICATE_DAYS,
            Kind.INVALID_VALUES,
            Kind.NEGATIVE_TRAFFIC,
            Kind.INACTIVE,
            Kind.FROZEN,
        ),
        _usual_days,
    ),
    **dict.fromkeys((Kind.WEEKLY_RHYTHM, Kind.CYCLE), _usual_share),
    **dict.fromkeys((Kind.REPLAYED, Kind.COPIED), _unsaid),
    **dict.fromkeys((Kind.SHAPE, Kind.WANDER, Kind.DETACHED), lambda f: f"usual {_two(f.usual)}"),
}
