"""The place of results: each run in a folder of its own, and one rename that shows it instead of the last.

``OUT/my_sqlite.db`` and the other four names are links to ``.oddfleet/now/<name>``; ``.oddfleet/now`` is a link to
``run-<id>``, the folder of the run that is shown. A run is made in a new folder and synced to disk; then ``now`` is
exchanged, in one rename. A run that was killed leaves a folder that nobody sees, and the next run removes it.
Where no links can be made, files are renamed one by one. ``docs/reliability.md`` says what that promises.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import uuid
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from oddfleet.errors import OutputError
from oddfleet.pipeline.files import carry, link_or_copy, remove, sync, sync_tree, write_text
from oddfleet.pipeline.locking import locked

DATABASE, ODDITIES, FINDINGS, REPORT, PLOTS = "my_sqlite.db", "oddities.json", "findings.json", "report.html", "plots"
_FILES = (DATABASE, ODDITIES, FINDINGS, REPORT)
_LOG_ENDINGS = ("-journal", "-wal", "-shm")
"""What SQLite leaves beside a database that a program had open when it died."""
_MANIFEST = ".oddfleet"
"""In ``plots``: names the pictures of a run, so that the next can leave them out and nothing else."""
_HOME = ".oddfleet"
_NOW, _NEXT, _LINK, _ASIDE = "now", "run-next", "run-link", "run-aside"
"""In the home: the link to the run that is shown; then names that last for a moment."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def new_run(out: Path) -> Iterator[Path]:
    """The folder of a new run, to be filled: shown in ``out`` when all went well, and gone when not.

    Args:
        out: where the results are to appear; made when missing. No other run can write there meanwhile.

    Raises:
        OutputError: when ``out`` cannot be written, something is in the way, or another run is at work there.
    """
    with ExitStack() as held, ExitStack() as place:
        with told(out):
            made = _make(out)
            place.enter_context(locked(out))
            place.callback(_clear, out, made)
            _check_places(out)
            _clear(out)
            run = _begin(out)
        try:
            yield run
            with told(out, run):
                ours = _complete(run, out)
                held.enter_context(deaf())
                _show(run, out, ours)
        finally:
            held.enter_context(deaf())


@contextmanager
def told(out: Path, run: Path | None = None) -> Iterator[None]:
    """Errors in writing become one line, which names the place that the user knows, not the folder of the run."""
    hidden = str(run or out)
    try:
        yield
    except OSError as error:
        named = run is not None and str(error.filename).startswith(str(out))
        place = str(error.filename if named else out).replace(hidden, str(out))
        raise OutputError(
            f"{place}: results must be writable here, got '{error.strerror or error}'; choose another folder with --out"
        ) from error
    except OutputError as error:
        raise OutputError(str(error).replace(hidden, str(out))) from error


@contextmanager
def deaf() -> Iterator[None]:
    """Ctrl-C and a request to stop count for nothing in here: what is done now is done in a moment."""
    if threading.current_thread() is not threading.main_thread():
        # Python tells only the main thread of signals, and lets only that one say what becomes of them.
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _make(out: Path) -> list[Path]:
    """Make the folder; returns what was made, the innermost first."""
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    for folder in made:
        sync(folder.parent)
    return made


def _check_places(out: Path) -> None:
    """Nothing of another kind may be where a result goes; better said now than when all the work is done."""
    for name in (_HOME, PLOTS, *_FILES):
        path, kind = out / name, "file" if name in _FILES else "folder"
        if path.exists() and not (path.is_file() if kind == "file" else path.is_dir()):
            raise OutputError(
                f"{path}: a {kind} of this name is to be written here, got something else; rename what is there or "
                "choose another folder with --out"
            )


def _clear(out: Path, made: Collection[Path] = ()) -> None:
    """Remove every run that is not shown; where none is, links and empty folders too."""
    home = out / _HOME
    now = home / _NOW
    shown = str(now.readlink()) if now.is_symlink() and now.is_dir() else None
    for run in list(home.glob("run-*")):
        if run.name != shown:
            remove(run)
    if shown is not None:
        return
    for leftover in (now, *(out / name for name in (*_FILES, PLOTS) if _is_link(out, name))):
        remove(leftover)
    for folder in (home, *made):
        with suppress(OSError):
            folder.rmdir()


