"""What could be found at all: the best test there can be, which knows the fault beforehand, beside oddfleet.

    python benchmarks/bound.py

Steady fleets of 300 devices, one of them faulty. By the lemma of Neyman and Pearson no test finds more at the same rate
of false alarms than the likelihood ratio of the fault, in its true size, against the noise. It is granted here what
oddfleet must find out: the noise, which fault it is, how strong, on which day the week begins. Weighted draws of
faulty devices tell how often the ratio is as large in healthy ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
from scipy import linalg, stats

import oddfleet
from oddfleet import plant
from oddfleet.detect import decide
from oddfleet.model import FloatArray, Kind
from oddfleet.settings import Settings

DEVICES, DRAWS = 300, 20_000
DAYS = (90, 180, 366, 730)
STRENGTHS = (1.0, 0.5)
ASKED = decide.asked(Settings().alpha, DEVICES) / DEVICES
"""A device alone must be so surprising to be named in a fleet of so many."""
Ratio = tuple[Callable[[np.random.Generator], FloatArray], Callable[[FloatArray], FloatArray]]


def shape(days: int, strength: float) -> Ratio:
    """Two humps: draws (draws, days), and their log likelihood ratio."""
    hump = min(0.95, 0.7 + 0.25 * strength)
    left = np.sqrt(1 - hump**2)

    def ratio(values: FloatArray) -> FloatArray:
        humps = np.logaddexp(*(stats.norm.logpdf(values, side * hump, left) for side in (-1, 1))) - np.log(2)
        total: FloatArray = (humps - stats.norm.logpdf(values)).sum(axis=1)
        return total

    def draw(source: np.random.Generator) -> FloatArray:
        return source.choice([-hump, hump], (DRAWS, days)) + left * source.normal(size=(DRAWS, days))

    return draw, ratio


def gaussian(mean: FloatArray, covariance: FloatArray) -> Ratio:
    """Normal noise of a mean (days,) and a covariance (days, days) against independent days."""
    root = linalg.cholesky(covariance, lower=True)
    determinant = 2 * np.log(np.diag(root)).sum()

    def ratio(values: FloatArray) -> FloatArray:
        whitened = linalg.solve_triangular(root, (values - mean).T, lower=True)
        total: FloatArray = ((values**2).sum(axis=1) - (whitened**2).sum(axis=0) - determinant) / 2
        return total

    return lambda source: mean + source.normal(size=(DRAWS, len(mean))) @ root.T, ratio


def weekly(days: int, strength: float) -> Ratio:
    """Two days a week that are busier."""
    return gaussian(2 * strength * (np.arange(days) % 7 >= 5), np.eye(days))


def mixture(days: int, strength: float) -> Ratio:
    """A little of everything: spread, week, drift and memory."""
    place = np.arange(days)
    mean = strength * (0.4 * (place % 7 >= 5) + 0.9 * (place / days - 0.5))
    own, before = 1 + 0.25 * strength, 0.3 * strength
    covariance = np.diag(np.full(days, own**2 + before**2))
    covariance += own * before * (np.eye(days, k=1) + np.eye(days, k=-1))
    return gaussian(mean, covariance)


FAULTS = {Kind.MIXTURE: mixture, Kind.SHAPE: shape, Kind.WEEKLY_RHYTHM: weekly}


def bound(kind: Kind, days: int, strength: float) -> float:
    """The share of faults that the best test finds."""
    draw, ratio = FAULTS[kind](days, strength)
    found = np.sort(ratio(draw(np.random.default_rng(1000))))[::-1]
    # A healthy device has so large a ratio with the chance of a faulty one, weighted by one over the ratio.
    healthy = np.cumsum(np.exp(-found)) / len(found)
    return float((healthy <= ASKED).mean())


def found(work: tuple[Kind, int, float, int]) -> bool:
    """Whether oddfleet names the one device of a steady fleet that has the fault."""
    kind, days, strength, seed = work
    fleet = plant.with_fault(plant.steady_fleet(DEVICES, days, seed=seed), 7, kind, strength=strength, seed=seed)
    return 7 in oddfleet.find_oddities(fleet).ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleets", type=int, default=40, help="fleets a fault, strength and number of days")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print("| fault | strength | days | found | the best test there is |\n|---|---|---|---|---|")
    seeds = range(options.first_seed, options.first_seed + options.fleets)
    with ProcessPoolExecutor(options.workers) as pool:
        for kind, strength, days in product(FAULTS, STRENGTHS, DAYS):
            share = np.mean(list(pool.map(found, [(kind, days, strength, seed) for seed in seeds])))
            print(
                f"| {kind.value} | {strength:g} | {days} | {share:.2f} | {bound(kind, days, strength):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
