"""Size of the report, time to make it and time until a browser has drawn what one sees first, by number of devices.

    python benchmarks/pages.py                # 10, 1,000 and 100,000 devices; writes benchmarks/results.json
    python benchmarks/pages.py --no-write

One device in fifty is odd, two at least, in one way or two; medians of five. Opening needs playwright and Chromium
(``make ui`` installs the first); without them it is left out, and said so. Seeds from 1000 on.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from figures import Figure, keep, show

from oddfleet import Fleet, find_oddities, plant, report
from oddfleet.model import Answers, DataHealth

SIZES = (10, 1000, 100_000)
TIMES = 5


def sick(devices: int) -> Fleet:
    fleet = plant.steady_fleet(devices, seed=1000)
    odd = np.random.default_rng(1000).choice(devices, max(devices // 50, 2), replace=False)
    fleet.values[200:, odd] += 30.0
    fleet.values[100, odd[::2]] = 400.0
    return fleet


def page_of(fleet: Fleet) -> Callable[[], str]:
    """What makes the page of a fleet that was judged already."""
    result = find_oddities(fleet)
    days = (fleet.dates[0].item(), fleet.dates[-1].item())
    answers = Answers(days[0], float(fleet.values[0].sum()), ())
    health = DataHealth(fleet.values.size, fleet.values.size, 0, fleet.n_devices, 0, 0, *days)
    return lambda: report.report_html(report.shown(fleet, result), result, lambda: answers, health)


def seconds_to_make(make: Callable[[], str]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        make()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def seconds_to_open(file: Path) -> float | None:
    """Until the first chart is drawn, from disk; None without a browser."""
    chromium = shutil.which("chromium")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        return None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not everybody has it

    taken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(TIMES):
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            start = time.perf_counter()
            page.goto(file.as_uri(), wait_until="commit")
            page.locator(".zoom").first.wait_for()  # they come with the first chart
            taken.append(time.perf_counter() - start)
            page.close()
        browser.close()
    return statistics.median(taken)


def figures() -> list[Figure]:
    found = []
    for devices in SIZES:
        make = page_of(sick(devices))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "report.html"
            file.write_text(make(), encoding="utf-8")
            name = f"report of {devices:,} devices"
            found += [
                Figure.of(f"{name}, size", file.stat().st_size / 1e6, "MB"),
                Figure.of(f"{name}, seconds to make", seconds_to_make(make), "s"),
            ]
            opened = seconds_to_open(file)
            if opened is None:
                print("Opening is not measured: playwright and Chromium are needed; try 'make ui'")
            else:
                found.append(Figure.of(f"{name}, seconds to open", opened, "s"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-write", action="store_true", help="leave results.json as it is")
    options = parser.parse_args()
    found = figures()
    show(found)
    if not options.no_write:
        keep(found)


if __name__ == "__main__":
    main()
