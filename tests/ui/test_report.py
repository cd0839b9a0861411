"""The report in a real browser: it opens without network, shows its charts, filters, zooms, and can be used by all."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import numpy as np
import pytest

import oddfleet
from oddfleet import pipeline, plant, report
from oddfleet.model import Answers, DataHealth, Fleet, Oddities
from oddfleet.settings import Settings
from tests.ui.conftest import NARROW, WIDE, Open, Opened

FIGURE = "name => Bokeh.documents.map(one => one.roots()[0]).findLast(figure => figure?.name === name)"


def _page(fleet: Fleet, result: Oddities, file: Path) -> Path:
    """A report of a fleet that was never in files."""
    days = (fleet.dates[0].item(), fleet.dates[-1].item())
    answers = Answers(days[0], float(np.nansum(fleet.values[0])), ())
    health = DataHealth(fleet.values.size, fleet.values.size, 0, fleet.n_devices, 0, 0, *days)
    file.write_text(report.report_html(report.shown(fleet, result), result, lambda: answers, health), encoding="utf-8")
    return file


def _days(opened: Opened, name: str) -> float:
    """How many days a chart shows."""
    start, end = opened.page.evaluate(
        f"name => {{ const {{start, end}} = ({FIGURE})(name).x_range; return [start, end] }}", name
    )
    return float(end - start) / 86400e3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_it_opens_without_network_and_draws_all_it_shows(
    demo_report: Path, opened: Open, width: int, scheme: str
) -> None:
    seen = opened(demo_report, width, scheme)
    for plot in seen.page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".wait").wait_for(state="detached", timeout=20_000)
        plot.locator("canvas").first.wait_for(timeout=20_000)
    assert seen.page.locator(".plot").count() == 8
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert seen.said == []


def test_the_first_screen_says_it_all(demo_report: Path, opened: Open) -> None:
    page = opened(demo_report).page
    for words in ("6 of 60 devices are odd", "depot_lamp (34)", "inactive", "Ping the device", "Check next"):
        box = page.get_by_text(words).first.bounding_box()
        assert box is not None
        assert box["y"] < 900


def test_a_part_of_the_days_is_looked_at_with_the_mouse_and_with_the_keyboard(demo_report: Path, opened: Open) -> None:
    seen = opened(demo_report)
    box = seen.drawn("#odd-1 .plot").bounding_box()
    card = seen.page.locator("#odd-1")
    assert box is not None
    assert _days(seen, "odd-1") == 366
    seen.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 60)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 90, steps=5)
    seen.page.mouse.up()
    dragged = _days(seen, "odd-1")
    assert 90 < dragged < 150
    card.get_by_role("button", name="Show fewer days").focus()
    seen.page.keyboard.press("Enter")
    assert _days(seen, "odd-1") == pytest.approx(dragged / 2)
    for name, days in (
        ("Later", dragged / 2),
        ("Earlier", dragged / 2),
        ("Show more days", dragged),
        ("Show all", 366),
    ):
        card.get_by_role("button", name=name).click()
        seen.page.wait_for_timeout(300)
        assert _days(seen, "odd-1") == pytest.approx(days)
    assert seen.said == []


def test_the_mouse_over_a_day_tells_its_number(demo_report: Path, opened: Open) -> None:
    seen = opened(demo_report)
    box = seen.drawn("#odd-3 .plot").bounding_box()
    assert box is not None
    for share in (0.5, 0.52, 0.54):
        seen.page.mouse.move(box["x"] + share * box["width"], box["y"] + 100)
    told = seen.page.locator(".bk-tooltip-content").first
    told.wait_for(timeout=5000)
    assert "MB, 9 in 10 of its cohort" in told.inner_text()


def test_cards_are_filtered_found_and_ordered(demo_report: Path, opened: Open) -> None:
    page = opened(demo_report).page
    cards = page.locator(".card")
    page.get_by_label("Finding").select_option("wander")
    assert cards.locator("visible=true").locator("h3").all_inner_texts() == ["bridge_meter (16)"]
    assert page.locator("output").inner_text() == "1 of 6 shown"
    # A link from the table shows its card, whatever the filter.
    page.get_by_role("link", name="depot_lamp (34)").click()
    assert page.locator("#odd-1").is_visible()
    page.get_by_label("Name or id").fill("PUMP")
    assert cards.locator("visible=true").locator("h3").all_inner_texts() == ["attic_pump (7)"]
    page.get_by_label("Name or id").fill("")
    page.get_by_label("Order").select_option("name")
    names = cards.locator("h3").all_inner_texts()
    assert names == sorted(names)
    page.get_by_label("Order").select_option("since")
    since = [card.get_attribute("data-since") for card in cards.all()]
    assert since == sorted(since, key=lambda day: day or "", reverse=True)
    page.get_by_label("Order").select_option("odd")
    assert cards.first.get_attribute("id") == "odd-1"


def test_charts_follow_a_change_of_the_colours(demo_report: Path, opened: Open) -> None:
    seen = opened(demo_report)
    seen.drawn("#odd-1 .plot")
    colour = f"() => ({FIGURE})('odd-1').xaxes[0].major_label_text_color"
    light = seen.page.evaluate(colour)
    seen.page.emulate_media(color_scheme="dark")
    seen.page.wait_for_timeout(1500)
    assert seen.page.evaluate(colour) != light
    assert seen.page.locator("#odd-1 .plot canvas").count() > 0
    assert seen.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_axe_finds_nothing(demo_report: Path, opened: Open, width: int, scheme: str) -> None:
    script = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    seen = opened(demo_report, width, scheme, bypass_csp=True)
    for place in range(1, 7):
        seen.drawn(f"#odd-{place} .plot")
    seen.page.evaluate(script)
    found = seen.page.evaluate("() => axe.run()")
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert len(found["passes"]) > 15


def test_on_paper_there_is_nothing_to_click(demo_report: Path, opened: Open) -> None:
    seen = opened(demo_report, scheme="dark")
    for place in range(1, 7):
        seen.drawn(f"#odd-{place} .plot")
    seen.page.emulate_media(media="print")
    assert not seen.page.locator(".filters").is_visible()
    assert not seen.page.locator(".zoom").first.is_visible()
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.pdf().startswith(b"%PDF")


def test_what_is_in_the_data_cannot_run(opened: Open, tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"
    fleet = plant.sample_fleet()
    names = (hostile, *fleet.names[1:])
    fleet = Fleet(fleet.device_ids, names, fleet.dates, fleet.values * np.where(np.arange(60) == 0, 3.0, 1.0))
    file = _page(fleet, oddfleet.find_oddities(fleet), tmp_path / "hostile.html")
    seen = opened(file)
    seen.drawn(".plot.map")
    seen.drawn("#odd-1 .plot")
    assert hostile in seen.page.locator(".list").first.inner_text()
    assert seen.said == []
    # Were a tag to get through, the policy would stop it.
    file.write_text(file.read_text(encoding="utf-8").replace("</main>", "<script>window.ran = 1</script></main>"))
    seen = opened(file)
    assert seen.page.evaluate("() => window.ran") is None
    assert "Content Security Policy" in seen.said[0]


@pytest.mark.parametrize("days", [1, 30, 366, 1200])
@pytest.mark.parametrize("n_devices", [1, 3, 40])
def test_small_and_long_fleets_have_a_page(opened: Open, tmp_path: Path, days: int, n_devices: int) -> None:
    fleet = plant.steady_fleet(n_devices, days, seed=3)
    fleet.values[days // 3 : days // 2, 0] = np.nan
    fleet.values[-1, 0] = -1e6
    seen = opened(_page(fleet, oddfleet.find_oddities(fleet), tmp_path / "page.html"), NARROW)
    seen.drawn(".card .plot")
    if n_devices > 1 and days > 1:
        # Else nobody has a level.
        seen.drawn(".plot.map")
    assert seen.page.evaluate("document.documentElement.scrollWidth") == NARROW
    assert seen.said == []


@pytest.fixture(scope="module")
def large_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 devices, 300 of them odd in two ways."""
    fleet = plant.steady_fleet(100_000, 120, seed=5)
    fleet.values[60:, :300] += 40.0
    fleet.values[100, :300:2] = 400.0
    return _page(fleet, oddfleet.find_oddities(fleet), tmp_path_factory.mktemp("large") / "report.html")


@pytest.mark.slow
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_100000_devices_open_and_are_drawn(large_report: Path, opened: Open, width: int) -> None:
    assert large_report.stat().st_size <= 2_000_000
    seen = opened(large_report, width)
    assert seen.page.locator(".card").count() == 200
    seen.drawn(".plot.map")
    seen.drawn("#odd-200 .plot")
    assert "cell counts devices" in seen.page.locator("main").inner_text()
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert seen.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_report_of_the_real_data(
    real_data: Path, opened: Open, tmp_path_factory: pytest.TempPathFactory, width: int, scheme: str
) -> None:
    out = tmp_path_factory.getbasetemp() / "real"
    if not (out / "report.html").exists():
        pipeline.run(real_data, out, Settings(), report.Progress(quiet=True))
    seen = opened(out / "report.html", width, scheme)
    for selector in (".plot.totals", ".plot.map", "#odd-1 .plot"):
        seen.drawn(selector)
    assert "1 of 500 devices is odd" in seen.page.locator(".verdict").inner_text()
    assert seen.page.locator(".card h3").all_inner_texts() == ["sneaking_catfish (4399)"]
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert seen.said == []
