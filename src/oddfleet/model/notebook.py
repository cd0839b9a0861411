"""Nouns as a notebook shows them: HTML without colours of its own, so that it suits light pages and dark ones."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from oddfleet.errors import visible
from oddfleet.model.finding import Finding, Oddities
from oddfleet.model.fleet import AnyFleet, Fleet, FloatArray
from oddfleet.model.reasons import headline
from oddfleet.model.words import count, device, evidence, fleet_days, kind_words, number, shortened, verdict

MOST_ROWS = 20
_MOST_LETTERS = 600
_NUMBER, _WORD, _UNBROKEN = "text-align:right", "text-align:left", "text-align:left;white-space:nowrap"


def fleet_html(fleet: AnyFleet) -> str:
    """A fleet: how many devices, from when to when, what is missing, and its first devices.

    Args:
        fleet: the fleet; of one in files only the devices that are shown are read, and gaps are not counted.
    """
    some = fleet.subset(np.arange(min(fleet.n_devices, MOST_ROWS)))
    title = f"Fleet of {count(fleet.n_devices, 'device')}: {count(fleet.n_days, 'day')}"
    if fleet.n_days:
        title += f", {fleet.dates[0]} to {fleet.dates[-1]}"
    if isinstance(fleet, Fleet):
        title += f", {count(int(np.isnan(fleet.values).sum()), 'device day')} without a value"
    rows = [
        (str(device_id), name or "-", number(_mean(values)), f"{np.isnan(values).sum():,}")
        for device_id, name, values in zip(some.device_ids, some.names, some.values.T, strict=True)
    ]
    columns = (("Id", _WORD), ("Name", _WORD), ("MB a day on average", _NUMBER), ("Days without a value", _NUMBER))
    return _block(title, _table(columns, rows), _more(fleet.n_devices - len(rows)))


def oddities_html(result: Oddities) -> str:
    """A decision: the verdict, the odd devices with their strongest findings, and the notes."""
    n_devices = len(result.table.get("id", ()))
    names = dict(zip(result.table.get("id", ()), result.table.get("name", ()), strict=False))
    title = f"{verdict(len(result.ids), n_devices, result.alpha)}."
    rows = []
    for device_id in result.ids[:MOST_ROWS]:
        strongest = next(iter(result.of(device_id)), None)
        said = ("-", "-", "-")
        if strongest is not None:
            since = strongest.since.isoformat() if strongest.since else "-"
            said = (kind_words(strongest.kind), since, strongest.text)
        rows.append((str(device_id), names.get(device_id) or "-", *said))
    columns = (("Id", _WORD), ("Name", _WORD), ("Kind", _UNBROKEN), ("Since", _UNBROKEN), ("Why", _WORD))
    table = _table(columns, rows) if rows else ""
    days = (_line(f"Whole fleet: {said}") for said in fleet_days(result.days))
    notes = (_line(f"Note: {note}") for note in result.notes)
    return _block(title, table, _more(len(result.ids) - len(rows)), *days, *notes)


def finding_html(finding: Finding) -> str:
    """A finding: what, when and how much, its sentence, and what goes with it."""
    title = f"{device(finding.name, finding.device_id)}: {headline(finding)}"
    return _block(title, _line(finding.text), _table((), evidence(finding)))


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _block(title: str, *parts: str) -> str:
    return f"<div><p><strong>{_text(title)}</strong></p>{''.join(parts)}</div>"


def _line(text: str) -> str:
    return f"<p>{_text(text)}</p>"


def _more(how_many: int) -> str:
    return _line(f"and {how_many:,} more") if how_many else ""


def _table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    """A table; without columns, each row is a label and what it says."""
    styles = [style for _, style in columns] or [_UNBROKEN, _WORD]
    head = "".join(_cell("th", name, style) for name, style in columns)
    body = ["".join(_cell("td", cell, style) for cell, style in zip(row, styles, strict=True)) for row in rows]
    lines = "".join(f"<tr>{line}</tr>" for line in body)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(tag: str, text: str, style: str) -> str:
    return f'<{tag} style="{style}">{_text(text)}</{tag}>'


def _text(text: str) -> str:
    """Text that came from anywhere, as a part of a page: nothing in it is markup, unseen or endless."""
    return html.escape(visible(shortened(text, _MOST_LETTERS)))
