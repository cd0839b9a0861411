"""How close the whole job comes to the floor; every figure as a ratio to its own, in ``results.json``.

    python benchmarks/fast.py                 # 7 pairs; writes benchmarks/results.json
    python benchmarks/fast.py --pairs 3 --no-write
    python benchmarks/fast.py --large         # the detector on 100,000 devices too (6 GB of memory)

A run and the floor (``floor.py``) take turns, each as a process of its own, imports and all, on the same folder; the
ratio is the median over the pairs. What has no limit is there to be watched. Seeds from 1000 on, as everywhere that is
reported.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import speed
from figures import HERE, ODDFLEET, Figure, keep, measured, show

from oddfleet import Kind, plant

DEVICES = 1000


def whole_run(name: str, data: Path, pairs: int) -> list[Figure]:
    """``oddfleet run`` against the floor on one folder, pair by pair: its time and its memory."""
    runs, floors = [], []
    for _pair in range(pairs + 1):
        with tempfile.TemporaryDirectory() as out:
            floors.append(measured(sys.executable, str(HERE / "floor.py"), str(data), out))
        with tempfile.TemporaryDirectory() as out:
            runs.append(measured(*ODDFLEET, "run", str(data), "--out", f"{out}/results", "--quiet"))
    found = []
    for place, (what, unit) in enumerate(((name, "s"), (f"{name}, peak memory", "MB"))):
        # The first pair warms the caches of the disk.
        pair = [(run[place], floor[place]) for run, floor in zip(runs[1:], floors[1:], strict=True)]
        value, floor = (statistics.median(side) for side in zip(*pair, strict=True))
        found.append(Figure.of(what, value, unit, floor, statistics.median(run / least for run, least in pair)))
    return found


def detector_figures(sizes: list[int], runs: int) -> list[Figure]:
    """The detector, BLAS with one thread; memory against that of the matrix. Only the first size has limits."""
    found = []
    for devices in sizes:
        repeats = runs if devices == DEVICES else min(runs, 3)
        taken, sort, peak = speed.in_own_process(devices, repeats, OPENBLAS_NUM_THREADS="1")
        where = "" if devices == DEVICES else f" on {devices:,}"
        found += [
            Figure.of(f"find_oddities{where}, CPU seconds", taken, "s"),
            Figure.of(f"find_oddities{where}, sorts of the matrix", taken, "s", sort),
            Figure.of(f"find_oddities{where}, peak memory", peak, "MB", devices * speed.DAYS * 8 / 2**20),
        ]
    return found


def figures(pairs: int, sizes: list[int]) -> list[Figure]:
    healthy = plant.healthy_fleet("weekly", DEVICES, speed.DAYS, seed=1000)
    odd = plant.with_fault(healthy, healthy.device_ids[10], Kind.LEVEL_SHIFT, seed=1000)
    odd = plant.with_fault(odd, healthy.device_ids[700], Kind.INACTIVE, seed=1001)
    found = []
    with tempfile.TemporaryDirectory() as place:
        for name, fleet in (("run, healthy fleet", healthy), ("run, two odd devices", odd)):
            data = Path(place) / name.replace(" ", "-")
            plant.write_folder(fleet, data)
            found += whole_run(name, data, pairs)
    asked = statistics.median(measured(*ODDFLEET, "--help")[0] for _ in range(pairs))
    return [*found, Figure.of("--help, seconds", asked, "s"), *detector_figures(sizes, pairs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--no-write", action="store_true", help="leave results.json as it is")
    parser.add_argument("--large", action="store_true", help="the detector on 100,000 devices too")
    options = parser.parse_args()
    found = figures(options.pairs, [DEVICES, 10_000, *([100_000] if options.large else [])])
    show(found)
    if not options.no_write:
        keep(found)


if __name__ == "__main__":
    main()
