"""Days that were odd for a whole fleet: how often a healthy fleet is said to have one, which planted ones are found.

    python benchmarks/days.py --fleets 50

Printed are the share of fleets without any such day that have one listed; what is found of the days of ``drop_days``
fleets; and of planted days, on which all devices or every other one carry less. A day is false when it is none of
the planted ones. Seeds from 1000 on; constants of the package were chosen on seeds below.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace

import numpy as np

from oddfleet import plant
from oddfleet.detect import days, groups
from oddfleet.model import AnomalousDay, Fleet, IntArray
from oddfleet.settings import Settings

SIZES, LENGTHS = (3, 10, 30, 100, 300, 1000), (90, 366, 730)
ALPHAS = (0.01, 0.05, 0.2)
DROPS, SHARES, SPELLS = (0.1, 0.2, 0.4), (0.5, 1.0), (1, 7)
PLANTED_IN = 100, 366
WITHOUT = [kind for kind in plant.FLEETS if kind != "drop_days"]
FIRST_SEED = 1000


def listed(fleet: Fleet, *alphas: float) -> list[tuple[AnomalousDay, ...]]:
    """The days listed at each alpha."""
    cohorts = groups.judged(fleet, np.zeros((2, fleet.n_devices)), Settings()).groups
    return [days.anomalous(cohorts, fleet.dates, alpha) for alpha in alphas]


def told(found: tuple[AnomalousDay, ...], fleet: Fleet) -> set[int]:
    """The places of all days that are listed."""
    start = fleet.dates[0].astype("datetime64[D]").item()
    return {day for one in found for day in range((one.day - start).days, (one.until - start).days + 1)}


def dropped(fleet: Fleet, size: float, share: float, length: int, seed: int) -> tuple[Fleet, set[int]]:
    """A fleet of which some devices carry less on a day, or on several in a row; and those days."""
    draw = np.random.default_rng(seed)
    first = int(draw.integers(fleet.n_days - length + 1))
    some: IntArray = draw.permutation(fleet.n_devices)[: max(1, round(share * fleet.n_devices))]
    values = fleet.values.copy()
    values[first : first + length, some] *= 1 - size
    if np.array_equal(fleet.values, np.round(fleet.values), equal_nan=True):
        # Of counts each is lost by itself.
        values[first : first + length, some] = draw.binomial(
            fleet.values[first : first + length, some].astype(int), 1 - size
        )
    return replace(fleet, values=values), set(range(first, first + length))


def falling(length: int, seed: int) -> set[int]:
    """The days on which a ``drop_days`` fleet falls; of each size it is on the same."""
    values = plant.healthy_fleet("drop_days", 100, length, seed=seed).values
    return set(np.flatnonzero(np.median(values / np.median(values, axis=0), axis=1) < 0.8).tolist())


def print_alarms(seeds: range) -> None:
    """The share of fleets without an odd day that have one listed, by kind, by size and by length."""
    rows = []
    for kind, size, length in itertools.product(WITHOUT, SIZES, LENGTHS):
        for seed in seeds:
            found = listed(plant.healthy_fleet(kind, size, length, seed=seed), *ALPHAS)
            rows.append(((kind, f"{size} devices", f"{length} days", "all"), [bool(some) for some in found]))
    print(f"| fleets | of them | {' | '.join(f'alpha {alpha}' for alpha in ALPHAS)} |\n{'|---' * (len(ALPHAS) + 2)}|")
    for name in dict.fromkeys(itertools.chain(*zip(*(names for names, _alarms in rows), strict=True))):
        alarms = [alarms for names, alarms in rows if name in names]
        print(f"| {name} | {len(alarms)} | {' | '.join(f'{share:.3f}' for share in np.mean(alarms, axis=0))} |")


def print_found(title: str, rows: list[tuple[str, Fleet, set[int]]]) -> None:
    """What is found at the usual alpha of days that are known: days found, days listed falsely, spells listed."""
    print(f"\n| {title} | fleets | days found | false days a fleet | spells listed a fleet |\n{'|---' * 5}|")
    for name in dict.fromkeys(name for name, _fleet, _days in rows):
        some = [(fleet, truth) for other, fleet, truth in rows if other == name]
        found = [listed(fleet, Settings().alpha)[0] for fleet, _truth in some]
        days_of = [told(spells, fleet) for spells, (fleet, _truth) in zip(found, some, strict=True)]
        hits = sum(len(said & truth) for said, (_fleet, truth) in zip(days_of, some, strict=True))
        false = sum(len(said - truth) for said, (_fleet, truth) in zip(days_of, some, strict=True))
        share = hits / sum(len(truth) for _fleet, truth in some)
        print(
            f"| {name} | {len(some)} | {share:.3f} | {false / len(some):.3f} | {sum(map(len, found)) / len(some):.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleets", type=int, default=20, help="fleets of each kind, size and length (default: 20)")
    parser.add_argument("--planted", type=int, default=20, help="fleets of each kind with days planted (default: 20)")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="the first seed (default: 1000)")
    options = parser.parse_args()
    print_alarms(range(options.first, options.first + options.fleets))
    seeds = range(options.first, options.first + options.planted)
    falls = [
        (
            f"{size} devices, {length} days",
            plant.healthy_fleet("drop_days", size, length, seed=seed),
            falling(length, seed),
        )
        for size, length, seed in itertools.product((3, 10, 100), LENGTHS, seeds)
    ]
    print_found("drop_days", falls)
    for kind in WITHOUT:
        fleets = [(seed, plant.healthy_fleet(kind, PLANTED_IN[0], PLANTED_IN[1], seed=seed)) for seed in seeds]
        cases = itertools.product(DROPS, SHARES, SPELLS, fleets)
        print_found(
            kind,
            [
                (f"{drop:.0%} less in {share:.0%}, {spell} days", *dropped(fleet, drop, share, spell, seed))
                for drop, share, spell, (seed, fleet) in cases
            ],
        )


if __name__ == "__main__":
    main()
