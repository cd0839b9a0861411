from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from oddfleet.model import (
    AnomalousDay,
    Answers,
    DataHealth,
    DeviceId,
    DeviceTotal,
    Finding,
    Fleet,
    FleetDays,
    FloatArray,
    Kind,
    Oddities,
    SelfTest,
)
from oddfleet.report import report_html
from oddfleet.report.page.bokehjs import Script, bokeh_js

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]
HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J</title></svg>"
VOID = {"meta", "path", "polyline", "input", "br"}


class Page(HTMLParser):
    """Tags met, whether they nest, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    def plots(self, kind: str) -> int:
        return sum(attributes.get("data-plot") == kind for _, attributes in self.tags)


def data_of(source: str) -> Any:
    """What the page's script draws from."""
    return json.loads(source.split('<script type="application/json" id="data">')[1].split("</script>", maxsplit=1)[0])


@pytest.fixture
def page_of(answers: Answers, health: DataHealth) -> Callable[[Fleet, Oddities], Page]:
    def page(fleet: Fleet, result: Oddities) -> Page:
        gaps = int(np.isnan(fleet.values).sum())
        return Page(report_html(fleet, result, lambda: answers, replace(health, devices=fleet.n_devices, gaps=gaps)))

    return page


PageOf = Callable[[Fleet, Oddities], Page]


@pytest.mark.parametrize(
    ("n_odd", "sentence", "heading"),
    [
        (0, "None of 6 devices is odd; in a healthy fleet", None),
        (1, "1 of 6 devices is odd; in a healthy fleet", "The device to look at"),
        (2, "2 of 6 devices are odd; in a healthy fleet", "Devices to look at, oddest first"),
    ],
)
def test_first_sentence_and_cards(
    *,
    make_fleet: MakeFleet,
    make_finding: MakeFinding,
    make_result: MakeResult,
    page_of: PageOf,
    n_odd: int,
    sentence: str,
    heading: str | None,
) -> None:
    fleet = make_fleet()
    ids = list(range(1, n_odd + 1))
    page = page_of(fleet, make_result(fleet, ids=ids, findings=[make_finding(k) for k in ids]))
    assert sentence in page.text
    assert page.open == []
    assert page.count("article") == page.plots("device") == n_odd
    assert page.plots("map") == 1
    assert heading is None or heading in page.text
    assert (heading is not None) == ("Each odd device" in page.text)
    assert "Broken promises" not in page.text


