"""Fleets in Parquet files that are gone through in blocks: the same decision as in memory, with and without SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

import oddfleet
from oddfleet import Kind, cli, plant
from oddfleet.detect import gather, threads
from oddfleet.errors import InputError
from oddfleet.ingest import Source, Stored, folder, indexing, listing, scan, scan_source
from oddfleet.ingest.stored import StoredFleet
from tests.functional.fleets import FLEETS, differences
from tests.functional.inputs import cases
from tests.functional.test_compact import compacted
from tests.functional.test_input_large import MEGABYTE, peak

DEVICES = 300


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet of some hundred devices is a large one: not held in memory, and not all its devices are learners."""
    monkeypatch.setattr(scan, "MOST_CELLS", 0)
    monkeypatch.setattr(indexing, "ROWS_AT_ONCE", 4000)
    monkeypatch.setattr(gather, "MOST_LEARNERS", 120)
    monkeypatch.setattr(threads, "DEVICES_AT_ONCE", 32)


def table(fleet: oddfleet.Fleet) -> pl.DataFrame:
    """A fleet as a long table, device after device."""
    n_days, n_devices = fleet.values.shape
    return pl.DataFrame(
        {
            "date": np.tile(fleet.dates, n_devices),
            "device_id": np.repeat(np.array(fleet.device_ids), n_days),
            "value": fleet.values.T.ravel(),
        }
    ).drop_nans("value")


def sick(kind: str = "weekly") -> oddfleet.Fleet:
    fleet = plant.healthy_fleet(kind, DEVICES, 120, seed=1)
    for place, fault in enumerate((Kind.LEVEL_SHIFT, Kind.SPIKES, Kind.FROZEN, Kind.COPIED, Kind.MISSING_DAYS)):
        fleet = plant.with_fault(fleet, fleet.device_ids[31 + 50 * place], fault, seed=place)
    return fleet


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.parquet"
    table(sick()).write_parquet(path)
    return path


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["weekly", "lossy", "mixed"])
def test_the_decision_is_that_of_the_fleet_in_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "fleet.parquet"
    table(sick(kind)).write_parquet(path)
    lazy, whole = oddfleet.scan(path), oddfleet.read(path)
    assert isinstance(lazy, StoredFleet)
    got, expected = oddfleet.find_oddities(lazy), oddfleet.find_oddities(whole)
    assert got.ids == expected.ids != []
    assert repr(got.findings) == repr(expected.findings)
    np.testing.assert_allclose(got.table["p_value"], expected.table["p_value"], rtol=1e-9)


@pytest.mark.usefixtures("small")
def test_days_that_are_odd_for_all_are_those_of_the_fleet_in_memory(tmp_path: Path) -> None:
    fleet = sick("lossy")
    values = fleet.values.copy()
    values[60:63] *= 0.4
    values[90] = np.nan
    path = tmp_path / "fleet.parquet"
    table(replace(fleet, values=values)).write_parquet(path)
    got, expected = (oddfleet.find_oddities(one).days for one in (oddfleet.scan(path), oddfleet.read(path)))
    assert got is not None
    assert expected is not None
    assert [one.day.isoformat() for one in got.anomalous] == ["2020-03-01"]
    assert got.anomalous == expected.anomalous
    assert got.observed.tolist() == expected.observed.tolist()
    assert got.observed[90] == 0
    for part in ("total_mb", "usual_mb", "low_mb", "high_mb"):
        np.testing.assert_allclose(getattr(got, part), getattr(expected, part), rtol=1e-12, err_msg=part)


