"""Lines that are printed as they stand, whatever is in them and whatever the stream can show."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from oddfleet.errors import visible


def print_lines(lines: Iterable[str], console: Console, style: str | None = None) -> None:
    """Print lines: no markup, no emoji codes, no colours of their own, and no wrapping in a pipe.

    Args:
        lines: what to print.
        console: where to.
        style: a colour for all of them, where the console has colours.
    """
    for line in lines:
        console.print(
            encodable(line, console.encoding),
            style=style,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=not console.is_terminal,
        )


def encodable(text: str, encoding: str) -> str:
    r"""Text with what does not show, or what the stream has no code for, written out.

    >>> print(encodable("a\x1bé", "ascii"))
    a\x1b\xe9
    """
    return visible(text).encode(encoding, "backslashreplace").decode(encoding)
