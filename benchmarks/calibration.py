"""The promise of ``alpha``, measured: how often healthy fleets raise an alarm, by kind and size of fleet.

    python benchmarks/calibration.py --fleets 100 --plot docs/images/calibration.png
    python benchmarks/calibration.py --kinds wandering --sizes 1000 --days 366 --fleets 400     far into the tails

Printed are the share of fleets with any alarm against the alpha that was promised, by kind and by size, and how often a
feature's p-value falls below a level, over that level: 1 is as promised, less is careful, more is too sure; and in how
many fleets it made the alarm. Seeds from 1000 on; constants of the package were chosen on seeds below.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from detection import Case, clean_cases, planted

from oddfleet import plant
from oddfleet.detect import decide, groups, repeats
from oddfleet.detect.judge import TESTS
from oddfleet.model import FloatArray
from oddfleet.settings import Settings

SIZES = (3, 5, 10, 30, 100, 300)
ALPHAS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
LEVELS = (0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6)
FIRST_SEED = 1000


@dataclass(frozen=True)
class Judged:
    """A healthy fleet: its kind and size, at which alphas it alarms, and its tests' p-values below each level.

    ``blamed`` is the most surprising test of each device that is named at the default alpha.
    """

    kind: str
    devices: int
    alarms: tuple[bool, ...]
    below: FloatArray
    judged: FloatArray
    blamed: frozenset[str]


def judge(case: Case) -> Judged:
    """Judge one healthy fleet at every alpha; broken promises, of which it has none, are left out."""
    fleet, _, _ = planted(case)
    twice = np.stack([found.log_p for found in repeats.find(fleet.values)])
    log_p = np.zeros((len(TESTS), fleet.n_devices))
    for group in groups.judged(fleet, twice, Settings()).groups:
        log_p[:, group.members] = group.judgement.log_p
    devices = decide.device_log_p(log_p)
    alarms = tuple(bool(decide.discoveries(devices, alpha).any()) for alpha in ALPHAS)
    named = decide.discoveries(devices, Settings().alpha)
    blamed = frozenset(TESTS[row] for row in log_p[:, named].argmin(axis=0))
    below = np.array([(log_p <= np.log(level)).sum(axis=1) for level in LEVELS])
    return Judged(case.fleet, case.devices, alarms, below, (log_p < 0).sum(axis=1), blamed)


def print_alarms(results: list[Judged], key: str, title: str) -> None:
    """A Markdown table: the share of fleets with any alarm at each alpha."""
    print(f"\n| {title} | fleets | {' | '.join(f'alpha {alpha}' for alpha in ALPHAS)} |\n{'|---' * (len(ALPHAS) + 2)}|")
    names = list(dict.fromkeys(getattr(result, key) for result in results))
    for name in [*names, "all"]:
        some = [result.alarms for result in results if name in (getattr(result, key), "all")]
        print(f"| {name} | {len(some)} | {' | '.join(f'{share:.3f}' for share in np.mean(some, axis=0))} |")


def print_tests(results: list[Judged]) -> None:
    """A Markdown table: how often a test's p-value falls below a level, over that level; and the fleets it alarmed."""
    below, judged = sum(result.below for result in results), sum(result.judged for result in results)
    titles = " | ".join(f"below {level:g}" for level in LEVELS)
    print(f"\n| test | p-values | {titles} | alarms |\n{'|---' * (len(LEVELS) + 3)}|")
    devices = sum(result.devices for result in results)
    for row, test in enumerate(TESTS):
        ratios = [below[place, row] / (devices * level) for place, level in enumerate(LEVELS)]
        alarms = sum(test in result.blamed for result in results)
        print(f"| `{test}` | {int(judged[row])} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} | {alarms} |")


def draw(results: list[Judged], path: Path) -> None:
    """Nominal alpha against the measured share of fleets with an alarm, a line a kind."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for the picture

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="alpha promised", ylabel="share of healthy fleets with an alarm")
    axes.plot(ALPHAS, ALPHAS, color="black", linestyle="--", label="as promised")
    for kind in dict.fromkeys(result.kind for result in results):
        measured = np.mean([result.alarms for result in results if result.kind == kind], axis=0)
        axes.plot(ALPHAS, measured, marker="o", markersize=3, label=kind)
    axes.legend(ncols=2, fontsize="small")
    figure.savefig(path, dpi=100, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleets", type=int, default=100, help="fleets of each kind and size (default: 100)")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--kinds", nargs="+", choices=plant.FLEETS, default=list(plant.FLEETS))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="devices in a fleet")
    parser.add_argument("--days", type=int, help="days of every fleet (default: 90 to 730)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="draw alpha promised against measured")
    options = parser.parse_args()
    cases = clean_cases(options.first_seed, options.fleets, tuple(options.sizes))
    cases = [replace(case, days=options.days or case.days) for case in cases if case.fleet in options.kinds]
    with ProcessPoolExecutor(options.workers) as pool:
        results = []
        for result in pool.map(judge, cases, chunksize=8):
            results.append(result)
            if sys.stderr.isatty():
                print(f"\r{len(results)} fleets", end="", file=sys.stderr)
    print_alarms(results, "kind", "fleet")
    print_alarms(results, "devices", "devices")
    print_tests(results)
    if options.plot:
        draw(results, options.plot)


if __name__ == "__main__":
    main()
