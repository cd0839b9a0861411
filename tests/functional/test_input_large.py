"""Many files and endless lines: a run takes seconds, and a line that is no line costs no memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oddfleet import plant
from tests.functional.inputs import DAYS, Lines, Run, cases, expected, text

MEGABYTE = 1_000_000
LONG = 30 * MEGABYTE
AT_MOST = 12 * MEGABYTE
"""More memory than a run without the long line may take: much less than the line, with room for the luck of pages."""

PEAK = """
import re, sys
from pathlib import Path
from typer.testing import CliRunner
from oddfleet import cli
done = CliRunner().invoke(cli.app, ["run", sys.argv[1], "--out", sys.argv[2], "--quiet"])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(done.exit_code, 1024 * int(peak[1]))
"""
# ru_maxrss would do on more systems, but a process inherits it from the one that started it.


def peak(data: Path, out: Path) -> int:
    """The most memory that a run of its own takes, in bytes."""
    done = subprocess.run([sys.executable, "-c", PEAK, data, out], capture_output=True, text=True, check=True)
    code, size = done.stdout.split()
    assert code == "0"
    return int(size)


@pytest.mark.slow
def test_two_thousand_files(tmp_path: Path, run: Run) -> None:
    plant.write_folder(plant.steady_fleet(2000, DAYS, seed=1), tmp_path / "data")
    run(tmp_path / "data").check_lines(DAYS, others=1999 * DAYS)


Spoil = Callable[[Path, bytes, int], None]
"""Adds a line of so many bytes to a file of this content."""


def _value(file: Path, content: bytes, size: int) -> None:
    file.write_bytes(content + b"2020-01-10,x" + b"1" * size + b"\n")


def _text(file: Path, content: bytes, size: int) -> None:
    file.write_bytes(content + b"x" * size)


def _nul(file: Path, content: bytes, size: int) -> None:
    file.write_bytes(content + b"\x00" * size)


def _gzip(file: Path, content: bytes, size: int) -> None:
    file.unlink(missing_ok=True)
    file.with_suffix(".csv.gz").write_bytes(gzip.compress(content + b"x" * size, 1))


LINES: dict[str, Spoil] = {"value": _value, "text": _text, "NUL": _nul, "gzip": _gzip}


@pytest.mark.parametrize("write", cases(LINES))
def test_an_endless_line_is_rejected_and_its_text_cut(data: Path, lines: Lines, run: Run, write: Spoil) -> None:
    write(data / "iot_4.csv", text(lines).encode(), LONG)
    done = run(data)
    done.check_lines(len(lines) + 1)
    assert done.rows() == expected(lines)
    ((line, kept, _),) = done.rejected()
    assert line == len(lines) + 2
    assert 0 < len(kept) <= 1000
    assert (done.out / "my_sqlite.db").stat().st_size < MEGABYTE


def test_an_endless_first_line(data: Path, lines: Lines, run: Run) -> None:
    (data / "iot_4.csv").write_bytes(b"x" * LONG + b"\n" + text(lines, header="").encode())
    done = run(data)
    done.check_done()
    numbers = {line for line, _, _ in done.rejected()}
    assert 1 in numbers
    assert len(done.rows()) + len(numbers) == len(lines) + 1
    assert (done.out / "my_sqlite.db").stat().st_size < MEGABYTE


def test_an_endless_line_of_a_long_table(data: Path, lines: Lines, run: Run) -> None:
    file = data.with_name("data-long.csv")
    file.write_bytes(text(lines, "date,device_id,value", "{},4,{}").encode() + b"1" * LONG + b"\n2020-01-01,4,5\n")
    done = run(file)
    done.check_lines(len(lines) + 2, others=0)
    assert [line for line, _, _ in done.rejected()] == [len(lines) + 2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measured by what Linux says of a process")
@pytest.mark.parametrize("write", cases(LINES))
def test_an_endless_line_is_not_held_in_memory(data: Path, lines: Lines, tmp_path: Path, write: Spoil) -> None:
    write(data / "iot_4.csv", text(lines).encode(), 10)
    usual = peak(data, tmp_path / "out")
    write(data / "iot_4.csv", text(lines).encode(), LONG)
    assert peak(data, tmp_path / "out") - usual < AT_MOST


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measured by what Linux says of a process")
def test_a_long_table_is_not_held_as_text(lines: Lines, tmp_path: Path) -> None:
    header, *rows = text(lines, "date,device_id,value,note", "{},4,{},").replace(",\n", f",{'x' * 60}\n").splitlines()
    content = "\n".join([*rows, ""])
    sizes = []
    for megabytes in (20, 50):
        file = tmp_path / f"{megabytes}.csv"
        file.write_text(f"{header}\n{content * (megabytes * MEGABYTE // len(content))}")
        sizes.append(peak(file, tmp_path / "out"))
    # The text grows by 30, and what is read from it by less than 20: date, id and value, and the matrix made of them.
    assert sizes[1] - sizes[0] < 25 * MEGABYTE
