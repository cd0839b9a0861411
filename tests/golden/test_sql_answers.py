"""The SQL answers against sums done by hand, and against a computation that knows neither SQL nor the package."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date
from math import fsum
from pathlib import Path

import polars as pl
import pytest

from oddfleet.ingest import read_source
from oddfleet.model import Answers, DeviceTotal
from oddfleet.store import answer_questions, write_database

# Totals by hand: 1: 10+20+30 = 60; 2: 40+20 = 60 (the same: tie); 3: 100-30 = 70; 4: 5;
# 5: no number at all = 0; 6: 0.5+0.25 = 0.75; 7: -1.
# First day, 2020-01-01: 1: 10; 2: 40; 3: 100; 4: not on record; 5: empty; 6: 0.5; 7: -1 -> 149.5.
FLEET = {
    1: "2020-01-02,20\n2020-01-01,10\n2020-01-03,30\n",
    2: "2020-01-01,40\n2020-01-02,\n2020-01-03,20\n",
    3: "2020-01-01,100\n2020-01-02,-30\n",
    4: "2020-01-02,5\n2020-01-02,oops\n",
    5: "2020-01-01,\n",
    6: "2020-01-01,0.5\n2020-01-01,\n2020-01-03,0.25\n",
    7: "2020-01-01,-1\n",
}
NAMES = [{"id": 1, "name": "twin"}, {"id": 2, "name": "twin"}, {"id": 4, "name": "late"}, {"id": 9, "name": "no data"}]


def answers_for(folder: Path, fleet: dict[int, str], names: list[dict[str, object]] | None) -> Answers:
    for device, lines in fleet.items():
        (folder / f"iot_{device}.csv").write_text(f"date,traffic\n{lines}")
    if names is not None:
        (folder / "device_meta.txt").write_text(json.dumps(names))
    source = read_source(folder)
    write_database(folder / "my_sqlite.db", source.parts(), source.meta)
    return answer_questions(folder / "my_sqlite.db")


def test_a_fleet_summed_by_hand(tmp_path: Path) -> None:
    names: list[dict[str, object]] = [dict(entry) for entry in NAMES]
    assert answers_for(tmp_path, FLEET, names) == Answers(
        first_day=date(2020, 1, 1),
        first_day_total_mb=149.5,
        top_devices=(
            DeviceTotal(3, None, 70.0),
            DeviceTotal(1, "twin", 60.0),
            DeviceTotal(2, "twin", 60.0),
            DeviceTotal(4, "late", 5.0),
            DeviceTotal(6, None, 0.75),
        ),
    )


def test_fewer_than_five_devices_and_no_numbers(tmp_path: Path) -> None:
    fleet = {2: "2020-01-01,\n", 1: "2020-01-01,\n"}
    assert answers_for(tmp_path, fleet, None) == Answers(
        date(2020, 1, 1), 0.0, (DeviceTotal(1, None, 0.0), DeviceTotal(2, None, 0.0))
    )


def test_a_repeated_id_in_meta_counts_no_traffic_twice(tmp_path: Path) -> None:
    rows = pl.DataFrame({"date": [date(2020, 1, 1)], "device_id": [7], "value": [10.0]})
    meta = pl.DataFrame({"id": [7, 7, 7], "name": ["b", "a", None]})
    write_database(tmp_path / "x.db", [(rows, [])], meta)
    assert answer_questions(tmp_path / "x.db").top_devices == (DeviceTotal(7, "a", 10.0),)


def test_the_real_data(real_data: Path, tmp_path: Path) -> None:
    totals: dict[int, list[float]] = {}
    of_day: dict[str, list[float]] = defaultdict(list)
    for file in real_data.glob("iot_*.csv"):
        with file.open(newline="") as stream:
            lines = [(line["date"], float(line["traffic"])) for line in csv.DictReader(stream)]
        totals[int(file.stem.removeprefix("iot_"))] = [traffic for _, traffic in lines]
        for day, traffic in lines:
            of_day[day].append(traffic)
    names = {entry["id"]: entry["name"] for entry in json.loads((real_data / "device_meta.txt").read_text())}
    best = sorted(totals, key=lambda device: -fsum(totals[device]))[:5]

    source = read_source(real_data)
    write_database(tmp_path / "x.db", source.parts(), source.meta)
    answers = answer_questions(tmp_path / "x.db")

    assert str(answers.first_day) == min(of_day)
    assert answers.first_day_total_mb == pytest.approx(fsum(of_day[min(of_day)]), rel=1e-12)
    assert [(top.device_id, top.name) for top in answers.top_devices] == [(device, names[device]) for device in best]
    sums = [fsum(totals[device]) for device in best]
    assert [top.total_mb for top in answers.top_devices] == pytest.approx(sums, rel=1e-12)
