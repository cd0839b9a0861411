"""A command line that cannot be understood, told as a document to a program that asked for one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from oddfleet.cli.telling import EXIT_CANCELLED, EXIT_USAGE, asks_for_json, send
from oddfleet.errors import error_json

_UsageError: Any = typer.BadParameter.__base__
"""What Typer raises when it cannot make sense of the arguments; it has moved between packages, its child has not."""


class Group(TyperGroup):
    """The commands; with ``--json`` among the arguments a usage error is a document on standard output."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run a command, and leave with its exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        if not asks_for_json(arguments):
            return super().main(args, *others, **options)
        try:
            code = super().main(args, *others, **options | {"standalone_mode": False})
        except _UsageError as error:
            place = error.ctx.command_path if error.ctx else "oddfleet"
            send(error_json(f"{place}: {error.format_message().rstrip('.')}; see '{place} --help'"))
            raise SystemExit(EXIT_USAGE) from error
        if code == EXIT_CANCELLED:
            raise KeyboardInterrupt
        raise SystemExit(code or 0)
