"""Any Parquet table gone through in parts is what it is when it is read as lines of text, row for row."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar
from unittest import mock

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from oddfleet.errors import InputError
from oddfleet.ingest import Source, Stored, indexing, read_source, scan_source, to_fleet
from tests.functional.fleets import differences

_Source = TypeVar("_Source", Source, Source | Stored)

FIRST = date(2020, 1, 1)
DAYS = st.one_of(
    st.integers(0, 40).map(lambda day: FIRST + timedelta(day)),
    st.sampled_from([None, date(1989, 12, 31), date(2090, 1, 1), date(1990, 1, 1)]),
)
VALUES = st.one_of(st.floats(-10, 1000), st.sampled_from([None, float("nan"), float("inf"), -0.0, 1e300, 5e-324]))
NUMBERS = st.integers(-3, 60)
WORDS = st.one_of(st.sampled_from(["gate-7", " 4", "04", "7.0", "ü\n", "", None, "\x07"]), st.text("ab7. ", max_size=3))


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Devices one after the other, or nearly, each with days in any order."""
    ids = draw(st.lists(draw(st.sampled_from([NUMBERS, WORDS])), min_size=1, max_size=6, unique=draw(st.booleans())))
    whole = draw(st.booleans())
    rows = [
        (day, device, value)
        for device in ids
        for day, value in (
            [(FIRST + timedelta(day), float(day)) for day in range(5)]
            if whole
            else draw(st.lists(st.tuples(DAYS, VALUES), min_size=1, max_size=6))
        )
    ]
    words = any(isinstance(device, str) for device in ids)
    schema = {"date": pl.Date, "device_id": pl.String if words else pl.Int64, "value": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if draw(st.booleans()):
        frame = frame.with_columns(pl.col("date").cast(pl.Datetime("ns" if draw(st.booleans()) else "ms")))
    if draw(st.booleans()):
        frame = frame.with_columns(pl.col("value").cast(pl.Float32))
    if not words and all(isinstance(device, int) and device >= 0 for device in ids) and draw(st.booleans()):
        frame = frame.with_columns(pl.col("device_id").cast(pl.UInt64))
    if words and draw(st.booleans()):
        frame = frame.with_columns(pl.col("device_id").cast(pl.Categorical))
    return frame


def _read(reader: Callable[[Path], _Source], path: Path) -> _Source | str:
    """What a reader makes of a file, or why it refuses it."""
    try:
        return reader(path)
    except InputError as error:
        return str(error)


@settings(max_examples=150)
@given(table=tables(), at_once=st.integers(1, 12))
def test_a_table_in_parts_is_the_table(table: pl.DataFrame, at_once: int) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(indexing, "ROWS_AT_ONCE", at_once):
        path = Path(folder) / "x.parquet"
        table.write_parquet(path, row_group_size=3)
        whole, scanned = _read(read_source, path), _read(scan_source, path)
        if isinstance(whole, str) or isinstance(scanned, str):
            assert whole == scanned
        elif isinstance(scanned, Source):
            # Devices that come again, or of which one number has two forms, must be read as a whole.
            assert scanned.rows.equals(whole.rows)
        else:
            _assert_same(scanned, whole)


def _assert_same(scanned: Stored, whole: Source) -> None:
    parts = list(scanned.parts())
    assert pl.concat([rows for rows, _ in parts]).equals(whole.rows)
    assert [issue for _, issues in parts for issue in issues] == list(whole.issues)
    assert (scanned.lines_read, scanned.lines_rejected) == (whole.lines_read, whole.lines_rejected)
    fleet, stored = to_fleet(whole), scanned.fleet
    assert differences(stored.subset(np.arange(stored.n_devices)), fleet) == []
    assert scanned.gaps == int(np.isnan(fleet.values).sum())
    for size in (1, 4):
        for places, block in stored.blocks(size):
            assert differences(block, fleet.subset(places)) == []
    some = np.arange(stored.n_devices)[::-2]
    assert differences(stored.subset(some), fleet.subset(some)) == []
    assert scanned.answers.first_day == whole.answers.first_day
    assert np.isclose(scanned.answers.first_day_total_mb, whole.answers.first_day_total_mb)
    assert [top.total_mb for top in scanned.answers.top_devices] == [
        top.total_mb for top in whole.answers.top_devices
    ] or np.allclose(
        [top.total_mb for top in scanned.answers.top_devices], [top.total_mb for top in whole.answers.top_devices]
    )
