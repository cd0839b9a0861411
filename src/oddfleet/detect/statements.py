"""Findings in words: for every kind one plain sentence, the rival explanations and what to check next.

Fixed templates, no model: the same numbers give the same words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from oddfleet.model import Kind


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers that a sentence quotes.

    Attributes:
        value: what was measured, in the unit of the kind.
        usual: what is usual in the cohort.
        since: first day spoken of, None = all of the record.
        until: last day spoken of, None = all of the record, or to its end.
        days: number of days spoken of.
        test: the test that was most surprising.
        detail: a further number some kinds quote (see ``findings``).
        source: the device whose days are repeated.
    """

    value: float
    usual: float
    since: date | None
    until: date | None
    days: int
    test: str
    detail: float = float("nan")
    source: str = ""


def sentence(kind: Kind, evidence: Evidence) -> str:
    """The finding in one plain sentence, with its numbers."""
    return _SENTENCES[kind](evidence)


def rivals(kind: Kind) -> tuple[str, ...]:
    """Other explanations that the traffic alone cannot rule out."""
    return _RIVALS[kind]


def next_check(kind: Kind) -> str:
    """The cheapest thing to look at next."""
    return _NEXT_CHECK[kind]


def _n(number: float) -> str:
    """A number with four digits that count, whole from a thousand on."""
    return f"{number:,.4g}" if abs(number) < 1000 else f"{number:,.0f}"


def _two(number: float) -> str:
    """A number with two decimals; what rounds to nothing has no sign."""
    return f"{round(number, 2) + 0.0:.2f}"


def _usual_days(e: Evidence) -> str:
    return _days(round(e.usual)) if math.isfinite(e.usual) else "not known, for no other device can be compared"


def _days(count: int) -> str:
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def _stand(e: Evidence) -> str:
    return "stands" if e.days == 1 else "stand"


def _more(e: Evidence) -> str:
    return "more" if e.value > e.usual else "less"


def _period(e: Evidence) -> str:
    return f"on {e.since}" if e.since == e.until else f"between {e.since} and {e.until}"


def _all_or_period(e: Evidence) -> str:
    return "in all of the record" if e.since is None else _period(e)


def _shifted(e: Evidence) -> str:
    return "" if e.detail == 0 else f", {_days(abs(round(e.detail)))} {'later' if e.detail > 0 else 'earlier'}"


def _usual_count(e: Evidence) -> str:
    return "usual here is none" if e.usual == 0 else f"usual here is {_n(e.usual)}"


def _shape_word(e: Evidence) -> str:
    if e.test == "skewness_l":
        return f"with a longer tail {'upwards' if e.value > e.usual else 'downwards'} than theirs"
    return "peaked, with heavier tails" if e.value > e.usual else "flatter, or in two humps"


_SENTENCES: dict[Kind, Callable[[Evidence], str]] = {
    Kind.MISSING_DAYS: lambda e: f"No traffic is on record for {_days(e.days)} {_period(e)}; {_usual_count(e)}.",
    Kind.DUPLICATE_DAYS: lambda e: (
        f"{_days(e.days)} {_period(e)} {_stand(e)} in the record more than once; {_usual_count(e)}."
    ),
    Kind.INVALID_VALUES: lambda e: (
        f"{_days(e.days)} {_period(e)} {_stand(e)} in the record without a usable number; {_usual_count(e)}."
    ),
    Kind.NEGATIVE_TRAFFIC: lambda e: (
        f"Traffic is negative on {_days(e.days)} {_period(e)}, at the lowest {_n(e.detail)} MB; {_usual_count(e)}."
    ),
    Kind.INACTIVE: lambda e: (
        f"Silent (zero traffic or none on record) for {_days(e.days)} {_period(e)}; "
        f"the longest silence usual here is {_usual_days(e)}."
    ),
    Kind.LEVEL: lambda e: (
        f"Carries {_more(e)} traffic than its cohort: {_n(e.value)} MB a day on average, usual is {_n(e.usual)}."
    ),
    Kind.SPREAD: lambda e: (
        f"Varies {_more(e)} from day to day than its cohort: {_n(e.value)} MB away from its median on average, "
        f"usual is {_n(e.usual)}."
    ),
    Kind.SHAPE: lambda e: (
        f"Its values are distributed unlike those of its cohort: {_shape_word(e)} "
        f"({'L-skewness' if e.test == 'skewness_l' else 'L-kurtosis'} {e.value:.3f}, usual is {e.usual:.3f})."
    ),
    Kind.ROUNDED: lambda e: (
        f"Takes only {_n(e.value)} distinct values in {_days(e.days)}; usual is {_n(e.usual)}."
        if e.value < e.usual
        else f"Takes {_n(e.value)} distinct values in {_days(e.days)}; usual is only {_n(e.usual)}."
    ),
    Kind.WEEKLY_RHYTHM: lambda e: (
        f"The days of the week explain {e.value:.0%} of its variation; usual is {e.usual:.0%}."
    ),
    Kind.CYCLE: lambda e: (
        f"Its strongest cycle, of {e.detail:.1f} days, holds {e.value:.0%} of its variation; "
        f"that of a usual device holds {e.usual:.0%}."
    ),
    Kind.DETACHED: lambda e: (
        f"Follows the days that its cohort shares {_more(e)} than is usual: its coupling to them is {_two(e.value)} "
        f"times the usual one."
    ),
    Kind.LEVEL_SHIFT: lambda e: (
        f"Since {e.since} it carries {_n(abs(e.value))} MB a day {'more' if e.value > 0 else 'less'} than before; "
        f"the largest step of a usual device is {_n(abs(e.usual))}."
    ),
    Kind.DRIFT: lambda e: (
        f"Its traffic {'grows' if e.value > 0 else 'falls'} steadily{f' since {e.since}' if e.since else ''}, by "
        f"{_n(abs(e.value))} MB a day from the first day to the last; usual is {_n(abs(e.usual))}."
    ),
    Kind.WANDER: lambda e: (
        f"Each day resembles the day before {_more(e)} than is usual: "
        f"correlation {_two(e.value)}, usual is {_two(e.usual)}."
    ),
    Kind.VOLATILITY_CHANGE: lambda e: (
        f"Since {e.since} its daily variation is {e.value:.2g} times what it was; "
        f"for a usual device it stays at {e.usual:.2g} times."
    ),
    Kind.SPIKES: lambda e: (
        f"{_days(e.days)} {_period(e)} {_stand(e)} out, up to {_n(e.value)} MB away from its median; "
        f"a usual device strays up to {_n(e.usual)} MB."
    ),
    Kind.FROZEN: lambda e: (
        f"Reports the same value, {_n(e.detail)} MB, for {_days(e.days)} in a row {_period(e)}; "
        f"the longest such stretch usual here is {_usual_days(e)}."
    ),
    Kind.REPLAYED: lambda e: (
        f"Its traffic {_period(e)} repeats an earlier stretch of its own, value for value, for {_days(e.days)}; "
        f"no usual device repeats itself so."
    ),
    Kind.COPIED: lambda e: (
        f"Its traffic {_all_or_period(e)} is that of device {e.source}, value for value, for {_days(e.days)}"
        f"{_shifted(e)}; usual devices have none in common."
    ),
    Kind.MIXTURE: lambda e: (
        f"No one thing is odd about it, but many are unusual at once: {_n(e.value)} features lie in the outer tenth of "
        f"its cohort, {_n(e.usual)} of a usual device."
    ),
}

