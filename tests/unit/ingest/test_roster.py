"""Names and silent devices in the metadata of a Parquet file, as people may write them with other programs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from oddfleet.errors import InputError
from oddfleet.ingest import Source, read_source, to_fleet


def read(folder: Path, roster: Any, ids: list[Any] | None = None, key: str = "oddfleet") -> Source:
    ids = ids or [4, 5]
    frame = pl.DataFrame({"date": [date(2020, 1, 1)] * len(ids), "device_id": ids, "value": [1.5] * len(ids)})
    text = roster if isinstance(roster, str) else json.dumps(roster)
    frame.write_parquet(folder / "x.parquet", metadata={key: text})
    return read_source(folder / "x.parquet")


def test_names_and_further_columns(tmp_path: Path) -> None:
    meta = [{"id": 5, "name": "b", "floor": 2}, {"id": "04", "name": "a"}, {"id": 9, "name": "c", "room": "hall"}]
    source = read(tmp_path, {"meta": meta})
    assert source.meta.rows() == [(5, "b", "2", None), (4, "a", None, None), (9, "c", None, "hall")]
    assert (source.issues, source.unread) == ((), ())
    fleet = to_fleet(source)
    assert fleet.names == ("a", "b")
    assert fleet.attributes == {"floor": (None, "2"), "room": (None, None)}


def test_silent_devices(tmp_path: Path) -> None:
    source = read(tmp_path, {"silent": [7, "07", "gate", 4, "5.0", " x "]})
    assert source.silent == (7, "gate", "x")
    assert to_fleet(source).device_ids == (4, 5, 7, "gate", "x")


def test_silent_devices_among_words(tmp_path: Path) -> None:
    source = read(tmp_path, {"silent": [7, "b", "a\ud800"], "meta": [{"id": 7, "name": "n"}]}, ids=["b", "c"])
    assert source.silent == ("7", "a\\ud800")
    assert source.meta.rows() == [("7", "n")]


def test_another_key_is_no_roster(tmp_path: Path) -> None:
    source = read(tmp_path, "nonsense", key="pandas")
    assert (source.meta.height, source.silent) == (0, ())


def test_entries_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    source = read(tmp_path, {"meta": [{"id": 4, "name": "a"}, {"id": 4}, {"name": "b"}, 7, {"id": "gate"}]})
    assert source.meta.rows() == [(4, "a")]
    assert [(issue.line, issue.reason.split(":")[0]) for issue in source.issues] == [
        (0, "entry 2"), (0, "entry 3"), (0, "entry 4"), (0, "entry 5")
    ]  # fmt: skip
    (told,) = source.unread
    assert told.reason.startswith("4 of its entries cannot be used; the first: entry 2: the id must appear once")
    assert told.file == str(tmp_path / "x.parquet")


@pytest.mark.parametrize("text", ["{", '{"schema": 9}', '{"meta": 5}', "[1]"])
def test_a_broken_roster_is_one_line(tmp_path: Path, text: str) -> None:
    place = f"{tmp_path / 'x.parquet'}: its metadata oddfleet must be JSON such as "
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(place)
    assert str(caught.value).endswith("; write the file anew")
    assert "\n" not in str(caught.value)
