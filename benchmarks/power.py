"""Power: the share of planted faults that is found, against their strength.

    python benchmarks/power.py --fleets 10 --plot docs/images/power.png

In fleets of 100 devices of every kind one fault of each kind is planted in turn (a strength of 1 is blatant, 0.5
subtle; see ``oddfleet.plant.plant_fault``). Seeds from 1000 on.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import oddfleet
from oddfleet import plant
from oddfleet.errors import SettingsError
from oddfleet.model import Kind

STRENGTHS = (0.125, 0.25, 0.5, 1.0, 2.0)
DEVICES, DAYS, FIRST_SEED = 100, 366, 1000


def found(work: tuple[str, int]) -> list[tuple[str, float, bool]]:
    """Plant every kind of fault at every strength, each alone, in one healthy fleet: kind, strength, found."""
    name, seed = work
    fleet = plant.healthy_fleet(name, DEVICES, DAYS, seed=seed)
    rows = []
    for number, kind in enumerate(plant.FAULTS):
        for strength in STRENGTHS:
            device = fleet.device_ids[(seed * 7 + number) % DEVICES]
            try:
                sick = plant.with_fault(fleet, device, kind, strength=strength, seed=seed)
            except SettingsError:  # a kind that this fleet cannot have
                continue
            rows.append((kind.value, strength, device in oddfleet.find_oddities(sick).ids))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleets", type=int, default=5, help="fleets of each kind (default: 5)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="draw the curves")
    options = parser.parse_args()
    work = [(name, FIRST_SEED + run) for name in plant.FLEETS for run in range(options.fleets)]
    with ProcessPoolExecutor(options.workers) as pool:
        rows = [row for part in pool.map(found, work) for row in part]
    print(
        f"| fault | {' | '.join(f'strength {strength}' for strength in STRENGTHS)} |\n{'|---' * (len(STRENGTHS) + 1)}|"
    )
    curves = {}
    for kind in Kind:
        shares = [[hit for k, s, hit in rows if (k, s) == (kind.value, strength)] for strength in STRENGTHS]
        if all(shares):
            curves[kind.value] = [float(np.mean(hits)) for hits in shares]
            print(f"| {kind.value} | {' | '.join(f'{share:.2f}' for share in curves[kind.value])} |")
    if options.plot:
        draw(curves, options.plot)


def draw(curves: dict[str, list[float]], path: Path) -> None:
    """One small picture a kind."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for the picture

    figure = Figure(figsize=(9, 6), layout="constrained")
    grid = figure.subplots(3, 7, sharex=True, sharey=True)
    for axes, (kind, shares) in zip(grid.flat, curves.items(), strict=False):
        axes.plot(STRENGTHS, shares, marker="o", markersize=3)
        axes.set_xscale("log", base=2)
        axes.set_ylim(-0.05, 1.05)
        axes.set_title(kind.replace("_", " "), fontsize="small")
    figure.supxlabel("strength (1 = blatant, 0.5 = subtle)")
    figure.supylabel("share found, fleets of nine kinds")
    figure.savefig(path, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    main()
