"""Files written under other names and then put in the place of the old ones: whole, or not at all."""

from __future__ import annotations

import glob
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from oddfleet.errors import OutputError
from oddfleet.pipeline.files import remove, sync
from oddfleet.pipeline.locking import locked
from oddfleet.pipeline.publishing import deaf

_PART = "part"


@contextmanager
def sole_writer(files: Sequence[Path]) -> Iterator[None]:
    """Let nobody else write to the folder of these files meanwhile, and remove what a killed one left there.

    Args:
        files: where results are to go, in one folder, which exists; links are followed.

    Raises:
        OutputError: when the folder cannot be opened, or somebody else is writing there.
    """
    folder = files[0].resolve().parent
    with ExitStack() as held:
        with told(files[-1]):
            held.enter_context(locked(folder))
            for file in files:
                for left in folder.glob(f".{glob.escape(file.resolve().name)}.*.{_PART}"):
                    remove(left)
        yield


@contextmanager
def exchanged(files: Sequence[Path]) -> Iterator[list[Path]]:
    """New names to write to: what is there in the end takes the place of its file, and is gone if anything fails.

    A file is removed when nothing was written for it. Each change is one step, and the last of the files is replaced
    last: whatever fails before leaves it as it was.

    Args:
        files: as for ``sole_writer``.

    Raises:
        OutputError: when something cannot be written or replaced.
    """
    mark = f"{uuid.uuid4().hex[:8]}.{_PART}"
    places = [file.resolve() for file in files]
    parts = [place.with_name(f".{place.name}.{mark}") for place in places]
    with ExitStack() as held:
        try:
            with told(files[-1], str(parts[-1])):
                yield parts
                written = [part for part in parts if part.exists()]
                for part in written:
                    sync(part)
                held.enter_context(deaf())
                for part in written:
                    part.replace(places[parts.index(part)])
                for part, place in zip(parts, places, strict=True):
                    if part not in written:
                        place.unlink(missing_ok=True)
                sync(places[-1].parent)
        finally:
            held.enter_context(deaf())
            for part in parts:
                remove(part)


@contextmanager
def told(file: Path, hidden: str = "") -> Iterator[None]:
    """Errors in writing become one line, which names the file that the user knows, not the one written first."""
    try:
        yield
    except OSError as error:
        said = error.strerror or error
        raise OutputError(f"{file}: must be writable, got '{said}'; choose another place or free some room") from error
    except OutputError as error:
        raise OutputError(str(error).replace(hidden or str(file), str(file))) from error
