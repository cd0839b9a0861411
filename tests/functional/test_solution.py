"""``solution.py`` as the reader of the exercise runs it: a folder in, a database, a JSON file and pictures out."""

from __future__ import annotations

import ast
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "solution.py"
MOST_LINES = 350
ALLOWED = {"numpy", "pandas", "matplotlib", *sys.stdlib_module_names}
DAYS = 365
Lines = dict[int | str, list[str]]


@dataclass(frozen=True)
class Run:
    """What one run left behind."""

    folder: Path
    text: str
    odd: list[dict[str, Any]]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(self.folder / "my_sqlite.db")
        rows = database.execute(question).fetchall()
        database.close()
        return rows

    @property
    def plots(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "plots").glob("*.png"))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Warnings are errors: none may reach the user.
    command = [sys.executable, "-W", "error", str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def finish(folder: Path, *arguments: str) -> Run:
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Run(folder, done.stdout, json.loads((folder / "oddities.json").read_text()))


def healthy(devices: int, seed: int = 1, days: int = DAYS, first: date = date(2021, 1, 1)) -> Lines:
    """A fleet of normal noise about 100 MB."""
    rng = np.random.default_rng(seed)
    dates = [(first + timedelta(days=day)).isoformat() for day in range(days)]
    return {key: [f"{day},{mb!r}" for day, mb in zip(dates, rng.normal(100, 5, days).tolist(), strict=True)]
            for key in range(1, devices + 1)}  # fmt: skip


def write(folder: Path, fleet: Lines, meta: list[dict[str, Any]] | None = None) -> Path:
    data = folder / "data"
    data.mkdir()
    for key, lines in fleet.items():
        (data / f"iot_{key}.csv").write_text("\n".join(["date,traffic", *lines]) + "\n")
    if meta is not None:
        (data / "device_meta.txt").write_text(json.dumps(meta))
    return folder


def value_of(line: str) -> float:
    return float(line.partition(",")[2])


def test_a_clean_small_fleet(tmp_path: Path) -> None:
    fleet = healthy(6)
    meta = [{"id": key, "name": "twin" if key < 3 else f"device {key}"} for key in (1, 2, 3, 4, 77, 78)]
    result = finish(write(tmp_path, fleet, meta))
    assert result.odd == []
    assert (tmp_path / "oddities.json").read_text().strip() == "[]"
    assert result.plots == []
    assert [row[1] for row in result.rows("PRAGMA table_info(time_series)")] == [
        "date", "device_id", "series_type", "value"]  # fmt: skip
    assert [row[1] for row in result.rows("PRAGMA table_info(meta)")] == ["id", "name"]
    assert result.rows("SELECT id, name FROM meta") == [(entry["id"], entry["name"]) for entry in meta]
    stored = result.rows("SELECT device_id, date, value FROM time_series ORDER BY device_id, date")
    assert stored == [(key, line[:10], value_of(line)) for key, lines in fleet.items() for line in lines]
    first_day = sum(value_of(lines[0]) for lines in fleet.values())
    totals = sorted(((sum(map(value_of, lines)), key) for key, lines in fleet.items()), reverse=True)
    assert "devices in the meta file (df_meta): 6" in result.text
    shown = [line.split() for line in result.text.splitlines()]
    at = shown.index(["first_day", "total_mb"]) + 1
    assert shown[at][0] == "2021-01-01"
    assert float(shown[at][1]) == pytest.approx(first_day, abs=1e-3)
    at = shown.index(["device_id", "name", "total_mb"]) + 1
    assert [int(line[0]) for line in shown[at : at + 5]] == [key for _, key in totals[:5]]
    assert [float(line[-1]) for line in shown[at : at + 5]] == pytest.approx([mb for mb, _ in totals[:5]], abs=1e-3)


def test_three_devices_without_a_meta_file(tmp_path: Path) -> None:
    fleet = healthy(3)
    rng = np.random.default_rng(0)
    fleet[2] = [f"{line[:10]},{mb!r}" for line, mb in zip(fleet[2], rng.uniform(0, 900, DAYS).tolist(), strict=True)]
    result = finish(write(tmp_path, fleet))
    assert result.odd == [{"id": 2, "name": None}]
    assert result.plots == ["2.png"]
    assert (tmp_path / "plots" / "2.png").read_bytes().startswith(b"\x89PNG")


def test_broken_promises_are_stored_as_they_are_and_named(tmp_path: Path) -> None:
    fleet = healthy(40)
    fleet[1][10] = fleet[1][10][:10] + ",-5"
    fleet[2].insert(21, fleet[2][20][:10] + ",7")
    fleet[3][30] = fleet[3][30][:10] + ","
    fleet[4][40] = fleet[4][40][:10] + ",12,5,7"
    meta = [{"id": key, "name": f"device {key}"} for key in range(1, 1001)]
    result = finish(write(tmp_path, fleet, meta))
    assert result.rows("SELECT value FROM time_series WHERE device_id = 1 AND date = '2021-01-11'") == [(-5.0,)]
    assert [row[0] for row in result.rows("SELECT value FROM time_series WHERE device_id = 2 AND date = '2021-01-21'")][
        1
    ] == 7.0
    assert result.rows("SELECT value FROM time_series WHERE device_id = 3 AND date = '2021-01-31'") == [(None,)]
    assert result.rows("SELECT value FROM time_series WHERE device_id = 4 AND date = '2021-02-10'") == [("12,5,7",)]
    assert result.rows("SELECT COUNT(*) FROM time_series") == [(40 * DAYS + 1,)]
    assert sorted(entry["id"] for entry in result.odd) == [1, 2, 3, 4]
    for words in ("negative traffic: 1 day(s) (2021-01-11)", "more than one line a day: 1 day(s) (2021-01-21)",
                  "no usable number: 1 day(s) (2021-01-31)", "no usable number: 1 day(s) (2021-02-10)"):  # fmt: skip
        assert words in result.text


def test_a_promise_that_the_fleet_does_not_keep_makes_none_odd(tmp_path: Path) -> None:
    fleet = healthy(10)
    for key in (1, 2, 3, 4):
        fleet[key].append(fleet[key][100])
    assert finish(write(tmp_path, fleet)).odd == []


def without(days: range) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line for place, line in enumerate(lines) if place not in days]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without(range(100, 130)), "longest stretch without traffic: 30 days from 2021-04-11"),
        (lambda lines: [f"{line[:10]},0" for line in lines], "longest stretch without traffic: 365 days"),
        (lambda lines: [f"{line[:10]},100.5" for line in lines], "longest stretch at one value: 364 days"),
        (lambda lines: [], "days without a usable number: 365"),
        (lambda lines: [f"{line[:10]},{value_of(line) + 20 * (line > '2021-07')}" for line in lines],
         "change of level on the way: 20"),
        (lambda lines: [f"{line[:10]},{round(value_of(line))}" for line in lines], "share of distinct values"),
    ],
    ids=["gap", "zeros", "constant", "empty", "step", "rounded"],
)  # fmt: skip
def test_one_odd_device_of_twelve(tmp_path: Path, change: Callable[[list[str]], list[str]], words: str) -> None:
    fleet = healthy(12)
    fleet[7] = change(fleet[7])
    result = finish(write(tmp_path, fleet, [{"id": 7, "name": "seven"}]))
    assert result.odd == [{"id": 7, "name": "seven"}]
    assert words in result.text


