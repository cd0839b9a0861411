"""``oddfleet compact``: one Parquet file that is read again as the same fleet, written whole or not at all."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import oddfleet
from oddfleet import cli
from oddfleet.ingest import read_source
from tests.functional.fleets import FLEETS, add, differences, names_and_attributes, steady, unlike_lines, without, words
from tests.functional.inputs import cases
from tests.functional.outputs import COMMAND, Ended, Home, broken, contents, one_line


def compact(data: Path, file: Path, *options: str) -> tuple[int, str, str]:
    arguments = ["compact", str(data), str(file), *options]
    done = CliRunner().invoke(cli.app, arguments, prog_name="oddfleet")
    return done.exit_code, done.stdout, done.stderr


def compacted(data: Path, file: Path) -> Path:
    code, _, said = compact(data, file, "--quiet")
    assert (code, said) == (0, "")
    return file


# The same fleet


def check_same(data: Path, folder: Path) -> None:
    """The same fleet in every part, the same decision, and once compact the same bytes again."""
    folder.mkdir()
    one, again = compacted(data, folder / "one.parquet"), folder / "again.parquet"
    before, after = oddfleet.read(data), oddfleet.read(one)
    assert differences(before, after) == []
    found, found_again = oddfleet.find_oddities(before), oddfleet.find_oddities(after)
    assert found.ids == found_again.ids
    assert repr(found.findings) == repr(found_again.findings)
    assert compacted(one, again).read_bytes() == one.read_bytes()
    assert [issue for issue in read_source(one).issues if issue.line] == []


@pytest.mark.parametrize("make", cases(FLEETS))
def test_the_same_fleet_is_read_again(tmp_path: Path, make: Any) -> None:
    check_same(make(tmp_path / "data"), tmp_path / "out")


def test_the_same_fleet_is_read_again_of_the_real_data(real_data: Path, tmp_path: Path) -> None:
    check_same(real_data, tmp_path / "out")


@pytest.mark.parametrize("part", list(oddfleet.Fleet.__dataclass_fields__))
def test_a_fleet_that_is_not_the_same_is_seen(tmp_path: Path, part: str) -> None:
    fleet = oddfleet.read(names_and_attributes(tmp_path / "data"))
    assert differences(fleet, without(fleet, part)) == [part]


def test_a_run_on_the_file_says_the_same(tmp_path: Path) -> None:
    data = unlike_lines(tmp_path / "data")
    outs = []
    for source in (data, compacted(data, tmp_path / "fleet.parquet")):
        outs.append(tmp_path / f"out-{source.suffix}")
        done = CliRunner().invoke(cli.app, ["run", str(source), "--out", str(outs[-1]), "--cohorts", "none"])
        assert done.exit_code == 0
    documents = [json.loads((out / "findings.json").read_text(encoding="utf-8")) for out in outs]
    data_said = [document.pop("data") for document in documents]
    assert documents[0] == documents[1]
    assert data_said[0]["lines_rejected"] > data_said[1]["lines_rejected"] == 0


def test_names_for_another_fleet_are_still_told(tmp_path: Path) -> None:
    (steady(tmp_path / "data") / "device_meta.txt").write_text('[{"id": 88, "name": "b"}]', encoding="utf-8")
    source = read_source(compacted(tmp_path / "data", tmp_path / "x.parquet"))
    assert [issue.reason for issue in source.unread] == [
        "1 of its entries cannot be used; the first: an id must be that of a file, got none that is"
    ]


# The file


def test_columns_and_order(tmp_path: Path) -> None:
    frame = pl.read_parquet(compacted(unlike_lines(tmp_path / "data"), tmp_path / "x.parquet"))
    assert frame.schema == {"date": pl.Date(), "device_id": pl.Int64(), "value": pl.Float64()}
    assert frame.equals(frame.sort("device_id", "date", maintain_order=True))
    fourth = frame.filter(device_id=4, date=pl.date(2020, 1, 3))["value"].to_list()
    assert fourth[1:] == [7, None, None]
    assert frame.filter(device_id=4, date=pl.date(2020, 2, 20))["value"].to_list() == [None, 0, -17.25]


def test_words_are_in_the_order_of_the_fleet(tmp_path: Path) -> None:
    file = compacted(words(tmp_path / "data"), tmp_path / "x.parquet")
    frame = pl.read_parquet(file)
    assert frame.schema["device_id"] == pl.String
    present = frame["device_id"].unique(maintain_order=True).to_list()
    assert present == [device for device in oddfleet.read(file).device_ids if device != "silent"]
    assert present[:3] == ["1", "10", "2"]


def test_names_are_in_the_metadata(tmp_path: Path) -> None:
    file = compacted(names_and_attributes(tmp_path / "data"), tmp_path / "x.parquet")
    roster = json.loads(pl.read_parquet_metadata(file)["oddfleet"])
    assert roster["silent"] == [6, 7]
    assert roster["meta"][0] == {
        "id": 3, "name": "lobby_lamp 💡", "room": 'hall, "left"', "floor": "2", "nothing": None, "site": None,
    }  # fmt: skip
    assert [entry["id"] for entry in roster["meta"]] == [3, 1, 4, 6, 99]


# What is said


def test_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    said = f"Data: 200 lines read, 200 rows written, 0 rejected; 5 devices\nWritten: {file} (every row and name, to be "
    assert compact(steady(tmp_path / "data"), file) == (0, "", f"{said}read again as the same fleet)\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "x.parquet"]


def test_what_cannot_be_used_is_told_and_kept(tmp_path: Path) -> None:
    data, file, rejected = tmp_path / "data", tmp_path / "x.y.parquet", tmp_path / "x.y.rejected.csv"
    add(steady(data), "iot_4.csv", "2020-01-03,x", 'no, "day"', "2020-01-04,1,5")
    add(data, "readings.csv", "nonsense")
    code, out, said = compact(data, file)
    assert (code, out) == (0, "")
    assert said.splitlines() == [
        "Data: 204 lines read, 202 rows written, 4 rejected (2 of them kept as rows without a value); 5 devices",
        f"First rejected: {data / 'iot_4.csv'}:42: traffic must be a number, got 'x'",
        f"Not read: {data / 'readings.csv'}:1: the file name must be iot_<id>.csv or end in the id, got 'readings.csv'",
        f"Written: {file} (every row and name, to be read again as the same fleet)",
        f"Written: {rejected} (what could not be used, and why)",
    ]
    with rejected.open(encoding="utf-8", newline="") as lines:
        kept = [tuple(line) for line in csv.reader(lines)]
    issues = read_source(data).issues
    assert kept[0] == ("file", "line", "text", "reason")
    assert kept[1:] == [(issue.file, str(issue.line), issue.text, issue.reason) for issue in issues]
    assert len(kept) == 5


def test_as_json(tmp_path: Path) -> None:
    data, file = steady(tmp_path / "data"), tmp_path / "x.parquet"
    code, out, said = compact(add(data, "iot_4.csv", "2020-01-03,x"), file, "--json")
    assert (code, said) == (0, "")
    assert json.loads(out) == {
        "schema": 1,
        "compact": {
            "file": str(file),
            "lines_read": 201,
            "rows_written": 201,
            "lines_rejected": 1,
            "rows_without_number": 1,
            "devices": 5,
            "first_rejected": f"{data / 'iot_4.csv'}:42: traffic must be a number, got 'x'",
            "rejected": str(tmp_path / "x.rejected.csv"),
            "unread": [],
        },
    }


def test_a_list_of_rejected_lines_that_is_no_longer_true_is_removed(tmp_path: Path) -> None:
    data, file = steady(tmp_path / "data"), tmp_path / "x.parquet"
    good = (data / "iot_4.csv").read_bytes()
    compacted(add(data, "iot_4.csv", "2020-01-03,x"), file)
    assert (tmp_path / "x.rejected.csv").is_file()
    (data / "iot_4.csv").write_bytes(good)
    compacted(data, file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "x.parquet"]


# What is refused


def check_refused(data: Path, file: Path, place: Path, what: str) -> None:
    before = contents(file.parent) if file.parent.is_dir() else {}
    code, out, said = compact(data, file)
    assert (code, out, one_line(said)) == (1, "", True)
    assert said.startswith(f"oddfleet: {place}: ")
    assert what in said
    assert (contents(file.parent) if file.parent.is_dir() else {}) == before
    code, out, said = compact(data, file, "--json")
    assert (code, said) == (1, "")
    assert what in json.loads(out)["error"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("fleet.csv", "a name that ends in .parquet is needed, got 'fleet.csv'"),
        ("nowhere/fleet.parquet", "a folder that exists is needed, got "),
        ("folder.parquet", "a file is to be written here, got something else"),
        ("data/fleet.parquet", "a place outside of "),
        ("data/deep/fleet.parquet", "a place outside of "),
        ("link/fleet.parquet", "a place outside of "),
    ],
)
def test_a_place_that_will_not_do(tmp_path: Path, name: str, what: str) -> None:
    (steady(tmp_path / "data") / "deep").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "link").symlink_to("data")
    check_refused(tmp_path / "data", tmp_path / name, tmp_path / name, what)


def test_the_data_itself_is_left_alone(tmp_path: Path) -> None:
    data = compacted(steady(tmp_path / "data"), tmp_path / "x.parquet")
    (tmp_path / "link.parquet").symlink_to("x.parquet")
    for file in (data, tmp_path / "link.parquet"):
        check_refused(data, file, file, "got the data itself")


def test_a_users_own_list_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "x.rejected.csv"
    own.write_text("mine", encoding="utf-8")
    check_refused(steady(tmp_path / "data"), tmp_path / "x.parquet", own, "got something else")
    own.unlink()
    own.mkdir()
    check_refused(tmp_path / "data", tmp_path / "x.parquet", own, "got something else")


def test_a_place_that_may_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    steady(tmp_path / "data")
    monkeypatch.setattr(Path, "is_file", refuse)
    (tmp_path / "x.parquet").touch()
    code, _, said = compact(tmp_path / "data", tmp_path / "x.parquet")
    assert (code, one_line(said)) == (1, True)
    assert said.startswith(f"oddfleet: {tmp_path / 'x.parquet'}: must be writable, got 'Permission denied'; ")


def test_no_data(tmp_path: Path) -> None:
    code, out, said = compact(tmp_path / "none", tmp_path / "x.parquet")
    assert (code, out, one_line(said)) == (1, "", True)
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "x.parquet").symlink_to(Path("far", "away.parquet"))
    compacted(steady(tmp_path / "data"), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").is_symlink()
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["away.parquet"]


# All or nothing

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and /proc")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file, and the list beside it, of a fleet before the one that is compacted over it."""
    home = tmp_path_factory.mktemp("old")
    data = add(steady(home / "before"), "iot_1.csv", "2020-01-01,x")
    (home / "out").mkdir()
    compacted(data, home / "out" / "x.parquet")
    unlike_lines(home / "after")
    return home


