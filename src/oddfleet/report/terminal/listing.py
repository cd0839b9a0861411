"""The odd devices as a table on a terminal: one line each where it is wide enough, else two or three."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from oddfleet.model import DateArray, Finding, Fleet, FloatArray, Oddities
from oddfleet.model.reasons import reason
from oddfleet.report import wording
from oddfleet.report.terminal.lines import encodable
from oddfleet.report.terminal.sparkline import sparkline

MOST_ROWS = 20
"""Odd devices named on the console: a list for one morning; all are in the files."""
_CELLS = 24
"""Width of a sparkline: that of the two dates above it."""
_NAME = 12
"""So many cells a name may be cut to before the table takes another line a device."""
_SHORTEST = 4
"""And to so many where three lines do not help either."""
_PLAIN_HEAD = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
"""A rule below the head, for a stream that has no code for lines."""
_EDGES = 6
"""Cells that a table of three columns adds to them."""
_SPLITS = ((), (3,), (1, 2, 3))
"""Before which of a device's parts (sparkline, kind, since, reason) a line ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One odd device; "-" where there is nothing to tell.

    Attributes:
        name: its name.
        id: its id.
        finding: the strongest one; None where there is none.
        series: float64 (days,), MB a day.
    """

    name: str
    id: str
    finding: Finding | None
    series: FloatArray

    @property
    def kind(self) -> str:
        """What is odd, in words."""
        return "-" if self.finding is None else wording.kind_words(self.finding.kind)

    @property
    def since(self) -> str:
        """From which day on."""
        return "-" if self.finding is None or self.finding.since is None else self.finding.since.isoformat()


def rows_of(result: Oddities, fleet: Fleet) -> list[Row]:
    """The oddest devices, at most ``MOST_ROWS``.

    Args:
        result: the decision.
        fleet: names and values of at least the odd devices.
    """
    column = {device_id: place for place, device_id in enumerate(fleet.device_ids)}
    return [
        Row(
            name=fleet.names[column[device_id]] or "-",
            id=str(device_id),
            finding=next(iter(result.of(device_id)), None),
            series=fleet.values[:, column[device_id]],
        )
        for device_id in result.ids[:MOST_ROWS]
    ]


def odd_table(rows: list[Row], dates: DateArray, console: Console) -> Table:
    """The table; no id is cut, and a name only where the terminal is narrow.

    Args:
        rows: the devices.
        dates: the days of the record.
        console: how wide it is, and what it can show.
    """
    encoding = console.encoding
    period = f"{dates[0]} to {dates[-1]}" if len(dates) else ""
    head = (period.ljust(_CELLS), "Kind", "Since", "Why")
    told = [_parts(row, encoding) for row in rows]
    names = [encodable(row.name, encoding) for row in rows]
    ids = [encodable(row.id, encoding) for row in rows]
    kinds = max(map(len, (head[1], *(parts[1] for parts in told))))
    left = console.width - _EDGES - max(map(cell_len, ids))
    details, needed = _details([head, *told], kinds, left)
    room = max(left - needed, _SHORTEST)
    columns = Column("Name", no_wrap=True), Column("Id", no_wrap=True), Column(details[0].plain, overflow="fold")
    rule = _PLAIN_HEAD if console.options.ascii_only else box.SIMPLE_HEAD
    table = Table(*columns, box=rule, padding=(0, 1, 0, 0), pad_edge=False)
    for name, device_id, detail in zip(names, ids, details[1:], strict=True):
        table.add_row(Text(_cut(name, room, encoding)), Text(device_id), detail)
    return table


def _parts(row: Row, encoding: str) -> tuple[str, str, str, str]:
    """Sparkline, kind, since and reason."""
    said = "-" if row.finding is None else encodable(reason(row.finding), encoding)
    return sparkline(row.series, _CELLS, encoding).ljust(_CELLS), row.kind, row.since, said


def _details(rows: list[tuple[str, str, str, str]], kinds: int, width: int) -> tuple[list[Text], int]:
    """What stands beside name and id, on as few lines as leave a name its room; and its width."""
    for split in _SPLITS:
        details = [_detail(row, kinds, split) for row in rows]
        needed = max(cell_len(line) for detail in details for line in detail.plain.split("\n"))
        if needed + _NAME <= width:
            break
    return details, needed


def _detail(parts: tuple[str, str, str, str], kinds: int, split: tuple[int, ...]) -> Text:
    spark, kind, since, said = parts
    colour = "yellow"
    pieces = (Text(spark), Text(kind.ljust(kinds), colour), Text(since.ljust(10)), Text(said))
    detail = Text()
    for place, piece in enumerate(pieces):
        if place:
            detail.append("\n" if place in split else "  ")
        detail.append_text(piece)
    return detail


def _cut(name: str, cells: int, encoding: str) -> str:
    """A name that fits, the cut shown."""
    if cell_len(name) <= cells:
        return name
    mark = encodable("…", encoding)
    mark = mark if len(mark) == 1 else "~"
    return set_cell_size(name, max(cells - 1, 0)) + mark
