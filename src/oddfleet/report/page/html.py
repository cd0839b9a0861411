"""The report as one page that opens anywhere: no network, at most 2 MB whatever the fleet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import jinja2

from oddfleet.errors import visible
from oddfleet.model import Answers, DataHealth, Fleet, FleetDays, Oddities, SelfTest
from oddfleet.report import wording
from oddfleet.report.chart import Charts
from oddfleet.report.page.bokehjs import Script, bokeh_js
from oddfleet.report.page.cards import Card, card, drawn
from oddfleet.report.page.fleetmap import fleet_map
from oddfleet.report.page.overview import overview
from oddfleet.report.page.packing import packed
from oddfleet.report.page.power import panels
from oddfleet.report.palette import DARK, LIGHT

MOST_BYTES = 2_000_000
"""Size no page exceeds; larger ones have been seen that no browser opens."""

MOST_CARDS = 200
MOST_PROMISES = 200
MOST_DAYS = 50
AT_A_GLANCE = 10
"""Odd devices listed before one asks for more: what follows must come into sight too."""
_FINDINGS = (8, 3, 2, 1)
"""Findings shown of a device: fewer rather than fewer devices, where the page would be too large."""
_MOST_LETTERS = 600


def report_html(
    fleet: Fleet,
    result: Oddities,
    answers: Callable[[], Answers],
    health: DataHealth,
    selftest: SelfTest | None = None,
) -> str:
    """The report as one self-contained page.

    The oddest 200 devices are shown, the rest as a number. Where the page would pass 2 MB it shows fewer findings of
    each, and where even so, fewer devices.

    Args:
        fleet: the values to draw, as ``shown`` picks them.
        result: the decision and the findings.
        answers: gives the standing questions, answered; called when all else is ready, for it may have to wait.
        health: what became of the input.
        selftest: what would have been found; None where it was not asked.
    """
    charts = Charts(fleet, result)
    cards = [card(charts, result, device_id) for device_id in result.ids[:MOST_CARDS]]
    odd = set(result.ids)
    promises = [finding for finding in result.findings if finding.device_id not in odd]
    facts = {
        "result": result,
        "health": health,
        "selftest": selftest,
        "n_promises": len(promises),
        **_said(fleet, result, health, selftest),
        **_looks(),
    }
    numbers = _numbers(fleet, result)
    template = _environment().get_template("report.html")
    facts["answers"] = answers()
    for n_cards, n_findings, n_promises in _sizes(len(cards), min(len(promises), MOST_PROMISES)):
        some = cards[:n_cards]
        page = template.render(
            facts,
            cards=some,
            most_findings=n_findings,
            kinds=_kinds(some),
            promises=promises[:n_promises],
            data=numbers | drawn(some),
        )
        if len(page.encode()) <= MOST_BYTES:
            break
    return page


def _said(fleet: Fleet, result: Oddities, health: DataHealth, selftest: SelfTest | None) -> dict[str, Any]:
    """What the page says of the fleet as a whole."""
    return {
        "verdict": wording.verdict(len(result.ids), health.devices, result.alpha),
        "runs": wording.runs_an_alarm(result.alpha),
        "anomalous": result.days.anomalous if result.days else (),
        "overview": overview(result, result.days, fleet.dates) if result.days else None,
        "panels": panels(selftest) if selftest else (),
        "most_days": MOST_DAYS,
        "at_a_glance": AT_A_GLANCE,
    }


def _looks() -> dict[str, Any]:
    """What makes the page work and look as it does."""
    bokeh, script = bokeh_js(), Script(_template("report.js"))
    return {
        "bokeh": bokeh.packed,
        "script": script.text,
        "sources": f"{script.source} {bokeh.source}",
        "style": _template("report.css"),
        "themes": {"light": dataclasses.asdict(LIGHT), "dark": dataclasses.asdict(DARK)},
    }


def _numbers(fleet: Fleet, result: Oddities) -> dict[str, Any]:
    """What the page's script draws of the fleet as a whole from."""
    first = str(fleet.dates[0])
    return {"first": first, "days": fleet.n_days, "totals": _totals(result.days), "map": fleet_map(result)}


def _sizes(cards: int, promises: int) -> Iterator[tuple[int, int, int]]:
    """How many cards, findings on each and promises to show, ever fewer, at last none."""
    for findings in _FINDINGS:
        yield cards, findings, promises
    while cards + promises:
        cards, promises = cards * 3 // 4, promises * 3 // 4
        yield cards, _FINDINGS[-1], promises


def _template(name: str) -> str:
    return files("oddfleet.report.page").joinpath("templates", name).read_text(encoding="utf-8")


def _kinds(cards: list[Card]) -> dict[str, int]:
    """The kinds of finding on these cards, the commonest first, with the number of cards that have one."""
    counts: dict[str, int] = {}
    for one in cards:
        for kind in dict.fromkeys(finding.kind.value for finding, _ in one.findings):
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _totals(days: FleetDays | None) -> dict[str, Any] | None:
    """What the script draws the fleet's traffic from."""
    if days is None:
        return None
    columns = {name: packed(getattr(days, f"{name}_mb")) for name in ("total", "low", "usual", "high")}
    return {**columns, "anomalous": [[day.day.isoformat(), day.until.isoformat()] for day in days.anomalous]}


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("oddfleet.report.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    words = (wording.number, wording.mb, wording.count, wording.kind_words, wording.period, wording.device)
    environment.filters |= {word.__name__: word for word in (*words, wording.percent, wording.evidence)}
    return environment


def _shown(value: Any) -> Any:
    """Every text on its way into the page: nothing invisible, nothing endless. Jinja2 escapes it afterwards."""
    if isinstance(value, str) and not hasattr(value, "__html__"):  # what has it is a part of the page already
        return visible(wording.shortened(value, _MOST_LETTERS))
    return value
