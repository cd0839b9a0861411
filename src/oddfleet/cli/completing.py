"""What the shell may offer: the odd devices of the results that were named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer


def ids_of_odd(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """The ids of the odd devices in DIR that begin as what is typed, each with its name; none where none can be read.

    Args:
        context: holds what was typed before.
        incomplete: what is typed of the id.
    """
    folder = context.params.get("folder")
    try:
        entries = json.loads((Path(folder or "") / "oddities.json").read_text(encoding="utf-8"))
        odd = [(str(entry["id"]), entry["name"] or "") for entry in entries]
    except (OSError, ValueError, KeyError, TypeError):
        # There is no place to complain where a shell asks: the command will, when it is run.
        return
    yield from (one for one in odd if one[0].startswith(incomplete))
