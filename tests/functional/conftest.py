"""A small fleet on disk and a run of the command on it; and a home for the tests of "all or nothing"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oddfleet import cli, plant
from tests.functional.inputs import DAYS, OTHERS, Lines, Outcome, Run
from tests.functional.outputs import Home, breaker, broken, job, make_home


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``oddfleet run DATA OPTIONS``; results go to the folder ``out`` unless told otherwise."""

    def call(data: Path, *options: str, out: Path = tmp_path / "out") -> Outcome:
        result = CliRunner().invoke(cli.app, ["run", str(data), "--out", str(out), *options], prog_name="oddfleet")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr, out)

    return call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a healthy fleet: ``iot_1.csv`` to ``iot_5.csv`` of 40 days, and ``device_meta.txt``."""
    plant.write_folder(plant.steady_fleet(OTHERS + 1, DAYS, seed=1), tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def lines(data: Path) -> Lines:
    """The 40 lines of device 4."""
    found = [line.split(",") for line in (data / "iot_4.csv").read_text(encoding="utf-8").splitlines()[1:]]
    return [(day, value) for day, value in found]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with breaker() as process:
        yield make_home(tmp_path_factory.mktemp("home"))
        process.communicate()


@pytest.fixture(scope="session")
def changes(home: Home, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What an undisturbed run changes in the file system, in order."""
    (out,) = home.copies(tmp_path_factory.mktemp("watched"), ["out"])
    (ended,) = broken([job(home, "none", out)])
    assert ended.status == 0
    return ended.changes
