from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oddfleet.errors import InputError, OutputError
from oddfleet.model import DeviceId, Finding, Fleet, IntArray, Kind, Oddities
from oddfleet.report import draw_device, write_plots
from oddfleet.report.picture.plots import file_names

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]


def test_magnitudes_apart_are_drawn_on_a_bent_scale(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet()
    fleet.values[:, 0] *= 0.01
    (axes,) = draw_device(fleet, make_result(fleet), 1).axes
    assert axes.get_yscale() == "asinh"
    assert "log" in axes.get_ylabel()


@pytest.mark.parametrize("n_days", [1, 2, 60])
@pytest.mark.parametrize("value", [np.nan, 0.0, 97.0, -1e300])
@pytest.mark.parametrize("n_devices", [1, 3])
def test_no_series_makes_it_warn_or_fail(
    *,
    make_fleet: MakeFleet,
    make_finding: MakeFinding,
    make_result: MakeResult,
    n_days: int,
    value: float,
    n_devices: int,
) -> None:
    fleet = make_fleet(n_devices, n_days)
    fleet.values[:, 0] = value
    finding = make_finding(kind=Kind.SPIKES, since=None)
    figure = draw_device(fleet, make_result(fleet, ids=[1], findings=[finding]), 1)
    figure.savefig(io.BytesIO(), format="png")


def test_hostile_names_are_drawn_as_text(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult
) -> None:
    name = "$\\frac{$ 客厅 \x1b[2J <b>"
    fleet = make_fleet(2, names=(name, "b" * 5000))
    result = make_result(fleet, ids=[1], findings=[make_finding(text="long " * 500 + "$x^{$")])
    figure = draw_device(fleet, result, 1)
    figure.savefig(io.BytesIO(), format="png")
    title, *lines = [text.get_text() for text in figure.texts][-4:]
    assert (
        title == "$\\frac{$ \\u5ba2\\u5385 \\x1b[2J <b> (1): level shift since 2020-01-20: +61.25 MB a day, usual 99.8"
    )
    assert all(line.startswith("long long") for line in lines)
    assert lines[-1].endswith("…")


def test_write_plots_writes_one_png_an_odd_device(
    make_fleet: MakeFleet, make_finding: MakeFinding, make_result: MakeResult, tmp_path: Path
) -> None:
    fleet = make_fleet(3, ids=(4399, "../../etc/passwd", 12))
    result = make_result(fleet, ids=["../../etc/passwd", 4399], findings=[make_finding(4399)])
    heard: list[tuple[int, int]] = []
    paths = write_plots(fleet, result, tmp_path / "a" / "plots", lambda done, all_: heard.append((done, all_)))
    assert [path.name for path in paths] == ["_.._etc_passwd.png", "4399.png"]
    assert sorted((tmp_path / "a" / "plots").iterdir()) == sorted(paths)
    assert heard == [(0, 2), (1, 2), (2, 2)]
    for path in paths:
        head = path.read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", head[16:24]) == (1200, 500)


def test_nothing_odd_is_no_picture(make_fleet: MakeFleet, make_result: MakeResult, tmp_path: Path) -> None:
    fleet = make_fleet()
    assert write_plots(fleet, make_result(fleet), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_in_one_line(
    make_fleet: MakeFleet, make_result: MakeResult, tmp_path: Path
) -> None:
    fleet = make_fleet()
    (tmp_path / "plots").write_text("a file in the way")
    with pytest.raises(OutputError, match=r"plots: a folder that can be written is needed") as error:
        write_plots(fleet, make_result(fleet, ids=[1]), tmp_path / "plots")
    assert "\n" not in str(error.value)


def test_file_names_are_safe_and_distinct() -> None:
    ids: list[DeviceId] = [
        "4399",
        4399,
        "a/b",
        "a:b",
        "A:B",
        "con",
        "..",
        "",
        "é",
        "e\u0301",
        "x" * 300,
        "x" * 301,
        "\ud800",
    ]
    names = file_names(ids)
    assert names[4399] == "4399.png"
    assert names["4399"] == "4399-2.png"
    assert names["con"] == "_con.png"
    assert len({name.casefold() for name in names.values()}) == len(ids)
    for name in names.values():
        assert not set(name) & set('/\\:*?"<>|\0')
        assert not name.startswith(".")
        assert len(name.encode()) < 255


def test_importing_the_report_does_not_import_matplotlib() -> None:
    code = "import sys, oddfleet.report; sys.exit(any(m in sys.modules for m in ('matplotlib', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_drawing_leaves_pyplot_alone(make_fleet: MakeFleet, make_result: MakeResult) -> None:
    fleet = make_fleet()
    draw_device(fleet, make_result(fleet), 1)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


class InFiles:
    """A fleet that is not in memory, and remembers what was read of it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.read: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fleet, name)

    def subset(self, places: IntArray) -> Fleet:
        self.read += places.tolist()
        return self.fleet.subset(places)


def test_of_a_fleet_in_files_only_the_device_and_some_of_its_cohort_are_read(
    make_fleet: MakeFleet, make_result: MakeResult
) -> None:
    fleet = make_fleet(2500, 5)
    files = InFiles(fleet)
    result = make_result(fleet, cohorts=["lamps"] * 2400 + ["pumps"] * 100)
    figure = draw_device(files, result, 2)
    assert any(text.get_text().startswith("lamp_2 (2)") for text in figure.texts)
    assert 1 in files.read
    assert 1000 <= len(files.read) <= 1001
    assert max(files.read) < 2400
    files.read.clear()
    draw_device(files, result, 2450)
    assert files.read == list(range(2400, 2500))
    with pytest.raises(InputError, match=r"^device 2501: must be one of the fleet's devices"):
        draw_device(files, result, 2501)
