"""One PNG an odd device, for people without a browser at hand and for pasting into a ticket."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oddfleet.errors import OutputError
from oddfleet.model import AnyFleet, DeviceId, Fleet, Oddities
from oddfleet.report.chart import Chart, Charts, telling_the_band

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def draw_device(fleet: AnyFleet, result: Oddities, device_id: DeviceId) -> Figure:
    """A device's daily traffic against the band of its cohort, with its findings marked.

    The band runs from the 5 % to the 95 % quantile of those devices of the cohort that are not odd, each day. The
    figure is free of pyplot and needs no screen; a notebook shows it.

    Args:
        fleet: the values; of a fleet in files only the device and at most 1000 of its cohort are read.
        result: the findings and the cohorts.
        device_id: any device of the fleet, odd or not.

    Raises:
        InputError: when the fleet has no such device.
    """
    from oddfleet.report.picture.figure import figure_of  # noqa: PLC0415 - matplotlib takes half a second

    return figure_of(Charts(_around(fleet, result, device_id), result).of(device_id))


def _around(fleet: AnyFleet, result: Oddities, device_id: DeviceId) -> Fleet:
    """What the chart of one device needs of a fleet: all of one in memory, else the device and some of its cohort."""
    if isinstance(fleet, Fleet):
        return fleet
    labels = result.table["cohort"]
    own = [place for place, one in enumerate(fleet.device_ids) if one == device_id]
    cohort = np.array([place for place, label in enumerate(labels) if own and label == labels[own[0]]], np.int64)
    return fleet.subset(np.unique([*own, *telling_the_band(cohort)]).astype(np.int64))


def png(chart: Chart) -> bytes:
    """A chart as a picture."""
    from oddfleet.report.picture.figure import figure_of  # noqa: PLC0415 - matplotlib takes half a second

    return figure_of(chart).png()


def write_plots(
    fleet: Fleet,
    result: Oddities,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    draw: Callable[[Chart], bytes] = png,
) -> list[Path]:
    """Write ``<id>.png`` for every odd device into a folder, which is made where it is missing.

    Args:
        fleet: the values.
        result: the decision.
        folder: where the pictures go; files already there stay, unless they have the name of a picture.
        progress: called with (done, all) before the first picture and after each.
        draw: makes a picture of a chart.

    Returns:
        The files, in the order of ``result.ids``.

    Raises:
        OutputError: when the folder or a picture cannot be written.
    """
    charts, names = Charts(fleet, result), file_names(result.ids)
    paths = [folder / names[device_id] for device_id in result.ids]
    report = progress or (lambda _done, _all: None)
    report(0, len(paths))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for done, (device_id, path) in enumerate(zip(result.ids, paths, strict=True), start=1):
            path.write_bytes(draw(charts.of(device_id)))
            report(done, len(paths))
    except OSError as error:
        raise OutputError(
            f"{folder}: a folder that can be written is needed for the plots, got: {error}; "
            "free it or choose another with --out"
        ) from error
    return paths


def file_names(ids: Sequence[DeviceId]) -> dict[DeviceId, str]:
    """A file name for each device: its id, made safe for every file system; no two alike, not even but for case.

    >>> file_names([4399, "hall/lamp"])
    {4399: '4399.png', 'hall/lamp': 'hall_lamp.png'}
    """
    names: dict[DeviceId, str] = {}
    taken: set[str] = set()
    # Numbers first: plots/4399.png is a promise for the device 4399, less so for one called "4399".
    for device_id in sorted(ids, key=lambda one: isinstance(one, str)):
        # 60 characters of 4 bytes and an ending stay below the 255 bytes most file systems allow.
        word = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", str(device_id)))[:60].strip(".") or "device"
        base = f"_{word}" if _RESERVED_ON_WINDOWS.fullmatch(word) else word
        name, again = base, 1
        while name.casefold() in taken:
            again += 1
            name = f"{base}-{again}"
        taken.add(name.casefold())
        names[device_id] = f"{name}.png"
    return names
