"""Data that is not there or cannot be read: one line with place and remedy, and no file lost without a word."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.inputs import Run, cases


def _broken(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(home: Path) -> Path:
        (home / name).write_bytes(content)
        return home / name

    return make


def _folder(*names: str) -> Callable[[Path], Path]:
    def make(home: Path) -> Path:
        (home / "fleet").mkdir()
        for name in names:
            (home / "fleet" / name).write_text("[]")
        return home / "fleet"

    return make


def _dangling(home: Path) -> Path:
    (home / "fleet").symlink_to("gone")
    return home / "fleet"


USELESS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda home: home / "fleet",
    "this folder": lambda home: Path(),
    "dangling link": _dangling,
    "empty folder": _folder(),
    "only a meta file": _folder("device_meta.txt"),
    "only files of other kinds": _folder("a.pdf", "b.xlsx"),
    "only empty files": _folder("iot_1.csv", "iot_2.csv"),
    "control characters": _folder("\x1b[31m.csv"),
    "another kind": _broken("fleet.pdf", b"%PDF-1.7"),
    "no ending": _broken("fleet", b"date,device_id,value\n"),
    "empty table": _broken("fleet.csv", b""),
    "table of a header": _broken("fleet.csv", b"date,device_id,value\n"),
    "another table": _broken("fleet.csv", b"a,b\n1,2\n"),
    "binary table": _broken("fleet.csv", bytes(range(256)) * 4),
    "broken parquet": _broken("fleet.parquet", b"PAR1 and no more"),
    "broken zip": _broken("fleet.zip", b"PK\x03\x04 and no more"),
    "broken gzip": _broken("fleet.csv.gz", b"\x1f\x8b and no more"),
}


@pytest.mark.parametrize("make", cases(USELESS))
def test_nothing_to_read_is_an_error_in_one_line(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = make(tmp_path)
    done = run(path)
    done.check_error(str(path))
    assert "\x1b" not in done.stderr
    assert not done.out.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("what", ["folder", "table"])
def test_data_that_may_not_be_read_is_an_error(data: Path, run: Run, what: str) -> None:
    path = data if what == "folder" else data / "iot_4.csv"
    path.chmod(0)
    try:
        run(path).check_error(str(path))
    finally:
        path.chmod(0o700)


def _locked(file: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("root may read everything")
    file.chmod(0)


def _gone(file: Path) -> None:
    file.unlink()
    file.symlink_to("gone")


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _cut_gzip(file: Path) -> None:
    content = gzip.compress(file.read_bytes())
    file.unlink()
    file.with_suffix(".csv.gz").write_bytes(content[: len(content) // 2])


UNREADABLE = {"locked": _locked, "dangling link": _gone, "a folder": _a_folder, "gzip cut short": _cut_gzip}


@pytest.mark.parametrize("spoil", cases(UNREADABLE))
def test_a_device_file_that_cannot_be_read_is_named(data: Path, run: Run, spoil: Callable[[Path], None]) -> None:
    spoil(data / "iot_4.csv")
    done = run(data)
    if done.code:
        done.check_error("iot_4.csv")
    else:
        assert done.rejected("iot_4.csv")


@pytest.mark.parametrize("spoil", cases(UNREADABLE))
def test_the_terminal_says_that_a_file_could_not_be_read(data: Path, run: Run, spoil: Callable[[Path], None]) -> None:
    spoil(data / "iot_4.csv")
    done = run(data)
    told = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("Written: ")]
    assert any("file" in line or "iot_4.csv" in line for line in told)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_among_the_files_is_no_trap(data: Path, tmp_path: Path) -> None:
    os.mkfifo(data / "iot_9.csv")
    code = "from oddfleet.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, "run", data, "--out", tmp_path / "out"], check=True, timeout=60)
