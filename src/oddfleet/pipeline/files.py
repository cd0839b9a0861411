"""Careful verbs for files: synced to disk, carried along without loss, removed as far as it goes."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write the same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk before anything else happens."""
    folder = path.is_dir()
    try:
        file = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except OSError:
        # Windows and some network file systems cannot sync a folder: a limit of theirs, and no reason to stop.
        if not folder:
            raise


def sync_tree(folder: Path) -> None:
    """Sync everything in a folder, then the folder."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under a second name, or a copy where a file can have but one; a symbolic link stays one."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
        sync(target)


def carry(source: Path, target: Path, leave_out: Collection[str] = ()) -> None:
    """Give a folder all that another one holds and it does not: hard links, so that nothing is lost or doubled.

    Args:
        source: where it is; nothing is done when there is no such folder.
        target: where it shall be too; made when missing.
        leave_out: names of files, right in ``source``, that stay behind.
    """
    if not source.is_dir():
        return
    if not target.is_dir():
        target.mkdir()
    # Who may look into it remains; that its owner may write is needed to remove it one day.
    target.chmod(stat.S_IMODE(source.stat().st_mode) | stat.S_IRWXU)
    for own in source.iterdir():
        place = target / own.name
        if own.is_dir() and not own.is_symlink():
            carry(own, place)
        elif own.name not in leave_out and not os.path.lexists(place):
            link_or_copy(own, place)
    sync(target)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, as far as it can be removed."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def put(source: Path, target: Path) -> None:
    """Move a folder into its place: in one step where there is none yet, else file by file, each of them whole."""
    sync_tree(source)
    if not target.exists():
        source.rename(target)
    else:
        for file in source.iterdir():
            file.replace(target / file.name)
        source.rmdir()
    sync(target.parent)
