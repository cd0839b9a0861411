"""Time and memory of ``find_oddities`` against the number of devices, and against one sort of the same matrix.

    python benchmarks/speed.py 1000 10000

Each size runs in a process of its own, so that the peak is its own; CPU time is of all threads, the median of several.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time

import numpy as np

import oddfleet
from oddfleet import plant

DAYS = 366


def cpu_seconds(devices: int, runs: int) -> tuple[float, float]:
    """Median CPU seconds of the detector on a healthy weekly fleet, and of sorting it along the days."""
    fleet = plant.healthy_fleet("weekly", devices, DAYS, seed=1000)
    times, floors = [], []
    for _ in range(runs):
        start = time.process_time()
        oddfleet.find_oddities(fleet)
        times.append(time.process_time() - start)
        start = time.process_time()
        np.sort(fleet.values, axis=0)
        floors.append(time.process_time() - start)
    return float(np.median(times)), float(np.median(floors))


def in_own_process(devices: int, runs: int, **environment: str) -> tuple[float, float, float]:
    """``cpu_seconds`` in a process of its own, and the peak MB of that.

    On Linux the peak of a process begins with that of the one that started it; so that is a shell, which is small, and
    not this, which may hold fleets.
    """
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, __file__, "--one", str(devices), "--runs", str(runs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    seconds, floor, peak = map(float, done.stdout.split())
    return seconds, floor, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("devices", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(*cpu_seconds(options.one, options.runs), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    print("| devices | CPU seconds | microseconds a device | times one sort | peak MB |\n|---|---|---|---|---|")
    for devices in options.devices:
        seconds, floor, peak = in_own_process(devices, options.runs)
        each = 1e6 * seconds / devices
        print(f"| {devices:,} | {seconds:.3f} | {each:.0f} | {seconds / floor:.0f} | {peak:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
