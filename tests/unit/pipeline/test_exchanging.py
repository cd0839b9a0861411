"""Files exchanged whole, whatever happens on the way; kills and full disks are in tests/functional."""

from __future__ import annotations

from pathlib import Path

import pytest

from oddfleet.errors import OutputError
from oddfleet.pipeline.exchanging import exchanged, sole_writer


def names(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a", tmp_path / "b"]
    for file in found:
        file.write_text("old", encoding="utf-8")
    return found


def test_both_are_exchanged(files: list[Path], tmp_path: Path) -> None:
    with exchanged(files) as parts:
        for part in parts:
            part.write_text("new", encoding="utf-8")
        assert {name: text for name, text in names(tmp_path).items() if name[0] != "."} == {"a": "old", "b": "old"}
    assert names(tmp_path) == {"a": "new", "b": "new"}


def test_what_was_not_written_is_removed(files: list[Path], tmp_path: Path) -> None:
    with exchanged(files) as (_, part):
        part.write_text("new", encoding="utf-8")
    assert names(tmp_path) == {"b": "new"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a bug")])
def test_whatever_is_raised_nothing_is_changed(files: list[Path], tmp_path: Path, error: BaseException) -> None:
    def work() -> None:
        with exchanged(files) as parts:
            parts[0].write_text("new", encoding="utf-8")
            raise error

    with pytest.raises(type(error)):
        work()
    assert names(tmp_path) == {"a": "old", "b": "old"}


def test_an_error_names_the_file_that_is_known(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, exchanged(files) as (_, part):
        raise OutputError(f"{part}: a new file is to be written, got 'x'; choose another")
    assert str(caught.value) == f"{files[1]}: a new file is to be written, got 'x'; choose another"
    with pytest.raises(OutputError) as caught, exchanged(files) as (_, part):
        raise OSError(28, "No space left on device", str(part))
    assert str(caught.value) == (
        f"{files[1]}: must be writable, got 'No space left on device'; choose another place or free some room"
    )
    assert names(tmp_path) == {"a": "old", "b": "old"}


def test_what_a_killed_one_left_is_removed_and_nothing_else(files: list[Path], tmp_path: Path) -> None:
    for name in (".a.0123abcd.part", ".b.0123abcd.part", ".c.0123abcd.part", "a.part", ".[ab].x.part"):
        (tmp_path / name).write_text("", encoding="utf-8")
    with sole_writer(files):
        assert set(names(tmp_path)) == {"a", "b", ".c.0123abcd.part", "a.part", ".[ab].x.part"}
    with sole_writer([tmp_path / "[ab]"]):
        assert set(names(tmp_path)) == {"a", "b", ".c.0123abcd.part", "a.part"}


def test_one_at_a_time(files: list[Path]) -> None:
    with sole_writer(files), pytest.raises(OutputError, match="another run is writing here"), sole_writer(files):
        pytest.fail("two at a time")


def test_a_folder_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("oddfleet.pipeline.exchanging.locked", refuse)
    with (
        pytest.raises(OutputError, match=r"x: must be writable, got 'Permission denied'"),
        sole_writer([tmp_path / "x"]),
    ):
        pytest.fail("it cannot be opened")
