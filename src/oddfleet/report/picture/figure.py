"""A chart as a matplotlib Figure: free of pyplot, it needs no screen.

Imports matplotlib, which takes half a second: to be imported only where something is drawn.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from oddfleet.model import BoolArray
from oddfleet.report.chart import Chart, date_ticks
from oddfleet.report.palette import LIGHT
from oddfleet.report.picture.layout import EDGE, HEIGHT, LINE, ROW, TEXT, TITLE, WIDTH, Glyph, Key, Layout, layout_of
from oddfleet.report.picture.lettering import DPI, FONT

_MOST_DOTS = 100
_MOST_DATES = 8
_TITLE_DOWN = 28
_SHADE, _FILL = 0.22, 0.4
_DASHES = (0, (4, 2.5))
_MARKERS: tuple[Glyph, ...] = ("ring", "tick")
_RING: dict[str, Any] = {
    "color": LIGHT.day,
    "marker": "o",
    "markersize": 10,
    "markerfacecolor": "none",
    "markeredgewidth": 2,
}
_TICK: dict[str, Any] = {"color": LIGHT.soft, "marker": "|", "markersize": 9}
_GLYPHS: dict[Glyph, dict[str, Any]] = {
    "line": {"color": LIGHT.series, "linewidth": 1.6},
    "thick": {"color": LIGHT.middle, "linewidth": 2.4},
    "patch": {"color": LIGHT.band, "alpha": _FILL, "linewidth": 11, "solid_capstyle": "butt"},
    "ring": _RING,
    "tick": _TICK,
}


class Picture(Figure):
    """A Figure that a notebook shows by itself: it does so with others only once pyplot was imported."""

    def png(self) -> bytes:
        """The picture as a file."""
        file = io.BytesIO()
        # Packed in half the time a picture has an eighth more bytes.
        self.savefig(file, format="png", dpi=DPI, pil_kwargs={"compress_level": 2})
        return file.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()


def figure_of(chart: Chart) -> Picture:
    """The picture of a chart, 1200 by 500 pixels."""
    figure = Picture(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=LIGHT.page)
    FigureCanvasAgg(figure)
    layout = layout_of(chart)
    box = (layout.left / WIDTH, 1 - layout.bottom / HEIGHT)
    axes = figure.add_axes(
        (*box, (layout.right - layout.left) / WIDTH, (layout.bottom - layout.top) / HEIGHT), facecolor=LIGHT.page
    )
    _draw_axes(axes, chart, layout)
    _draw_series(axes, chart)
    _draw_marks(axes, chart)
    _draw_flags(figure, axes, layout)
    for key, down in layout.keys:
        _draw_key(figure, key, layout.right + 14, down)
    _write(figure, layout.title, EDGE, _TITLE_DOWN, TITLE).set_fontweight("bold")
    for nth, line in enumerate(layout.lines):
        _write(figure, line, EDGE, 44 + LINE * (nth + 0.5), TEXT)
    return figure


def _draw_axes(axes: Axes, chart: Chart, layout: Layout) -> None:
    if chart.axis.width is not None:
        axes.set_yscale("asinh", linear_width=chart.axis.width)
    axes.set_ylim(chart.axis.low, chart.axis.high)
    axes.set_yticks([value for value, _ in chart.axis.ticks], [label for _, label in chart.axis.ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylabel("MB a day" if chart.axis.width is None else "MB a day (log scale)", fontsize=TEXT, family=FONT)
    axes.yaxis.set_label_coords((EDGE + 14 - layout.left) / (layout.right - layout.left), 0.5)
    axes.set_xlim(-0.5, len(chart.dates) - 0.5)
    ticks = date_ticks(chart.dates, most=_MOST_DATES)
    axes.set_xticks([day for day, _ in ticks], [label for _, label in ticks])
    axes.tick_params(labelsize=TEXT, labelcolor=LIGHT.text, color=LIGHT.soft, labelfontfamily=FONT)
    axes.grid(visible=True, axis="y", color=LIGHT.edge, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LIGHT.soft)


def _draw_series(axes: Axes, chart: Chart) -> None:
    days = np.arange(len(chart.dates))
    if np.isfinite(chart.band.low).any():
        axes.fill_between(days, chart.band.low, chart.band.high, color=LIGHT.band, alpha=_FILL, linewidth=0)
        axes.plot(days, chart.band.middle, color=LIGHT.middle, linewidth=1.8, zorder=1.5)
    axes.plot(days, chart.series, color=LIGHT.series, linewidth=1.1)
    missing = np.isnan(chart.series)
    dots = np.ones_like(missing) if len(days) <= _MOST_DOTS else _alone(missing)
    if dots.any():
        axes.plot(days[dots], chart.series[dots], color=LIGHT.series, linestyle="", marker=".", markersize=5)
    if missing.any():
        foot = np.zeros(missing.sum())
        axes.plot(days[missing], foot, linestyle="", transform=axes.get_xaxis_transform(), **_TICK)


def _alone(missing: BoolArray) -> BoolArray:
    """Days between two gaps, which no line shows."""
    around = np.pad(missing, 1, constant_values=True)
    return ~missing & around[:-2] & around[2:]


def _draw_marks(axes: Axes, chart: Chart) -> None:
    rings = [mark.first for mark in chart.marks if mark.style == "day"]
    for mark in chart.marks:
        # Where most of the picture would be shaded the bar beneath the flag says enough.
        if mark.style == "span" and mark.last - mark.first < len(chart.dates) / 2:
            axes.axvspan(mark.first - 0.5, mark.last + 0.5, color=LIGHT.span, alpha=_SHADE, linewidth=0.8, zorder=0.5)
        elif mark.style == "change":
            axes.axvline(mark.first, color=LIGHT.change, linewidth=1.4, linestyle=_DASHES)
    if rings:
        axes.plot(rings, chart.series[rings], linestyle="", clip_on=False, **_RING)


def _draw_flags(figure: Figure, axes: Axes, layout: Layout) -> None:
    tall = layout.bottom - layout.top

    def line(days: list[float], heights: list[float], color: str, width: float) -> None:
        axes.plot(
            days,
            heights,
            color=color,
            linewidth=width,
            solid_capstyle="butt",
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )

    for flag in layout.flags:
        base = 1 + (flag.row * ROW + 4) / tall
        change, first, last = flag.mark.style == "change", flag.mark.first, flag.mark.last
        if flag.stem and change:
            line([first, first], [1, base], LIGHT.change, 1.4)
        elif flag.stem and flag.row:
            line([first - 0.5, first - 0.5], [1, base], LIGHT.span, 1.4)
        if not change:
            line([first - 0.5, last + 0.5], [base, base], LIGHT.span, 4)
        _write(figure, flag.text, flag.left, layout.top - flag.row * ROW - 15, TEXT)


def _draw_key(figure: Figure, key: Key, left: float, down: float) -> None:
    across = [left + 10] if key.glyph in _MARKERS else [left, left + 20]
    line = Line2D([x / WIDTH for x in across], [1 - down / HEIGHT] * len(across), transform=figure.transFigure)
    line.set(**_GLYPHS[key.glyph])
    figure.add_artist(line)
    _write(figure, key.text, left + 28, down, TEXT)


def _write(figure: Figure, text: str, left: float, down: float, size: float) -> Text:
    """A line of text that begins and is centred so many pixels from the left and from the top."""
    # Without parse_math=False a name with dollar signs would be set, or refused, as a formula.
    return figure.text(
        left / WIDTH,
        1 - down / HEIGHT,
        text,
        fontsize=size,
        va="center_baseline",
        color=LIGHT.text,
        family=FONT,
        parse_math=False,
    )
