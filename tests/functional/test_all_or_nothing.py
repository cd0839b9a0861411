"""All or nothing: whatever ends a run, the outputs are wholly of the last good run or wholly of this one.

The moments of a kill, how many, are in ODDFLEET_KILLS (6 unless told; ``make kill`` takes 50). From 50 on, a run is
broken at every single change it makes in the file system too, not at a choice of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.functional.outputs import (
    DOCUMENTS,
    Ended,
    Home,
    break_at,
    broken,
    contents,
    job,
    moments,
    not_whole,
    oddfleet,
    one_line,
    receive,
    send,
    shape,
    start,
    state,
    wait_for,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and signals")
KILLS = int(os.environ.get("ODDFLEET_KILLS", "6"))
THOROUGH = KILLS >= 50


# Killed


def test_killed_at_random_moments(home: Home, tmp_path: Path) -> None:
    draw = random.Random(4)  # noqa: S311 - moments, no secrets
    outs = home.copies(tmp_path, range(KILLS))
    for place, out in enumerate(outs):
        with start(home, "after", out) as run:
            time.sleep(home.seconds * (place + draw.random()) / KILLS)
            run.kill()
    assert not_whole(home, outs) == {}
    run_again(home, outs if THOROUGH else outs[-2:])


def test_killed_at_a_change_the_outputs_are_of_one_run(home: Home, changes: list[str], tmp_path: Path) -> None:
    runs = break_at(home, "kill", tmp_path, moments(changes, 3, thorough=THOROUGH))
    assert {ended.status for _, ended in runs.values()} == {-signal.SIGKILL}
    assert not_whole(home, [out for out, _ in runs.values()]) == {}


def test_killed_at_a_change_the_next_run_leaves_nothing_behind(home: Home, changes: list[str], tmp_path: Path) -> None:
    places = moments(changes, 2, thorough=True) if THOROUGH else [2, len(changes) // 2]
    outs = [out for out, _ in break_at(home, "kill", tmp_path, places).values()]
    run_again(home, outs)
    assert [shape(out) for out in outs if shape(out) != home.shape] == []


def test_the_first_run_killed_leaves_all_or_nothing(home: Home, tmp_path: Path) -> None:
    (whole,) = broken([job(home, "none", tmp_path / "whole")])
    places = moments(whole.changes, 0, thorough=THOROUGH)
    outs = [tmp_path / str(at) for at in (places if THOROUGH else places[::3])]
    broken([job(home, "kill", out, int(out.name)) for out in outs])
    assert {home.whose(out) for out in outs} <= {"none", "new"}


def test_killed_over_plain_files(home: Home, tmp_path: Path) -> None:
    home.plain_copy(tmp_path / "whole")
    (whole,) = broken([job(home, "none", tmp_path / "whole")])
    assert home.whose(tmp_path / "whole") == "new"
    places = moments(whole.changes, 0, thorough=THOROUGH)
    outs = [tmp_path / str(at) for at in (places if THOROUGH else places[1::3])]
    for out in outs:
        home.plain_copy(out)
    broken([job(home, "kill", out, int(out.name)) for out in outs])
    # The folder plots cannot everywhere be exchanged for something else in one step, which is needed once.
    wholes = [{name: text for name, text in one.items() if name != "plots"} for one in (home.old, home.new)]
    assert [out.name for out in outs if {n: t for n, t in state(out).items() if n != "plots"} not in wholes] == []


def test_the_demo_killed_leaves_a_whole_sample_or_none(home: Home, tmp_path: Path) -> None:
    (whole,) = broken([demo(tmp_path / "whole")])
    sample = contents(tmp_path / "whole" / "sample")
    places = range(1, len(whole.changes) + 1)[:: 1 if THOROUGH else 40]
    outs = [tmp_path / str(at) for at in places]
    for out in outs[::2]:
        shutil.copytree(tmp_path / "whole", out, symlinks=True)
    broken([demo(out, int(out.name)) for out in outs])
    assert [out for out in outs if (out / "sample").exists() and contents(out / "sample") != sample] == []
    assert [out for out in outs[::2] if not (out / "sample").exists()] == []


def demo(out: Path, at: int = 0) -> dict[str, object]:
    return {"mode": "kill" if at else "none", "at": at, "arguments": ["demo", "--quiet"], "out": str(out)}


def run_again(home: Home, outs: list[Path]) -> None:
    """An ordinary run succeeds where one was killed."""
    ends = broken([job(home, "none", out) for out in outs])
    assert {(ended.status, ended.stderr) for ended in ends} == {(0, "")}
    assert {home.whose(out) for out in outs} == {"new"}


def test_all_is_on_disk_when_a_run_ends(home: Home, tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    (ended,) = broken([job(home, "none", out)])
    pictures = sorted((out / "plots").glob("*.png"))
    written = [out, out / "plots", out / "my_sqlite.db", *(out / name for name in DOCUMENTS), *pictures]
    assert [path.name for path in written if path.stat().st_ino not in ended.synced] == []


# Told to stop


def test_ctrl_c_on_the_way(home: Home, changes: list[str], tmp_path: Path) -> None:
    renames = moments(changes, 0)
    check_cancelled(home, break_at(home, "interrupt", tmp_path, [2, 4, *renames[:: 1 if THOROUGH else 3]]))


def test_ctrl_c_at_the_end(home: Home, changes: list[str], tmp_path: Path) -> None:
    late = range(moments(changes, 0)[-1] + 1, len(changes) + 1)
    check_cancelled(home, break_at(home, "interrupt", tmp_path, list(late if THOROUGH else late[::4])))


def test_ctrl_c_over_plain_files(home: Home, tmp_path: Path) -> None:
    home.plain_copy(tmp_path / "whole")
    (whole,) = broken([job(home, "none", tmp_path / "whole")])
    places = moments(whole.changes, 0, thorough=THOROUGH)
    outs = [tmp_path / str(at) for at in (places if THOROUGH else places[::3])]
    for out in outs:
        home.plain_copy(out)
    ends = broken([job(home, "interrupt", out, int(out.name)) for out in outs])
    found = {(ended.status, home.whose(out)) for ended, out in zip(ends, outs, strict=True)}
    assert found <= {(130, "old"), (0, "new")}


def check_cancelled(home: Home, runs: dict[int, tuple[Path, Ended]]) -> None:
    """Cancelled in one line and all as it was, or too late and all done; nothing in between, nothing left behind."""
    as_it_was = ("old", 130, True, shape(home.template))
    done = ("new", 0, True, home.shape)
    wrong = {}
    for at, (out, ended) in runs.items():
        line = "" if ended.status == 0 else "oddfleet: cancelled; the results of the last complete run are untouched\n"
        found = (home.whose(out), ended.status, ended.stderr == line, shape(out))
        if found not in (as_it_was, done):
            wrong[at] = (*found, ended.stderr[-300:])
    assert wrong == {}


@pytest.mark.parametrize(("module", "option"), [("typer", "--quiet"), ("scipy", "--quiet"), ("scipy", "--json")])
def test_ctrl_c_while_the_program_loads(home: Home, tmp_path: Path, module: str, option: str) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    hook = (
        "import os, runpy, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == '{module}': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from oddfleet.cli import main; main()"
    )
    command = [sys.executable, "-c", hook, "run", str(home.path / "after"), "--out", str(out), option]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, home.whose(out)) == (130, "old"), done.stderr
    said = "cancelled; the results of the last complete run are untouched"
    if option == "--json":
        assert (json.loads(done.stdout), done.stderr) == ({"schema": 1, "error": said}, "")
    else:
        assert (done.stdout, done.stderr) == ("", f"oddfleet: {said}\n")


# Two at a time


def test_a_second_run_waits_or_says_so(home: Home, changes: list[str], tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    first = stopped(home, out, changes)
    with start(home, "before", out) as second:
        wait_for(lambda: second.poll() is not None, at_most=4.0)
        early = second.poll()
        os.kill(first, signal.SIGCONT)
        said = second.communicate(timeout=60)[1]
    ended = receive(out)
    assert (ended.status, ended.stderr) == (0, "")
    assert home.whose(out) in {"old", "new"}
    assert early in {None, 1}, "it did not wait, and it did not refuse"
    assert one_line(said) if second.returncode else said.count("\n") <= 1


def test_the_lock_of_a_killed_run_is_none(home: Home, changes: list[str], tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    os.kill(stopped(home, out, changes), signal.SIGKILL)
    assert receive(out).status == -signal.SIGKILL
    next_run = oddfleet(home, "after", out, "--quiet")
    assert (next_run.status, next_run.stderr, home.whose(out)) == (0, "", "new")


def stopped(home: Home, out: Path, changes: list[str]) -> int:
    """The process id of a run on ``after`` that has been stopped in the middle of publishing."""
    renames, note = moments(changes, 0), out.with_suffix(".pid")
    send(job(home, "stop", out, renames[len(renames) // 2], pid_file=str(note)))
    wait_for(lambda: note.exists() and bool(note.read_text()), at_most=30.0)
    time.sleep(0.1)  # from the note to the stop
    return int(note.read_text(encoding="utf-8"))
