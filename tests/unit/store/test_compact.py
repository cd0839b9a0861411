"""The Parquet file of a fleet, and the list of what could not be used."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from oddfleet.errors import OutputError
from oddfleet.model import DataIssue
from oddfleet.store import compact, is_rejected_file, write_parquet, write_rejected

FIRST, SECOND = date(2020, 1, 1), date(2020, 1, 2)
ROWS = pl.DataFrame(
    {"date": [SECOND, FIRST, FIRST, FIRST], "device_id": [10, 10, 9, 10], "value": [1.0, 3.0, None, 2.0]}
)
INVALID = pl.DataFrame({"date": [FIRST], "device_id": [9]})
META = pl.DataFrame({"id": [9], "name": ["a"]})


def test_by_device_then_day_then_as_they_came(tmp_path: Path) -> None:
    write_parquet(tmp_path / "x", ROWS, INVALID, META, [4])
    assert pl.read_parquet(tmp_path / "x").rows() == [
        (FIRST, 9, None), (FIRST, 9, None), (FIRST, 10, 3.0), (FIRST, 10, 2.0), (SECOND, 10, 1.0)
    ]  # fmt: skip
    assert pl.read_parquet_metadata(tmp_path / "x")["oddfleet"] == (
        '{"schema":1,"meta":[{"id":9,"name":"a"}],"silent":[4]}'
    )


def test_the_bytes_do_not_depend_on_how_the_rows_lie_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "ROWS_A_GROUP", 2)
    write_parquet(tmp_path / "one", ROWS, INVALID, META, [])
    parts = pl.concat([ROWS[:1], ROWS[1:3], ROWS[3:]], rechunk=False)
    write_parquet(tmp_path / "two", parts, INVALID, META, [])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(OutputError, match=r"x: a new Parquet file is to be written, got 'File exists'; choose"):
        write_parquet(tmp_path / "x", ROWS, INVALID, META, [])
    assert (tmp_path / "x").stat().st_size == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda _, mode: open("/dev/full", mode.replace("x", "w")))  # noqa: PTH123, SIM115
    with pytest.raises(OutputError, match="No space left on device"):
        write_parquet(tmp_path / "x", ROWS, INVALID, META, [])


def test_what_could_not_be_used(tmp_path: Path) -> None:
    write_rejected(tmp_path / "x", [DataIssue("a,b.csv", 7, 'say "x"', "it must\r be"), DataIssue("c", 0, "", "é")])
    text = (tmp_path / "x").read_bytes().decode()
    assert text == 'file,line,text,reason\n"a,b.csv",7,"say ""x""","it must\r be"\nc,0,"",é\n'


def test_whose_list_it_is(tmp_path: Path) -> None:
    write_rejected(tmp_path / "ours", [])
    (tmp_path / "own").write_text("file,line,text,reason,mine\n", encoding="utf-8")
    assert is_rejected_file(tmp_path / "ours")
    assert not is_rejected_file(tmp_path / "own")
    assert not is_rejected_file(tmp_path)