@pytest.mark.usefixtures("small")
def test_bucketed_by_device_in_any_order_in_a_folder(tmp_path: Path, stored: Path) -> None:
    """Each file holds whole devices, none of them in order; the names are beside them."""
    rows = pl.read_parquet(stored)
    folder = tmp_path / "parts"
    folder.mkdir()
    for bucket in range(4):
        part = rows.filter(pl.col("device_id") % 4 == 3 - bucket)
        part.sort("device_id", descending=True, maintain_order=True).write_parquet(folder / f"part{bucket}.parquet")
    (folder / "names.json").write_text(json.dumps([{"id": 5, "name": "lamp", "room": "hall"}]))
    lazy = oddfleet.scan(folder)
    whole = oddfleet.read(folder)
    assert isinstance(lazy, StoredFleet)
    assert differences(lazy.subset(np.arange(lazy.n_devices)), whole) == []
    assert lazy.names[lazy.device_ids.index(5)] == "lamp"
    assert lazy.attributes["room"][lazy.device_ids.index(5)] == "hall"
    assert oddfleet.find_oddities(lazy).ids == oddfleet.find_oddities(oddfleet.scan(stored)).ids


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("make", cases(FLEETS))
def test_a_compacted_fleet_is_the_same_in_parts(tmp_path: Path, make: Any) -> None:
    one = compacted(make(tmp_path / "data"), tmp_path / "one.parquet")
    source, whole = scan_source(one), oddfleet.read(one)
    assert isinstance(source, Stored)
    assert differences(source.fleet.subset(np.arange(source.fleet.n_devices)), whole) == []
    assert repr(oddfleet.find_oddities(source.fleet).findings) == repr(oddfleet.find_oddities(whole).findings)


@pytest.mark.usefixtures("small")
def test_days_without_end_in_one_device(tmp_path: Path) -> None:
    """A device with more rows than are read at a time is still read as a whole."""
    rows = table(plant.steady_fleet(3, 120, seed=1))
    again = pl.concat([rows.head(120)] * 60 + [rows.slice(120)])
    again.write_parquet(tmp_path / "x.parquet")
    source = scan_source(tmp_path / "x.parquet")
    assert isinstance(source, Stored)
    assert sum(span.devices for span in source.fleet.spans) == 3
    assert source.lines_read == 120 * 62
    whole = oddfleet.read(tmp_path / "x.parquet")
    assert differences(source.fleet.subset(np.arange(3)), whole) == []


# The command


def run_cli(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments), prog_name="oddfleet")


def run(data: Path, out: Path, *options: str) -> dict[str, Any]:
    done = run_cli("run", str(data), "--out", str(out), "--json", *options)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def rows_of(out: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(out / "my_sqlite.db")) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.usefixtures("small")
def test_with_and_without_sqlite_the_same_is_said(tmp_path: Path, stored: Path) -> None:
    with_rows, without = run(stored, tmp_path / "a"), run(stored, tmp_path / "b", "--store", "none")
    n_rows = pl.read_parquet(stored).height
    assert with_rows["data"]["rows_stored"] == without["data"]["rows_left"] == n_rows
    assert with_rows["data"]["rows_left"] == without["data"]["rows_stored"] == 0
    assert rows_of(tmp_path / "a", "SELECT count(*) FROM time_series") == [(n_rows,)]
    assert rows_of(tmp_path / "b", "SELECT count(*) FROM time_series") == [(0,)]
    for key in ("odd", "days", "findings", "notes", "alpha"):
        assert with_rows[key] == without[key]
    one, other = (document["answers"] for document in (with_rows, without))
    assert one["first_day"] == other["first_day"]
    assert one["first_day_total_mb"] == pytest.approx(other["first_day_total_mb"])
    assert [top["device_id"] for top in one["top_devices"]] == [top["device_id"] for top in other["top_devices"]]
    pictures = [sorted(file.name for file in (tmp_path / out / "plots").glob("*.png")) for out in "ab"]
    assert pictures[0] == pictures[1] == sorted(f"{one}.png" for one in with_rows["odd"])


