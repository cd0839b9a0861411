"""How far a run has come, as bars on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


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
            from rich import progress  # noqa: PLC0415

            console = console or rich.console.Console(stderr=True)
            columns = (
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.TaskProgressColumn(),
                progress.TimeElapsedColumn(),
                progress.TimeRemainingColumn(),
                progress.TextColumn("left"),
            )
            self._bars = progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

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
        """Announce a step; call what it returns with (done, all), at its beginning with (0, all).

        Its bar is there from the first call on, so that no bar is without its total; where there is nothing to do there
        is none.
        """
        bars = self._bars
        if bars is None:
            return lambda _done, _total: None
        tasks: list[TaskID] = []

        def report(done: int, total: int) -> None:
            if not tasks and total:
                tasks.append(bars.add_task(label, total=total))
            for task in tasks:
                bars.update(task, completed=done, total=total)

        return report
