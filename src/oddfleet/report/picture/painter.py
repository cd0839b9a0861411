"""A second process that draws: it imports matplotlib while the first one still reads and judges.

Import and first picture take 0.3 s. Charts go to it through a pipe and pictures come back; it touches no file. It ends
with the pipe, so a run that was killed leaves none behind. Whatever is the matter with it, the first process draws.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from types import TracebackType

from oddfleet.processors import usable_processors
from oddfleet.report.chart import Chart
from oddfleet.report.picture.plots import png

_COMMAND = "from oddfleet.report.picture.painter import serve; serve()"


class Painter:
    """Draws charts as PNG, by a process that begins with the block and ends with it."""

    def __init__(self) -> None:
        self._process = _begun() if _worth_it() else None

    def __enter__(self) -> Painter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def png(self, chart: Chart) -> bytes:
        """The picture of a chart."""
        picture = None if self._process is None else _ask(self._process, chart)
        if picture is None:
            self._end()
            return png(chart)
        return picture

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.terminate()
            process.communicate()


def serve() -> None:
    """What the second process does: draw each chart that comes, until no more can."""
    # There may be nothing to draw: the first process, or whoever else is at work, comes first.
    os.nice(5)
    # Told to end amid an import it leaves in order: matplotlib may be writing its list of fonts for all its users.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit())
    import oddfleet.report.picture.figure  # noqa: PLC0415, F401

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        try:
            chart = pickle.load(sys.stdin.buffer)  # noqa: S301 - it comes from the process that began this one
        except EOFError:
            return
        picture = png(chart)
        sys.stdout.buffer.write(_heading(picture) + picture)
        sys.stdout.buffer.flush()


def _worth_it() -> bool:
    """Whether there is a second processor, and matplotlib still to be imported.

    Not on Windows: a process can be told to end there only in a way that leaves it no time to do so in order.
    """
    if os.name == "nt" or "matplotlib.backends.backend_agg" in sys.modules:
        return False
    return usable_processors() > 1


def _begun() -> subprocess.Popen[bytes] | None:
    try:
        # -P: what lies in the folder that a user happens to be in is not to be imported.
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-P", "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def _ask(process: subprocess.Popen[bytes], chart: Chart) -> bytes | None:
    """The picture that the process draws; None where it does not."""
    if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
        return None
    try:
        pickle.dump(chart, process.stdin)
        process.stdin.flush()
        heading = process.stdout.readline()
        picture = process.stdout.read(int(heading.removeprefix(b"png ")))
    except (OSError, ValueError):
        return None
    return picture if heading == _heading(picture) else None


def _heading(picture: bytes) -> bytes:
    """Says how much follows; what else a process may print is not taken for a picture."""
    return b"png %d\n" % len(picture)
