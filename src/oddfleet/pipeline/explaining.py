"""One device of a run that is done, from the files that the run left."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oddfleet.errors import InputError
from oddfleet.model import DateArray, DeviceId, Explanation, FloatArray
from oddfleet.model.arrays import matrices
from oddfleet.pipeline.progress import Progress
from oddfleet.pipeline.publishing import DATABASE, FINDINGS

if TYPE_CHECKING:
    from oddfleet.report import Results

_MOST_NEAR = 3
_MOST_COMPARED = 100_000
"""Ids and names that are looked through for one that was meant: more take more than a second."""


def explain(folder: Path, asked: str, progress: Progress) -> Explanation:
    """What a run found out about one device.

    Args:
        folder: where ``oddfleet run`` left its results; those of older versions do too.
        asked: id of the device, or its name where no other has it.
        progress: told how far the work is.

    Raises:
        InputError: when the folder holds no results, they are damaged, or there is no such device.
    """
    from oddfleet import store  # noqa: PLC0415 - Polars only when there is work

    results = _results(folder)
    database = folder / DATABASE
    names: dict[DeviceId, str | None] = {}
    for device, name in store.read_meta(database):
        names.setdefault(device, name)
    device = _device(folder, asked, results, names, progress)
    findings = tuple(finding for finding in results.findings if finding.device_id == device)
    rows = store.read_series(database, device, progress.step("reading"))
    if rows == [] and not findings and device not in results.odd:
        raise InputError(
            f"{folder}: a device with data is needed, got '{asked}', of which there is only a name; "
            "choose one that is in the data"
        )
    dates, series = _series(rows or [], results)
    return Explanation(
        device_id=device,
        name=names.get(device) or next((finding.name for finding in findings), None),
        place=results.odd.index(device) + 1 if device in results.odd else None,
        n_odd=len(results.odd),
        n_devices=results.n_devices,
        alpha=results.alpha,
        findings=findings,
        dates=dates,
        series=None if rows is None else series,
    )


def _results(folder: Path) -> Results:
    from oddfleet import report  # noqa: PLC0415

    file = folder / FINDINGS
    try:
        return report.read_findings(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{folder}: a folder with the results of a run is needed, got one without {FINDINGS}; "
            "run 'oddfleet run' first, or give the folder of its --out"
        ) from error
    except OSError as error:
        raise InputError(
            f"{file}: this file must be readable, got '{error.strerror}'; check who may read it"
        ) from error
    except ValueError as error:
        raise InputError(f"{file}: must be as oddfleet wrote it, got {_one_line(error)}; run oddfleet again") from error


def _one_line(error: ValueError) -> str:
    return " ".join(str(error).split())


def _device(
    folder: Path, asked: str, results: Results, names: Mapping[DeviceId, str | None], progress: Progress
) -> DeviceId:
    """The device that is meant: by its id, else by its name."""
    from oddfleet import store  # noqa: PLC0415

    known = (*results.odd, *(finding.device_id for finding in results.findings), *names)
    if (found := _by_id(asked, known)) is not None:
        return found
    bearers = [device for device, name in names.items() if name == asked]
    if len(bearers) == 1:
        return bearers[0]
    if bearers:
        raise InputError(
            f"{folder}: a name must be that of one device, got '{asked}', which {len(bearers)} have; "
            f"give an id, such as {' or '.join(map(str, bearers[:_MOST_NEAR]))}"
        )
    stored = store.read_devices(folder / DATABASE, progress.step("looking"))
    if (found := _by_id(asked, stored)) is not None:
        return found
    raise InputError(
        f"{folder}: the id or name of a device is needed, got '{asked}'; choose {_near(asked, known, stored, names)}"
    )


def _by_id(asked: str, known: Iterable[DeviceId]) -> DeviceId | None:
    return next((device for device in known if str(device) == asked), None)


def _near(
    asked: str, known: Sequence[DeviceId], stored: Sequence[DeviceId], names: Mapping[DeviceId, str | None]
) -> str:
    """Ids and names that may have been meant."""
    words = dict.fromkeys([*map(str, (*known, *stored)), *filter(None, names.values())])
    near = difflib.get_close_matches(asked, list(words)[:_MOST_COMPARED], n=_MOST_NEAR)
    return f"one that is, such as {' or '.join(near)}" if near else f"one that is in {FINDINGS} or the data"


def _series(rows: Sequence[tuple[date, float | None]], results: Results) -> tuple[DateArray, FloatArray]:
    """Every day of the record and the first number of each, both (days,)."""
    days = np.array([day for day, _ in rows], "datetime64[D]")
    ends = np.array([day for day in (results.first_day, results.last_day) if day is not None], "datetime64[D]")
    every = np.concatenate([days, ends])
    if not every.size:
        return every, np.zeros(0)
    dates = np.arange(every.min(), every.max() + np.timedelta64(1, "D"))
    values = np.array([np.nan if value is None else value for _, value in rows], np.float64)
    cell = (days - dates[0]).astype(np.int64)
    series: FloatArray = matrices((len(dates), 1), cell, values)["values"][:, 0]
    return dates, series
