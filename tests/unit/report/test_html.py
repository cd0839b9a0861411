from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pytest

from oddfleet.model import Answers, DataHealth, DeviceTotal, Finding, Fleet, Kind, Oddities
from oddfleet.report import report_html

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]
HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J</title></svg>"
VOID = {"meta", "path", "rect", "i"}


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


@pytest.fixture
def page_of(answers: Answers, health: DataHealth) -> Callable[[Fleet, Oddities], Page]:
    def page(fleet: Fleet, result: Oddities) -> Page:
        gaps = int(np.isnan(fleet.values).sum())
        return Page(report_html(fleet, result, answers, replace(health, devices=fleet.n_devices, gaps=gaps)))

    return page


PageOf = Callable[[Fleet, Oddities], Page]


@pytest.mark.parametrize(
    ("n_odd", "sentence", "heading"),
    [
        (0, "None of 6 devices is odd; in a healthy fleet", None),
        (1, "1 of 6 devices is odd; in a healthy fleet", "Odd device, oldest first"),
        (2, "2 of 6 devices are odd; in a healthy fleet", "Odd devices, oddest first"),
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
    assert page.count("article") == page.count("svg") == n_odd
    assert (heading is not None) == ("oddest first" in page.text)
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
    assert "nan" not in page.text


def test_answers_and_health(make_fleet: MakeFleet, make_result: MakeResult, page_of: PageOf) -> None:
    fleet = make_fleet()
    fleet.values[:7, 0] = np.nan
    page = page_of(fleet, make_result(fleet))
    for words in (
        "All devices together on 2020-01-01: 7,512.3 MB",
        "lamp_1 (1): 37,245.1 MB",
        "device 2: 36,999 MB",
        "27,375",
        "27,370",
        "7 device days without a usable value",
        "6, 1 of them without a name",
        "925",
    ):
        assert words in page.text


def test_no_network_no_script(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, page_of: PageOf
) -> None:
    fleet = make_fleet()
    page = page_of(fleet, make_result(fleet, ids=[1], findings=[make_finding()]))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed"}
    for _, attributes in page.tags:
        assert not {"src", "onload", "onclick"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert ("html", {"lang": "en"}) in page.tags
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_hostile_words_are_shown_and_not_obeyed(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, health: DataHealth
) -> None:
    fleet = make_fleet(2, ids=(HOSTILE, 2), names=(HOSTILE, "bad\ud800"))
    words = {"name": HOSTILE, "text": HOSTILE, "unit": HOSTILE, "rivals": (HOSTILE,), "next_check": HOSTILE}
    findings = [make_finding(HOSTILE, **words), make_finding(2, **words)]
    result = make_result(fleet, ids=[HOSTILE], findings=findings, notes=[HOSTILE])
    answers = Answers(date(2020, 1, 1), float("nan"), (DeviceTotal(HOSTILE, HOSTILE, 1.0),))
    source = report_html(fleet, result, answers, health)
    source.encode("utf-8")
    page = Page(source)
    assert page.count("script") == 0
    assert page.count("title") == 2
    assert page.open == []
    assert "\x1b" not in source
    assert "<script" not in source
    assert page.text.count("<script>alert(1)</script>\"'&\\x1b[2J</title></svg>") >= 12


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
    assert page.text.count("Check next") == 8
    assert f"{len(Kind) - 8} more findings in findings.json." in page.text


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
    source = report_html(fleet, make_result(fleet, ids=range(1, 251), findings=findings), answers, health)
    assert len(source.encode()) <= 2_000_000
    page = Page(source)
    assert page.count("article") == 200
    assert "The oddest 200 are shown; 50 more are in findings.json." in page.text


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
    source = report_html(fleet, make_result(fleet, ids=range(1, 201), findings=findings), answers, health)
    assert len(source.encode()) <= 2_000_000
    page = Page(source)
    assert 0 < page.count("article") < 200
    assert "The oddest" in page.text
    assert page.open == []
