"""The colours of everything that is drawn, by what they stand for: pictures and page share one look.

They are those of Okabe and Ito (2008), which people who see colours differently can tell apart, here and there darker
or lighter so that text and thin lines stand out from the page (contrast of 4.5 for text, of 3 for lines).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """What stands in which colour, as ``#rrggbb``.

    Attributes:
        page: the ground of all.
        card: the ground of what stands out from it.
        text: words.
        soft: words of less weight, and the labels of axes.
        edge: frames and the lines of a grid.
        link: what can be followed.
        series: the device itself.
        band: where most of its cohort are.
        middle: the median of its cohort.
        span: the days of a finding.
        change: a change that lasts.
        day: single days.
        cohorts: one colour a cohort, the largest first; more cohorts than colours begin anew.
    """

    page: str
    card: str
    text: str
    soft: str
    edge: str
    link: str
    series: str
    band: str
    middle: str
    span: str
    change: str
    day: str
    cohorts: tuple[str, ...]


LIGHT = Palette(
    page="#ffffff",
    card="#f8f8f8",
    text="#1c1c1c",
    soft="#5a5a5a",
    edge="#d4d4d4",
    link="#005a8f",
    series="#c24f00",
    band="#56b4e9",
    middle="#0072b2",
    span="#e69f00",
    change="#000000",
    day="#b5578a",
    cohorts=("#0072b2", "#009e73", "#b5578a", "#8a6d00", "#3d8fbf", "#5a5a5a"),
)
DARK = Palette(
    page="#15171a",
    card="#1d2024",
    text="#e6e6e6",
    soft="#a6a6a6",
    edge="#3c4046",
    link="#7cc4f0",
    series="#ff8a3d",
    band="#56b4e9",
    middle="#56b4e9",
    span="#e69f00",
    change="#ffffff",
    day="#e79fc6",
    cohorts=("#56b4e9", "#2fc79b", "#e79fc6", "#e0c040", "#9ecbe8", "#a6a6a6"),
)