def _begin(out: Path) -> Path:
    """The empty folder of a new run, and the link that will show it, where links can be made."""
    home = out / _HOME
    home.mkdir(exist_ok=True)
    run = home / f"run-{uuid.uuid4().hex[:8]}"
    run.mkdir()
    # Windows can make links to folders, at times, but not exchange one for another in one step.
    if os.name != "nt":
        try:
            (home / _NEXT).symlink_to(run.name)
        except OSError as error:
            # A folder could be made here a moment ago: what a link lacks, other than room, is a file system with links.
            if error.errno in _NO_ROOM:
                raise
    return run


def _complete(run: Path, out: Path) -> set[str]:
    """Put all on disk, and a user's own files beside the pictures; returns the names in ``plots`` that are ours."""
    drawn = sorted(picture.name for picture in (run / PLOTS).glob("*.png"))
    write_text(run / PLOTS / _MANIFEST, "".join(f"{name}\n" for name in drawn))
    ours = {*drawn, *_pictures_of_last_run(out), _MANIFEST}
    sync_tree(run)
    if _by_link(out):
        carry(out / PLOTS, run / PLOTS, ours)
    return ours


def _pictures_of_last_run(out: Path) -> set[str]:
    """The pictures that the last run drew, by its own list; nothing that is not a picture's plain name."""
    manifest = out / PLOTS / _MANIFEST
    if not manifest.is_file():
        return set()
    names = manifest.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name for name in names if name.endswith(".png") and Path(name).name == name}


def _show(run: Path, out: Path, ours: Collection[str]) -> None:
    """Show a complete run in place of the last."""
    home = out / _HOME
    if not _by_link(out):
        _replace_one_by_one(run, out, ours)
        return
    others = [name for name in (*_FILES, PLOTS) if not _is_link(out, name)]
    if any(os.path.lexists(out / name) for name in others):
        _take_over(out)
    for name in others:
        _put_link(out, name)
    last = (out / PLOTS).resolve()
    sync(out)
    sync(home)
    (home / _NEXT).replace(home / _NOW)
    sync(home)
    # What a user put there in the last moments is not lost with the last run.
    with suppress(OSError):
        carry(last, run / PLOTS, ours)


def _by_link(out: Path) -> bool:
    """Whether the run that was begun is shown by a link, or file by file."""
    return (out / _HOME / _NEXT).is_symlink()


def _is_link(out: Path, name: str) -> bool:
    return (out / name).is_symlink() and (out / name).readlink() == Path(_HOME, _NOW, name)


def _take_over(out: Path) -> None:
    """Make plain results, of an earlier version or a copy, the run that is shown: only where they lie is changed."""
    home = out / _HOME
    last = home / f"run-{uuid.uuid4().hex[:8]}"
    last.mkdir()
    for name in _FILES:
        for ending in ("", *_LOG_ENDINGS):
            source = Path(f"{(out / name).resolve()}{ending}")
            if source.is_file() and (name == DATABASE or not ending):
                link_or_copy(source, last / f"{name}{ending}")
    carry(out / PLOTS, last / PLOTS)
    sync(last)
    (home / _LINK).symlink_to(last.name)
    (home / _LINK).replace(home / _NOW)
    sync(home)


def _put_link(out: Path, name: str) -> None:
    """Put the link of one result in its place, whatever was there."""
    home, path = out / _HOME, out / name
    link = home / _LINK
    link.symlink_to(Path(_HOME, _NOW, name))
    if path.is_dir() and not path.is_symlink():
        # A folder cannot be exchanged for a link in one step: the one moment, once, in which a result is missing.
        aside = path.rename(home / _ASIDE)
        try:
            link.replace(path)
        except OSError:
            aside.rename(path)
            raise
        carry(aside, home / _NOW / name)
    else:
        link.replace(path)
    if name == DATABASE:
        _remove_logs(out)


def _remove_logs(out: Path) -> None:
    """No log of an old database may lie beside a new one: SQLite would take it for its own."""
    for ending in _LOG_ENDINGS:
        remove(out / f"{DATABASE}{ending}")


def _replace_one_by_one(run: Path, out: Path, ours: Collection[str]) -> None:
    """Show a run where no links can be made: every file is whole, but a kill on the way leaves files of two runs."""
    (out / PLOTS).mkdir(exist_ok=True)
    for name in sorted(ours):
        if (run / PLOTS / name).exists():
            (run / PLOTS / name).replace(out / PLOTS / name)
        else:
            (out / PLOTS / name).unlink(missing_ok=True)
    _remove_logs(out)
    for name in _FILES:
        (run / name).replace(out / name)
    sync(out / PLOTS)
    sync(out)
