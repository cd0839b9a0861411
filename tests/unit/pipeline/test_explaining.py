from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from oddfleet import Fleet, InputError, Kind, pipeline, plant, report
from oddfleet.model import Explanation
from oddfleet.pipeline.explaining import explain
from oddfleet.settings import Settings

Told = Callable[[int, int], None]


class Steps:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[int, int]]] = {}

    def step(self, label: str) -> Told:
        told = self.told.setdefault(label, [])
        return lambda done, total: told.append((done, total))


def odd_fleet() -> Fleet:
    fleet = plant.with_fault(plant.steady_fleet(8, 60, seed=5), 2, Kind.INACTIVE, seed=1)
    fleet.values[10:13, 4] = np.nan
    return fleet


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on 8 devices: the second falls silent, the third has two days twice, the fifth has lost days."""
    home = tmp_path_factory.mktemp("explain")
    plant.write_folder(odd_fleet(), home / "data")
    with (home / "data" / "iot_3.csv").open("a", encoding="utf-8") as stream:
        stream.write("2020-01-01,77\n2020-01-02,\n")
    pipeline.run(home / "data", home / "out", Settings(), report.Progress(quiet=True))
    return home / "out"


@pytest.fixture
def copy(results: Path, tmp_path: Path) -> Path:
    """Plain files of the results, to be damaged."""
    (tmp_path / "out").mkdir()
    for name in ("findings.json", "my_sqlite.db"):
        shutil.copy(results / name, tmp_path / "out" / name)
    return tmp_path / "out"


def about(folder: Path, asked: str, steps: Steps | None = None) -> Explanation:
    return explain(folder, asked, steps or Steps())


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_an_odd_device(results: Path) -> None:
    steps = Steps()
    found = about(results, "2", steps)
    assert (found.device_id, found.place, found.n_odd, found.n_devices, found.alpha) == (2, 2, 2, 8, 0.01)
    assert found.findings[0].kind is Kind.INACTIVE
    assert found.series is not None
    np.testing.assert_allclose(found.series, odd_fleet().values[:, 1], atol=1e-3)
    assert str(found.dates[0]) == "2020-01-01"
    assert steps.told["reading"][-1] == (479, 479)


def test_a_device_by_its_name(results: Path) -> None:
    name = about(results, "2").name
    assert name
    assert about(results, name).device_id == 2


def test_a_device_that_is_not_odd(results: Path) -> None:
    found = about(results, "5")
    assert found.place is None
    assert [finding.kind for finding in found.findings] == [Kind.MISSING_DAYS]
    assert found.series is not None
    assert np.flatnonzero(np.isnan(found.series)).tolist() == [10, 11, 12]
    assert about(results, "1").findings == ()


def test_the_first_number_of_a_day_counts(results: Path) -> None:
    series = about(results, "3").series
    assert series is not None
    np.testing.assert_allclose(series, odd_fleet().values[:, 2], atol=1e-3)


def test_a_device_without_a_name(copy: Path) -> None:
    change(copy / "my_sqlite.db", "DELETE FROM meta")
    steps = Steps()
    assert about(copy, "1", steps).name is None
    assert steps.told["looking"][-1] == (479, 479)
    assert about(copy, "2").name is not None  # its finding has it


def test_ids_in_words(copy: Path) -> None:
    change(
        copy / "my_sqlite.db",
        "UPDATE meta SET id = 'hall' WHERE id = 1",
        "UPDATE time_series SET device_id = 'hall' WHERE device_id = 1",
    )
    found = about(copy, "hall")
    assert found.device_id == "hall"
    assert found.series is not None
    assert np.isfinite(found.series).all()


def test_a_name_that_two_have(copy: Path) -> None:
    change(copy / "my_sqlite.db", "UPDATE meta SET name = 'lamp' WHERE id IN (3, 4)")
    with pytest.raises(
        InputError,
        match=r"out: a name must be that of one device, got 'lamp', which 2 have; give an id, such as 3 or 4$",
    ):
        about(copy, "lamp")


def test_an_id_comes_before_a_name(copy: Path) -> None:
    change(copy / "my_sqlite.db", "UPDATE meta SET name = '3' WHERE id = 4")
    assert about(copy, "3").device_id == 3


def test_an_unknown_device_and_what_may_be_meant(results: Path) -> None:
    name = about(results, "2").name
    with pytest.raises(InputError, match=rf"needed, got '{name}x'; choose one that is, such as {name}"):
        about(results, f"{name}x")
    with pytest.raises(InputError, match=r"got '99999'; choose one that is in findings\.json or the data$"):
        about(results, "99999")
    # A number that is written otherwise is none that is known.
    with pytest.raises(InputError, match="got '02'; choose one that is, such as 2"):
        about(results, "02")


def test_a_name_without_data(copy: Path) -> None:
    change(copy / "my_sqlite.db", "INSERT INTO meta VALUES (50, 'ghost')")
    with pytest.raises(
        InputError, match="out: a device with data is needed, got 'ghost', of which there is only a name"
    ):
        about(copy, "ghost")


def test_rows_that_were_not_stored(copy: Path) -> None:
    change(copy / "my_sqlite.db", "DELETE FROM time_series")
    found = about(copy, "2")
    assert found.series is None
    assert found.findings
    assert about(copy, "1").series is None
    with pytest.raises(InputError, match="got '77'; choose"):
        about(copy, "77")


def test_an_odd_device_of_which_no_row_is_stored(copy: Path) -> None:
    change(copy / "my_sqlite.db", "DELETE FROM time_series WHERE device_id = 2")
    series = about(copy, "2").series
    assert series is not None
    assert len(series) == 60
    assert np.isnan(series).all()


def test_results_of_an_older_version(copy: Path) -> None:
    document = json.loads((copy / "findings.json").read_text(encoding="utf-8"))
    old = {key: document[key] for key in ("alpha", "odd", "findings")}
    (copy / "findings.json").write_text(json.dumps(old), encoding="utf-8")
    found = about(copy, "2")
    assert (found.n_devices, len(found.dates)) == (None, 60)
    change(copy / "my_sqlite.db", "DELETE FROM time_series")
    assert about(copy, "2").dates.size == 0


@pytest.mark.parametrize("there", [True, False])
def test_no_folder_of_results(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "out"
    if there:
        folder.mkdir()
    with pytest.raises(
        InputError,
        match=r"out: a folder with the results of a run is needed, got one without findings\.json; run 'oddfleet run'",
    ):
        about(folder, "2")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: a folder with the results of a run is needed"):
        about(tmp_path / "file", "2")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"alpha": 1}', b"\xff\xfe"], ids=repr)
def test_damaged_findings(copy: Path, text: bytes) -> None:
    (copy / "findings.json").write_bytes(text)
    with pytest.raises(
        InputError, match=r"findings\.json: must be as oddfleet wrote it, got .+; run oddfleet again$"
    ) as error:
        about(copy, "2")
    assert "\n" not in str(error.value)


def test_findings_that_cannot_be_opened(copy: Path) -> None:
    (copy / "findings.json").unlink()
    (copy / "findings.json").mkdir()
    with pytest.raises(InputError, match=r"findings\.json: this file must be readable, got '.+'; check"):
        about(copy, "2")


def test_a_database_that_is_gone_or_damaged(copy: Path) -> None:
    change(copy / "my_sqlite.db", "UPDATE time_series SET date = 'soon' WHERE device_id = 2")
    with pytest.raises(InputError, match=r"my_sqlite\.db: dates must be days .*; run it again"):
        about(copy, "2")
    (copy / "my_sqlite.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(InputError, match=r"my_sqlite\.db: a database written by oddfleet is needed"):
        about(copy, "2")
    (copy / "my_sqlite.db").unlink()
    with pytest.raises(InputError, match=r"my_sqlite\.db: a database written by oddfleet is needed"):
        about(copy, "2")
