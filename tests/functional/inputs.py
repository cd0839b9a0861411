"""What the tests of the input share: ways to write lines, and what a run of the command says and leaves."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OTHERS = 4
DAYS = 40
"""The fleet has five devices: device 4 is the one that a test rewrites, and four others that stay as they are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run as a user meets it: exit code, what was said, and the folder of the results."""

    code: int
    stdout: str
    stderr: str
    out: Path

    def query(self, sql: str, *values: object) -> list[Any]:
        """The rows of a query to ``my_sqlite.db``."""
        with closing(sqlite3.connect(self.out / "my_sqlite.db")) as connection:
            return connection.execute(sql, values).fetchall()

    def rows(self, device: int | str = 4) -> list[Any]:
        """(date, value) of a device, in the order they were stored."""
        return self.query("SELECT date, value FROM time_series WHERE device_id = ? ORDER BY rowid", device)

    def rejected(self, name: str = "") -> list[Any]:
        """(line, text, reason) of the files with ``name`` in their path below the data folder."""
        found = self.query("SELECT file, line, text, reason FROM rejected ORDER BY rowid")
        return [row for file, *row in found if name in re.split(r"[/\\]data", file, maxsplit=1)[-1]]

    def text(self, name: str) -> str:
        """A result as text."""
        return (self.out / name).read_text(encoding="utf-8")

    def document(self, name: str) -> Any:
        """A result as JSON."""
        return json.loads(self.text(name))

    def check_done(self) -> None:
        """It ran to its end without noise."""
        assert (self.code, self.stderr) == (0, "")

    def check_lines(self, lines: int, device: int | str = 4, others: int = OTHERS * DAYS) -> None:
        """Nothing lost: each data line of the device, and of the others, is a row or a rejected line."""
        self.check_done()
        stored = self.query("SELECT COUNT(*) FROM time_series")[0][0]
        rejected = self.rejected()
        refused = sum(line > 0 for line, _, _ in rejected)
        assert (len(self.rows(device)) + refused, stored + refused) == (lines, lines + others)
        data = self.document("findings.json")["data"]
        assert (data["lines_read"], data["rows_stored"], data["lines_rejected"]) == (lines + others, stored, refused)
        assert f"Data: {lines + others:,} lines read, {stored:,} stored, {refused:,} rejected;" in self.stdout
        assert all(reason and "\n" not in reason and len(reason) < 300 for _, _, reason in rejected)

    def check_whole(self, lines: Lines) -> None:
        """The five devices and nothing else, device 4 with its forty lines."""
        self.check_lines(len(lines))
        assert self.rejected() == []
        assert self.rows() == expected(lines)
        assert self.document("findings.json")["data"]["devices"] == OTHERS + 1

    def check_error(self, place: str) -> None:
        """It ended in one line that says where, what was expected, what came and what to do."""
        assert (self.code, self.stdout) == (1, "")
        assert re.fullmatch(rf"oddfleet: [^\n]*{re.escape(place)}[^\n]*: [^\n]+, got [^\n]+; [^\n]+\n", self.stderr)


Run = Callable[..., Outcome]
Lines = list[tuple[str, str]]
"""Days and values of device 4, as text."""
Write = Callable[[Lines], bytes]
"""How device 4 writes its lines."""


def cases(named: Mapping[str, object]) -> list[Any]:
    """Parameters with their names."""
    return [pytest.param(case, id=name) for name, case in named.items()]


def text(lines: Lines, header: str = "date,traffic", line: str = "{},{}") -> str:
    top = [header] if header else []
    return "\n".join([*top, *(line.format(day, value) for day, value in lines), ""])


def written(header: str, line: str, coding: str = "utf-8") -> Write:
    return lambda lines: text(lines, header, line).encode(coding)


def dated(form: str, header: str = "date,traffic") -> Write:
    """The day written in another form, from its parts y, m and d."""

    def write(lines: Lines) -> bytes:
        parts = (day.split("-") for day, _ in lines)
        days = [form.format(y=y, m=m, d=d, mm=int(m), dd=int(d)) for y, m, d in parts]
        return text([(day, value) for day, (_, value) in zip(days, lines, strict=True)], header).encode()

    return write


def comma(lines: Lines) -> Lines:
    return [(day, value.replace(".", ",")) for day, value in lines]


def expected(lines: Lines) -> list[Any]:
    return [(day, float(value)) for day, value in lines]
