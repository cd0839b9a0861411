"""What a run leaves behind: all of its files when it ends well, and nothing of it when it does not."""

from __future__ import annotations

import copy
import json
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.figure import Figure

import oddfleet
from oddfleet import InputError, Kind, OddfleetError, OutputError, SettingsError, ingest, pipeline, plant
from oddfleet.report import Progress
from oddfleet.settings import Settings, Trials

FILES = {"my_sqlite.db", "oddities.json", "findings.json", "report.html"}


class Listener:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[int, int]]] = {}

    def step(self, label: str) -> Callable[[int, int], None]:
        said = self.told.setdefault(label, [])
        return lambda done, total: said.append((done, total))


def write(folder: Path, odd: int) -> Path:
    """A fleet of eight in which one device is silent for twenty days."""
    plant.write_folder(plant.with_fault(plant.steady_fleet(8, 60, seed=5), odd, Kind.INACTIVE, seed=1), folder)
    return folder


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("monday"), odd=2)


@pytest.fixture(scope="module")
def tuesday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tuesday"), odd=7)


@pytest.fixture
def last_run(monday: Path, tmp_path: Path) -> Path:
    """A folder with the results of a good run."""
    run(monday, tmp_path)
    return tmp_path


def run(data: Path, out: Path, settings: Settings | None = None) -> pipeline.Run:
    return pipeline.run(data, out, settings or Settings(), Listener())


