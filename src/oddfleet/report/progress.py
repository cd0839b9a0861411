"""How far a run has come, as bars on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class Progress:
    """Shows on standard error how far a run has come; silent in a pipe, or when asked to be.

    >>> with Progress(quiet=True) as progress:
    ...     step = progress.step("Drawing")
    ...     step(1, 2)
    """

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._bars = None
        if not quiet:
            # Who asked for silence need not wait for its import.
            import rich.console  # noqa: PLC0415
            import rich.progress  # noqa: PLC0415

            console = console or rich.console.Console(stderr=True)
            self._bars = rich.progress.Progress(console=console, transient=True, disable=not console.is_terminal)

    def __enter__(self) -> Progress:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def step(self, label: str) -> Callable[[int, int], None]:
        """Begin a step; call what it returns with (done, all)."""
        bars = self._bars
        if bars is None:
            return lambda _done, _total: None
        task = bars.add_task(label, total=None)

        def report(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        return report
