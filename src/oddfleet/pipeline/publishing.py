"""Results appear only when all are complete: made in a folder of their own, then moved into place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from oddfleet.errors import OutputError

DATABASE, ODDITIES, FINDINGS, REPORT, PLOTS = "my_sqlite.db", "oddities.json", "findings.json", "report.html", "plots"
_MANIFEST = ".oddfleet"
"""Names the pictures of the last run, so that the next can clear them away and nothing else."""


def write_text(path: Path, text: str) -> None:
    """Write the same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def unwritable(path: Path, error: OSError) -> str:
    """The line that says why nothing can be written here."""
    reason = error.strerror or str(error)
    return f"{path}: results must be writable here, got '{reason}'; choose another folder with --out"


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A temporary folder inside ``out``: on the same disk, so a rename is enough. Gone at the end, come what may."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".oddfleet-", dir=out))
    except OSError as error:
        raise OutputError(unwritable(out, error)) from error
    try:
        yield stage
    except OSError as error:
        raise OutputError(unwritable(out, error)) from error
    except OutputError as error:
        # The folder is gone when this is read: name the one that the user knows.
        raise OutputError(str(error).replace(str(stage), str(out))) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def publish(stage: Path, out: Path) -> None:
    """Move what is complete into its place, and clear away the pictures of the last run that this one did not draw."""
    pictures = sorted(picture.name for picture in (stage / PLOTS).glob("*.png"))
    stale = _pictures_of_last_run(out) - set(pictures)
    write_text(stage / PLOTS / _MANIFEST, "".join(f"{name}\n" for name in pictures))
    plots = [Path(PLOTS) / name for name in (*pictures, _MANIFEST)]
    with ExitStack() as undo:
        if not (out / PLOTS).exists():
            (out / PLOTS).mkdir()
            undo.callback((out / PLOTS).rmdir)
        for name in (Path(DATABASE), Path(ODDITIES), Path(FINDINGS), Path(REPORT), *plots):
            _exchange(stage, out, name, undo)
        undo.pop_all()
    for picture in stale:
        (out / PLOTS / picture).unlink(missing_ok=True)


def _exchange(stage: Path, out: Path, name: Path, undo: ExitStack) -> None:
    """Put one new file in place of the old, and note how to take that back."""
    kept = stage / "last" / name
    if (out / name).exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(out / name, kept)
        undo.callback(kept.replace, out / name)
    else:
        undo.callback((out / name).unlink, missing_ok=True)
    (stage / name).replace(out / name)


def _pictures_of_last_run(out: Path) -> set[str]:
    """The pictures that the last run drew, by its own list; nothing that is not a picture's plain name."""
    manifest = out / PLOTS / _MANIFEST
    if not manifest.is_file():
        return set()
    names = manifest.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name for name in names if name.endswith(".png") and Path(name).name == name}
