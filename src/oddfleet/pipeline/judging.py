"""Read a fleet, judge it, leave the results; and the demonstration of all that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from oddfleet import detect, plant
from oddfleet.model import Answers, AnyFleet, DataHealth, DataIssue, Fleet, Oddities, SelfTest
from oddfleet.pipeline.beside import beside
from oddfleet.pipeline.files import put, write_text
from oddfleet.pipeline.progress import Progress, Step
from oddfleet.pipeline.publishing import DATABASE, FINDINGS, ODDITIES, PLOTS, REPORT, new_run, told
from oddfleet.pipeline.selftesting import tested
from oddfleet.settings import Settings

if TYPE_CHECKING:
    from polars import DataFrame

    from oddfleet.ingest import Source, Stored


_IN_DATABASE = {"sqlite": "every line, in SQLite", "none": "names and rejected lines, in SQLite; no rows"}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a run found and where it left it.

    Attributes:
        fleet: the fleet as read.
        shown: of a fleet in memory all, of a larger one what charts show of it: the odd devices and some more.
        result: the decision.
        answers: the standing questions.
        health: what became of the input.
        findings_json: the document that ``findings.json`` holds.
        outputs: every file or folder written, with a word on what it is.
        selftest: what would have been found; None where it was not asked.
    """

    fleet: AnyFleet
    shown: Fleet
    result: Oddities
    answers: Answers
    health: DataHealth
    findings_json: str
    outputs: tuple[tuple[Path, str], ...]
    selftest: SelfTest | None = None


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


def scan(path: str | Path) -> AnyFleet:
    """A fleet that may be too large for memory, from Parquet tables whose rows stand device after device.

    It is read in parts, whenever ``find_oddities`` needs them; ``fleet.subset(places)`` reads some devices. Whatever
    else ``read`` understands is read as it does.

    Args:
        path: a Parquet file or a folder of such.

    Raises:
        InputError: when there is no usable data at the path.
    """
    from oddfleet import ingest  # noqa: PLC0415 - Polars is slow to import and not always needed

    return ingest.fleet_of(ingest.scan_source(Path(path)))[0]


def find_oddities(fleet: AnyFleet, alpha: float = 0.01, cohorts: str = "auto") -> Oddities:
    """Find the devices of a fleet that behave oddly relative to the rest.

    Args:
        fleet: the fleet.
        alpha: share of healthy fleets that may raise any alarm.
        cohorts: which devices are judged together: ``"auto"``, ``"none"`` or a column of the meta file.

    Returns:
        The decision; ``result.ids`` is empty when no device is odd. ``result.plot(id)`` draws a device; for that the
        result keeps the fleet.

    Raises:
        SettingsError: when a setting makes no sense.
    """
    from oddfleet import report  # noqa: PLC0415 - not needed where a run judges

    result = detect.find_oddities(fleet, Settings(alpha=alpha, cohorts=cohorts))
    return replace(result, draw=partial(report.draw_device, fleet))


def run(data: Path, out: Path, settings: Settings, progress: Progress) -> Run:
    """Read, store, judge and report; the outputs appear in ``out`` only when all are complete.

    Args:
        data: a folder of daily CSV files, or one CSV or Parquet table.
        out: where the outputs go; made when missing.
        settings: the choices of this run.
        progress: told how far the work is.

    Raises:
        InputError: when there is no usable data, or no healthy device to plant faults in for the self-test.
        SettingsError: when the cohort column does not exist.
        OutputError: when ``out`` cannot be written, or another run is writing there.
    """
    with new_run(out) as stage:
        return _run(data, out, stage, settings, progress)


def demo(out: Path, settings: Settings, progress: Progress) -> Run:
    """Write the sample fleet to ``out/sample`` and run on it.

    Raises:
        OutputError: when ``out`` cannot be written, or another run is writing there.
    """
    sample = out / "sample"
    with new_run(out) as stage:
        with told(out, stage):
            plant.write_folder(plant.sample_fleet(), stage / "sample")
            put(stage / "sample", sample)
        return _run(sample, out, stage, settings, progress)


def _run(data: Path, out: Path, stage: Path, settings: Settings, progress: Progress) -> Run:
    """Fill the folder ``stage`` with the results that will be shown in ``out``."""
    from oddfleet import ingest, report  # noqa: PLC0415 - Polars only when there is work

    def stored(step: Step) -> Answers:
        return _stored(source, stage / DATABASE, settings, step, progress.step("answering"))

    def drawn(step: Step) -> None:
        report.write_plots(shown, result, stage / PLOTS, step, painter.png)

    with report.Painter() as painter:
        source = ingest.scan_source(data, progress.step("reading"))
        with told(out, stage):
            # What the detector imports takes as long as it does: that too goes on while rows are stored.
            with beside(stored, progress.step("storing")) as storing:
                fleet, gaps = ingest.fleet_of(source, progress.step("arranging"))
                result = detect.find_oddities(fleet, settings, progress.step("judging"), progress.step("explaining"))
                shown = report.shown(fleet, result)
                with beside(drawn, progress.step("drawing")) as drawing:
                    health = _health(source, fleet, gaps, settings)
                    trials = settings.trials
                    test = None if trials is None else tested(fleet, settings, trials, progress.step("planting"))
                    page = report.report_html(shown, result, storing.result, health, test)
                    answers = storing.result()
                    findings = report.findings_json(result, answers, health)
                    drawing.result()
            for name, text in ((ODDITIES, report.oddities_json(result, fleet)), (FINDINGS, findings), (REPORT, page)):
                write_text(stage / name, text)
    outputs = (
        (out / DATABASE, _IN_DATABASE[settings.store]),
        (out / ODDITIES, "the odd devices"),
        (out / FINDINGS, "why, since when, compared with what"),
        (out / PLOTS, "a picture of each odd device"),
        (out / REPORT, "all of it on one page, to open in a browser"),
    )
    return Run(fleet, shown, result, answers, health, findings, outputs, test)


def _stored(source: Source | Stored, path: Path, settings: Settings, step: Step, answering: Step) -> Answers:
    """Store what is to be stored, and answer the standing questions."""
    from oddfleet import store  # noqa: PLC0415 - SQLite only when there is work

    rows = source.lines_read - source.lines_rejected
    step(0, rows)
    if settings.store == "none":
        store.write_database(path, _rejected(source, rows, step), source.meta)
        return source.answers
    store.write_database(path, source.parts(), source.meta, lambda done: step(done, rows))
    return store.answer_questions(path, answering)


def _rejected(source: Source | Stored, total: int, step: Step) -> Iterator[tuple[DataFrame, Sequence[DataIssue]]]:
    """What could not be used, and none of the rows (so many in all)."""
    done = 0
    for rows, issues in source.parts():
        yield rows.clear(), issues
        if not source.lines_rejected:
            # What there is to say of the files as a whole comes first.
            step(total, total)
            return
        done += rows.height
        step(done, total)


def _health(source: Source | Stored, fleet: AnyFleet, gaps: int, settings: Settings) -> DataHealth:
    named, present = set(source.meta["id"].to_list()), source.present()
    rows = source.lines_read - source.lines_rejected
    return DataHealth(
        lines_read=source.lines_read,
        rows_stored=rows if settings.store == "sqlite" else 0,
        lines_rejected=source.lines_rejected,
        devices=fleet.n_devices,
        named_without_data=len(named - present),
        data_without_name=len(present - named),
        first_day=fleet.dates[0].item(),
        last_day=fleet.dates[-1].item(),
        unread=tuple(issue.sentence for issue in source.unread),
        gaps=gaps,
        rows_left=0 if settings.store == "sqlite" else rows,
    )
