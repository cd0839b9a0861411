"""A small fleet on disk, and a run of the command on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from oddfleet import cli, plant
from tests.functional.inputs import DAYS, OTHERS, Lines, Outcome, Run


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
