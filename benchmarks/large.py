"""Fleets in Parquet files against Polars: time and memory by the number of devices, in ``results.json``.

    python benchmarks/large.py                                  # 10,000, 100,000 and 1,000,000 devices, some 20 minutes
    python benchmarks/large.py 10000 100000 --pairs 3 --no-write
    python benchmarks/large.py --data big --plot docs/images/devices.png

The floor is a group-by in Polars' streaming engine: mean, standard deviation and three quantiles a device over the same
files. It and ``oddfleet run --store none`` take turns, each as a process of its own, imports and all. The fleets are
healthy, weekly, a year long and written once, 10,000 devices a file (2.7 GB for a million), seeds from 1000 on.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from figures import ODDFLEET, Figure, keep, measured, show

from oddfleet import plant

DAYS, A_FILE = 366, 10_000
FLOOR = """
import sys
import polars as pl
value = pl.col("value")
quantiles = [value.quantile(share).alias(str(share)) for share in (0.25, 0.5, 0.75)]
rows = pl.scan_parquet(sys.argv[1] + "/*.parquet").group_by("device_id")
found = rows.agg(value.mean().alias("mean"), value.std().alias("std"), *quantiles).collect(engine="streaming")
print(found.height)
"""


def write_fleet(folder: Path, devices: int) -> None:
    """A healthy fleet of a year, device after device; what is already there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    dates = pl.date_range(date(2020, 1, 1), date(2020, 12, 31), eager=True)
    for start in range(0, devices, A_FILE):
        path, some = folder / f"part{start // A_FILE:04d}.parquet", min(A_FILE, devices - start)
        if path.exists():
            continue
        values = plant.healthy_fleet("weekly", some, DAYS, seed=1000 + start // A_FILE).values
        columns = {
            "date": pl.concat([dates] * some),
            "device_id": np.repeat(np.arange(start, start + some), DAYS),
            "value": values.T.ravel(),
        }
        pl.DataFrame(columns).write_parquet(path, row_group_size=DAYS * 512)


def figures_of(folder: Path, devices: int, pairs: int) -> list[Figure]:
    """Wall time and peak memory of a run against those of the floor, pair by pair."""
    runs, floors = [], []
    for _pair in range(pairs + 1):
        floors.append(measured(sys.executable, "-c", FLOOR, str(folder)))
        with tempfile.TemporaryDirectory() as out:
            runs.append(
                measured(*ODDFLEET, "run", str(folder), "--out", f"{out}/results", "--store", "none", "--quiet")
            )
    # The first pair warms the caches of the disk.
    times = [(run[0], floor[0]) for run, floor in zip(runs[1:], floors[1:], strict=True)]
    value, floor = (statistics.median(side) for side in zip(*times, strict=True))
    peak, floor_peak = (statistics.median(one[1] for one in side[1:]) / 1024 for side in (runs, floors))
    name = f"stored fleet of {devices:,}"
    return [
        Figure.of(f"{name}, wall time", value, "s", floor, statistics.median(run / least for run, least in times)),
        Figure.of(f"{name}, microseconds a device", 1e6 * value / devices, "us", 1e6 * floor / devices),
        Figure.of(f"{name}, peak GB", peak, "GB"),
        Figure.of(f"{name}, peak GB of Polars", floor_peak, "GB"),
    ]


def draw(found: Sequence[Figure], sizes: Sequence[int], path: Path) -> None:
    """Wall time and peak memory against the number of devices, of oddfleet and of Polars."""
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415 - only for the picture

    of = {figure.name: figure for figure in found}
    picture = Picture(figsize=(9, 3.8), layout="constrained")
    seconds, memory = picture.subplots(1, 2)
    times = [of[f"stored fleet of {size:,}, wall time"] for size in sizes]
    seconds.plot(sizes, [figure.value for figure in times], "o-", color="#D55E00", label="oddfleet run --store none")
    seconds.plot(
        sizes, [figure.floor for figure in times], "s--", color="#0072B2", label="Polars, five numbers a device"
    )
    seconds.set(xscale="log", yscale="log", xlabel="devices, 366 days each", ylabel="wall time (s)")
    for name, style, colour in (("peak GB", "o-", "#D55E00"), ("peak GB of Polars", "s--", "#0072B2")):
        memory.plot(sizes, [of[f"stored fleet of {size:,}, {name}"].value for size in sizes], style, color=colour)
    memory.axhline(2, color="black", linewidth=0.8, linestyle=":")
    memory.set(xscale="log", yscale="log", xlabel="devices, 366 days each", ylabel="peak memory (GB)")
    seconds.legend(frameon=False)
    picture.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("devices", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--data", type=Path, help="keep the fleets in this folder, and use what is there")
    parser.add_argument("--no-write", action="store_true", help="leave results.json as it is")
    parser.add_argument("--plot", type=Path, help="draw time and memory against devices")
    options = parser.parse_args()
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as temporary:
        place = options.data or Path(temporary)
        for devices in options.devices:
            write_fleet(place / str(devices), devices)
            found += figures_of(place / str(devices), devices, options.pairs)
            show(found[-4:])
    if options.plot:
        draw(found, options.devices, options.plot)
    if not options.no_write:
        keep(found)


if __name__ == "__main__":
    main()
