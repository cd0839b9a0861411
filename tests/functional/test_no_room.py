"""A full disk, a closed folder, a bug: one line, exit code 1, and the last good outputs as they were."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.outputs import COMMAND, Ended, Home, break_at, broken, contents, job, moments, oddfleet, one_line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and /proc")
SIZES = (0, 8_000, 40_000, 100_000)
"""Bytes a file may have: nothing can be written, not the report, not the database, not a picture."""

LIKE_ANYONE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Takes from root the right to write what is read-only."""


def check_untouched(home: Home, runs: dict[int, tuple[Path, Ended]]) -> None:
    """All is as it was, and one line says where and what to do."""
    before = contents(home.template)
    for out, ended in runs.values():
        assert (ended.status, ended.stdout, one_line(ended.stderr)) == (1, "", True), ended.stderr
        assert ended.stderr.startswith(f"oddfleet: {out}")
        assert contents(out) == before


def test_no_file_may_grow_so_large(home: Home, tmp_path: Path) -> None:
    check_untouched(home, break_at(home, "limit", tmp_path, list(SIZES)))


def test_the_disk_is_full_before_publishing(home: Home, changes: list[str], tmp_path: Path) -> None:
    first = changes.index("os.rename") + 1
    check_untouched(home, break_at(home, "full", tmp_path, list(range(1, first, 2))))


def test_the_disk_is_full_while_publishing(home: Home, changes: list[str], tmp_path: Path) -> None:
    renames = moments(changes, 0)
    places = [at for at in range(renames[0], renames[-1]) if changes[at - 1] not in {"os.rename", "os.remove"}]
    check_untouched(home, break_at(home, "full", tmp_path, places[::2]))


def test_an_output_cannot_be_replaced(home: Home, changes: list[str], tmp_path: Path) -> None:
    check_untouched(home, break_at(home, "refuse", tmp_path, moments(changes, 0)))


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere")
def test_a_folder_that_is_not_writable(home: Home, tmp_path: Path) -> None:
    (out,) = home.copies(tmp_path, ["out"])
    folders = [out, *(path for path in out.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        check_untouched(
            home, {0: (out, oddfleet(home, "after", out, through=LIKE_ANYONE if os.geteuid() == 0 else ()))}
        )
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_folder_that_cannot_be_made(home: Home) -> None:
    ended = oddfleet(home, "after", Path("/proc/self/results"))
    assert (ended.status, ended.stdout, one_line(ended.stderr)) == (1, "", True)
    assert "/proc/self/results: " in ended.stderr


@pytest.mark.parametrize("name", ["", "plots"])
def test_a_file_is_in_the_way_of_a_folder(home: Home, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("mine", encoding="utf-8")
    (ended,) = broken([job(home, "none", out)])
    assert (ended.status, ended.stdout, one_line(ended.stderr)) == (1, "", True)
    assert f"{out / name}: " in ended.stderr
    assert contents(tmp_path).keys() == {"out", str(Path("out", name))}
    assert (out / name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["my_sqlite.db", "report.html"])
def test_a_folder_is_in_the_way_of_a_file(home: Home, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    (out / name).mkdir(parents=True)
    (ended,) = broken([job(home, "none", out)])
    assert (ended.status, ended.stdout, one_line(ended.stderr)) == (1, "", True)
    assert f"{out / name}: " in ended.stderr
    assert contents(out).keys() == {name}


@pytest.mark.parametrize("option", ["--alpha=0.01", "--json"])
def test_what_is_printed_goes_to_a_full_disk(home: Home, tmp_path: Path, option: str) -> None:
    command = [COMMAND, "run", str(home.path / "after"), "--out", str(tmp_path), option]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert one_line(done.stderr), done.stderr[-300:]


def test_what_is_printed_goes_to_a_program_that_has_left(home: Home, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [COMMAND, "run", str(home.path / "after"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, one_line(done.stderr)) == (1, True), done.stderr[-300:]
    assert done.stderr.startswith("oddfleet: stdout: must take what is printed, got 'Broken pipe'; ")
    assert home.whose(tmp_path / "out") == "new"


def test_a_bug_is_one_line(home: Home, tmp_path: Path) -> None:
    (ended,) = broken([job(home, "bug", tmp_path / "out")])
    assert one_line(ended.stderr), ended.stderr[-300:]
    assert ended.status == 1
    assert "--debug" in ended.stderr
