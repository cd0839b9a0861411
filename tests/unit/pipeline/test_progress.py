"""Every step of the work is told with a total, from its beginning to its end, so that no bar is a guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from oddfleet import Kind, pipeline, plant
from oddfleet.settings import Settings, Trials

Work = Callable[[Path, Path, Any], object]
RUN = ["reading", "arranging", "storing", "answering", "judging", "explaining", "drawing"]


class Steps:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[int, int]]] = {}

    def step(self, label: str) -> Callable[[int, int], None]:
        told: list[tuple[int, int]] = []

        def tell(done: int, total: int) -> None:
            self.told.setdefault(label, told).append((done, total))

        return tell


def run(data: Path, out: Path, steps: Steps) -> object:
    return pipeline.run(data, out, Settings(), steps)


def run_by_column(data: Path, out: Path, steps: Steps) -> object:
    return pipeline.run(data, out, Settings(cohorts="none"), steps)


def leave_rows(data: Path, out: Path, steps: Steps) -> object:
    return pipeline.run(data, out, Settings(store="none"), steps)


def compact(data: Path, out: Path, steps: Steps) -> object:
    return pipeline.compact(data, out.with_suffix(".parquet"), steps)


def selftest(data: Path, _out: Path, steps: Steps) -> object:
    return pipeline.selftest_data(data, Settings(), Trials(repeats=1), steps)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One fleet with an odd device: as a folder, a long CSV, a Parquet file by device and another by day."""
    home = tmp_path_factory.mktemp("progress")
    fleet = plant.with_fault(plant.steady_fleet(8, 60, seed=5), 2, Kind.INACTIVE, seed=1)
    plant.write_folder(fleet, home / "folder")
    table = pl.DataFrame(
        {
            "date": fleet.dates.repeat(fleet.n_devices),
            "device_id": list(fleet.device_ids) * fleet.n_days,
            "value": fleet.values.ravel(),
        }
    )
    table.write_csv(home / "table.csv")
    table.sort("device_id", "date").write_parquet(home / "sorted.parquet")
    (home / "tables").mkdir()
    table.head(200).with_columns(value=pl.col("value").cast(pl.String)).write_parquet(home / "tables" / "1.parquet")
    table.slice(200).with_columns(value=pl.col("value").cast(pl.String)).write_parquet(home / "tables" / "2.parquet")
    return home


@pytest.mark.parametrize(
    ("work", "data", "labels"),
    [
        (run, "folder", RUN),
        (run_by_column, "folder", RUN),
        (run, "table.csv", RUN),
        (run, "sorted.parquet", [label for label in RUN if label != "arranging"]),
        (leave_rows, "sorted.parquet", [label for label in RUN if label not in {"arranging", "answering"}]),
        (run, "tables", RUN),
        (compact, "folder", ["reading", "writing"]),
        (compact, "table.csv", ["reading", "writing"]),
    ],
    ids=lambda part: part if isinstance(part, str) else getattr(part, "__name__", ""),
)
def test_a_step_begins_at_nothing_and_ends_with_all(
    home: Path, tmp_path: Path, work: Work, data: str, labels: list[str]
) -> None:
    steps = Steps()
    work(home / data, tmp_path / "out", steps)
    assert sorted(steps.told) == sorted(labels)
    for label, told in steps.told.items():
        # Tables are first looked at as such that can be read part by part, which these are not.
        done, totals = zip(*told[1 if (label, data) == ("reading", "tables") else 0 :], strict=True)
        assert len(set(totals)) == 1, label
        assert totals[0] > 0, label
        assert done[0] == 0, label
        assert done[-1] == totals[0], label
        assert list(done) == sorted(done), label


def test_a_selftest(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oddfleet.plant.FAULTS", (Kind.NEGATIVE_TRAFFIC,))
    steps = Steps()
    selftest(home / "folder", home, steps)
    assert list(steps.told) == ["reading", "arranging", "planting"]
    assert steps.told["planting"][0] == (0, 5)
    assert steps.told["planting"][-1] == (5, 5)
    assert {total for _, total in steps.told["planting"]} == {5}


def test_cohorts_are_told_one_by_one(tmp_path: Path) -> None:
    fleet = plant.steady_fleet(9, 60, seed=5)
    plant.write_folder(fleet, tmp_path / "data")
    rows = "".join(f"{device},lamp_{device},{'hall' if device < 4 else 'roof'}\n" for device in range(1, 10))
    for meta in (tmp_path / "data").glob("*meta*"):
        meta.unlink()
    (tmp_path / "data" / "meta.csv").write_text(f"id,name,room\n{rows}", encoding="utf-8")
    steps = Steps()
    pipeline.run(tmp_path / "data", tmp_path / "out", Settings(cohorts="room"), steps)
    assert steps.told["judging"] == [(0, 9), (3, 9), (9, 9)]
