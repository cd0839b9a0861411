"""One function for each thing a user can ask for: read, find oddities, run, demonstrate."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from oddfleet import detect, plant
from oddfleet.errors import OutputError
from oddfleet.model import Answers, DataHealth, Fleet, Oddities
from oddfleet.settings import Settings

if TYPE_CHECKING:
    from oddfleet.ingest import Source

DATABASE, ODDITIES, FINDINGS, REPORT, PLOTS = "my_sqlite.db", "oddities.json", "findings.json", "report.html", "plots"
_MANIFEST = ".oddfleet"
"""Names the pictures of the last run, so that the next can clear them away and nothing else."""


class Progress(Protocol):
    """Whoever wants to be told how far a run is."""

    def step(self, label: str) -> Callable[[int, int], None]:
        """Begin a step of the work; what comes back is called with (done, in all)."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a run found and where it left it.

    Attributes:
        fleet: the fleet as read.
        result: the decision.
        answers: the standing questions.
        health: what became of the input.
        findings_json: the document that ``findings.json`` holds.
        outputs: every file or folder written, with a word on what it is.
    """

    fleet: Fleet
    result: Oddities
    answers: Answers
    health: DataHealth
    findings_json: str
    outputs: tuple[tuple[Path, str], ...]


def read(path: str | Path) -> Fleet:
    """Read a fleet from a folder of daily CSV files or from one CSV or Parquet table.

    Args:
        path: the folder or file.

    Returns:
        The fleet; lines that could not be read are left out (``oddfleet run`` stores and counts them).

    Raises:
        InputError: when there is no usable data at the path.
    """
    from oddfleet import ingest  # noqa: PLC0415 - Polars is slow to import and not always needed

    return ingest.to_fleet(ingest.read_source(Path(path)))


def find_oddities(fleet: Fleet, alpha: float = 0.01, cohorts: str = "auto") -> Oddities:
    """Find the devices of a fleet that behave oddly relative to the rest.

    Args:
        fleet: the fleet.
        alpha: share of healthy fleets that may raise any alarm.
        cohorts: which devices are judged together: ``"auto"``, ``"none"`` or a column of the meta file.

    Returns:
        The decision; ``result.ids`` is empty when no device is odd.

    Raises:
        SettingsError: when a setting makes no sense.
    """
    return detect.find_oddities(fleet, Settings(alpha=alpha, cohorts=cohorts))


def run(data: Path, out: Path, settings: Settings, progress: Progress) -> Run:
    """Read, store, judge and report; the outputs appear in ``out`` only when all are complete.

    Args:
        data: a folder of daily CSV files, or one CSV or Parquet table.
        out: where the outputs go; made when missing.
        settings: the choices of this run.
        progress: told how far the work is.

    Raises:
        InputError: when there is no usable data.
        SettingsError: when the cohort column does not exist.
        OutputError: when ``out`` cannot be written.
    """
    from oddfleet import ingest, report, store  # noqa: PLC0415 - Polars and SQLite only when there is work

    source = ingest.read_source(data, progress.step("reading"))
    fleet = ingest.to_fleet(source)
    result = detect.find_oddities(fleet, settings)
    with _staged(out) as stage:
        store.write_database(stage / DATABASE, source.rows, source.meta, source.issues, progress.step("storing"))
        answers = store.answer_questions(stage / DATABASE)
        health = _health(source, fleet)
        findings = report.findings_json(result, answers, health)
        _write(stage / ODDITIES, report.oddities_json(result, fleet))
        _write(stage / FINDINGS, findings)
        report.write_plots(fleet, result, stage / PLOTS, progress.step("drawing"))
        _write(stage / REPORT, report.report_html(fleet, result, answers, health))
        _publish(stage, out)
    outputs = (
        (out / DATABASE, "every line, in SQLite"),
        (out / ODDITIES, "the odd devices"),
        (out / FINDINGS, "why, since when, compared with what"),
        (out / PLOTS, "a picture of each odd device"),
        (out / REPORT, "all of it on one page, to open in a browser"),
    )
    return Run(fleet, result, answers, health, findings, outputs)


def demo(out: Path, settings: Settings, progress: Progress) -> Run:
    """Write the sample fleet to ``out/sample`` and run on it.

    Raises:
        OutputError: when ``out`` cannot be written.
    """
    sample = out / "sample"
    try:
        plant.write_folder(plant.sample_fleet(), sample)
    except OSError as error:
        raise OutputError(_unwritable(sample, error)) from error
    return run(sample, out, settings, progress)


def _health(source: Source, fleet: Fleet) -> DataHealth:
    named = set(source.meta["id"].to_list())
    present = set(source.rows["device_id"].unique().to_list())
    return DataHealth(
        lines_read=source.lines_read,
        rows_stored=source.rows.height,
        lines_rejected=source.lines_read - source.rows.height,
        devices=len(present),
        named_without_data=len(named - present),
        data_without_name=len(present - named),
        first_day=fleet.dates[0].item(),
        last_day=fleet.dates[-1].item(),
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """A temporary folder inside ``out``: on the same disk, so a rename is enough. Gone at the end, come what may."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".oddfleet-", dir=out))
    except OSError as error:
        raise OutputError(_unwritable(out, error)) from error
    try:
        yield stage
    except OSError as error:
        raise OutputError(_unwritable(out, error)) from error
    except OutputError as error:
        # The folder is gone when this is read: name the one that the user knows.
        raise OutputError(str(error).replace(str(stage), str(out))) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _publish(stage: Path, out: Path) -> None:
    """Move what is complete into its place, and clear away the pictures of the last run that this one did not draw."""
    pictures = sorted(picture.name for picture in (stage / PLOTS).glob("*.png"))
    stale = _pictures_of_last_run(out) - set(pictures)
    _write(stage / PLOTS / _MANIFEST, "".join(f"{name}\n" for name in pictures))
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


def _unwritable(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{path}: results must be writable here, got '{reason}'; choose another folder with --out"
