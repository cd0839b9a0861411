"""The documents of a tiny fleet against committed ones: a change of words or numbers shows in the diff of a commit.

To renew the golden files after a change that is meant, and then read the diff:

    ODDFLEET_RENEW_GOLDEN=1 python -m pytest tests/golden/test_findings_document.py
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from oddfleet import Kind, pipeline, plant
from oddfleet.settings import Settings

GOLDEN = Path(__file__).parent
RENEW = "ODDFLEET_RENEW_GOLDEN"
TOLERANCE = 1e-6
"""Relative; another build of numpy may sum in another order."""


class _Quiet:
    def step(self, _label: str) -> Callable[[int, int], None]:
        return lambda _done, _total: None


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fleet = plant.steady_fleet(12, 120, seed=5)
    fleet = plant.with_fault(fleet, 3, Kind.LEVEL_SHIFT, seed=5)
    fleet = plant.with_fault(fleet, 9, Kind.NEGATIVE_TRAFFIC, seed=5)
    folder = tmp_path_factory.mktemp("tiny")
    plant.write_folder(fleet, folder / "data")
    pipeline.run(folder / "data", folder / "out", Settings(), _Quiet())
    return folder / "out"


def differences(found: Any, golden: Any, place: str = "") -> list[str]:
    """Where two documents differ, numbers by more than the tolerance."""
    if isinstance(found, dict) and isinstance(golden, dict) and list(found) == list(golden):
        return [line for key in golden for line in differences(found[key], golden[key], f"{place}/{key}")]
    if isinstance(found, list) and isinstance(golden, list) and len(found) == len(golden):
        pairs = enumerate(zip(found, golden, strict=True))
        return [line for k, (one, other) in pairs for line in differences(one, other, f"{place}/{k}")]
    if isinstance(found, float) and isinstance(golden, float) and math.isclose(found, golden, rel_tol=TOLERANCE):
        return []
    same = type(found) is type(golden) and found == golden
    return [] if same else [f"{place}: {found!r} where the golden file has {golden!r}"]


@pytest.mark.parametrize("name", ["oddities.json", "findings.json"])
def test_the_documents_of_a_tiny_fleet(out: Path, name: str) -> None:
    text = (out / name).read_text(encoding="utf-8")
    golden = GOLDEN / f"tiny-{name}"
    if os.environ.get(RENEW):
        golden.write_text(text, encoding="utf-8", newline="\n")
    assert golden.stat().st_size < 20_000
    assert differences(json.loads(text), json.loads(golden.read_text(encoding="utf-8"))) == [], (
        f"if this is meant, renew the golden files with {RENEW}=1 and read their diff"
    )


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ({"a": [1.0000005, "x", None]}, None),
        ({"a": [1.00001, "x", None]}, "/a/0"),
        ({"a": [1, "x", None]}, "/a/0"),
        ({"a": [1.0, "y", None]}, "/a/1"),
        ({"a": [1.0, "x", 0]}, "/a/2"),
        ({"a": [1.0, "x"]}, "/a"),
        ({"b": [1.0, "x", None]}, ""),
        ({"a": [1.0, "x", None], "b": 1}, ""),
    ],
)
def test_every_difference_is_seen(found: Any, place: str | None) -> None:
    lines = differences(found, {"a": [1.0, "x", None]})
    assert [line.split(":")[0] for line in lines] == ([] if place is None else [place])


class _Words(HTMLParser):
    """The words of a page, a line for each stretch between tags; scripts and styles apart."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag in ("script", "style")
        self.lines += [f"[{label}]" for name, label in attrs if name == "aria-label" and label]

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.lines.append(" ".join(data.split()))


def test_the_words_of_the_report_of_a_tiny_fleet(out: Path) -> None:
    words = _Words()
    words.feed((out / "report.html").read_text(encoding="utf-8"))
    text = "\n".join(words.lines) + "\n"
    golden = GOLDEN / "tiny-report.txt"
    if os.environ.get(RENEW):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
