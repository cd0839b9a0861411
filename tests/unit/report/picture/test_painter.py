from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from oddfleet.model import Finding, Fleet, Oddities
from oddfleet.report import Painter
from oddfleet.report.chart import Chart, Charts
from oddfleet.report.picture import painter
from oddfleet.report.picture.plots import png

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the first process draws there")


@pytest.fixture
def charts(
    make_fleet: Callable[..., Fleet], make_finding: Callable[..., Finding], make_result: Callable[..., Oddities]
) -> list[Chart]:
    fleet = make_fleet(n_days=2000)  # more than a pipe holds
    charts = Charts(fleet, make_result(fleet, ids=[1, 2], findings=[make_finding()]))
    return [charts.of(1), charts.of(2)]


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process, though here matplotlib is there already."""
    monkeypatch.setattr(painter, "_worth_it", lambda: True)


def process_of(drawing: Painter) -> subprocess.Popen[bytes]:
    process = drawing._process
    assert process is not None
    return process


@pytest.mark.usefixtures("second")
def test_the_second_process_draws_what_the_first_would(charts: list[Chart], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [png(chart) for chart in charts]

    def not_here(_chart: Chart) -> NoReturn:
        raise AssertionError("drawn by the first process")

    monkeypatch.setattr(painter, "png", not_here)
    with Painter() as drawing:
        process = process_of(drawing)
        assert [drawing.png(chart) for chart in charts] == expected
        own, its = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, process.pid))
        assert its == min(own + 5, 19)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize(
    "command",
    [
        "raise SystemExit(1)",
        "import sys; sys.stdin.buffer.read(1)",
        "import sys; print('welcome'); sys.stdin.buffer.read(1)",
        "import sys; print('png 9\\nand no more'); sys.stdout.flush(); sys.stdout.close(); sys.stdin.buffer.read(9)",
        "import sys; print('png -1\\n\\n'); sys.stdin.buffer.read(1)",
    ],
)
def test_whatever_is_the_matter_with_it_the_first_draws(
    charts: list[Chart], monkeypatch: pytest.MonkeyPatch, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(painter, "_COMMAND", command)
    with Painter() as drawing:
        process = process_of(drawing)
        for chart in charts:
            assert drawing.png(chart) == png(chart)
        assert process.returncode is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("second")
def test_where_there_can_be_no_second_process_the_first_draws(
    charts: list[Chart], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with Painter() as drawing:
        assert drawing.png(charts[0]) == png(charts[0])


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_it_ends_with_the_block_even_amid_its_imports(seconds: float) -> None:
    with Painter() as drawing:
        process = process_of(drawing)
        time.sleep(seconds)
        assert process.poll() is None
    assert process.returncode is not None


def test_told_to_end_while_it_imports_it_leaves_in_order(tmp_path: Path) -> None:
    hook = (
        "import importlib.abc, os, signal, sys\n"
        "class Finder(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'matplotlib.font_manager':\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Finder())\n"
        f"{painter._COMMAND.split(';')[0]}\n"
        "try:\n"
        "    serve()\n"
        "finally:\n"
        f"    open({str(tmp_path / 'left')!r}, 'w').close()\n"
    )
    subprocess.run([sys.executable, "-c", hook], stdin=subprocess.DEVNULL, check=True, timeout=60)
    assert (tmp_path / "left").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("ready", [False, True])
def test_it_ends_when_the_first_is_killed(ready: bool) -> None:
    code = (
        "import sys; from oddfleet.report.picture import painter; painter._worth_it = lambda: True\n"
        "drawing = painter.Painter(); print(drawing._process.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        second = int(first.stdout.readline())
        time.sleep(1.0 if ready else 0.0)
        first.kill()
    until = time.monotonic() + 30
    while running(second):
        assert time.monotonic() < until
        time.sleep(0.01)


def running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("processors", "imported", "worth"), [({0, 1}, False, True), ({0}, False, False), ({0, 1}, True, False)]
)
def test_it_is_begun_only_where_it_helps(
    monkeypatch: pytest.MonkeyPatch, processors: set[int], imported: bool, worth: bool
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: processors, raising=False)
    monkeypatch.delitem(sys.modules, "matplotlib.backends.backend_agg", raising=False)
    if imported:
        monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", sys)
    assert painter._worth_it() == worth
