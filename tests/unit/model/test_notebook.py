"""What a notebook shows of the nouns: what counts, at most twenty rows, and nothing a name could break."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from oddfleet import Finding, Fleet, Kind, Oddities, plant
from oddfleet.model import DeviceId

HOSTILE = "</td><script>alert(1)</script>&amp;\x1b[2J\u202eevil\u200b"
SHOWN = "</td><script>alert(1)</script>&amp;\\x1b[2J\\u202eevil\\u200b"


def finding(device_id: DeviceId = 7, **changes: Any) -> Finding:
    facts = {
        "name": "attic_pump",
        "kind": Kind.LEVEL_SHIFT,
        "since": date(2020, 9, 21),
        "until": None,
        "days": 102,
        "value": 16.23,
        "usual": 1.999,
        "unit": "MB a day",
        "p_value": 0.00021,
        "text": "Since 2020-09-21 it carries more.",
        "rivals": ("a change of firmware", "a change of use"),
        "next_check": "Ask.",
    }
    return Finding(device_id=device_id, **(facts | changes))  # type: ignore[arg-type]


def oddities(ids: Sequence[DeviceId], findings: Sequence[Finding] = (), notes: tuple[str, ...] = ()) -> Oddities:
    everyone = [*ids, "healthy"]
    table: dict[str, list[Any]] = {"id": everyone, "name": [f"name of {one}" for one in everyone]}
    return Oddities(list(ids), tuple(findings), table, 0.01, notes)


def page(noun: Any) -> ET.Element:
    """What a noun shows, read strictly: whatever is in a name, all that was opened is closed."""
    return ET.fromstring(noun._repr_html_())  # noqa: S314 - our own


def lines(noun: Any) -> list[str]:
    return ["".join(part.itertext()) for part in page(noun).iter("p")]


def rows(noun: Any) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in page(noun).iter("tr") if len(row)]


def test_a_fleet_tells_its_size_its_days_its_gaps_and_its_first_devices() -> None:
    fleet = plant.steady_fleet(32, 60, seed=1)
    fleet.values[5:8, 1] = np.nan
    fleet.values[:, 2] = np.nan
    assert lines(fleet) == [
        "Fleet of 32 devices: 60 days, 2020-01-01 to 2020-02-29, 63 device days without a value",
        "and 12 more",
    ]
    head, first, second, third, *rest = rows(fleet)
    assert head == ["Id", "Name", "MB a day on average", "Days without a value"]
    assert first == ["1", "attic_counter", f"{fleet.values[:, 0].mean():.4g}", "0"]
    assert second[3] == "3"
    assert third[2:] == ["no value", "60"]
    assert len(rest) == 17


@pytest.mark.parametrize(("n_devices", "more"), [(0, []), (1, []), (20, []), (21, ["and 1 more"])])
def test_at_most_twenty_devices_are_shown(n_devices: int, more: list[str]) -> None:
    fleet = plant.steady_fleet(n_devices, 3, seed=1)
    assert lines(fleet)[1:] == more
    assert len(rows(fleet)) == 1 + min(n_devices, 20)


def test_a_fleet_without_days_or_names() -> None:
    fleet = Fleet(("a",), (None,), np.array([], "datetime64[D]"), np.zeros((0, 1)))
    assert lines(fleet) == ["Fleet of 1 device: 0 days, 0 device days without a value"]
    assert rows(fleet)[1] == ["a", "-", "no value", "0"]


def test_a_decision_tells_its_verdict_the_odd_devices_and_its_notes() -> None:
    said = [finding(), finding(kind=Kind.SPIKES), finding("b", kind=Kind.WANDER, since=None)]
    result = oddities([7, "b", "c"], said, ("A small fleet.",))
    assert lines(result) == [
        "3 of 4 devices are odd; in a healthy fleet of this size this report would name any device in at most 1 run in "
        "100.",
        "Note: A small fleet.",
    ]
    assert rows(result) == [
        ["Id", "Name", "Kind", "Since", "Why"],
        ["7", "name of 7", "level shift", "2020-09-21", "Since 2020-09-21 it carries more."],
        ["b", "name of b", "wander", "-", "Since 2020-09-21 it carries more."],
        ["c", "name of c", "-", "-", "-"],
    ]


def test_at_most_twenty_odd_devices_are_shown() -> None:
    result = oddities(range(1032))
    assert lines(result)[1:] == ["and 1,012 more"]
    assert len(rows(result)) == 21


def test_nothing_odd_is_said_without_a_table() -> None:
    assert lines(oddities([]))[0].startswith("None of 1 device is odd; ")
    assert rows(oddities([])) == []
    assert lines(Oddities([], (), {}, 0.01))[0].startswith("None of 0 devices is odd; ")


def test_a_finding_is_a_card() -> None:
    assert lines(finding()) == [
        "attic_pump (7): level shift since 2020-09-21: +16.23 MB a day, usual 1.999",
        "Since 2020-09-21 it carries more.",
    ]
    assert rows(finding()) == [
        ["Measured", "16.23 MB a day, usual 1.999 MB a day"],
        ["Chance if healthy", "about 1 in 4,800"],
        ["Could also be", "a change of firmware; a change of use"],
        ["This data cannot tell", "the hour of the change, and whether it was wanted"],
        ["Check next", "Ask."],
    ]
    assert "Could also be" not in [label for label, _ in rows(finding(rivals=()))]


@pytest.mark.parametrize("letters", [1, 1000])
def test_what_users_wrote_is_text_and_can_be_seen(letters: int) -> None:
    hostile = HOSTILE * letters
    fleet = replace(plant.steady_fleet(2, 3, seed=1), names=(hostile, None), device_ids=(hostile, 2))
    said = finding(hostile, name=hostile, text=hostile, unit=hostile, rivals=(hostile,), next_check=hostile)
    result = replace(oddities([hostile], [said], (hostile,)), table={"id": [hostile], "name": [hostile]})
    for noun in (fleet, result, said):
        shown = "".join(page(noun).itertext())
        assert SHOWN in shown
        assert "<script" not in noun._repr_html_()
        assert all(letter.isprintable() for letter in noun._repr_html_())
        assert len(shown) < 8000


def test_what_is_shown_has_no_colours_of_its_own() -> None:
    for noun in (plant.steady_fleet(2, 3, seed=1), oddities([7], [finding()]), finding()):
        styles = re.findall(r'style="([^"]*)"', noun._repr_html_())
        assert {part.split(":")[0] for style in styles for part in style.split(";")} <= {"text-align", "white-space"}
        assert not re.search(r"<style|colou?r|background", noun._repr_html_())
