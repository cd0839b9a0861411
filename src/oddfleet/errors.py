"""What can go wrong in a way a user can mend: each error is one line saying where, what and the remedy.

How it is said stands here too, below everything that takes time to import or may itself be what is broken.
"""

from __future__ import annotations

import json

_PICTURES = 0x2000
"""Emoji and other pictures have higher numbers than this, letters that are read from left to right lower ones."""
SCHEMA = 1
"""Version of every document with a key ``schema``; rises when a key is renamed, removed or changes its meaning."""


class OddfleetError(Exception):
    """Base of every error the user can mend; ``str(error)`` is the one line to show."""


class InputError(OddfleetError):
    """The data cannot be used: missing, unreadable, or holding no device."""


class SettingsError(OddfleetError):
    """A setting has a value that makes no sense."""


class OutputError(OddfleetError):
    """A result cannot be written where it was asked to be."""


def visible(text: str) -> str:
    r"""Text with every character that does not show, or that steers a terminal or a page, written out.

    >>> print(visible("a\x1b[31mb"))
    a\x1b[31mb
    """
    if text.isprintable():
        return text
    around = zip(" " + text, text, text[1:] + " ", strict=False)
    return "".join(
        letter if letter.isprintable() or _joins(before, letter, after) else _escaped(letter)
        for before, letter, after in around
    )


def _joins(before: str, letter: str, after: str) -> bool:
    """Whether a letter without a width of its own joins two pictures to one, as in an emoji of several."""
    return letter == "\u200d" and ord(before) > _PICTURES and ord(after) > _PICTURES


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def error_json(message: str) -> str:
    """An error as a document, so that a program that asked for JSON gets JSON."""
    return json.dumps({"schema": SCHEMA, "error": message}, indent=2) + "\n"
