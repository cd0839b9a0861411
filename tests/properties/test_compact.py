"""Whatever is read, compact and read again: the same fleet, and the same bytes when it is made compact once more."""

from __future__ import annotations

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import oddfleet
from oddfleet.pipeline import compact
from oddfleet.report import Progress
from tests.functional.fleets import differences
from tests.properties.test_dialects import DIALECTS, PROOF, ROWS, Dialect, Row

IDS = st.sampled_from(["1", "9", "10", "007", "7.0", "-3", "gate", "Küche 1", '"a,b"', "1234567890123456789"])
VALUES = st.sampled_from(["", "x", "nan", "-0.0", "1e300", "5e-324"]) | st.floats(allow_nan=False).map(repr)
LINES = st.lists(st.tuples(st.integers(0, 9), IDS, VALUES), max_size=30)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["4", "gate"])
JSON = st.recursive(LEAVES, lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=3), part))
KEYS = st.sampled_from(["id", "name", "room"]) | st.text(max_size=3)
ENTRIES = st.lists(st.dictionaries(KEYS, JSON, max_size=4), max_size=5)


def check(data: Path) -> None:
    one, two = data.with_name("one.parquet"), data.with_name("two.parquet")
    compact(data, one, Progress(quiet=True))
    compact(one, two, Progress(quiet=True))
    assert differences(oddfleet.read(data), oddfleet.read(one)) == []
    assert one.read_bytes() == two.read_bytes()


@given(lines=LINES)
@settings(max_examples=150)
def test_a_long_table(lines: list[tuple[int, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "data.csv"
        rows = [(9, "1", "0.5"), *lines]
        text = [f"{date(2020, 1, 1) + timedelta(day)},{device},{value}" for day, device, value in rows]
        file.write_text("\n".join(["date,device_id,value", *text, ""]), encoding="utf-8")
        check(file)


@given(roster=st.fixed_dictionaries({}, optional={"meta": JSON | ENTRIES, "silent": JSON, "schema": JSON}) | JSON)
@settings(max_examples=200)
def test_whatever_stands_in_place_of_the_names(roster: object) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "data.parquet"
        frame = pl.DataFrame({"date": ["2020-01-01"] * 2, "device_id": ["4", "gate"], "value": [1.5, None]})
        frame.write_parquet(file, metadata={"oddfleet": json.dumps(roster)})
        try:
            check(file)
        except oddfleet.InputError as error:
            assert "its metadata oddfleet must be JSON such as" in str(error)  # noqa: PT017 - or it was read


@given(dialect=DIALECTS, rows=ROWS)
@settings(max_examples=60)
def test_a_folder_in_any_dialect(dialect: Dialect, rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        folder.mkdir()
        (folder / ("iot_7.csv.gz" if dialect.packed else "iot_7.csv")).write_bytes(dialect.text(PROOF + rows))
        (folder / "iot_8.csv").write_text("date,traffic\n2020-01-05,1\n2020-01-04,x\n", encoding="utf-8")
        (folder / "meta.json").write_text('[{"id": 8, "name": "b", "room": "c"}]', encoding="utf-8")
        check(folder)
