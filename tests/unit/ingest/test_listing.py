"""Which files are data, by their names alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from oddfleet.errors import InputError
from oddfleet.ingest.lines import Entry, UnreadableError
from oddfleet.ingest.listing import device_files, entries_of, is_missed
from oddfleet.model import DeviceId


def _made(home: Path, *names: str) -> list[str]:
    """The data among files of these names, as they are called in the folder."""
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    return [entry.path.relative_to(home).as_posix() for entry in entries_of(home)]


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("iot_7.csv", 7),
        ("IOT_007.CSV.GZ", 7),
        ("iot_gate-7.csv", "gate-7"),
        ("iot_7.0.csv", 7),
        ("device-0007.tsv", 7),
        ("Sensor 7.txt", 7),
        ("7.csv", 7),
        ("2020-01.csv", None),
        ("traffic.csv", None),
        ("iot_.csv", None),
        ("iot_7 (copy).csv", None),
    ],
)
def test_the_device_of_a_file_name(name: str, device: DeviceId | None) -> None:
    ((file,), _) = device_files([Entry(Path(name))])
    assert file.device == device
    assert (file.refusal is None) == (device is not None)


def test_devices_come_as_numbers_before_words_and_parts_by_folder() -> None:
    names = ["iot_b.csv", "iot_10.csv", "2020-02/iot_9.csv", "2020-01/iot_9.csv", "what.csv"]
    files, others = device_files([Entry(Path(name)) for name in sorted(names)])
    assert [file.entry.path.as_posix() for file in files] == [
        "2020-01/iot_9.csv", "2020-02/iot_9.csv", "iot_10.csv", "iot_b.csv", "what.csv",
    ]  # fmt: skip
    assert others == []


def test_two_files_of_a_device_are_two_only_in_one_folder() -> None:
    files, _ = device_files([Entry(Path(name)) for name in ("a/iot_7.csv", "b/7.csv", "b/iot_7.csv")])
    assert [file.refusal for file in files] == [
        None, None, "device 7 must have one file, got a second one after 7.csv",
    ]  # fmt: skip


def test_litter_and_results_of_a_run_are_passed_over(tmp_path: Path) -> None:
    results = ["oddities.json", "findings.json", "my_sqlite.db", "report.html", "plots/7.png"]
    litter = [".hidden/iot_1.csv", "__MACOSX/iot_1.csv", "iot_1.csv~", "~$iot_1.csv", "Thumbs.db", "iot_1.csv.bak"]
    assert _made(tmp_path, "iot_1.csv", *results, *(f"old/{name}" for name in results), *litter) == ["iot_1.csv"]


def test_plots_that_are_not_ours_are_data(tmp_path: Path) -> None:
    assert _made(tmp_path, "plots/iot_1.csv") == ["plots/iot_1.csv"]


@pytest.mark.parametrize(
    ("name", "missed"),
    [("iot_7.xlsx", True), ("iot_7", True), ("x.xlsx", True), ("jan.zip", True), ("7.json", False), ("x.pdf", False)],
)
def test_a_device_file_of_another_ending_is_missed(name: str, missed: bool) -> None:
    assert is_missed(Entry(Path(name))) == missed


def test_a_zip_is_listed_like_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("data/iot_2.csv", "data/iot_1.csv", "__MACOSX/data/._iot_1.csv"):
            archive.writestr(name, "date,traffic\n2020-01-01,1\n")
    entries = entries_of(tmp_path / "x.zip")
    assert [entry.member.filename for entry in entries if entry.member] == ["data/iot_1.csv", "data/iot_2.csv"]
    assert b"".join(entries[0].blocks()) == b"date,traffic\n2020-01-01,1\n"
    assert str(entries[0].path) == str(tmp_path / "x.zip" / "data" / "iot_1.csv")


def test_a_broken_zip_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"x\.zip: a zip of the folder is needed, got a broken one .*; make it anew"):
        entries_of(tmp_path / "x.zip")


def test_a_member_that_breaks_off_is_unreadable(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("iot_1.csv", "date,traffic\n" + "2020-01-01,1\n" * 500)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[60:70] = b"\xff" * 10
    (tmp_path / "x.zip").write_bytes(content)
    (entry,) = entries_of(tmp_path / "x.zip")
    with pytest.raises(UnreadableError):
        list(entry.blocks())
