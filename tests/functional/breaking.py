"""Run the command and break it at a chosen moment: a script, which the tests start as a process of its own.

It reads jobs (a line of JSON each, on standard input), runs each in a fork of itself, so that the imports are paid
once, and prints a line on what became of it. An audit hook sees what a run changes in the file system, whatever calls
the implementation makes. ``at`` counts the changes below ``out``, from 1; how a job is broken there is its ``mode``:

- ``none``: not at all; the changes are only listed, and the inodes that were synced to disk.
- ``kill``, ``interrupt``, ``stop``: by that signal. Before it stops, a run leaves its process id in ``pid_file``.
- ``full``: from there on nothing new can be written, as on a full disk.
- ``refuse``: that one change is not permitted, as where another program holds the file.
- ``limit``: no file may grow beyond ``at`` bytes.
- ``bug``: the detector raises what nobody expects.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CREATIONS = {"open", "sqlite3.connect", "shutil.copyfile", "os.mkdir", "os.link", "os.symlink"}
CHANGES = CREATIONS | {"os.rename", "os.remove", "os.rmdir", "os.truncate"}
SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "stop": signal.SIGSTOP}
WARM = (
    "cli",
    "ingest",
    "store",
    "detect.oddities",
    "report.terminal.console",
    "report.page.html",
    "report.picture.plots",
)


class Breaker:
    """Counts the changes of a run, notes each on a pipe, and breaks the run at the chosen one."""

    def __init__(self, job: dict[str, Any], notes: int) -> None:
        self.job, self.notes, self.count = job, notes, 0
        self.below = str(Path(job["out"]).absolute())
        self.idle = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.idle or event not in CHANGES or not self.hit(event, arguments):
            return
        self.idle = True
        try:
            self.count += 1
            os.write(self.notes, f"{event}\n".encode())
            self.strike(event)
        finally:
            self.idle = False

    def hit(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITES):
            return False
        paths = [os.fsdecode(one) for one in arguments if isinstance(one, str | bytes | os.PathLike)]
        if event.startswith("os.") and paths and not Path(paths[0]).is_absolute():
            folder = next((one for one in arguments[1:] if isinstance(one, int) and one > 2), None)
            base = Path(f"/proc/self/fd/{folder}").readlink() if folder else Path().absolute()
            paths = [str(base / path) for path in paths]
        return any(path.startswith(self.below) for path in paths)

    def strike(self, event: str) -> None:
        mode, at = self.job["mode"], self.job["at"]
        if mode == "full" and self.count >= at and event in CREATIONS:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.count != at:
            return
        if mode == "refuse":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        if mode in SIGNALS:
            if mode == "stop":
                Path(self.job["pid_file"]).write_text(str(os.getpid()), encoding="utf-8")
            os.kill(os.getpid(), SIGNALS[mode])


def note_syncs(notes: int) -> None:
    """Note the inode of all that is synced to disk."""
    for name in ("fsync", "fdatasync"):
        sync = getattr(os, name)

        def noted(file: int, sync: Any = sync) -> None:
            os.write(notes, f"sync {os.fstat(file).st_ino}\n".encode())
            sync(file)

        setattr(os, name, noted)


def find_a_bug(*_arguments: object) -> NoReturn:
    raise RuntimeError("nobody expected this")


def work(job: dict[str, Any], notes: int) -> NoReturn:
    """The command, in this process, broken as the job says."""
    cli = importlib.import_module("oddfleet.cli")
    if job["mode"] == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["at"], resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    elif job["mode"] == "bug":
        vars(importlib.import_module("oddfleet.detect"))["find_oddities"] = find_a_bug
    note_syncs(notes)
    sys.addaudithook(Breaker(job, notes))
    sys.argv = ["oddfleet", *job["arguments"]]
    if job["arguments"][0] != "compact":
        sys.argv += ["--out", job["out"]]
    code: Any = 0
    try:
        cli.main()
    except SystemExit as left:
        code = left.code
    except BaseException:  # noqa: BLE001 - what Python itself would do now
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    os._exit(code or 0)


def outcome(job: dict[str, Any]) -> dict[str, Any]:
    """Run a job in a fork; what it said goes through pipes, which no limit on files touches."""
    pipes = [os.pipe() for _ in range(3)]
    process = os.fork()
    if process == 0:
        for target in (1, 2):
            os.dup2(pipes[target - 1][1], target)
        work(job, pipes[2][1])
    for _, end in pipes:
        os.close(end)
    texts = []
    for end, _ in pipes:
        with open(end, encoding="utf-8") as stream:  # noqa: PTH123 - a pipe has no path
            texts.append(stream.read())
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return {"out": job["out"], "status": status, "stdout": texts[0], "stderr": texts[1], "notes": texts[2].splitlines()}


def main() -> None:
    for name in WARM:
        importlib.import_module(f"oddfleet.{name}")
    importlib.import_module("matplotlib.backends.backend_agg")
    importlib.import_module("matplotlib.font_manager")
    for line in sys.stdin:
        job = json.loads(line)
        sys.stdout.write(json.dumps(outcome(job)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
