"""What the tests of "all or nothing" share: two fleets, the command, ways to break it, and whose the outputs are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from oddfleet import Kind, plant

COMMAND = shutil.which("oddfleet", path=Path(sys.executable).parent) or "oddfleet"
BREAKING = Path(__file__).with_name("breaking.py")
PICTURES = ("3.png", "8.png", "20.png")
"""Of the run before (3, 8) and the run after (8, 20)."""
DOCUMENTS = ("oddities.json", "findings.json", "report.html")
TABLES = ("time_series", "meta", "rejected")
State = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code (a signal is negative), what it said, and what ``breaking.py`` noted."""

    status: int
    stdout: str
    stderr: str
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> list[str]:
        """What it changed in the file system, in order; ``breaking.py`` counts these from 1."""
        return [note for note in self.notes if not note.startswith("sync ")]

    @property
    def synced(self) -> set[int]:
        """Inodes that were synced to disk."""
        return {int(note.split()[1]) for note in self.notes if note.startswith("sync ")}


@dataclass(frozen=True)
class Home:
    """A folder with the fleet ``before`` and ``after``, and what a run on each leaves."""

    path: Path
    seconds: float
    """What an undisturbed run takes."""

    @property
    def template(self) -> Path:
        """Outputs of a good run on ``before``."""
        return self.path / "template"

    @cached_property
    def old(self) -> State:
        return state(self.template)

    @cached_property
    def new(self) -> State:
        return state(self.path / "undisturbed")

    @cached_property
    def shape(self) -> tuple[Counter[str], int]:
        """Of a folder after a run on ``before`` and an undisturbed one on ``after``."""
        return shape(self.path / "undisturbed")

    def copies(self, folder: Path, names: Iterable[object]) -> list[Path]:
        """A copy of the old outputs for each name."""
        copies = [folder / str(name) for name in names]
        for copy in copies:
            shutil.copytree(self.template, copy, symlinks=True)
        return copies

    def plain_copy(self, copy: Path) -> None:
        """The old outputs as plain files and nothing else: what an earlier version, or a copy, has left."""
        copy.mkdir()
        shutil.copytree(self.template / "plots", copy / "plots")
        for name in ("my_sqlite.db", *DOCUMENTS):
            shutil.copyfile(self.template / name, copy / name)

    def whose(self, out: Path) -> str:
        """``old``, ``new`` or ``none`` where there are no outputs; else, output by output, whose it is."""
        found = state(out)
        if set(found.values()) <= {"missing", ""}:
            return "none"
        if found in (self.old, self.new):
            return "old" if found == self.old else "new"
        return ", ".join(f"{name}: {self._whose(name, text)}" for name, text in found.items())

    def _whose(self, name: str, text: str) -> str:
        owners = [word for word, known in (("old", self.old), ("new", self.new)) if known[name] == text]
        return " and ".join(owners) or f"neither ({text[:60]})"


def make_home(path: Path) -> Home:
    """Fleets, and outputs made by the real command."""
    fleet = plant.steady_fleet(30, 60, seed=11)
    for name, second in (("before", 3), ("after", 20)):
        faulty = plant.with_fault(fleet, 8, Kind.LEVEL_SHIFT, seed=len(name))
        plant.write_folder(plant.with_fault(faulty, second, Kind.LEVEL_SHIFT, seed=1), path / name)
    home = Home(path, seconds=0.0)
    assert oddfleet(home, "before", home.template).status == 0
    (undisturbed,) = home.copies(path, ["undisturbed"])
    begun = time.monotonic()
    assert oddfleet(home, "after", undisturbed).status == 0
    home = Home(path, time.monotonic() - begun)
    assert home.old != home.new
    return home