def test_card_tells_the_finding_in_full(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet()
    findings = [make_finding(), make_finding(kind=Kind.MISSING_DAYS, p_value=None, value=1.0, unit="days", rivals=())]
    page = page_of(fleet, make_result(fleet, ids=[1], findings=findings, notes=["A small fleet."]))
    for words in (
        "lamp_1 (1)",
        "level shift since 2020-01-20",
        "Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.",
        "61.25 MB a day, usual 99.8 MB a day",
        "about 1 in 3 million",
        "a fact, not a statistic",
        "another model was installed; its place changed",
        "Ask who changed it.",
        "1 day, usual 99.8 days",
        "A small fleet.",
    ):
        assert words in page.text
    assert page.text.count("Could also be") == 1
    assert "nan" not in page.text.split('{"bands"')[0]


def test_answers_and_health(make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf) -> None:
    fleet = make_fleet()
    fleet.values[:7, 0] = np.nan
    page = page_of(fleet, make_result(fleet))
    for words in (
        "All devices together on 2020-01-01, the first day: 7,512.3 MB",
        "lamp_1 (1): 37,245.1 MB",
        "device 2: 36,999 MB",
        "27,375",
        "27,370",
        "7 device days without a usable value",
        "6, 1 of them without a name",
        "925",
    ):
        assert words in page.text


def test_no_network_and_no_script_but_our_own(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    fleet = make_fleet()
    source = report_html(fleet, make_result(fleet, ids=[1], findings=[make_finding()]), lambda: answers, health)
    page = Page(source)
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed"}
    for _, attributes in page.tags:
        assert not {"src", "onload", "onclick"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert ("html", {"lang": "en"}) in page.tags
    assert "url(" not in page.text
    assert "@import" not in page.text
    assert [attributes.get("type") for tag, attributes in page.tags if tag == "script"] == [
        "application/json", "text/plain", None,
    ]  # fmt: skip
    (policy,) = [attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    ours = source.rsplit("<script>", 1)[1].split("</script>")[0]
    assert policy.split("script-src ")[1] == f"{Script(ours).source} {bokeh_js().source}"


def test_hostile_words_are_shown_and_not_obeyed(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, health: DataHealth
) -> None:
    fleet = make_fleet(2, ids=(HOSTILE, 2), names=(HOSTILE, "bad\ud800"))
    words = {"name": HOSTILE, "text": HOSTILE, "unit": HOSTILE, "rivals": (HOSTILE,), "next_check": HOSTILE}
    findings = [make_finding(HOSTILE, **words), make_finding(2, **words)]
    result = make_result(fleet, ids=[HOSTILE], findings=findings, notes=[HOSTILE])
    answers = Answers(date(2020, 1, 1), float("nan"), (DeviceTotal(HOSTILE, HOSTILE, 1.0),))
    source = report_html(fleet, result, lambda: answers, health)
    source.encode("utf-8")
    page = Page(source)
    assert page.count("script") == 3
    assert page.count("title") == 1
    assert page.open == []
    assert "\x1b" not in source
    assert source.count("<script") == 3
    assert page.text.count("<script>alert(1)</script>\"'&\\x1b[2J</title></svg>") >= 12
    assert data_of(source)["map"]["odd"]["name"][0].startswith("<script>alert(1)")


def test_promises_of_devices_that_are_not_odd_stand_apart(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet(300)
    findings = [make_finding(k, kind=Kind.MISSING_DAYS, p_value=None, text=f"gap of {k}.") for k in range(1, 301)]
    page = page_of(fleet, make_result(fleet, ids=[1], findings=findings))
    apart = page.text.split("Broken promises of devices that are not odd")[1]
    assert "The first 200 are shown; 99 more are in findings.json." in apart
    assert "gap of 1." not in apart
    assert "gap of 2." in apart
    assert "gap of 201." in apart
    assert "gap of 202." not in apart


def test_more_findings_than_a_card_holds_are_counted(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet()
    page = page_of(fleet, make_result(fleet, ids=[1], findings=[make_finding(kind=kind) for kind in Kind]))
    assert page.text.count("Could also be") == 8
    assert f"{len(Kind) - 8} more findings in findings.json." in page.text


def test_ten_devices_are_at_a_glance_and_the_others_a_click_away(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet(40)
    for n_odd, tables in ((10, 1), (11, 2), (25, 2)):
        ids = range(1, n_odd + 1)
        page = page_of(fleet, make_result(fleet, ids=ids, findings=[make_finding(k) for k in ids]))
        assert page.count("table") == tables
        assert page.count("details") == tables - 1
        links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
        assert links == [f"#odd-{place}" for place in ids]


def test_an_odd_device_without_a_finding_has_a_card(
    make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet()
    page = page_of(fleet, make_result(fleet, ids=[2, 1]))
    assert page.count("article") == 2


def test_250_odd_of_1000_devices_fit_into_2_mb(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    fleet = make_fleet(1000, 366)
    kinds = (Kind.LEVEL_SHIFT, Kind.SPIKES, Kind.FROZEN)
    findings = [make_finding(k, kind=kind) for k in range(1, 251) for kind in kinds]
    source = report_html(fleet, make_result(fleet, ids=range(1, 251), findings=findings), lambda: answers, health)
    assert len(source.encode()) <= 2_000_000
    page = Page(source)
    assert page.count("article") == 200
    assert "The oddest 200 are shown; 50 more are in findings.json." in page.text
    assert page.text.count("more finding in findings.json") in (0, 200)


def test_endless_words_cannot_pass_2_mb(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    endless = "<" * 100_000
    fleet = make_fleet(400, names=[endless] * 400)
    findings = [
        make_finding(k, kind=kind, name=endless, text=endless, next_check=endless)
        for k in range(1, 401)
        for kind in tuple(Kind)[:4]
    ]
    source = report_html(fleet, make_result(fleet, ids=range(1, 201), findings=findings), lambda: answers, health)
    assert len(source.encode()) <= 2_000_000
    page = Page(source)
    assert 0 < page.count("article") < 200
    assert "The oddest" in page.text
    assert page.open == []


def test_the_page_says_where_a_number_stands_among_its_cohort(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet()
    findings = [make_finding(), make_finding(kind=Kind.LEVEL)]
    among: dict[tuple[DeviceId, Kind], FloatArray] = {
        (1, Kind.LEVEL_SHIFT): np.array([96.0, 97, 98, 99.8, 101, 103, 104])
    }
    page = page_of(fleet, replace(make_result(fleet, ids=[1], findings=findings), among=among))
    assert page.text.count("9 in 10 of its cohort: 97 to 103 MB a day") == 1
    assert sum(attributes.get("class") == "strip" for _, attributes in page.tags) == 1


@pytest.mark.parametrize("anomalous", [0, 1, 60])
def test_days_of_the_whole_fleet(
    *, make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf, anomalous: int
) -> None:
    fleet = make_fleet()
    day = AnomalousDay(date(2020, 2, 1), date(2020, 2, 2), -0.4, 0.96, 1e-9, "On 2020-02-01 nearly all carried less.")
    total = fleet.values.sum(axis=1)
    days = FleetDays(total, np.full(60, 6), total, total - 9, total + 9, (day,) * anomalous)
    page = page_of(fleet, replace(make_result(fleet), days=days))
    assert page.plots("totals") == 1
    assert page.text.count("On 2020-02-01 nearly all carried less.") == min(anomalous, 50)
    assert ("No day was odd for the whole fleet." in page.text) == (anomalous == 0)
    assert ("10 more are in findings.json." in page.text) == (anomalous == 60)


def test_without_days_or_levels_there_is_no_empty_frame(
    make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet()
    result = make_result(fleet)
    page = page_of(fleet, replace(result, table={**result.table, "level_log_mb": [float("nan")] * 6}))
    assert page.plots("totals") == page.plots("map") == 0
    assert "Map of the fleet" not in page.text


def test_what_a_selftest_says_is_drawn(
    make_fleet: MakeFleet, make_result: MakeResult, answers: Answers, health: DataHealth, selftest: SelfTest
) -> None:
    fleet = make_fleet()
    with_it = Page(report_html(fleet, make_result(fleet), lambda: answers, health, selftest))
    assert "What would have been found" in with_it.text
    assert with_it.count("polyline") == 4  # detached could not be planted
    assert "drift: 40% at strength 0.5, 100% at strength 1" in with_it.text
    assert "A random sample of 1,000 devices" in with_it.text
    without = Page(report_html(fleet, make_result(fleet), lambda: answers, health))
    assert "What would have been found" not in without.text
    assert "--selftest" in without.text


def test_the_same_input_gives_the_same_page(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, answers: Answers, health: DataHealth
) -> None:
    fleet = make_fleet()
    first, second = (
        report_html(fleet, make_result(fleet, ids=[1], findings=[make_finding()]), lambda: answers, health)
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("silent", [0, 25])
def test_what_an_operator_asks_besides(
    *, make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf, silent: int
) -> None:
    fleet = make_fleet(30)
    result = make_result(fleet)
    total = np.r_[np.full(32, 100.0), np.full(27, 120.0), 500.0]
    days = FleetDays(total, np.full(60, 30), total, total, total)
    quiet = [12] * silent + [0] * (30 - silent)
    page = page_of(fleet, replace(result, days=days, table={**result.table, "silent_days": quiet}))
    assert "Most on 2020-02-29: 500 MB; least on 2020-01-01: 100 MB." in page.text
    assert "In the last four weeks: 3,740 MB, 33.6% more than in the four before." in page.text
    assert ("Every device had traffic in the last week of the record." in page.text) == (silent == 0)
    assert page.text.count(", since 2020-02-17") == min(silent, 20)
    assert ("5 more devices: column silent_days" in page.text) == (silent == 25)


def test_the_colours_of_cohorts_are_named_where_there_are_several(
    make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet(9)
    several = page_of(fleet, make_result(fleet, cohorts=["hall", "hall", *"abcdefg"]))
    assert several.text.index("hall") < several.text.index("2 more, in these colours again")
    assert "Cohorts" not in [attributes.get("aria-label") for _, attributes in page_of(fleet, make_result(fleet)).tags]