_RIVALS: dict[Kind, tuple[str, ...]] = {
    Kind.MISSING_DAYS: ("the collector lost the days", "the device was switched off"),
    Kind.DUPLICATE_DAYS: ("the collector sent a day twice", "two devices share the id"),
    Kind.INVALID_VALUES: ("the collector wrote a fault code", "the file was edited by hand"),
    Kind.NEGATIVE_TRAFFIC: ("a counter ran over or was reset", "a correction was booked as traffic"),
    Kind.INACTIVE: ("the device is dead, was not yet installed or has been taken out", "the collector lost it"),
    Kind.LEVEL: ("it serves another purpose or place than its cohort", "a wrong unit or scale"),
    Kind.SPREAD: ("it serves another purpose than its cohort", "a faulty or noisy counter"),
    Kind.SHAPE: ("it switches between modes of use", "the values are simulated or capped"),
    Kind.ROUNDED: ("another firmware reports coarser numbers", "the values were rounded on export"),
    Kind.WEEKLY_RHYTHM: ("the place it serves keeps other working days", "a scheduled job"),
    Kind.CYCLE: ("a scheduled job or billing period", "a control loop that swings"),
    Kind.DETACHED: ("it stands in another place or network", "its clock is wrong"),
    Kind.LEVEL_SHIFT: ("a change of configuration or firmware on that day", "a change in what it serves"),
    Kind.DRIFT: ("what it serves grows or shrinks", "a leak or an ageing part"),
    Kind.WANDER: (
        "its use depends on the day before, such as a queue or a store",
        "a counter that adds up its own error",
    ),
    Kind.VOLATILITY_CHANGE: ("a change of use on that day", "a part that begins to fail"),
    Kind.SPIKES: ("bulk transfers such as updates or backups", "an intrusion", "a counter that caught up after a gap"),
    Kind.FROZEN: ("the collector repeated the last value it had", "the counter is stuck"),
    Kind.REPLAYED: ("the collector sent an old file again", "the values are made up"),
    Kind.COPIED: ("one file was stored under two ids", "two ids stand for one device"),
    Kind.MIXTURE: ("it serves another purpose than its cohort", "several small faults at once"),
}

_NEXT_CHECK: dict[Kind, str] = {
    Kind.MISSING_DAYS: "Look for the same days in the collector's log.",
    Kind.DUPLICATE_DAYS: "Compare the repeated lines; if they differ, find out which collector wrote which.",
    Kind.INVALID_VALUES: "Read the lines in table rejected, and the collector's log of those days.",
    Kind.NEGATIVE_TRAFFIC: "Compare the device's own counter with the record on those days.",
    Kind.INACTIVE: "Ping the device, and ask when it was installed or taken out.",
    Kind.LEVEL: "Check the unit and what the device serves.",
    Kind.SPREAD: "Compare its configuration with a usual device of its cohort.",
    Kind.SHAPE: "Look at a histogram of its days for separate modes or a cap.",
    Kind.ROUNDED: "Compare its firmware and export with a usual device.",
    Kind.WEEKLY_RHYTHM: "Ask which days of the week the place it serves is open.",
    Kind.CYCLE: "Look for a job with this period.",
    Kind.DETACHED: "Check its clock, and whether it serves the same place as its cohort.",
    Kind.LEVEL_SHIFT: "Look for a change of firmware, configuration or use on that day.",
    Kind.DRIFT: "Compare the first and the last month, and ask what it serves now.",
    Kind.WANDER: "Compare the device's own counter with the record over a week.",
    Kind.VOLATILITY_CHANGE: "Look for a change of firmware, configuration or use on that day.",
    Kind.SPIKES: "Look at the flows of those days: destination, protocol and hour.",
    Kind.FROZEN: "Compare the device's own counter with the record in that stretch.",
    Kind.REPLAYED: "Compare the device's own counter with the record in that stretch.",
    Kind.COPIED: "Find out which of the two devices the traffic belongs to.",
    Kind.MIXTURE: "Compare its plot with those of a few usual devices, and its configuration with theirs.",
}
