"""Subsets of the real data: does each detector name the odd device, and nothing where there is none?

    python benchmarks/subsets.py [DATA_FOLDER] [--count 200] [--seed 2020] [--check] [--planted]

Half of the subsets hold the one odd device of the real data, half hold none. With ``--planted`` one device of a clean
subset is made odd in ten ways. ``--check`` ends with 1 if any subset of 5 devices or more is judged wrongly.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import oddfleet

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
import solution  # noqa: E402  (the script is no installed module)

Array = npt.NDArray[np.float64]
DEFAULT_DATA = ROOT / ".." / "shared" / "data" / "iot-2020" / "data"
KNOWN_ODD = 4399
SIZES = (3, 4, 5, 8, 12, 20, 50, 100, 200, 500)
PLANTED_SIZES, PLANTED_COUNT = (3, 5, 20, 200), 20
FEWEST_TO_CHECK = 5


def level_shift(x: Array, rng: np.random.Generator) -> Array:
    return x + np.where(np.arange(len(x)) < len(x) // 2, 0.0, 20.0)


def doubled_spread(x: Array, rng: np.random.Generator) -> Array:
    return np.where(np.arange(len(x)) < len(x) // 2, x, x.mean() + 2 * (x - x.mean()))


def stretch(x: Array, rng: np.random.Generator, days: int, value: float) -> Array:
    start = int(rng.integers(0, len(x) - days))
    place = np.arange(len(x))
    return np.where((place >= start) & (place < start + days), value, x)


def one_negative(x: Array, rng: np.random.Generator) -> Array:
    return np.where(np.arange(len(x)) == rng.integers(0, len(x)), -x, x)


def lost_days(x: Array, rng: np.random.Generator) -> Array:
    return np.where(np.isin(np.arange(len(x)), rng.choice(len(x), 20, replace=False)), np.nan, x)


PLANTS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "uniform 0 to 200 MB": lambda x, rng: rng.uniform(0, 200, len(x)),
    "random walk": lambda x, rng: x.mean() + rng.normal(0, 1, len(x)).cumsum(),
    "step of 20 MB halfway": level_shift,
    "spread doubles halfway": doubled_spread,
    "weekends 5 MB lower": lambda x, rng: x - np.where(np.arange(len(x)) % 7 < 2, 5.0, 0.0),
    "30-day wave of 5 MB": lambda x, rng: x + 5 * np.sin(2 * np.pi * np.arange(len(x)) / 30),
    "20 lost days": lost_days,
    "a silent fortnight": lambda x, rng: stretch(x, rng, 14, 0.0),
    "rounded to whole MB": lambda x, rng: np.round(x),
    "one negative value": one_negative,
}


def by_solution(devices: solution.Devices, n_days: int) -> set[Any]:
    return set(solution.judge(devices, n_days)[0])


def by_package(wide: pd.DataFrame) -> set[Any]:
    fleet = oddfleet.Fleet(
        device_ids=tuple(wide.columns),
        names=(None,) * wide.shape[1],
        dates=wide.index.to_numpy().astype("datetime64[D]"),
        values=wide.to_numpy(),
    )
    return set(oddfleet.find_oddities(fleet).ids)


def describe(x: Array, dates: pd.DatetimeIndex) -> dict[str, solution.Measure]:
    nothing = np.zeros(len(x), dtype=bool)
    return solution.describe(x, dates, nothing, nothing)


def draw(rng: np.random.Generator, clean: list[int], size: int, *, odd: bool) -> frozenset[int]:
    """A subset of the given size; one device fewer where only the clean ones do not suffice."""
    members = rng.choice(clean, min(size - odd, len(clean)), replace=False).tolist()
    return frozenset(members + [KNOWN_ODD] * odd)


def compare_subsets(wide: pd.DataFrame, described: solution.Devices, count: int, seed: int) -> int:
    """Print the table by size; the number of wrong answers on subsets of FEWEST_TO_CHECK or more is returned."""
    rng = np.random.default_rng(seed)
    clean = [int(key) for key in wide.columns if int(key) != KNOWN_ODD]

    @cache
    def answers(members: frozenset[int]) -> dict[str, set[Any]]:
        keys = sorted(members)
        return {
            "solution.py": by_solution({key: described[key] for key in keys}, len(wide)),
            "oddfleet": by_package(wide[keys]),
        }

    tallies: dict[tuple[str, int], Counter[str]] = {}
    for trial in range(count):
        size, odd = SIZES[trial % len(SIZES)], (trial // len(SIZES)) % 2 == 0
        members = draw(rng, clean, size, odd=odd)
        for detector, said in answers(members).items():
            tally = tallies.setdefault((detector, size), Counter())
            alarm, miss = bool(said - {KNOWN_ODD}), odd and KNOWN_ODD not in said
            tally.update(subsets=1, odd=odd, right=not alarm and not miss, alarms=alarm, misses=miss)
    print(f"{'detector':<12}{'size':>6}{'subsets':>9}{'with odd':>10}{'right':>7}{'false alarms':>14}{'misses':>8}")
    for (detector, size), tally in sorted(tallies.items(), key=lambda item: (item[0][0] != "solution.py", item[0][1])):
        row = f"{detector:<12}{size:>6}{tally['subsets']:>9}{tally['odd']:>10}{tally['right']:>7}"
        print(f"{row}{tally['alarms']:>14}{tally['misses']:>8}")
    return sum(t["subsets"] - t["right"] for (_, size), t in tallies.items() if size >= FEWEST_TO_CHECK)


def compare_planted(wide: pd.DataFrame, described: solution.Devices, seed: int) -> None:
    """Print how many of PLANTED_COUNT planted oddities each detector finds, and on how many it names another device."""
    clean, dates = [int(key) for key in wide.columns if int(key) != KNOWN_ODD], pd.DatetimeIndex(wide.index)
    heads = "".join(f"{f'{size} devices':>14}" for size in PLANTED_SIZES)
    print(f"\nfound of {PLANTED_COUNT} (+ subsets with another device named): solution.py / oddfleet")
    print(f"{'planted':<24}{heads}")
    for number, (name, plant) in enumerate(PLANTS.items()):
        cells = []
        for size in PLANTED_SIZES:
            rng = np.random.default_rng([seed, number, size])
            found, others = Counter[str](), Counter[str]()
            for _ in range(PLANTED_COUNT):
                keys = sorted(draw(rng, clean, size, odd=False))
                target = keys[int(rng.integers(size))]
                subset = wide[keys].copy()
                subset[target] = plant(subset[target].to_numpy(), rng)
                devices: solution.Devices = {key: described[key] for key in keys}
                devices[target] = describe(subset[target].to_numpy(), dates)
                for detector, said in (("s", by_solution(devices, len(wide))), ("p", by_package(subset))):
                    found[detector] += target in said
                    others[detector] += bool(said - {target})
            cells.append("/".join(f"{found[d]}{f'+{others[d]}' * (others[d] > 0)}" for d in "sp"))
        print(f"{name:<24}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--planted", action="store_true")
    options = parser.parse_args()
    started = time.perf_counter()
    wide = solution.as_wide(solution.read_series(options.data))[0]
    wide = wide[sorted(wide.columns)]
    dates = pd.DatetimeIndex(wide.index)
    described: solution.Devices = {key: describe(wide[key].to_numpy(), dates) for key in wide.columns.tolist()}
    wrong = compare_subsets(wide, described, options.count, options.seed)
    if options.planted:
        compare_planted(wide, described, options.seed)
    print(
        f"\n{wrong} wrong with {FEWEST_TO_CHECK} devices or more; {time.perf_counter() - started:.0f} s",
        file=sys.stderr,
    )
    return int(options.check and wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
