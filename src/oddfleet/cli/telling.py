"""How a command shows what it does, prints what came of it, and leaves when something goes wrong.

Nothing in here takes time to import: what is slow is imported where Ctrl-C is heard.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from oddfleet.errors import OddfleetError, OutputError, error_json, visible

if TYPE_CHECKING:
    from rich.console import Console

    from oddfleet import pipeline

EXIT_ERROR, EXIT_USAGE, EXIT_ODD, EXIT_CANCELLED = 1, 2, 3, 130
UNTOUCHED = "cancelled; the results of the last complete run are untouched"

_Result = TypeVar("_Result")


def asks_for_json(arguments: list[str]) -> bool:
    """Whether the option ``--json`` is among the arguments of the command line; what follows ``--`` is no option."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def result_of(
    work: Callable[[pipeline.Progress], _Result], *, json: bool, quiet: bool, debug: bool, cancelled: str
) -> _Result:
    """The result of the work, its progress shown."""
    with told(json=json, debug=debug, cancelled=cancelled):
        from oddfleet import report  # noqa: PLC0415

        with report.Progress(quiet=quiet or json) as progress:
            result = work(progress)
    return result


@contextmanager
def told(*, json: bool = False, debug: bool = False, cancelled: str = UNTOUCHED) -> Iterator[None]:
    """Whatever goes wrong in here is said in one line, or one document, and leaves with its exit code."""
    code = EXIT_ERROR
    try:
        yield
        return
    except KeyboardInterrupt:
        said, code = cancelled, EXIT_CANCELLED
    except OddfleetError as error:
        said = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, people get a line, and a traceback when they ask for it
        said = f"nobody foresaw this: {type(error).__name__}: {error}; run it again with --debug and report it"
    if debug and code != EXIT_CANCELLED:
        traceback.print_exc()
    _empty_stdout()
    if json:
        try:
            send(error_json(said))
        except OutputError as error:
            said, json = str(error), False
    if not json:
        sys.stderr.write(f"oddfleet: {visible(said)}\n")
    raise SystemExit(code)


def rendered(show: Callable[[Console], None]) -> str:
    """What is shown on a console of the size and the colours of standard output."""
    from rich.console import Console  # noqa: PLC0415

    console = Console()
    with console.capture() as shown:
        show(console)
    return shown.get()


def send(text: str) -> None:
    """Print, and know that it is printed: a full disk or a closed pipe is heard of only when all is sent."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(
            f"stdout: must take what is printed, got '{error.strerror or error}'; choose another place to print to, "
            "or add --debug to see more"
        ) from error


def _empty_stdout() -> None:
    """Send what waits to be printed; what cannot be sent is dropped, or Python would try again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