def break_off(old: Path, mode: str, out: Path, at: int) -> Ended:
    shutil.copytree(old / "out", out)
    arguments = ["compact", str(old / "after"), str(out / "x.parquet")]
    return broken([{"mode": mode, "at": at, "arguments": arguments, "out": str(out)}])[0]


@LINUX
def test_broken_off_at_every_change(home: Home, old: Path, tmp_path: Path) -> None:
    whole = break_off(old, "none", tmp_path / "none", 0)
    assert whole.status == 0
    first, last = contents(old / "out"), contents(tmp_path / "none")
    assert first.keys() == last.keys() == {"x.parquet", "x.rejected.csv"}
    assert {(tmp_path / "none" / name).stat().st_ino for name in last} <= whole.synced
    assert whole.changes.count("os.rename") == 2
    for mode, code in (("full", 1), ("refuse", 1), ("interrupt", 130), ("kill", -9)):
        for at in range(1, len(whole.changes) + 1):
            out = tmp_path / f"{mode}-{at}"
            ended = break_off(old, mode, out, at)
            left = {name: content for name, content in contents(out).items() if mode != "kill" or name in first}
            assert left.keys() == first.keys(), f"{mode} {at}: {left}"
            assert left["x.parquet"] in {first["x.parquet"], last["x.parquet"]}, f"{mode} {at}"
            assert ended.status in {code, 0}, f"{mode} {at}: {ended}"
            if ended.status == 0:
                assert left == last
            elif mode != "kill":
                assert left["x.parquet"] == first["x.parquet"]
                assert ended.stderr.startswith(
                    "oddfleet: cancelled; " if mode == "interrupt" else f"oddfleet: {out}/x."
                )
                assert (ended.stderr.count("\n"), ".part" in ended.stderr) == (1, False)
            assert compacted(old / "after", out / "x.parquet").is_file()
            assert contents(out) == last, f"after {mode} {at}"


@LINUX
@pytest.mark.parametrize("size", [0, 100, 1500])
def test_no_file_may_grow_so_large(home: Home, old: Path, tmp_path: Path, size: int) -> None:
    ended = break_off(old, "limit", tmp_path / "out", size)
    assert (ended.status, ended.stdout, one_line(ended.stderr)) == (1, "", True)
    assert ended.stderr.startswith(f"oddfleet: {tmp_path / 'out' / 'x.'}")
    assert "File too large" in ended.stderr
    assert contents(tmp_path / "out") == contents(old / "out")


@LINUX
def test_one_at_a_time(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    with oddfleet.pipeline.exchanging.sole_writer([out]):
        done = subprocess.run(
            [COMMAND, "compact", str(old / "after"), str(out)], capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, one_line(done.stderr)) == (1, True)
    assert "another run is writing here" in done.stderr
    assert list(tmp_path.iterdir()) == []
