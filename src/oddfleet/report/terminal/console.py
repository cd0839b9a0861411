"""What the program says at the end: plain lines in a pipe, a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Column, Table

from oddfleet.errors import visible
from oddfleet.model import Answers, Compaction, DataHealth, FaultTest, Fleet, Oddities, SelfTest
from oddfleet.report import wording
from oddfleet.report.terminal.lines import print_lines
from oddfleet.report.terminal.listing import MOST_ROWS, Row, odd_table, rows_of

MOST_UNREAD = 3


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
        fleet: names and values of the odd devices, as ``shown`` picks them.
        answers: the standing questions, answered.
        health: what became of the input.
        outputs: files written, each with what it holds.
        console: where to; where that is no terminal, each line stands whole and without decoration.
    """
    print_lines(_answer_lines(answers), console)
    _print_odd_devices(result, fleet, health, console)
    print_lines(
        [
            *(f"Whole fleet: {said}" for said in wording.fleet_days(result.days)),
            *(f"Note: {note}" for note in result.notes),
            f"Data: {wording.health_line(health)}",
            *_unread_lines(health.unread, "the table rejected in my_sqlite.db"),
            *(f"Written: {path} ({what})" for path, what in outputs),
        ],
        console,
    )


def print_compaction(done: Compaction, console: Console) -> None:
    """Print what went into one file, and what did not and why.

    Args:
        done: what became of the input.
        console: where to; where that is no terminal, each line stands whole.
    """
    lines = [f"Data: {wording.compaction_line(done)}"]
    if done.first_rejected is not None:
        lines.append(f"First rejected: {visible(done.first_rejected)}")
    lines += _unread_lines(done.unread, str(done.rejected))
    lines.append(f"Written: {done.file} (every row and name, to be read again as the same fleet)")
    if done.rejected is not None:
        lines.append(f"Written: {done.rejected} (what could not be used, and why)")
    print_lines(lines, console)


def _unread_lines(unread: Sequence[str], all_of_them: str) -> list[str]:
    """Files of which nothing, or not all, could be read: the first few, and where all are."""
    lines = [f"Not read: {visible(sentence)}" for sentence in unread[:MOST_UNREAD]]
    more = len(unread) - len(lines)
    return [*lines, f"Not read: {more:,} more; see {all_of_them}"] if more else lines


def print_selftest(result: SelfTest, console: Console) -> None:
    """Print a self-test: one line a kind, then what it says in one sentence, then notes.

    Args:
        result: what would have been found.
        console: where to; where that is no terminal, the table is Markdown.
    """
    print_lines(
        ["Share of planted faults that would have been found, by strength (1 = blatant, 0.5 = subtle):"], console
    )
    header = (
        "kind", *(f"{strength:g}" for strength in result.strengths), "half found from", "named right", "dated right"
    )  # fmt: skip
    rows = [_selftest_row(fault, result.strengths) for fault in (*result.faults, result.overall)]
    if console.is_terminal:
        kind, *strengths, begins, named, dated = header
        # Eighty columns are enough: all but the headers and the longest cell stay on one line.
        whole = (Column(head, no_wrap=True) for head in (kind, *strengths))
        table = Table(
            *whole, Column(begins, min_width=12), named, dated, box=box.SIMPLE_HEAD, collapse_padding=True
        )  # fmt: skip
        for row in rows:
            table.add_row(*row)
        console.print(table)
    else:
        print_lines(_markdown(header, rows), console)
    print_lines([_selftest_sentence(result), *(f"Note: {note}" for note in _selftest_notes(result))], console)


def _answer_lines(answers: Answers) -> list[str]:
    lines = [
        f"Total traffic on {answers.first_day.isoformat()}: {wording.mb(answers.first_day_total_mb)}",
        "Most traffic over the whole record:",
    ]
    for place, top in enumerate(answers.top_devices, start=1):
        lines.append(f"  {place}. {wording.device(top.name, top.device_id)}: {wording.mb(top.total_mb)}")
    return lines


def _print_odd_devices(result: Oddities, fleet: Fleet, health: DataHealth, console: Console) -> None:
    verdict = wording.verdict(len(result.ids), health.devices, result.alpha)
    if not result.ids:
        print_lines([f"{verdict}."], console, style="green")
        return
    print_lines([f"{verdict}:"], console, style="yellow")
    rows = rows_of(result, fleet)
    if console.is_terminal:
        console.print(odd_table(rows, fleet.dates, console))
    else:
        print_lines((_line(row) for row in rows), console)
    if len(result.ids) > MOST_ROWS:
        print_lines([f"and {len(result.ids) - MOST_ROWS:,} more in findings.json"], console)


def _line(row: Row) -> str:
    """Name, id, kind, since and the sentence of an odd device, for a pipe."""
    said = "-" if row.finding is None else row.finding.text
    return "  " + "  ".join((row.name, row.id, row.kind, row.since, said))


def _selftest_row(fault: FaultTest, strengths: Sequence[float]) -> tuple[str, ...]:
    """The cells of one kind: words, the share found at each strength, where it begins, what was said rightly."""
    return (
        wording.kind_words(fault.kind) if fault.kind else "all kinds",
        *(wording.percent(share) for share in fault.found),
        wording.begins(fault, strengths),
        wording.percent(fault.named_right),
        wording.percent(fault.dated_right),
    )


def _selftest_sentence(result: SelfTest) -> str:
    shares = [
        f"{wording.percent(share)} at strength {strength:g}"
        for strength, share, planted in zip(result.strengths, result.overall.found, result.overall.planted, strict=True)
        if planted and strength in (0.5, 1.0)
    ]
    if not shares:
        return "No fault could be planted in this fleet: its record is too short or too even."
    return (
        f"Of all faults {' and '.join(shares)} would have been found; each was planted "
        f"{wording.count(result.repeats, 'time')} at each strength, in healthy devices chosen at random, "
        f"{result.at_once:,} of {result.n_devices:,} at a time."
    )


def _selftest_notes(result: SelfTest) -> tuple[str, ...]:
    if not result.odd:
        return result.notes
    ids = ", ".join(str(device_id) for device_id in result.odd[:MOST_ROWS])
    more = f" and {len(result.odd) - MOST_ROWS:,} more" if len(result.odd) > MOST_ROWS else ""
    return (f"Odd before anything was planted, and left alone: {ids}{more}.", *result.notes)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table whose columns also stand straight as plain text."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    table = [header, ["-" * width for width in widths], *rows]
    return [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in table]