@pytest.mark.usefixtures("small")
def test_rows_that_cannot_be_used_are_stored_either_way(tmp_path: Path) -> None:
    rows = table(sick())
    odd = pl.DataFrame({"date": [None, rows["date"][0]], "device_id": [1, 1], "value": [1.0, float("inf")]})
    pl.concat([rows.head(20), odd.cast(rows.schema), rows.slice(20)]).write_parquet(tmp_path / "x.parquet")
    for name, options in {"a": (), "b": ("--store", "none")}.items():
        health = run(tmp_path / "x.parquet", tmp_path / name, *options)["data"]
        assert health["lines_rejected"] == 2
        assert health["lines_read"] == rows.height + 2 == health["rows_stored"] + health["rows_left"] + 2
        lines = rows_of(tmp_path / name, "SELECT line, reason FROM rejected ORDER BY line")
        assert [line for line, _ in lines] == [21, 22]
        assert "value must be a number, got 'inf'" in lines[1][1]


def test_a_folder_of_device_files_without_sqlite(tmp_path: Path) -> None:
    plant.write_folder(plant.sample_fleet(), tmp_path / "data")
    with_rows, without = (
        run(tmp_path / "data", tmp_path / "a"),
        run(tmp_path / "data", tmp_path / "b", "--store", "none"),
    )
    assert with_rows["findings"] == without["findings"]
    assert rows_of(tmp_path / "b", "SELECT count(*) FROM time_series") == [(0,)]
    assert rows_of(tmp_path / "b", "SELECT count(*) FROM meta") == rows_of(tmp_path / "a", "SELECT count(*) FROM meta")
    assert without["answers"]["first_day_total_mb"] == pytest.approx(with_rows["answers"]["first_day_total_mb"])
    assert [top["name"] for top in without["answers"]["top_devices"]] == [
        top["name"] for top in with_rows["answers"]["top_devices"]
    ]


def test_the_terminal_says_that_rows_were_left(tmp_path: Path, stored: Path) -> None:
    done = run_cli("run", str(stored), "--out", str(tmp_path / "out"), "--store", "none")
    n_rows = pl.read_parquet(stored).height
    assert f"{n_rows:,} lines read, 0 stored, {n_rows:,} left where they are, 0 rejected" in done.stdout
    assert "my_sqlite.db (names and rejected lines, in SQLite; no rows)" in done.stdout


@pytest.mark.parametrize("store", ["", "postgres", "SQLITE"])
def test_an_unknown_store_is_an_error_that_names_the_stores(tmp_path: Path, stored: Path, store: str) -> None:
    done = run_cli("run", str(stored), "--out", str(tmp_path / "out"), "--store", store)
    assert done.exit_code == 1
    assert f"store: must be 'sqlite' or 'none', got {store!r}; leave it out to use 'sqlite'" in done.stderr


@pytest.mark.slow
def test_memory_hardly_grows_with_the_fleet(tmp_path: Path) -> None:
    """Ten thousand devices more, whose days alone are 29 MB, and which cost 500 MB when all was one matrix."""
    one = plant.healthy_fleet("weekly", 6000, 366, seed=1)
    peaks = []
    for copies in (1, 3):
        folder = tmp_path / str(copies)
        folder.mkdir()
        for part in range(copies):
            ids = tuple(10_000 * part + device for device in range(6000))
            # Other numbers, or all would be copies of each other.
            table(replace(one, device_ids=ids, values=one.values * (1 + part / 7))).write_parquet(
                folder / f"{part}.parquet"
            )
        peaks.append(peak(folder, tmp_path / "out"))
    assert peaks[1] - peaks[0] < 120 * MEGABYTE


# What cannot be gone through


@pytest.mark.parametrize(
    "column",
    [
        {"value": pl.Decimal(20, 6)},
        {"date": pl.String},
        {"device_id": pl.Float64},
    ],
)
def test_columns_of_other_types_are_read_as_a_whole(tmp_path: Path, column: Any) -> None:
    rows = table(plant.steady_fleet(4, 40, seed=1))
    rows.cast(column).write_parquet(tmp_path / "x.parquet")
    assert isinstance(scan_source(tmp_path / "x.parquet"), Source)
    assert oddfleet.scan(tmp_path / "x.parquet").n_devices == 4


