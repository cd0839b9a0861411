"""Time and memory of ``find_oddities`` against the number of devices, and against one sort of the same matrix.

    python benchmarks/speed.py 1000 10000
    python benchmarks/speed.py 1000 --parts      # what single steps take, in sorts: the least that a detector can do

Each size runs in a process of its own, so that the peak is its own; CPU time is of all threads, the median of several.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import oddfleet
from oddfleet import plant
from oddfleet.detect import moments, ranks

DAYS = 366


def taken(step: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    step()
    return time.process_time() - start


def cpu_seconds(devices: int, runs: int) -> tuple[float, float]:
    """Median CPU seconds of the detector on a healthy weekly fleet, and of sorting it along the days."""
    fleet = plant.healthy_fleet("weekly", devices, DAYS, seed=1000)
    times, floors = [], []
    for _ in range(runs):
        times.append(taken(lambda: oddfleet.find_oddities(fleet)))
        floors.append(taken(lambda: np.sort(fleet.values, axis=0)))
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


def steps_of(devices: int, runs: int) -> dict[str, float]:
    """Least CPU seconds of what a detector of this kind does to a matrix, and of all of it; the sort comes first."""
    fleet = plant.healthy_fleet("weekly", devices, DAYS, seed=1000)
    # A first time, so that all steps find the memory that the detector keeps.
    oddfleet.find_oddities(fleet)
    # What the detector looks at has lost its rounding, and so has no ties.
    values = np.random.default_rng(1000).lognormal(size=fleet.values.shape)
    steps: dict[str, Callable[[], object]] = {
        "one sort (np.sort)": lambda: np.sort(values, axis=0),
        "the same sort without vector instructions (kind='stable')": lambda: np.sort(values, axis=0, kind="stable"),
        "means and standard deviations (np.std)": lambda: values.std(axis=0),
        "logarithms (np.log)": lambda: np.log(values),
        "ranks (np.argsort, twice)": lambda: values.argsort(axis=0).argsort(axis=0),
        "ranks as normal quantiles, as here": lambda: ranks.normal_scores(values),
        "periodograms of the days (np.fft.rfft)": lambda: np.fft.rfft(values, axis=0),
        "the same at twice the frequencies, as here": lambda: np.fft.rfft(values, n=2 * DAYS, axis=0),
        "errors by ten batches of the L-moments, as here": lambda: moments.batch_errors(moments.moments, values, 10),
        "find_oddities": lambda: oddfleet.find_oddities(fleet),
    }
    return {name: min(taken(step) for _run in range(runs)) for name, step in steps.items()}


def show_steps(devices: int, runs: int) -> None:
    """Print ``steps_of`` as a Markdown table."""
    least = steps_of(devices, runs)
    sort = next(iter(least.values()))
    print(f"| {devices:,} devices | CPU milliseconds | times one sort |\n|---|---|---|")
    for name, seconds in least.items():
        print(f"| {name} | {1e3 * seconds:.2f} | {seconds / sort:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("devices", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--parts", action="store_true", help="single steps instead, in sorts of the matrix")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(*cpu_seconds(options.one, options.runs), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    if options.parts:
        for devices in options.devices:
            show_steps(devices, max(options.runs, 20))
        return
    print("| devices | CPU seconds | microseconds a device | times one sort | peak MB |\n|---|---|---|---|---|")
    for devices in options.devices:
        seconds, floor, peak = in_own_process(devices, options.runs)
        each = 1e6 * seconds / devices
        print(f"| {devices:,} | {seconds:.3f} | {each:.0f} | {seconds / floor:.0f} | {peak:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
