"""Folders and tables with all that a fleet may hold, and the question whether two fleets are the same."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from oddfleet import Fleet, Kind, plant

META = [
    {"id": 3, "name": "lobby_lamp 💡", "room": "hall, \"left\"", "floor": 2, "nothing": None},
    {"id": 1, "name": None, "room": None},
    {"id": 4, "name": "\u202eopmal", "site": {"town": "Köln"}},
    {"id": 6, "name": "silent_one"},
    {"id": 99, "name": "not here"},
]  # fmt: skip


def steady(path: Path, days: int = 40) -> Path:
    """Five devices, one of which falls silent, and their names."""
    fleet = plant.with_fault(plant.steady_fleet(5, days, seed=1), 2, Kind.INACTIVE, seed=1)
    plant.write_folder(fleet, path)
    return path


def add(path: Path, name: str, *lines: str) -> Path:
    with (path / name).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return path


def names_and_attributes(path: Path) -> Path:
    (steady(path) / "device_meta.txt").write_text(json.dumps(META), encoding="utf-8")
    return add(add(path, "iot_6.csv", "date,traffic"), "iot_7.csv", "date,traffic", "no day,5")


def unlike_lines(path: Path) -> Path:
    """Days that come twice and three times, in any order, with numbers, without, empty and unreadable."""
    return add(
        steady(path), "iot_4.csv",
        "2020-01-03,7", "2020-01-03,", "2020-01-03,x", "2020-01-02,x", "2020-01-02,5", "2020-02-20,", "2020-02-22,n/a",
        "2020-02-20,-0.0", "2020-02-20,-17.25", "2020-02-21,1e300", "2020-02-30,5", "2020-02-21", "'",
        "2020-02-01,5e-324",
    )  # fmt: skip


def gaps(path: Path) -> Path:
    """Days that no device has, and a device of one day."""
    return add(add(steady(path), "iot_4.csv", "2020-06-01,5"), "iot_12.csv", "date,traffic", "2020-04-05,0.1")


def nothing_but_unreadable(path: Path) -> Path:
    """A device, and the first and last day of the record, of which no value can be read."""
    return add(steady(path), "iot_9.csv", "date,traffic", "2019-12-30,x", "2020-03-15,?")


def words(path: Path) -> Path:
    for name in ("gate-7", "gate-10", "Küche", "007", "10", "9"):
        add(steady(path), f"iot_{name}.csv", "date,traffic", "2020-01-01,5", "2020-01-02,x", "2020-01-02,6")
    meta = [{"id": "gate-7", "name": "a"}, {"id": "Küche", "name": "b"}, {"id": 7, "name": "c"}, {"id": "iot", "x": 1}]
    (path / "device_meta.txt").write_text(json.dumps(meta), encoding="utf-8")
    return add(path, "iot_silent.csv", "date,traffic")


def a_silent_word_among_numbers(path: Path) -> Path:
    return add(add(steady(path), "iot_gate.csv", "date,traffic"), "iot_11.csv", "date,traffic")


def no_names(path: Path) -> Path:
    (steady(path) / "device_meta.txt").unlink()
    return path


def names_of_another_fleet(path: Path) -> Path:
    (steady(path) / "device_meta.txt").write_text(
        '[{"id": 88, "name": "b"}, {"id": 88}, {"id": "x"}]', encoding="utf-8"
    )
    return path


def zipped(path: Path) -> Path:
    names_and_attributes(path)
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(path.iterdir()):
            opened.write(file, file.name)
    return archive


def long_csv(path: Path) -> Path:
    ids = ["-4", "10", "9", "Küche 1", '"a,b"', '"say ""so"""', "1234567890123456789", "7.0"]
    lines = [f"2020-01-{day:02},{device},{value}" for day, value in ((3, "x"), (2, ""), (1, "0.1")) for device in ids]
    path.with_suffix(".csv").write_text("\n".join(["date,device_id,value", *lines, ""]), encoding="utf-8")
    return path.with_suffix(".csv")


def long_parquet(path: Path) -> Path:
    frame = pl.DataFrame(
        {
            "value": [0.1 + 0.2, None, float("nan"), float("inf"), 1 / 3, -1e-300],
            "note": ["a"] * 6,
            "device": [2.0, 1.0, 1.0, 2.0, None, 1.0],
            "day": ["2020-01-02", "2020-01-01", "2020-01-01", "2020-01-05", "2020-01-01", "2020-01-01"],
        }
    )
    frame.write_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


FLEETS: dict[str, Callable[[Path], Path]] = {
    make.__name__.replace("_", " "): make
    for make in (
        steady, names_and_attributes, unlike_lines, gaps, nothing_but_unreadable, words, a_silent_word_among_numbers,
        no_names, names_of_another_fleet, zipped, long_csv, long_parquet,
    )
}  # fmt: skip


def differences(one: Fleet, other: Fleet) -> list[str]:
    """The parts in which two fleets differ, to the last bit."""
    parts = [field.name for field in fields(Fleet)]
    return [part for part in parts if exactly(getattr(one, part)) != exactly(getattr(other, part))]


def exactly(part: Any) -> object:
    """What is equal only where type, order and every bit are."""
    if isinstance(part, np.ndarray):
        return part.dtype, part.shape, part.tobytes()
    return repr(list(part.items())) if isinstance(part, Mapping) else repr(part)


def without(fleet: Fleet, part: str) -> Fleet:
    """A fleet that is another in one part, and as little as can be: what ``differences`` must see."""
    last = fleet.n_devices - 1
    cells = fleet.duplicated.copy()
    cells[0, 0] ^= True
    changed: dict[str, Any] = {
        "device_ids": (*fleet.device_ids[:last], str(fleet.device_ids[last])),
        "names": (*fleet.names[:last], "other"),
        "dates": fleet.dates + 1,
        "values": np.nextafter(fleet.values, 0),
        "duplicated": cells,
        "invalid": ~fleet.invalid,
        "attributes": dict(reversed(list(fleet.attributes.items()))),
    }
    return replace(fleet, **{part: changed[part]})
