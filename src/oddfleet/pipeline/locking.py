"""One run at a time in a folder: a second one says so at once, and the lock of a run dies with its process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from oddfleet.errors import OutputError

if sys.platform == "win32":  # pragma: no cover - a folder cannot be locked there, a file in it can
    import msvcrt

    _FILE = Path(".oddfleet", "lock")

    def _locked(folder: Path) -> int:
        (folder / _FILE).parent.mkdir(exist_ok=True)
        file = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            os.close(file)
            raise BlockingIOError from error
        return file

    def _unlock(folder: Path, file: int) -> None:
        os.close(file)
        # Windows removes no file that another run has open, so this cannot take a lock away.
        with suppress(OSError):
            (folder / _FILE).unlink()

else:
    import fcntl

    def _locked(folder: Path) -> int:
        file = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A run that failed has removed the folder that it had made: a lock on that one keeps nobody out.
            if not os.path.samestat(os.fstat(file), os.stat(folder)):  # noqa: PTH116 - one call, one moment
                raise BlockingIOError
        except (BlockingIOError, FileNotFoundError) as error:
            os.close(file)
            raise BlockingIOError from error
        except OSError:
            # Some network file systems know no such lock. Better a run without than none.
            pass
        return file

    def _unlock(folder: Path, file: int) -> None:
        os.close(file)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let nobody else write to this folder meanwhile.

    Args:
        folder: an existing folder.

    Raises:
        OutputError: when another run holds the lock.
        OSError: when the folder cannot be opened.
    """
    try:
        file = _locked(folder)
    except BlockingIOError as error:
        raise OutputError(
            f"{folder}: another run is writing here, and only one at a time can; wait for it or choose another folder"
        ) from error
    try:
        yield
    finally:
        _unlock(folder, file)
