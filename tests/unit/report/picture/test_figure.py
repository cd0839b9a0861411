"""The picture as a reader sees it: nothing overlaps, nothing is cut off, colours are those of the palette."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from oddfleet.model import Finding, Fleet, Kind, Oddities
from oddfleet.model.reasons import headline
from oddfleet.report import draw_device
from oddfleet.report.palette import LIGHT

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]
Draw = Callable[..., Figure]


@pytest.fixture
def draw(make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult) -> Draw:
    """Draws device 1 of a fleet of six with findings given as (kind, facts)."""

    def drawn(
        *findings: tuple[Kind, dict[str, Any]], values: Callable[[Fleet], None] | None = None, **fleet: Any
    ) -> Figure:
        made = make_fleet(**fleet)
        if values is not None:
            values(made)
        said = [make_finding(made.device_ids[0], kind, **facts) for kind, facts in findings]
        return draw_device(made, make_result(made, ids=made.device_ids[:1], findings=said), made.device_ids[0])

    return drawn


def texts_of(figure: Figure) -> list[Text]:
    """Every text that is drawn."""
    figure.draw_without_rendering()
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip()
    ]


def box_of(text: Text) -> Bbox:
    return text.get_window_extent()


def flaws(figure: Figure) -> list[str]:
    """Pairs of texts that overlap, and texts that are cut off at the edge."""
    width, height = figure.canvas.get_width_height()
    placed = [(text.get_text(), box_of(text)) for text in texts_of(figure)]
    return [
        *(
            f"{one} | {other}"
            for (one, here), (other, there) in itertools.combinations(placed, 2)
            if Bbox.intersection(here, there) is not None
        ),
        *(text for text, box in placed if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height),
    ]


def title_of(figure: Figure) -> str:
    (title,) = (text.get_text() for text in figure.texts if text.get_fontweight() == "bold")
    return title


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "when",
    [
        {"since": None, "until": None},
        {"since": date(2020, 1, 20), "until": None},
        {"since": date(2020, 1, 20), "until": date(2020, 1, 29)},
        {"since": date(2020, 1, 1), "until": date(2020, 1, 1), "days": 1},
        {"since": date(2020, 2, 28), "until": date(2020, 2, 29), "days": 1},
    ],
)
def test_every_kind_has_a_title_units_and_dates_and_no_text_meets_another(
    draw: Draw, make_finding: MakeFinding, kind: Kind, when: dict[str, Any]
) -> None:
    figure = draw((kind, {**when, "text": "What is wrong with it in a sentence. " * 4}))
    (axes,) = figure.axes
    assert title_of(figure) == f"lamp_1 (1): {headline(make_finding(kind=kind, **when))}"
    assert axes.get_ylabel() == "MB a day"
    assert {len(label.get_text()) for label in axes.get_xticklabels()} <= {len("2020-01"), len("2020-01-01")}
    assert flaws(figure) == []


def spiked(fleet: Fleet) -> None:
    fleet.values[::13, 0] *= 1000


def broken(fleet: Fleet) -> None:
    for gap in (slice(3, 9), slice(10, 11), slice(12, None)):
        fleet.values[gap, 0] = np.nan


def scaled(factor: float) -> Callable[[Fleet], None]:
    def change(fleet: Fleet) -> None:
        fleet.values[:, 0] *= factor

    return change


@pytest.mark.parametrize("n_days", [1, 14, 59, 366, 731, 5000])
@pytest.mark.parametrize("values", [None, spiked, broken, scaled(1e-9), scaled(-5000.0), scaled(1e14), scaled(np.nan)])
def test_no_text_meets_another_whatever_the_record(
    draw: Draw, n_days: int, values: Callable[[Fleet], None] | None
) -> None:
    figure = draw((Kind.SPIKES, {"since": None, "days": 3}), n_days=n_days, values=values)
    assert flaws(figure) == []


def test_no_text_meets_another_however_much_there_is_to_say(draw: Draw) -> None:
    ends = (date(2020, 1, 3), date(2020, 2, 25), date(2020, 2, 29))
    findings = [
        (kind, {"since": date(2020, month, day), "until": end, "text": "W" * 700})
        for kind, month, day, end in zip(
            Kind, [1, 2] * 10 + [1], [1, 3, 5, 8, 13, 21, 28] * 3, itertools.cycle([None, *ends]), strict=False
        )
    ]
    figure = draw(*findings, names=("$\\frac{" * 40, *"bcdef"))
    assert flaws(figure) == []


@pytest.mark.parametrize(
    ("name", "device_id", "title"),
    [
        ("W" * 500, 12345, r"W+… \(12345\)"),
        ("lamp", "W" * 500, r"lamp \(W+…\)"),
        ("W" * 500, "W" * 500, r"W+… \(W+…\)"),
        (None, "W" * 500, r"device W+…"),
        (" ", 7, "device 7"),
    ],
)
def test_a_long_name_is_cut_and_neither_the_id_nor_what_was_found(
    draw: Draw, name: str | None, device_id: int | str, title: str
) -> None:
    figure = draw((Kind.LEVEL_SHIFT, {"value": 16.23}), names=(name, *"bcdef"), ids=(device_id, *"bcdef"))
    assert re.fullmatch(rf"{title}: level shift since 2020-01-20: \+16\.23 MB a day, usual .*", title_of(figure))
    assert flaws(figure) == []


def test_of_many_flags_those_of_the_strongest_findings_stay(draw: Draw) -> None:
    crowd = [
        (kind, {"since": date(2020, 2, day), "until": None}) for day, kind in enumerate(list(Kind)[4:15], start=10)
    ]
    figure = draw(*crowd)
    flags = [text for text in words(figure) if text in {kind.value.replace("_", " ") for kind, _ in crowd}]
    assert flags
    assert set(flags) == {kind.value.replace("_", " ") for kind, _ in crowd[: len(flags)]}


def test_marks_can_be_told_apart_without_colour(draw: Draw) -> None:
    figure = draw(
        (Kind.FROZEN, {"since": date(2020, 1, 5), "until": date(2020, 1, 9)}),
        (Kind.LEVEL_SHIFT, {}),
        (Kind.DRIFT, {"since": date(2020, 1, 20)}),
        (Kind.SPIKES, {"days": 3}),
    )
    (axes,) = figure.axes
    assert [text for text in words(figure) if text in ("frozen", "level shift, drift", "spikes")] == [
        "level shift, drift",
        "frozen",
        "spikes",
    ]
    (rings,) = (line for line in axes.lines if line.get_marker() == "o")
    assert len(np.asarray(rings.get_xdata())) == 3
    dashed = [line for line in axes.lines if line.is_dashed()]
    assert {tuple(np.asarray(line.get_xdata())) for line in dashed} == {(19, 19)}
    bars = [tuple(np.asarray(line.get_xdata())) for line in axes.lines if line.get_linewidth() == 4]
    assert bars == [(3.5, 8.5)]


def test_a_stretch_of_most_of_the_record_is_not_shaded(draw: Draw) -> None:
    def shades(until: date) -> int:
        (axes,) = draw((Kind.FROZEN, {"since": date(2020, 1, 2), "until": until})).axes
        return len(axes.patches)

    assert (shades(date(2020, 1, 9)), shades(date(2020, 2, 27))) == (1, 0)


def test_days_without_a_value_are_shown_at_the_foot(draw: Draw) -> None:
    figure = draw((Kind.INACTIVE, {}), n_days=366, values=broken)
    (axes,) = figure.axes
    ticks, dots = ([line for line in axes.lines if line.get_marker() == mark] for mark in ("|", "."))
    assert np.asarray(ticks[0].get_xdata()).tolist() == [*range(3, 9), 10, *range(12, 366)]
    # A day between two gaps is on no line.
    assert np.asarray(dots[0].get_xdata()).tolist() == [9, 11]
    assert "no value" in words(figure)
    assert "no value" not in words(draw())


@pytest.mark.parametrize(("n_devices", "expected"), [(1, False), (6, True)])
def test_a_device_alone_has_no_band(draw: Draw, n_devices: int, expected: bool) -> None:
    figure = draw(n_devices=n_devices)
    assert ("cohort median" in words(figure)) == ("5–95 % of cohort" in words(figure)) == expected
    assert bool(figure.axes[0].collections) == expected


def test_nothing_found_is_said_too(draw: Draw) -> None:
    assert title_of(draw()) == "lamp_1 (1): nothing found"


def test_all_colours_are_of_the_palette(draw: Draw) -> None:
    figure = draw(
        (Kind.FROZEN, {"since": date(2020, 1, 5), "until": date(2020, 1, 9)}),
        (Kind.LEVEL_SHIFT, {}),
        (Kind.SPIKES, {"days": 3, "since": None}),
        values=broken,
    )
    (axes,) = figure.axes
    used: Sequence[Any] = [
        *(line.get_color() for line in [*axes.lines, *figure.lines]),
        *(text.get_color() for text in texts_of(figure)),
        *(patch.get_facecolor() for patch in axes.patches),
        axes.collections[0].get_facecolor()[0],
        axes.get_facecolor(),
        figure.get_facecolor(),
    ]
    known = {LIGHT.page, LIGHT.text, LIGHT.soft, LIGHT.series, LIGHT.band, LIGHT.middle}
    assert {to_hex(colour) for colour in used} == known | {LIGHT.span, LIGHT.change, LIGHT.day}


def test_it_can_be_read_at_half_size(draw: Draw) -> None:
    assert min(float(text.get_fontsize()) for text in texts_of(draw((Kind.SPIKES, {"days": 3})))) >= 11
