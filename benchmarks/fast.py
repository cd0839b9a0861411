"""How close the whole job comes to the floor; every figure as a ratio to its own, in ``results.json``.

    python benchmarks/fast.py                 # 7 pairs; writes benchmarks/results.json
    python benchmarks/fast.py --pairs 3 --no-write

A run and the floor (``floor.py``) take turns, each as a process of its own, imports and all, on the same folder; the
ratio is the median over the pairs. Seeds from 1000 on, as everywhere that is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from oddfleet import Kind, plant

HERE = Path(__file__).parent
DEVICES, DAYS = 1000, 366
ODDFLEET = (sys.executable, "-c", "from oddfleet.cli import main; main()")
LIMITS = {
    "run, healthy fleet": 1.5,
    "run, two odd devices": 1.5,
    "--help, seconds": 0.15,
    "find_oddities, CPU seconds": 0.15,
    "find_oddities, sorts of the matrix": 5.0,
}
"""What issue "Fast and flat on one machine" asks for, by name of the figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: its value, that of its floor (1 where the limit is absolute), and their ratio."""

    name: str
    value: float
    floor: float
    ratio: float
    limit: float
    held: bool

    @classmethod
    def of(cls, name: str, value: float, floor: float = 1.0, ratio: float | None = None) -> Figure:
        ratio = value / floor if ratio is None else ratio
        limit = LIMITS[name]
        return cls(name, round(value, 4), round(floor, 4), round(ratio, 3), limit, held=ratio <= limit)


def seconds(*command: str) -> float:
    """Wall seconds of a process, its output swallowed unless it fails."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: failed with {done.returncode}: {done.stderr.strip()}")
    return took


def whole_run(name: str, data: Path, pairs: int) -> Figure:
    """``oddfleet run`` against the floor on one folder, pair by pair."""
    runs, floors = [], []
    for _pair in range(pairs + 1):
        with tempfile.TemporaryDirectory() as out:
            floors.append(seconds(sys.executable, str(HERE / "floor.py"), str(data), out))
        with tempfile.TemporaryDirectory() as out:
            runs.append(seconds(*ODDFLEET, "run", str(data), "--out", f"{out}/results", "--quiet"))
    # The first pair warms the caches of the disk.
    ratios = [run / floor for run, floor in zip(runs[1:], floors[1:], strict=True)]
    return Figure.of(name, statistics.median(runs[1:]), statistics.median(floors[1:]), statistics.median(ratios))


def detector(runs: int) -> list[Figure]:
    """``find_oddities`` and one sort, in a process whose BLAS has one thread."""
    script = f"import speed; print(*speed.cpu_seconds({DEVICES}, {runs}))"
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=HERE)
    taken, sort = map(float, done.stdout.split())
    return [
        Figure.of("find_oddities, CPU seconds", taken),
        Figure.of("find_oddities, sorts of the matrix", taken, sort),
    ]


def figures(pairs: int) -> list[Figure]:
    healthy = plant.healthy_fleet("weekly", DEVICES, DAYS, seed=1000)
    odd = plant.with_fault(healthy, healthy.device_ids[10], Kind.LEVEL_SHIFT, seed=1000)
    odd = plant.with_fault(odd, healthy.device_ids[700], Kind.INACTIVE, seed=1001)
    found = []
    with tempfile.TemporaryDirectory() as place:
        for name, fleet in (("run, healthy fleet", healthy), ("run, two odd devices", odd)):
            data = Path(place) / name.replace(" ", "-")
            plant.write_folder(fleet, data)
            found.append(whole_run(name, data, pairs))
    asked = [seconds(*ODDFLEET, "--help") for _ in range(pairs)]
    return [*found, Figure.of("--help, seconds", statistics.median(asked)), *detector(pairs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--no-write", action="store_true", help="leave results.json as it is")
    options = parser.parse_args()
    found = figures(options.pairs)
    print("| figure | value | floor | ratio | limit | held |\n|---|---|---|---|---|---|")
    for figure in found:
        held = "yes" if figure.held else "**no**"
        print(f"| {figure.name} | {figure.value:g} | {figure.floor:g} | {figure.ratio:g} | {figure.limit:g} | {held} |")
    if not options.no_write:
        text = json.dumps({"schema": 1, "figures": [asdict(figure) for figure in found]}, indent=1)
        (HERE / "results.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
