"""The report as one page that opens anywhere: no network, no script, at most 2 MB whatever the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jinja2

from oddfleet.errors import visible
from oddfleet.model import Answers, DataHealth, DeviceId, Finding, Fleet, Oddities
from oddfleet.report import wording
from oddfleet.report.chart import Charts
from oddfleet.report.svg import HEIGHT, Drawing, drawing

MOST_BYTES = 2_000_000
"""Size no page exceeds; larger ones have been seen that no browser opens."""

MOST_CARDS = 200
MOST_PROMISES = 200
_MOST_FINDINGS = 8
_MOST_LETTERS = 600


@dataclass(frozen=True, slots=True)
class Card:
    """What the page shows of one odd device."""

    device_id: DeviceId
    name: str | None
    findings: tuple[Finding, ...]
    more_findings: int
    drawing: Drawing


def report_html(fleet: Fleet, result: Oddities, answers: Answers, health: DataHealth) -> str:
    """The report as one self-contained page.

    The oddest 200 devices are shown in full, the rest as a number; fewer where their texts are so long
    that the page would pass 2 MB.

    Args:
        fleet: the values to draw, as ``shown`` picks them.
        result: the decision and the findings.
        answers: the standing questions, answered.
        health: what became of the input.
    """
    charts = Charts(fleet, result)
    cards = [_card(charts, device_id) for device_id in result.ids[:MOST_CARDS]]
    odd = set(result.ids)
    promises = [finding for finding in result.findings if finding.device_id not in odd]
    facts = {
        "verdict": wording.verdict(len(result.ids), health.devices, result.alpha),
        "n_odd": len(result.ids),
        "n_promises": len(promises),
        "notes": result.notes,
        "answers": answers,
        "health": health,
        "gaps": health.gaps,
    }
    template = _environment().get_template("report.html")
    n_cards, n_promises = len(cards), min(len(promises), MOST_PROMISES)
    while True:
        page = template.render(facts, cards=cards[:n_cards], promises=promises[:n_promises])
        if len(page.encode()) <= MOST_BYTES or n_cards + n_promises == 0:
            return page
        n_cards, n_promises = n_cards * 3 // 4, n_promises * 3 // 4


def _card(charts: Charts, device_id: DeviceId) -> Card:
    chart = charts.of(device_id)
    return Card(
        device_id=device_id,
        name=chart.name,
        findings=chart.findings[:_MOST_FINDINGS],
        more_findings=max(0, len(chart.findings) - _MOST_FINDINGS),
        drawing=drawing(chart),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("oddfleet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    words = (wording.number, wording.quantity, wording.mb, wording.count, wording.chance, wording.kind_words)
    environment.filters |= {
        word.__name__: word for word in (*words, wording.period, wording.device, wording.cannot_tell)
    }
    environment.globals["height"] = HEIGHT
    return environment


def _shown(value: Any) -> Any:
    """Every text on its way into the page: nothing invisible, nothing endless. Jinja2 escapes it afterwards."""
    if isinstance(value, str) and not hasattr(value, "__html__"):  # what has it is a part of the page already
        return visible(wording.shortened(value, _MOST_LETTERS))
    return value
