"""Measured figures, each with its floor, its ratio to that and its limit; and ``results.json``, which holds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
ODDFLEET = (sys.executable, "-c", "from oddfleet.cli import main; main()")
LIMITS = {
    "run, healthy fleet": 1.5,
    "run, two odd devices": 1.5,
    "--help, seconds": 0.15,
    "find_oddities, CPU seconds": 0.15,
    "find_oddities, sorts of the matrix": 5.0,
    "stored fleet of 10,000, wall time": 3.0,
    "stored fleet of 100,000, wall time": 3.0,
    "stored fleet of 1,000,000, wall time": 3.0,
    "stored fleet of 1,000,000, peak GB": 2.0,
    "report of 10 devices, size": 2.0,
    "report of 1,000 devices, size": 2.0,
    "report of 100,000 devices, size": 2.0,
}
"""What the project asks of itself, by name of the figure."""

MEASURED = """
import os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
status, usage = os.wait4(child, 0)[1:]
print(time.perf_counter() - start, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts a command and prints its wall seconds and peak MB. On Linux the peak of a process begins with that of the one
that started it; so that is a small one, and not one that holds fleets."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: its value, that of its floor (1 where the limit is absolute), and their ratio."""

    name: str
    value: float
    unit: str
    floor: float
    ratio: float
    limit: float | None
    held: bool | None

    @classmethod
    def of(cls, name: str, value: float, unit: str, floor: float = 1.0, ratio: float | None = None) -> Figure:
        ratio = value / floor if ratio is None else ratio
        limit = LIMITS.get(name)
        held = None if limit is None else ratio <= limit
        return cls(name, round(value, 4), unit, round(floor, 4), round(ratio, 3), limit, held)


def measured(*command: str) -> tuple[float, float]:
    """Wall seconds and peak MB of a process, its output swallowed unless it fails.

    Our modules are compiled once, as those of an installed package are, and not at each run.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: failed with {done.returncode}: {done.stderr.strip()}")
    taken, peak = map(float, done.stdout.split())
    return taken, peak


def show(figures: Sequence[Figure]) -> None:
    """Print a Markdown table."""
    print("| figure | value | floor | ratio | limit | held |\n|---|---|---|---|---|---|")
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:g}"
        held = {None: "", True: "yes", False: "**no**"}[figure.held]
        value = f"{figure.value:g} {figure.unit}"
        print(f"| {figure.name} | {value} | {figure.floor:g} | {figure.ratio:g} | {limit} | {held} |")


def keep(figures: Sequence[Figure]) -> None:
    """Write the figures to ``results.json``, in place of those of the same names; the others stay."""
    known = json.loads(RESULTS.read_text(encoding="utf-8"))["figures"] if RESULTS.exists() else []
    all_of_them = {figure["name"]: figure for figure in known} | {figure.name: asdict(figure) for figure in figures}
    text = json.dumps({"schema": 1, "figures": list(all_of_them.values())}, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")
