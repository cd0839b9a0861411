"""Folders as people leave them: which file is of which device, what is passed over, sub-folders and zips."""

from __future__ import annotations

import gzip
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.functional.inputs import OTHERS, Lines, Run, cases, expected, text

# Which device a file is of.

NAMES = ("iot_4.csv", "IOT_4.CSV", "iot_0004.csv", "iot-4.csv", "device-0004.csv", "device_4.csv", "4.csv", "0004.csv")
OF_DEVICE_4 = {name: name for name in NAMES}


@pytest.mark.parametrize("name", cases(OF_DEVICE_4))
def test_the_id_in_a_file_name(data: Path, lines: Lines, run: Run, name: str) -> None:
    (data / "iot_4.csv").rename(data / name)
    run(data).check_whole(lines)


@pytest.mark.parametrize("form", ["{}.csv", "device-{:04}.csv"])
def test_a_whole_folder_of_other_names(data: Path, lines: Lines, run: Run, form: str) -> None:
    for device in range(1, OTHERS + 2):
        (data / f"iot_{device}.csv").rename(data / form.format(device))
    run(data).check_whole(lines)


TWINS = {name: name for name in ("iot_04.csv", "device-4.csv", "4.csv", "iot_4.csv.gz")}


@pytest.mark.parametrize("name", cases(TWINS))
def test_of_two_files_of_a_device_one_is_rejected_whole(data: Path, lines: Lines, run: Run, name: str) -> None:
    content = text(lines).encode()
    (data / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    done = run(data)
    done.check_lines(2 * len(lines))
    assert done.rows() == expected(lines)
    assert {line for line, _, _ in done.rejected()} == set(range(2, len(lines) + 2))
    assert all(re.search(r"second|twice|one file|same device", reason) for _, _, reason in done.rejected())


@pytest.mark.parametrize("name", ["traffic.csv", "export.csv", "iot_.csv", "notes (final).csv"])
def test_a_file_without_an_id_is_named_and_counted(data: Path, lines: Lines, run: Run, name: str) -> None:
    (data / name).write_text(text(lines))
    done = run(data)
    done.check_lines(2 * len(lines))
    assert done.rows() == expected(lines)
    assert len(done.rejected(name)) == len(lines)
    assert all("name" in reason for _, _, reason in done.rejected(name))


# What is passed over, and what is not.

ENDINGS = {name: name for name in ("iot_4.txt", "iot_4.tsv", "iot_4", "iot_4.xlsx", "iot_4.csv.bz2")}


@pytest.mark.parametrize("name", cases(ENDINGS))
def test_a_device_file_of_another_ending_is_read_or_named(data: Path, lines: Lines, run: Run, name: str) -> None:
    (data / "iot_4.csv").rename(data / name)
    done = run(data)
    done.check_done()
    assert done.rows() == expected(lines) or done.rejected(name)


LITTER = (
    ".iot_4.csv", ".iot_4.csv.swp", "._iot_4.csv", ".#iot_4.csv", ".~lock.iot_4.csv#", "#iot_4.csv#", "iot_4.csv~",
    "~$iot_4.csv", "iot_4.csv.bak", "iot_4.csv.swp", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/._iot_4.csv",
    "__MACOSX/iot_4.csv", ".git/iot_4.csv", ".ipynb_checkpoints/iot_4-checkpoint.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", cases({name: name for name in LITTER}))
def test_litter_is_passed_over_without_noise(data: Path, lines: Lines, run: Run, name: str) -> None:
    (data / name).parent.mkdir(exist_ok=True)
    (data / name).write_bytes(b"date,traffic\n2020-01-01,1\n\x00\x01")
    run(data).check_whole(lines)


@pytest.mark.parametrize("link", [".", "..", "iot_9"])
def test_a_link_in_a_circle_is_no_trap(data: Path, lines: Lines, run: Run, link: str) -> None:
    (data / "iot_9").symlink_to(link, target_is_directory=True)
    done = run(data)
    assert (done.code, done.rows()) == (0, expected(lines))


@pytest.mark.parametrize("place", [".", "results"])
def test_results_in_the_data_folder_are_no_data(data: Path, lines: Lines, run: Run, place: str) -> None:
    first = run(data, out=data / place)
    before = first.text("oddities.json"), first.text("findings.json")
    again = run(data, out=data / place)
    again.check_whole(lines)
    assert (again.text("oddities.json"), again.text("findings.json")) == before


def months(data: Path, lines: Lines) -> None:
    """The folder anew, with a sub-folder a month."""
    for file in sorted(data.glob("iot_*.csv")):
        header, *rows = file.read_text(encoding="utf-8").splitlines()
        for month in ("2020-01", "2020-02"):
            (data / month).mkdir(exist_ok=True)
            part = [row for row in rows if row.startswith(month)]
            (data / month / file.name).write_text("\n".join([header, *part, ""]))
        file.unlink()


def test_a_sub_folder_a_month(data: Path, lines: Lines, run: Run) -> None:
    months(data, lines)
    run(data).check_whole(lines)


def test_last_months_in_a_sub_folder_are_read_or_named(data: Path, lines: Lines, run: Run) -> None:
    (data / "2020-01").mkdir()
    (data / "2020-01" / "iot_4.csv").write_text(text(lines[:31]))
    (data / "iot_4.csv").write_text(text(lines[31:]))
    done = run(data)
    done.check_lines(len(lines))
    assert set(done.rows()) <= set(expected(lines))


def zipped(data: Path, inside: str) -> Path:
    """``data.zip`` beside the folder, which goes."""
    with zipfile.ZipFile(data.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in data.rglob("*") if path.is_file()):
            archive.write(file, inside + file.relative_to(data).as_posix())
        if inside:
            archive.writestr(f"__MACOSX/{inside}._iot_4.csv", b"\x00\x05\x16\x07")
    shutil.rmtree(data)
    return data.with_suffix(".zip")


@pytest.mark.parametrize("inside", ["", "data/"], ids=["files", "folder"])
@pytest.mark.parametrize("monthly", [False, True], ids=["flat", "months"])
def test_a_zip_of_the_folder(data: Path, lines: Lines, run: Run, inside: str, monthly: bool) -> None:
    if monthly:
        months(data, lines)
    archive = zipped(data, inside)
    done = run(archive)
    done.check_whole(lines)
    assert len(done.query("SELECT name FROM meta WHERE name IS NOT NULL")) == OTHERS + 1
    assert sorted(path.name for path in archive.parent.iterdir()) == ["data.zip", "out"]
