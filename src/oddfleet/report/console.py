"""What the program says at the end, and how far it has come: plain lines in a pipe, a table on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import rich.progress
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from oddfleet.model import Answers, DataHealth, DeviceId, Fleet, Oddities
from oddfleet.report import wording

MOST_ROWS = 20
"""Odd devices named on the console: a list for one morning; all are in the files."""


def print_summary(  # noqa: PLR0913, PLR0917  (the five things a run has to tell, and where to)
    result: Oddities,
    fleet: Fleet,
    answers: Answers,
    health: DataHealth,
    outputs: Sequence[tuple[Path, str]],
    console: Console,
) -> None:
    """Print what a run found: the answers, the odd devices, notes, the health of the data, the files written.

    Args:
        result: the decision.
        fleet: where the names are.
        answers: the standing questions, answered.
        health: what became of the input.
        outputs: files written, each with what it holds.
        console: where to; where that is no terminal, each line stands whole and without decoration.
    """
    _print_lines(_answer_lines(answers), console)
    _print_odd_devices(result, fleet, console)
    gaps = int(np.isnan(fleet.values).sum())
    _print_lines(
        [
            *(f"Note: {note}" for note in result.notes),
            f"Data: {wording.health_line(health, gaps)}",
            *(f"Written: {path} ({what})" for path, what in outputs),
        ],
        console,
    )


class Progress:
    """Shows on standard error how far a run has come; silent in a pipe, or when asked to be.

    >>> with Progress(quiet=True) as progress:
    ...     step = progress.step("Drawing")
    ...     step(1, 2)
    """

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._bars = rich.progress.Progress(console=console, transient=True, disable=quiet or not console.is_terminal)

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def step(self, label: str) -> Callable[[int, int], None]:
        """Begin a step; call what it returns with (done, all)."""
        task = self._bars.add_task(label, total=None)

        def report(done: int, total: int) -> None:
            self._bars.update(task, completed=done, total=total)

        return report


def _answer_lines(answers: Answers) -> list[str]:
    lines = [
        f"Total traffic on {answers.first_day.isoformat()}: {wording.mb(answers.first_day_total_mb)}",
        "Most traffic over the whole record:",
    ]
    for place, top in enumerate(answers.top_devices, start=1):
        lines.append(f"  {place}. {wording.device(top.name, top.device_id)}: {wording.mb(top.total_mb)}")
    return lines


def _print_odd_devices(result: Oddities, fleet: Fleet, console: Console) -> None:
    verdict = wording.verdict(len(result.ids), fleet.n_devices, result.alpha)
    if not result.ids:
        _print_lines([f"{verdict}."], console)
        return
    _print_lines([f"{verdict}:"], console)
    names = dict(zip(fleet.device_ids, fleet.names, strict=True))
    rows = [_row(result, names, device_id) for device_id in result.ids[:MOST_ROWS]]
    if console.is_terminal:
        table = Table("Name", "Id", "Kind", "Since", "Why", box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*(Text(_encodable(cell, console)) for cell in row))
        console.print(table)
    else:
        _print_lines(("  " + "  ".join(row) for row in rows), console)
    if len(result.ids) > MOST_ROWS:
        _print_lines([f"and {len(result.ids) - MOST_ROWS:,} more in findings.json"], console)


def _row(result: Oddities, names: dict[DeviceId, str | None], device_id: DeviceId) -> tuple[str, str, str, str, str]:
    """Name, id, kind, since and the strongest finding of an odd device; "-" where there is none."""
    label = names[device_id] or "-", str(device_id)
    strongest = next(iter(result.of(device_id)), None)
    if strongest is None:
        return *label, "-", "-", "-"
    since = strongest.since.isoformat() if strongest.since else "-"
    return *label, wording.kind_words(strongest.kind), since, strongest.text


def _print_lines(lines: Iterable[str], console: Console) -> None:
    """Print lines as they stand: no markup, no emoji codes, no colours, and no wrapping in a pipe."""
    for line in lines:
        console.print(
            _encodable(line, console), markup=False, highlight=False, emoji=False, soft_wrap=not console.is_terminal
        )


def _encodable(text: str, console: Console) -> str:
    """Text with what does not show, or what the stream has no code for, written out."""
    return wording.visible(text).encode(console.encoding, "backslashreplace").decode(console.encoding)
