"""How numbers, dates and kinds are put in words for people, whoever tells them: a report, or a noun in a notebook."""

from __future__ import annotations

import math
from datetime import date

from oddfleet.model.days import FleetDays
from oddfleet.model.finding import Finding, Kind
from oddfleet.model.fleet import DeviceId

MOST_DAYS = 5
"""So many days odd for the whole fleet are told where all are told elsewhere."""
_BEFORE = ("correlation", "ratio", "L-kurtosis", "L-skewness")
"""Units that stand before their number."""
_TIMES = {"share of variance": 100}
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
_LARGE_NUMBERS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def number(value: float) -> str:
    """A number with four digits that matter and thousands separators; never "nan" or "inf".

    >>> number(96.4), number(1234567.8), number(float("nan"))
    ('96.4', '1,234,568', 'no value')
    """
    if not math.isfinite(value):
        return "no value"
    size = abs(value)
    if size >= 1e15:
        return f"{value:.3g}"
    if size >= 1e5:
        return f"{value:,.0f}"
    if size >= 1e3:
        return f"{value:,.1f}".removesuffix(".0")
    # Adding 0.0 turns the negative zero into zero.
    return f"{value + 0.0:,.4g}" if size >= 1 else f"{value + 0.0:.3g}"


def quantity(value: float, unit: str) -> str:
    """A number with its unit.

    >>> quantity(61.25, "MB a day"), quantity(1, "days"), quantity(float("nan"), "MB a day")
    ('61.25 MB a day', '1 day', 'no value')
    >>> quantity(0.0153, "share of variance"), quantity(0.95, "correlation")
    ('1.53% of its variation', 'correlation 0.95')
    """
    if not math.isfinite(value):
        return number(value)
    if unit == "days" and value == 1:
        unit = "day"
    return _with_unit(number(value * _TIMES.get(unit, 1)), unit)


def reach(low: float, high: float, unit: str) -> str:
    """From where to where something goes, with its unit.

    >>> reach(2, 3.5, "MB a day"), reach(0.01, 0.02, "share of variance"), reach(1, 1, "days")
    ('2 to 3.5 MB a day', '1 to 2% of its variation', '1 day')
    """
    if low == high:
        return quantity(high, unit)
    times = _TIMES.get(unit, 1)
    return _with_unit(f"{number(low * times)} to {number(high * times)}", unit)


def _with_unit(numbers: str, unit: str) -> str:
    if unit == "share of variance":
        return f"{numbers}% of its variation"
    return f"{unit} {numbers}" if unit in _BEFORE else f"{numbers} {unit}".strip()


def count(how_many: int, noun: str) -> str:
    """How many of something.

    >>> count(1, "device"), count(1000, "device")
    ('1 device', '1,000 devices')
    """
    return f"{how_many:,} {noun}" if how_many == 1 else f"{how_many:,} {noun}s"


def chance(p_value: float | None) -> str:
    """A p-value as a chance; a broken promise (None) has none.

    >>> chance(3.2e-7), chance(0.00021), chance(None)
    ('about 1 in 3 million', 'about 1 in 4,800', 'a fact, not a statistic')
    """
    if p_value is None:
        return "a fact, not a statistic"
    if math.isnan(p_value):
        return "not known"
    if p_value > 0.5:
        return "more than 1 in 2"
    if p_value < 1e-15:
        return "less than 1 in 1,000 trillion"
    odds = float(f"{1 / p_value:.2g}")
    if odds < 1e6:
        return f"about 1 in {odds:,.0f}"
    odds = float(f"{1 / p_value:.1g}")
    size, word = next(row for row in _LARGE_NUMBERS if odds >= row[0])
    return f"about 1 in {odds / size:,.0f} {word}"


def percent(share: float) -> str:
    """A share in whole percent; only all is 100 % and only none is 0 %. Nothing where there is none.

    >>> percent(0.5), percent(0.999), percent(0.001), percent(1.0), percent(float("nan"))
    ('50%', '99%', '1%', '100%', '')
    """
    if math.isnan(share):
        return ""
    whole = round(100 * share)
    return f"{whole if share in (0.0, 1.0) else min(max(whole, 1), 99)}%"


def kind_words(kind: Kind) -> str:
    """A kind as people say it.

    >>> kind_words(Kind.LEVEL_SHIFT)
    'level shift'
    """
    return kind.value.replace("_", " ")


def period(since: date | None, until: date | None) -> str:
    """The days a finding speaks of.

    >>> period(date(2020, 7, 1), None), period(date(2020, 3, 1), date(2020, 3, 9))
    ('since 2020-07-01', '2020-03-01 to 2020-03-09')
    """
    if since is None:
        return "the whole record" if until is None else f"until {until.isoformat()}"
    if until is None:
        return f"since {since.isoformat()}"
    return f"on {since.isoformat()}" if since == until else f"{since.isoformat()} to {until.isoformat()}"


def device(name: str | None, device_id: DeviceId) -> str:
    """A device as people call it.

    >>> device("running_gopher", 4), device(None, 4)
    ('running_gopher (4)', 'device 4')
    """
    return f"{name} ({device_id})" if name and name.strip() else f"device {device_id}"


def verdict(n_odd: int, n_devices: int, alpha: float) -> str:
    """The decision in one sentence, with the promise it was made under.

    >>> verdict(2, 1000, 0.01)[:60]
    '2 of 1,000 devices are odd; in a healthy fleet of this size '
    """
    many = f"{n_odd:,}" if n_odd else "None"
    verb = "are" if n_odd > 1 else "is"
    return f"{many} of {count(n_devices, 'device')} {verb} odd; {promise(alpha)}"


def fleet_days(days: FleetDays | None) -> list[str]:
    """A sentence for each of the first days that were odd for the whole fleet, and how many more there are."""
    odd = () if days is None else days.anomalous
    more = len(odd) - MOST_DAYS
    return [day.text for day in odd[:MOST_DAYS]] + ([f"{count(more, 'more such day')}."] if more > 0 else [])


def promise(alpha: float) -> str:
    """What is promised to who has a healthy fleet."""
    runs = runs_an_alarm(alpha)
    return f"in a healthy fleet of this size this report would name any device in at most 1 run in {runs:,}"


def runs_an_alarm(alpha: float) -> int:
    """Of how many runs on healthy fleets at most one raises an alarm.

    >>> runs_an_alarm(0.01)
    100
    """
    # Rounded down, for "at most" must stay true; the small term keeps 1 / 0.01 from becoming 99.
    return math.floor(1 / alpha + 1e-9)


def shortened(text: str, most: int) -> str:
    """Text cut to at most ``most`` characters, the cut shown.

    >>> shortened("running_gopher", 8)
    'running…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def cannot_tell(kind: Kind) -> str:
    """What a record of daily traffic cannot tell about such a finding, whatever is done with it.

    >>> cannot_tell(Kind.SPIKES)
    'where the traffic went: only volumes are on record'
    """
    return _CANNOT_TELL[kind]


def evidence(finding: Finding) -> list[tuple[str, str]]:
    """What goes with the sentence of a finding, each with its label: the numbers, what else it may be, what to do."""
    could = [("Could also be", "; ".join(finding.rivals))] if finding.rivals else []
    return [
        ("Measured", f"{quantity(finding.value, finding.unit)}, usual {quantity(finding.usual, finding.unit)}"),
        ("Chance if healthy", chance(finding.p_value)),
        *could,
        ("This data cannot tell", cannot_tell(finding.kind)),
        ("Check next", finding.next_check),
    ]
