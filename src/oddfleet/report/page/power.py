"""The power curves of a self-test as small panels: the share found against the strength, a panel a kind."""

from __future__ import annotations

from dataclasses import dataclass

from oddfleet.model import FaultTest, SelfTest
from oddfleet.report import wording


@dataclass(frozen=True, slots=True)
class Panel:
    """One curve, in a frame 100 wide and 50 high.

    Attributes:
        kind: what was planted, in words.
        text: from what strength on half are found, in words.
        shares: the curve in words.
        points: the curve, as ``x,y x,y``.
    """

    kind: str
    text: str
    shares: str
    points: str


def panels(result: SelfTest) -> tuple[Panel, ...]:
    """The panels of the kinds that could be planted here, and of all together."""
    return tuple(_panel(fault, result.strengths) for fault in (*result.faults, result.overall) if any(fault.planted))


def _panel(fault: FaultTest, strengths: tuple[float, ...]) -> Panel:
    step = 100 / max(len(strengths) - 1, 1)
    known = [(place, share) for place, share in enumerate(fault.found) if fault.planted[place]]
    return Panel(
        kind=wording.kind_words(fault.kind) if fault.kind else "all kinds",
        text=_text(fault, strengths),
        shares=", ".join(f"{wording.percent(share)} at strength {strengths[place]:g}" for place, share in known),
        points=" ".join(f"{place * step:.0f},{50 * (1 - share):.1f}" for place, share in known),
    )


def _text(fault: FaultTest, strengths: tuple[float, ...]) -> str:
    if fault.begins is None:
        return f"less than half found at {strengths[-1]:g}"
    return f"half found from {fault.begins:.2g} on"
