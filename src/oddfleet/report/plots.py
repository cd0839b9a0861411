"""One PNG an odd device, for people without a browser at hand and for pasting into a ticket."""

from __future__ import annotations

import io
import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oddfleet.errors import OutputError, visible
from oddfleet.model import DeviceId, Fleet, Oddities
from oddfleet.report.chart import Chart, Charts, date_ticks
from oddfleet.report.wording import device, kind_words, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which people who see colours differently can tell apart.
_DEVICE, _BAND, _MIDDLE, _SPAN, _CHANGE, _DAY = "#D55E00", "#56B4E9", "#0072B2", "#E69F00", "#000000", "#CC79A7"

_FONT = "DejaVu Sans"  # comes with matplotlib, so that a picture is the same everywhere
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def draw_device(fleet: Fleet, result: Oddities, device_id: DeviceId) -> Figure:
    """A device's daily traffic against the band of its cohort, with its findings marked.

    The band runs from the 5 % to the 95 % quantile of those devices of the cohort that are not odd, each day. The
    figure is free of pyplot and needs no screen.

    Args:
        fleet: the values.
        result: the findings and the cohorts.
        device_id: any device of the fleet, odd or not.

    Raises:
        InputError: when the fleet has no such device.
    """
    return _figure(Charts(fleet, result).of(device_id))


def png(chart: Chart) -> bytes:
    """A chart as a picture."""
    picture = io.BytesIO()
    # Packed in half the time a picture has an eighth more bytes.
    _figure(chart).savefig(picture, format="png", pil_kwargs={"compress_level": 2})
    return picture.getvalue()


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


def _figure(chart: Chart) -> Figure:
    # Imported here: it takes half a second, which a run that draws nothing need not wait for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(12, 5), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.075, 0.16, 0.91, 0.64), facecolor="white")
    _draw_series(axes, chart)
    _draw_marks(axes, chart)
    _draw_axes(axes, chart)
    _write_titles(figure, chart)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.065, 0.0), ncols=6, frameon=False, fontsize=9)
    return figure


def _draw_series(axes: Axes, chart: Chart) -> None:
    days = np.arange(len(chart.dates))
    # The small dots keep a day between two gaps in sight.
    axes.plot(days, chart.series, color=_DEVICE, linewidth=1.1, marker=".", markersize=2.5, label="this device")
    if np.isfinite(chart.band.low).any():
        axes.fill_between(
            days, chart.band.low, chart.band.high, color=_BAND, alpha=0.35, linewidth=1, label="5–95 % of its cohort"
        )
        axes.plot(days, chart.band.middle, color=_MIDDLE, linewidth=1, label="cohort median", zorder=1.5)


def _draw_marks(axes: Axes, chart: Chart) -> None:
    for style in ("span", "change", "day"):
        marks = [mark for mark in chart.marks if mark.style == style]
        kinds = shortened(", ".join(dict.fromkeys(kind_words(mark.kind) for mark in marks)), 50)
        for place, mark in enumerate(marks):
            label = kinds if place == 0 else None  # one entry of the legend a style
            if style == "span":
                axes.axvspan(
                    mark.first - 0.5, mark.last + 0.5, color=_SPAN, alpha=0.25, linewidth=0, zorder=0.5, label=label
                )
            elif style == "change":
                axes.axvline(mark.first, color=_CHANGE, linewidth=1.4, linestyle="--", label=label)
            else:
                axes.plot(
                    mark.first,
                    chart.series[mark.first],
                    color=_DAY,
                    label=label,
                    linestyle="",
                    marker="o",
                    markersize=9,
                    markerfacecolor="none",
                    markeredgewidth=1.8,
                )


def _draw_axes(axes: Axes, chart: Chart) -> None:
    if chart.axis.width is not None:
        axes.set_yscale("asinh", linear_width=chart.axis.width)
    axes.set_ylim(chart.axis.low, chart.axis.high)
    axes.set_yticks([value for value, _ in chart.axis.ticks], [label for _, label in chart.axis.ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylabel("MB a day" if chart.axis.width is None else "MB a day (log scale)", fontsize=10)
    axes.set_xlim(-0.5, len(chart.dates) - 0.5)
    ticks = date_ticks(chart.dates, most=13)
    axes.set_xticks([day for day, _ in ticks], [label for _, label in ticks])
    axes.tick_params(labelsize=9)
    axes.grid(visible=True, axis="y", color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _write_titles(figure: Figure, chart: Chart) -> None:
    title = device(chart.name, chart.device_id)
    text = ""
    if chart.findings:
        title = f"{shortened(title, 80)}: {kind_words(chart.findings[0].kind)}"
        text = chart.findings[0].text
    lines = textwrap.wrap(_drawable(text), width=150, max_lines=3, placeholder=" …")
    # Without parse_math=False a name with dollar signs would be set, or refused, as a formula.
    figure.text(
        0.075, 0.94, shortened(_drawable(title), 110), fontsize=13, weight="bold", family=_FONT, parse_math=False
    )
    figure.text(0.075, 0.92, "\n".join(lines), fontsize=10, va="top", family=_FONT, parse_math=False)


def _drawable(text: str) -> str:
    """Text with the characters that the font has no picture of written out, as those that do not show are."""
    from matplotlib.font_manager import FontProperties, findfont, get_font  # noqa: PLC0415

    known = get_font(findfont(FontProperties(family=_FONT))).get_char_index
    return "".join(
        letter if known(ord(letter)) else letter.encode("unicode_escape").decode("ascii") for letter in visible(text)
    )