def contents(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, however deep and hidden: names with bytes, folders with None."""
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


def shown(folder: Path) -> set[str]:
    """Names of all that a user sees in a folder and in its folders; links are followed."""
    names = {path.name for path in folder.iterdir()} - {".oddfleet"}
    return names | {
        f"{name}/{path.name}" for name in names if (folder / name).is_dir() for path in (folder / name).iterdir()
    }


def test_a_run_writes_the_files_of_the_contract_and_no_other(monday: Path, tmp_path: Path) -> None:
    done = run(monday, tmp_path / "out")
    # plots/.oddfleet is the list of our own pictures.
    assert shown(tmp_path / "out") == FILES | {"plots", "plots/2.png", "plots/.oddfleet"}
    assert len(list((tmp_path / "out" / ".oddfleet").iterdir())) == 2
    assert done.result.ids == [2]
    assert {path for path, _ in done.outputs} == {tmp_path / "out" / name for name in FILES | {"plots"}}
    assert done.findings_json == (tmp_path / "out" / "findings.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "out" / "oddities.json").read_text(encoding="utf-8")) == [
        {"id": 2, "name": done.fleet.names[1]}
    ]


def test_progress_ends_where_all_is_done(monday: Path, tmp_path: Path) -> None:
    listener = Listener()
    pipeline.run(monday, tmp_path, Settings(), listener)
    assert {label: said[-1] for label, said in listener.told.items()} == {
        "reading": (8, 8), "arranging": (3, 3), "storing": (480, 480), "answering": (2, 2),
        "judging": (8, 8), "explaining": (1, 1), "drawing": (1, 1),
    }  # fmt: skip


def test_a_run_may_write_beside_its_data_and_be_repeated(monday: Path, tmp_path: Path) -> None:
    data = write(tmp_path, odd=2)
    first = run(data, data)
    names, files = shown(data), len(contents(data))
    assert run(data, data).findings_json == first.findings_json
    assert (shown(data), len(contents(data))) == (names, files)
    assert first.findings_json == run(monday, tmp_path / "elsewhere").findings_json


@pytest.mark.parametrize(
    "stage",
    [
        "ingest.fleet_of",
        "store.write_database",
        "store.answer_questions",
        "detect.find_oddities",
        "report.write_plots",
        "report.report_html",
    ],
)
@pytest.mark.parametrize("error", [InputError("bad"), RuntimeError("a bug"), KeyboardInterrupt()], ids=repr)
def test_a_run_that_fails_leaves_the_last_good_one(
    last_run: Path, tuesday: Path, monkeypatch: pytest.MonkeyPatch, stage: str, error: BaseException
) -> None:
    before = contents(last_run)

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(f"oddfleet.{stage}", fail)
    with pytest.raises(type(error)):
        run(tuesday, last_run)
    assert contents(last_run) == before


def test_a_full_disk_is_an_output_error(last_run: Path, tuesday: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(last_run)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("oddfleet.report.report_html", fail)
    with pytest.raises(OutputError) as error:
        run(tuesday, last_run)
    assert str(error.value) == (
        f"{last_run}: results must be writable here, got 'No space left on device'; choose another folder with --out"
    )
    assert contents(last_run) == before


def test_pictures_of_the_last_run_go_and_the_users_own_stay(monday: Path, tuesday: Path, tmp_path: Path) -> None:
    run(monday, tmp_path)
    (tmp_path / "plots" / "holiday.png").write_bytes(b"the sea")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    run(tuesday, tmp_path)
    assert {path.name for path in (tmp_path / "plots").glob("*.png")} == {"7.png", "holiday.png"}
    assert (tmp_path / "plots" / "holiday.png").read_bytes() == b"the sea"
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_the_list_of_pictures_reaches_no_file_outside_plots(monday: Path, tmp_path: Path) -> None:
    run(monday, tmp_path)
    (tmp_path / "mine.png").write_bytes(b"mine")
    (tmp_path / "plots" / ".oddfleet").write_text("../mine.png\n", encoding="utf-8")
    run(monday, tmp_path)
    assert (tmp_path / "mine.png").read_bytes() == b"mine"


def test_a_healthy_fleet_has_an_empty_list_and_no_picture(tmp_path: Path) -> None:
    plant.write_folder(plant.steady_fleet(8, 60, seed=5), tmp_path / "data")
    run(tmp_path / "data", tmp_path / "out")
    assert (tmp_path / "out" / "oddities.json").read_text(encoding="utf-8") == "[]\n"
    assert list((tmp_path / "out" / "plots").glob("*.png")) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_no_place_for_the_results_is_said_in_one_line(monday: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    out = tmp_path / place
    before = contents(tmp_path)
    with pytest.raises(OutputError) as error:
        run(monday, out)
    assert str(error.value).startswith(f"{out}: results must be writable here, got '")
    assert str(error.value).endswith("'; choose another folder with --out")
    assert "\n" not in str(error.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", [*sorted(FILES), "plots", ".oddfleet"])
def test_what_is_in_the_way_is_said_before_the_work_begins(tmp_path: Path, name: str) -> None:
    if name in FILES:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(OutputError) as error:
        run(tmp_path / "nowhere", tmp_path)
    assert str(error.value) == (
        f"{tmp_path / name}: a {'file' if name in FILES else 'folder'} of this name is to be written here, got "
        "something else; rename what is there or choose another folder with --out"
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize("content", [b"\xff\xfe", b"..\n", b"\n"])
def test_a_broken_list_of_pictures_stops_no_run(monday: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / ".oddfleet").write_bytes(content)
    assert run(monday, tmp_path).result.ids == [2]


def test_no_data_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        run(tmp_path / "nowhere", tmp_path / "out")
    assert contents(tmp_path) == {}


def test_a_cohort_column_that_is_not_there(monday: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="got 'room'"):
        run(monday, tmp_path / "out", Settings(cohorts="room"))
    assert not list(tmp_path.rglob("*.*"))


def test_the_health_adds_up(tmp_path: Path) -> None:
    data = write(tmp_path / "data", odd=2)
    with (data / "iot_1.csv").open("a", encoding="utf-8") as stream:
        stream.write("2020-02-01,12,5,7\n2020-02-30,1\n\n2020-01-05,99\n2020-01-06,\n2020-01-07,-3\n")
    (data / "iot_99.csv").write_text("date,traffic\n2020-01-02,\n", encoding="utf-8")
    (data / "iot_98.csv").write_text("date,traffic\n", encoding="utf-8")  # an issue, but no line
    (data / "device_meta.txt").write_text('[{"id": 1, "name": "a"}, {"id": 500, "name": "b"}]', encoding="utf-8")
    done = run(data, tmp_path / "out")
    health = done.health
    assert (health.lines_read, health.rows_stored, health.lines_rejected) == (480 + 5 + 1, 480 + 3 + 1, 2)
    assert health.lines_read == health.rows_stored + health.lines_rejected
    assert (health.devices, health.named_without_data, health.data_without_name) == (10, 1, 8)
    assert (str(health.first_day), str(health.last_day)) == ("2020-01-01", "2020-02-29")
    with closing(sqlite3.connect(tmp_path / "out" / "my_sqlite.db")) as connection:
        stored = connection.execute("SELECT COUNT(*) FROM time_series").fetchone()[0]
        rejected = connection.execute("SELECT line FROM rejected ORDER BY line").fetchall()
    assert stored == health.rows_stored
    assert rejected == [(0,), (62,), (63,)]
    assert json.loads(done.findings_json)["data"]["lines_rejected"] == 2


def test_read_takes_a_folder_or_a_table(monday: Path, tmp_path: Path) -> None:
    fleet = oddfleet.read(str(monday))
    table = pl.DataFrame(
        {
            "date": fleet.dates.repeat(fleet.n_devices),
            "device_id": list(fleet.device_ids) * fleet.n_days,
            "value": fleet.values.ravel(),
        }
    )
    table.write_csv(tmp_path / "table.csv")
    table.write_parquet(tmp_path / "table.parquet")
    for name in ("table.csv", "table.parquet"):
        again = oddfleet.read(tmp_path / name)
        assert again.device_ids == fleet.device_ids == tuple(range(1, 9))
        assert again.values.tolist() == fleet.values.tolist()
    assert oddfleet.find_oddities(fleet).ids == [2]


def test_read_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a folder, a \.zip, a \.csv or a \.parquet file is needed"):
        oddfleet.read(tmp_path / "nowhere")


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"alpha": 0.51}, {"alpha": float("nan")}, {"cohorts": ""}])
def test_settings_that_make_no_sense(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"^(alpha|cohorts): .+, got .+; .+$") as error:
        oddfleet.find_oddities(plant.steady_fleet(3, 20, seed=1), **settings)
    assert isinstance(error.value, OddfleetError)


def test_the_demo_writes_its_sample_and_judges_it(tmp_path: Path) -> None:
    done = pipeline.demo(tmp_path / "out", Settings(), Listener())
    assert len(list((tmp_path / "out" / "sample").glob("iot_*.csv"))) == 60
    assert sorted(done.result.ids, key=str) == sorted((7, 16, 25, 34, 43, 52), key=str)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | {"plots", "sample", ".oddfleet"}
    before = contents(tmp_path / "out" / "sample")
    (tmp_path / "out" / "sample" / "iot_7.csv").write_text("half a li", encoding="utf-8")
    pipeline.demo(tmp_path / "out", Settings(), Listener())
    assert contents(tmp_path / "out" / "sample") == before


def test_the_demo_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="results must be writable here"):
        pipeline.demo(tmp_path / "file", Settings(), Listener())


def test_a_writer_that_fails_names_the_folder_the_user_gave(
    monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object) -> None:
        raise OutputError(f"{path}: no room left; free some")

    monkeypatch.setattr("oddfleet.store.write_database", full)
    with pytest.raises(OutputError) as error:
        run(monday, tmp_path / "out")
    assert str(error.value) == f"{tmp_path / 'out' / 'my_sqlite.db'}: no room left; free some"


def test_a_result_draws_any_device_of_its_fleet() -> None:
    result = oddfleet.find_oddities(plant.with_fault(plant.steady_fleet(8, 60, seed=5), 2, Kind.INACTIVE, seed=1))
    for device_id, found in ((2, "attic_doorbell (2): inactive 2020-"), (3, "attic_gateway (3): nothing found")):
        figure = result.plot(device_id)
        assert isinstance(figure, Figure)
        assert any(text.get_text().startswith(found) for text in figure.texts)
        assert figure.axes[0].get_ylabel() == "MB a day"
    for stranger in ("2", 9):
        with pytest.raises(InputError, match=rf"^device {stranger!r}: must be one of the fleet's devices; check "):
            result.plot(stranger)


def test_a_result_of_a_fleet_in_files_draws_what_that_in_memory_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "folder", odd=2)
    pipeline.compact(tmp_path / "folder", tmp_path / "fleet.parquet", Listener())
    whole = oddfleet.find_oddities(oddfleet.read(tmp_path / "fleet.parquet"))
    monkeypatch.setattr(ingest.scan, "MOST_CELLS", 0)
    fleet = oddfleet.scan(tmp_path / "fleet.parquet")
    assert not isinstance(fleet, oddfleet.Fleet)
    result = oddfleet.find_oddities(fleet)
    for device_id in (2, 3):
        assert result.plot(device_id)._repr_png_() == whole.plot(device_id)._repr_png_()
    with pytest.raises(InputError, match=r"^device 'x': must be one of the fleet's devices"):
        result.plot("x")
    assert "Fleet of 8 devices: 60 days, 2020-01-01 to 2020-02-29<" in fleet._repr_html_()  # type: ignore[attr-defined]


def test_a_result_can_be_copied_and_kept() -> None:
    fleet = plant.with_fault(plant.steady_fleet(8, 60, seed=5), 2, Kind.INACTIVE, seed=1)
    result = oddfleet.find_oddities(fleet)
    kept = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own
    for again in (copy.copy(result), copy.deepcopy(result), kept):
        assert again.findings == result.findings
        assert again.plot(2)._repr_png_() == result.plot(2)._repr_png_()


def test_matplotlib_is_imported_only_when_something_is_drawn() -> None:
    code = (
        "import sys, oddfleet; result = oddfleet.find_oddities(oddfleet.plant.steady_fleet(5, 60, seed=1));"
        "result._repr_html_(); assert 'matplotlib' not in sys.modules;"
        "result.plot(1); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_selftest_is_added_to_the_report_where_one_is_asked_for(tmp_path: Path) -> None:
    plant.write_folder(plant.steady_fleet(8, 40, seed=5), tmp_path / "data")
    settings = Settings(trials=Trials(repeats=1))
    with_it = pipeline.run(tmp_path / "data", tmp_path / "with", settings, Progress(quiet=True))
    without = pipeline.run(tmp_path / "data", tmp_path / "without", Settings(), Progress(quiet=True))
    assert with_it.findings_json == without.findings_json
    pages = [(tmp_path / name / "report.html").read_text(encoding="utf-8") for name in ("with", "without")]
    assert ["What would have been found" in page for page in pages] == [True, False]
