"""How often clean fleets raise an alarm: the promise of ``alpha``, measured on fleets without a fault.

    python benchmarks/calibration.py --fleets 200

Every device of a fleet draws its days from one law. Printed are the share of fleets with any alarm, against the alpha
that was promised, and how often the p-value of each feature falls below a level, over that level: 1 is as promised,
less is careful, more is too sure; the same for the number of lost days, where every device loses days at one rate.
Talk goes to stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np

from oddfleet.detect import decide, features, promises, surprise
from oddfleet.model import FloatArray

SIZES = (3, 5, 10, 30, 100, 300)
N_DAYS = 366
ALPHAS = (0.01, 0.05)
LEVELS = (0.1, 0.01, 0.001)
LOST_RATES = (0.02, 0.001, 0.0003)
FIRST_SEED = 1000
DATES = np.datetime64("2020-01-01") + np.arange(N_DAYS)
LAWS: dict[str, Callable[[np.random.Generator, tuple[int, int]], FloatArray]] = {
    "normal": lambda rng, shape: rng.normal(100, 10, shape),
    "lognormal": lambda rng, shape: rng.lognormal(4, 0.5, shape),
    "student4": lambda rng, shape: 100 + 5 * rng.standard_t(4, shape),
}


def fleet_surprises(law: str, n_devices: int, seed: int) -> FloatArray:
    """Log p-values (features, devices) of one clean fleet."""
    values = LAWS[law](np.random.default_rng(seed), (N_DAYS, n_devices))
    return surprise.log_surprises(features.compute(values, values, DATES))


def simulate(law: str, n_devices: int, n_fleets: int) -> FloatArray:
    """Log p-values (fleets, features, devices)."""
    surprises = []
    for number in range(n_fleets):
        surprises.append(fleet_surprises(law, n_devices, FIRST_SEED + number))
        if sys.stderr.isatty() or (number + 1) % 50 == 0 or number + 1 == n_fleets:
            print(f"\r{law}, {n_devices} devices: {number + 1}/{n_fleets} fleets", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return np.stack(surprises)


def print_alarms(law: str, surprises: FloatArray) -> None:
    """One row of the table of fleets with any alarm."""
    device_p = [decide.device_log_p(fleet) for fleet in surprises]
    cells = []
    for alpha in ALPHAS:
        rate = float(np.mean([decide.discoveries(log_p, alpha).any() for log_p in device_p]))
        cells.append(f"{rate:8.4f} ± {np.sqrt(max(rate, 1 / len(device_p)) / len(device_p)):.4f}")
    print(f"{law:10} {surprises.shape[2]:8} {'  '.join(cells)}", flush=True)


def print_features(law: str, surprises: FloatArray) -> None:
    """One row a feature: how often its p-value falls below a level, over that level."""
    for place, name in enumerate(features.COMPARED):
        log_p = surprises[:, place]
        ratios = "  ".join(f"{(log_p <= np.log(level)).mean() / level:7.2f}" for level in LEVELS)
        print(f"{law:10} {surprises.shape[2]:8}  {name:18} {ratios}")


def print_lost(rate: float, n_devices: int, n_fleets: int) -> None:
    """One row: how often the p-value of the lost days falls below a level, over that level."""
    fleets = (np.random.default_rng(FIRST_SEED + n).random((N_DAYS, n_devices)) < rate for n in range(n_fleets))
    log_p = np.concatenate([promises.log_surprise_of_lost(lost) for lost in fleets])
    ratios = "  ".join(f"{(log_p <= np.log(level)).mean() / level:7.2f}" for level in LEVELS)
    print(f"{rate:<10} {n_devices:8}  {'lost_days':18} {ratios}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the false-alarm rate on clean fleets.")
    parser.add_argument("--fleets", type=int, default=1000, help="fleets for each size and law (default: 1000)")
    n_fleets = parser.parse_args().fleets
    print(f"share of {n_fleets} clean fleets with any alarm, at alpha {ALPHAS[0]} and {ALPHAS[1]}")
    print(f"{'noise':10} {'devices':>8} {'  '.join(f'{alpha:>17}' for alpha in ALPHAS)}")
    tables: list[tuple[str, FloatArray]] = []
    for law in LAWS:
        for n_devices in SIZES:
            surprises = simulate(law, n_devices, n_fleets)
            print_alarms(law, surprises)
            tables.append((law, surprises.astype(np.float32)))
    print(f"\nhow often a feature's p-value falls below {', '.join(map(str, LEVELS))}, over that level")
    for law, surprises in tables:
        print_features(law, surprises)
    print("\nthe same where every device loses this share of its days")
    for rate in LOST_RATES:
        for n_devices in SIZES:
            print_lost(rate, n_devices, n_fleets)


if __name__ == "__main__":
    main()
