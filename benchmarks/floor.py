"""The floor: the job of ``oddfleet run``, less all that makes it worth doing, by the fastest parts there are.

    python benchmarks/floor.py DATA OUT

Polars scans the folder, ADBC writes the table to SQLite, one statistic a device says which is oddest, and matplotlib
draws two series. No line is checked, no error told, nothing explained.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import polars as pl
from adbc_driver_sqlite import dbapi


def main(data: Path, out: Path) -> None:
    rows = (
        pl.scan_csv(data / "iot_*.csv", include_file_paths="file", schema={"date": pl.String, "traffic": pl.Float64})
        .select(
            "date",
            pl.col("file").str.extract(r"iot_(\d+)\.csv$").cast(pl.Int64).alias("device_id"),
            pl.lit("traffic_mb").alias("series_type"),
            pl.col("traffic").alias("value"),
        )
        .collect()
    )
    with dbapi.connect(str(out / "floor.db"), autocommit=True) as connection, connection.cursor() as cursor:
        # Not to be had inside a transaction; the ingestion then opens one of its own.
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.execute("PRAGMA journal_mode = OFF")
        cursor.adbc_ingest("time_series", rows, mode="create")
    spread = rows.group_by("device_id").agg(pl.col("value").std()).sort("value")
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots()
    for device in (spread["device_id"][0], spread["device_id"][-1]):
        axes.plot(rows.filter(pl.col("device_id") == device)["value"].to_numpy())
    figure.savefig(out / "floor.png")
    print(f"most and least varying: {spread['device_id'][-1]}, {spread['device_id'][0]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