def test_a_path_no_system_takes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="check the path"):
        oddfleet.scan(tmp_path / ("x" * 5000))


@pytest.mark.parametrize("files", ["of devices", "tables"])
def test_a_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: str) -> None:
    fleet = plant.steady_fleet(4, 40, seed=1)
    if files == "tables":
        table(fleet).write_parquet(tmp_path / "x.parquet")
    else:
        plant.write_folder(fleet, tmp_path)
    listed: list[Path] = []

    def entries_of(path: Path) -> Any:
        listed.append(path)
        return listing.entries_of(path)

    monkeypatch.setattr(folder, "entries_of", entries_of)
    assert oddfleet.scan(tmp_path).n_devices == 4
    assert listed == [tmp_path]


def test_a_table_by_day_is_read_as_a_whole_if_it_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(plant.steady_fleet(4, 40, seed=1)).sort("date", "device_id")
    rows.write_parquet(tmp_path / "x.parquet")
    monkeypatch.setattr(indexing, "ROWS_AT_ONCE", 50)
    assert isinstance(scan_source(tmp_path / "x.parquet"), Source)
    monkeypatch.setattr(scan, "MOST_ROWS", 100)
    with pytest.raises(
        InputError, match=r"x\.parquet: the rows of a device must stand together .* got 160 .*; write it"
    ):
        scan_source(tmp_path / "x.parquet")


@pytest.mark.parametrize("at_once", [1 << 21, 100])
def test_rows_by_day_or_apart_are_the_same_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(indexing, "ROWS_AT_ONCE", at_once)
    rows = table(plant.steady_fleet(4, 40, seed=1))
    apart = pl.concat([rows.head(5), rows.slice(40), rows.slice(5, 35)])
    for number, other in enumerate((rows.sort("date", "device_id"), apart, rows.sort("date", descending=True))):
        path = tmp_path / f"{number}.parquet"
        other.write_parquet(path)
        scanned = oddfleet.scan(path)
        assert differences(scanned.subset(np.arange(4)), oddfleet.read(path)) == []
        assert differences(scanned.subset(np.arange(4)), oddfleet.Fleet.from_long(rows)) == []


@pytest.mark.parametrize("name", ["fleet [1].parquet", "a*.parquet", "what?.parquet", "day=1.parquet"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    rows = table(plant.steady_fleet(4, 40, seed=1))
    for other in ("fleet 1.parquet", "ab.parquet", "whats.parquet"):
        rows.with_columns(pl.col("device_id") + 10).write_parquet(tmp_path / other)
    with (tmp_path / name).open("wb") as file:
        rows.write_parquet(file)
    assert oddfleet.scan(tmp_path / name).device_ids == oddfleet.read(tmp_path / name).device_ids == (1, 2, 3, 4)
    assert compacted(tmp_path / name, tmp_path / "one.parquet").exists()


def test_a_day_beyond_the_calendar_is_a_row_that_cannot_be_used(tmp_path: Path) -> None:
    rows = table(plant.steady_fleet(4, 40, seed=1))
    beyond = pl.Series("date", [2**31 - 1], pl.Int32).cast(pl.Date)
    odd = pl.DataFrame({"date": beyond, "device_id": [1], "value": [1.0]}, schema=rows.schema)
    pl.concat([rows, odd]).write_parquet(tmp_path / "x.parquet")
    source = scan_source(tmp_path / "x.parquet")
    assert source.lines_rejected == 1


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    rows = table(plant.steady_fleet(4, 40, seed=1)).head(150)
    rows.write_parquet(tmp_path / "x.parquet")
    source = scan_source(tmp_path / "x.parquet")
    assert isinstance(source, Stored)
    rows.with_columns(pl.col("value") + 1).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: must stay as it is while it is read"):
        source.fleet.subset(np.arange(4))
    (tmp_path / "x.parquet").unlink()
    with pytest.raises(InputError, match=r"x\.parquet: must stay as it is while it is read"):
        source.fleet.subset(np.arange(4))
