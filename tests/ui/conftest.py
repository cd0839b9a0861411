"""A real browser for the report; without one these tests are skipped, and say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from oddfleet import pipeline, report
from oddfleet.settings import Settings

WIDE, NARROW = 1600, 360


@dataclass
class Opened:
    """A report in the browser, and what it complained of or asked the network for.

    Attributes:
        page: the page, a ``playwright.sync_api.Page``.
        said: errors of scripts, of the policy and on the console, and requests.
    """

    page: Any
    said: list[str] = field(default_factory=list)

    def drawn(self, selector: str = ".plot") -> Any:
        """The chart, once it is made."""
        plot = self.page.locator(selector).first
        plot.scroll_into_view_if_needed()
        plot.locator(".wait").wait_for(state="detached", timeout=20_000)
        plot.locator("canvas").first.wait_for(timeout=20_000)
        return plot


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make ui installs it")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a file without network."""
    contexts = []

    def opening(file: Path, width: int = WIDE, scheme: str = "light", **options: bool) -> Opened:
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, offline=True, **options)
        contexts.append(context)
        seen = Opened(context.new_page())

        def asked(request: Any) -> None:
            if not request.url.startswith(("file:", "data:")):
                seen.said.append(request.url)

        def printed(line: Any) -> None:
            if line.type == "error":
                seen.said.append(line.text)

        def opened_dialog(dialog: Any) -> None:
            seen.said.append(dialog.message)
            dialog.dismiss()

        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.on("console", printed)
        seen.page.on("dialog", opened_dialog)
        seen.page.on("request", asked)
        seen.page.goto(file.as_uri())
        return seen

    yield opening
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def demo_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    pipeline.demo(out, Settings(), report.Progress(quiet=True))
    return out / "report.html"
