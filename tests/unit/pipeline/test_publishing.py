"""The place of results where file systems, users and other programs have been at it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oddfleet import OutputError
from oddfleet.pipeline.publishing import new_run

if sys.platform == "win32":
    pytest.skip("results are links, and folders locked, only elsewhere", allow_module_level=True)
import fcntl

FILES = ("my_sqlite.db", "oddities.json", "findings.json", "report.html")


def publish(out: Path, word: str, *pictures: str) -> None:
    """A run whose results all hold one word."""
    with new_run(out) as run:
        (run / "plots").mkdir()
        for name in (*FILES, *(f"plots/{picture}" for picture in pictures)):
            (run / name).write_text(word, encoding="utf-8")


def shown(out: Path) -> dict[str, str]:
    """What a user reads in the folder, lists of pictures and hidden folders apart."""
    paths = [path for path in (*out.iterdir(), *(out / "plots").rglob("*")) if path.name != ".oddfleet"]
    return {str(path.relative_to(out)): path.read_text(encoding="utf-8") for path in paths if path.is_file()}


def results(word: str, *pictures: str) -> dict[str, str]:
    return dict.fromkeys((*FILES, *(f"plots/{picture}" for picture in pictures)), word)


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def runs(out: Path) -> list[str]:
    return sorted(path.name for path in (out / ".oddfleet").iterdir())


def test_results_are_links_that_stay_valid_when_the_folder_is_moved_or_copied(tmp_path: Path) -> None:
    publish(tmp_path / "out", "one", "3.png")
    (tmp_path / "out").rename(tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", tmp_path / "copied", symlinks=True)
    for out in (tmp_path / "moved", tmp_path / "copied"):
        assert shown(out) == results("one", "3.png")
        publish(out, "two", "4.png")
        assert shown(out) == results("two", "4.png")
        assert len(runs(out)) == 2


def test_a_copy_that_followed_the_links_is_taken_over(tmp_path: Path) -> None:
    publish(tmp_path / "out", "one", "3.png")
    copy = shutil.copytree(tmp_path / "out", tmp_path / "copy")
    assert not (copy / ".oddfleet" / "now").is_symlink()
    publish(copy, "two", "4.png")
    assert shown(copy) == results("two", "4.png")
    assert len(runs(copy)) == 2


def test_a_link_that_was_removed_or_replaced_is_made_anew(tmp_path: Path) -> None:
    publish(tmp_path, "one", "3.png")
    (tmp_path / "report.html").unlink()
    (tmp_path / "oddities.json").unlink()
    (tmp_path / "oddities.json").write_text("edited", encoding="utf-8")
    (tmp_path / "plots").unlink()
    publish(tmp_path, "two", "4.png")
    assert shown(tmp_path) == results("two", "4.png")
    assert (tmp_path / "oddities.json").is_symlink()


@pytest.mark.parametrize(("plain", "renames"), [(False, 1), (True, 7)], ids=["links", "plain files"])
def test_the_results_of_the_last_run_stay_when_a_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: bool, renames: int
) -> None:
    publish(tmp_path / "made", "one", "3.png")
    (tmp_path / "made" / "plots" / "mine.txt").write_text("mine", encoding="utf-8")
    mine, replace = {"plots/mine.txt": "mine"}, Path.replace
    for nth in range(1, renames + 1):
        out = shutil.copytree(tmp_path / "made", tmp_path / str(nth), symlinks=not plain)
        left = [nth]

        def fail(self: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] == 0:
                refusing(errno.EACCES)()
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", fail)
            with pytest.raises(OutputError, match="results must be writable here, got 'Permission denied'"):
                publish(out, "two", "4.png")
        assert shown(out) == results("one", "3.png") | mine
        publish(out, "two", "4.png")
        assert shown(out) == results("two", "4.png") | mine
    assert left == [0]


def test_without_symbolic_links_files_are_replaced_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "symlink", refusing(errno.EPERM))
    publish(tmp_path, "one", "3.png", "4.png")
    (tmp_path / "plots" / "mine.png").write_text("mine", encoding="utf-8")
    (tmp_path / "my_sqlite.db-wal").write_text("of the old database", encoding="utf-8")
    publish(tmp_path, "two", "4.png")
    assert shown(tmp_path) == results("two", "4.png") | {"plots/mine.png": "mine"}
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "plots"}
    monkeypatch.undo()
    publish(tmp_path, "three", "5.png")
    assert shown(tmp_path) == results("three", "5.png") | {"plots/mine.png": "mine"}
    monkeypatch.setattr(os, "symlink", refusing(errno.EPERM))
    publish(tmp_path, "four", "6.png")
    assert shown(tmp_path) == results("four", "6.png") | {"plots/mine.png": "mine"}


def test_no_room_for_a_link_is_no_lack_of_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "symlink", refusing(errno.ENOSPC))
    with pytest.raises(OutputError, match="No space left on device"):
        publish(tmp_path / "out", "one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hard", [True, False], ids=["hard links", "copies"])
def test_a_users_files_beside_the_pictures_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard: bool
) -> None:
    publish(tmp_path, "one", "3.png")
    own = tmp_path / "plots" / "closed" / "deep"
    own.mkdir(parents=True)
    own.parent.chmod(0o500)
    (own / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "plots" / "latest.png").symlink_to("3.png")
    if not hard:
        monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    for word, picture in (("two", "3.png"), ("three", "4.png")):
        publish(tmp_path, word, picture)
    assert (tmp_path / "plots" / "closed" / "deep" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "plots" / "closed").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "plots" / "latest.png").readlink() == Path("3.png")
    assert len(runs(tmp_path)) == 2


def test_a_file_that_a_user_puts_there_during_a_run_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "one", "3.png")
    replace = Path.replace

    def late(self: Path, target: Path) -> Path:
        (tmp_path / "plots" / "late.txt").write_text("mine", encoding="utf-8")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", late)
    publish(tmp_path, "two", "4.png")
    assert shown(tmp_path) == results("two", "4.png") | {"plots/late.txt": "mine"}


def test_a_users_folder_with_the_name_of_a_picture_is_in_the_way(tmp_path: Path) -> None:
    publish(tmp_path, "one", "3.png")
    (tmp_path / "plots" / "4.png").mkdir()
    (tmp_path / "plots" / "4.png" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"plots/4\.png: results must be writable here, got 'File exists'"):
        publish(tmp_path, "two", "4.png")
    assert (tmp_path / "plots" / "4.png" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert shown(tmp_path)["oddities.json"] == "one"


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def fail(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            refusing(errno.EINVAL)()
        sync(file)

    monkeypatch.setattr(os, "fsync", fail)
    publish(tmp_path, "one", "3.png")
    assert shown(tmp_path) == results("one", "3.png")


def test_a_file_that_cannot_be_synced_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    with pytest.raises(OutputError, match="Input/output error"):
        publish(tmp_path / "out", "one")
    assert list(tmp_path.iterdir()) == []


def test_a_thread_publishes_too(tmp_path: Path) -> None:
    thread = threading.Thread(target=publish, args=(tmp_path, "one"))
    thread.start()
    thread.join()
    assert shown(tmp_path) == results("one")


def test_one_run_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OutputError) as error, new_run(out):
        publish(out, "two")
    assert str(error.value) == (
        f"{out}: another run is writing here, and only one at a time can; wait for it or choose another folder"
    )
    publish(out, "three")
    assert shown(out) == results("three")


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_lock_on_a_folder_that_is_gone_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_anew: bool
) -> None:
    lock = fcntl.flock

    def late(file: int, how: int) -> None:
        tmp_path.joinpath("out").rmdir()
        if made_anew:
            tmp_path.joinpath("out").mkdir()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(OutputError, match="another run is writing here"):
        publish(tmp_path / "out", "one")
    assert list(tmp_path.rglob("*")) == ([tmp_path / "out"] if made_anew else [])


def test_where_there_are_no_locks_a_run_goes_on_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    publish(tmp_path, "one")
    assert shown(tmp_path) == results("one")
