"""How a data issue is worded, so that it fits one line and any database."""

from __future__ import annotations

from pathlib import Path

from oddfleet.model import DataIssue

LONGEST_TEXT = 200
"""Characters of an offending line that are kept: enough to recognise it, and a binary file stays small."""

LONGEST_QUOTE = 40
"""Characters of an offending text that a reason quotes."""


def make_issue(file: Path, line: int, text: str, reason: str) -> DataIssue:
    """A data issue about line ``line`` of ``file`` (0 = the whole file), its text cut to fit."""
    return DataIssue(printable(str(file)), line, _cut(text, LONGEST_TEXT), reason)


def quote(text: str) -> str:
    """``text`` between quotes, as reasons and errors show it: in one line.

    >>> quote("12,5,7")
    "'12,5,7'"
    """
    one_line = _cut(text, LONGEST_QUOTE).replace("\n", "\\n").replace("\r", "\\r")
    return f"'{one_line}'"


def printable(text: str) -> str:
    """``text`` with what UTF-8 cannot hold (half a surrogate pair, a raw byte of a file name) spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