@pytest.mark.parametrize("days", [1, 5, 20, 28, 40])
def test_short_records_end_quietly(tmp_path: Path, days: int) -> None:
    assert finish(write(tmp_path, healthy(5, days=days))).odd == []


def test_one_and_two_devices_and_ids_that_are_words(tmp_path: Path) -> None:
    fleet = healthy(1)
    fleet["gate-7"] = healthy(2)[2]
    fleet["gate-7"][5] = fleet["gate-7"][5][:10] + ",-1"
    result = finish(write(tmp_path, fleet, [{"id": "gate-7", "name": None}]))
    assert result.odd == [{"id": "gate-7", "name": None}]


def test_a_second_run_with_the_folder_as_argument_gives_the_same(tmp_path: Path) -> None:
    fleet = healthy(4)
    fleet[3][3] = fleet[3][3][:10] + ",-1"
    data = write(tmp_path, fleet) / "data"
    runs = [finish(tmp_path, str(data)), finish(tmp_path)]
    assert runs[0].text == runs[1].text
    assert runs[1].rows("SELECT COUNT(*) FROM time_series") == [(4 * DAYS,)]


def test_a_folder_without_data_ends_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "nowhere")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "iot_<id>.csv" in done.stderr


def test_the_real_data(real_data: Path, tmp_path: Path) -> None:
    result = finish(tmp_path, str(real_data))
    assert result.odd == [{"id": 4399, "name": "sneaking_catfish"}]
    assert result.plots == ["4399.png"]
    assert result.rows("SELECT COUNT(*), COUNT(DISTINCT device_id) FROM time_series") == [(183_000, 500)]
    assert result.rows("SELECT COUNT(*) FROM meta") == [(1000,)]
    assert "50004.77" in result.text
    assert "sneaking_catfish 38483.08" in result.text
    assert "mean distance of a day from the median: 48.46 MB; usual: 3.967 MB" in result.text


def test_the_script_is_short_and_stands_alone() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    tree = ast.parse(text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= ALLOWED


def test_only_the_first_task_speaks_sql() -> None:
    functions = [
        node for node in ast.parse(SCRIPT.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    speaking = [node.name for node in functions if "SELECT" in ast.unparse(node) or "sqlite3" in ast.unparse(node)]
    assert speaking == ["task_1"]
