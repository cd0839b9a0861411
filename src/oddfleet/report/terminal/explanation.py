"""One device in the terminal: the verdict on it, its series at a glance, and every finding as on the page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from oddfleet.model import Explanation, Finding, FloatArray
from oddfleet.report import wording
from oddfleet.report.terminal.lines import encodable, print_lines
from oddfleet.report.terminal.sparkline import sparkline

_WIDEST = 100
"""Cells of a sparkline on a wide terminal: more no eye takes in at once."""
_IN_A_PIPE = 72
"""Cells where there is no terminal: the same everywhere."""
_DATE = 10


def print_explanation(device: Explanation, console: Console) -> None:
    """Print what a run found out about one device.

    Args:
        device: what is known of it.
        console: where to; where that is no terminal, each line stands whole and without decoration.
    """
    print_lines([wording.device(device.name, device.device_id)], console, style="bold")
    print_lines([wording.verdict_on(device)], console, style="yellow" if device.place else "green")
    print_lines(["", *_series_lines(device, console)], console)
    if device.findings and not device.place:
        print_lines(["", "Broken promises, which do not make a device odd in this fleet:"], console)
    elif not device.findings:
        print_lines(["", _nothing(device)], console)
    for finding in device.findings:
        _print_finding(finding, console)


def _nothing(device: Explanation) -> str:
    if device.place:
        return "Nothing is said of why: no one repair makes it usual."
    return "Nothing was found: no promise is broken."


def _series_lines(device: Explanation, console: Console) -> Iterator[str]:
    """The series as a line, its dates below it, and what it holds; or why there is none."""
    if device.series is None:
        yield "Its days are not in my_sqlite.db: they were left where they are (--store none)."
    elif not np.isfinite(device.series).any():
        yield "No day of it is on record with a number."
    else:
        cells = min(console.width, _WIDEST) if console.is_terminal else _IN_A_PIPE
        line = sparkline(device.series, cells, console.encoding)
        first, last = str(device.dates[0]), str(device.dates[-1])
        yield line
        yield first.ljust(len(line) - _DATE) + last if len(line) > 2 * _DATE else f"{first} to {last}"
        yield _measured(device.series)


def _measured(series: FloatArray) -> str:
    seen = series[np.isfinite(series)]
    low, high = (wording.mb(float(end)) for end in (seen.min(), seen.max()))
    missing = len(series) - len(seen)
    gaps = f"; {missing:,} without a value" if missing else ""
    return f"{wording.count(len(series), 'day')}, {low} to {high} a day{gaps}"


def _print_finding(finding: Finding, console: Console) -> None:
    kind = wording.kind_words(finding.kind)
    period = wording.period(finding.since, finding.until)
    print_lines([""], console)
    print_lines([f"{kind[0].upper()}{kind[1:]}, {period}"], console, style="bold")
    print_lines([finding.text], console)
    points = wording.evidence(finding)
    if not console.is_terminal:
        print_lines((f"  {label}: {words}" for label, words in points), console)
        return
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for label, words in points:
        table.add_row(Text(f"  {label}"), Text(encodable(words, console.encoding)))
    console.print(table)