def oddfleet(home: Home, data: str, out: Path, *options: str, through: Sequence[str] = ()) -> Ended:
    """The real command on ``before`` or ``after``; ``through`` another that runs it."""
    command = [*through, COMMAND, "run", str(home.path / data), "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def start(home: Home, data: str, out: Path) -> subprocess.Popen[str]:
    """The real command, just started."""
    command = [COMMAND, "run", str(home.path / data), "--out", str(out), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")


def job(home: Home, mode: str, out: Path, at: int = 0, data: str = "after", **more: object) -> dict[str, Any]:
    """A run for ``breaking.py``."""
    arguments = ["run", str(home.path / data), "--quiet"]
    return {"mode": mode, "at": at, "arguments": arguments, "out": str(out), **more}


@cache
def breaker() -> subprocess.Popen[str]:
    """``breaking.py``, one for all tests; ends with its standard input."""
    command = [sys.executable, str(BREAKING)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def send(job: dict[str, Any]) -> None:
    """Begin a job."""
    stream = breaker().stdin
    assert stream is not None
    stream.write(json.dumps(job) + "\n")
    stream.flush()


def receive(out: Path) -> Ended:
    """How the job that wrote to this folder ended."""
    stream = breaker().stdout
    assert stream is not None
    while entry := json.loads(stream.readline()):
        if entry.pop("out") == str(out):
            break
    return Ended(**(entry | {"notes": tuple(entry["notes"])}))


def broken(jobs: Sequence[dict[str, Any]]) -> list[Ended]:
    """Run the jobs, one after the other."""
    ends = []
    for job in jobs:
        send(job)
        ends.append(receive(Path(job["out"])))
    return ends


def moments(changes: list[str], others: int, *, thorough: bool = False) -> list[int]:
    """Where to break a run: at all renames and at a choice of the other changes, or at every change."""
    renames = {at for at, change in enumerate(changes, start=1) if change == "os.rename"}
    spread = {1 + place * (len(changes) - 1) // max(1, others - 1) for place in range(others)}
    return list(range(1, len(changes) + 1)) if thorough else sorted(renames | spread)


def break_at(home: Home, mode: str, folder: Path, places: list[int]) -> dict[int, tuple[Path, Ended]]:
    """For each place where a run was broken: the folder as it was left, and how the run ended."""
    outs = home.copies(folder, places)
    ends = broken([job(home, mode, out, at) for at, out in zip(places, outs, strict=True)])
    return dict(zip(places, zip(outs, ends, strict=True), strict=True))


def not_whole(home: Home, outs: Iterable[Path]) -> dict[str, str]:
    """The folders whose outputs are neither all old nor all new, and what they are."""
    found = {out.name: home.whose(out) for out in outs}
    return {name: whose for name, whose in found.items() if whose not in {"old", "new"}}


def wait_for(done: Callable[[], bool], at_most: float) -> None:
    """Until it is done or the time, in seconds, is over."""
    end = time.monotonic() + at_most
    while not done() and time.monotonic() < end:
        time.sleep(0.02)


def state(out: Path) -> State:
    """A word on each output: the same word, the same content."""
    pictures = [f"{name} {_digest(out / 'plots' / name)}" for name in PICTURES if (out / "plots" / name).exists()]
    return {
        "my_sqlite.db": _database(out / "my_sqlite.db"),
        **{name: _digest(out / name) for name in DOCUMENTS},
        "plots": ", ".join(pictures),
    }


def shape(folder: Path) -> tuple[Counter[str], int]:
    """Names of all files (links are not followed), and the number of folders: temporary names may differ."""
    files: Counter[str] = Counter()
    folders = 0
    for _, inner, names in os.walk(folder):
        files.update(names)
        folders += len(inner)
    return files, folders


def contents(folder: Path) -> dict[str, str]:
    """Everything in a folder, by its path."""
    return {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*"))}


def one_line(text: str) -> bool:
    """Is it one line of the command, with a place and a remedy, and no traceback?"""
    lines = text.splitlines()
    return len(lines) == 1 and lines[0].startswith("oddfleet: ") and ": " in lines[0][10:] and "; " in lines[0]


def _digest(path: Path) -> str:
    if path.is_dir():
        return "folder"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "missing"


def _database(path: Path) -> str:
    """Digest of all rows in their order."""
    if not path.exists():
        return "missing"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            check = connection.execute("PRAGMA integrity_check").fetchall()
            rows = [connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in TABLES]
    except sqlite3.Error as error:
        return f"broken: {error}"
    return hashlib.sha256(repr((check, rows)).encode()).hexdigest() if check == [("ok",)] else f"broken: {check}"
