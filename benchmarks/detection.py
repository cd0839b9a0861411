"""The yardstick: false alarms, recall, precision, kinds and dates on healthy and on sick fleets of nine kinds.

    python benchmarks/detection.py                  oddfleet on the seeds that are reported (1000 and up)
    python benchmarks/detection.py --first-seed 0   on the seeds for choosing
    python benchmarks/detection.py --peers          also the peers that are installed, on the same fleets
    python benchmarks/detection.py --methods lof    just these, by name
    python benchmarks/detection.py --alpha 0.1      what more would be found if more false alarms were allowed

Every fleet is drawn anew from its seed: its kind's parameters, the number of devices and days, and which faults are
planted in it. No constant of the package was chosen on the seeds from 1000 on.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from peers import PEERS, Peer

import oddfleet
from oddfleet import plant
from oddfleet.errors import SettingsError
from oddfleet.model import Fleet, Kind

SIZES = (3, 5, 10, 30, 100, 300, 1000)
DAYS = (90, 180, 366, 366, 730)
STRENGTHS = (1.0, 0.5)
SICK_SIZES = (20, 60, 100, 300)
"""Sick fleets are large enough for a recall to mean something; ``--sizes`` asks for others."""


@dataclass(frozen=True)
class Named:
    """What a method says of one device: its id, and where it says so the kind and the first day."""

    device_id: object
    kind: str | None = None
    since: str | None = None


@dataclass(frozen=True)
class Case:
    """One fleet to be judged; ``strength`` 0 means healthy."""

    fleet: str
    devices: int
    days: int
    strength: float
    seed: int


@dataclass(frozen=True)
class Outcome:
    """One row of the results: a planted device, or (``kind`` empty) all healthy devices of a fleet."""

    case: Case
    kind: str
    found: int
    said: str | None = None
    days_off: int | None = None


def oddfleet_names(fleet: Fleet, alpha: float = 0.01) -> list[Named]:
    """What oddfleet says, with its default settings but for alpha."""
    result = oddfleet.find_oddities(fleet, alpha=alpha)
    return [
        Named(i, first.kind.value, first.since and str(first.since)) for i in result.ids for first in [result.of(i)[0]]
    ]


def peer_names(peer: Peer, fleet: Fleet) -> list[Named]:
    """What a peer says: ids, nothing else."""
    return [Named(device) for device in peer.odd_ids(fleet)]


def clean_cases(first_seed: int, fleets: int, sizes: tuple[int, ...] = SIZES) -> list[Case]:
    """Healthy fleets, the same number of every kind and size."""
    return [
        Case(kind, size, DAYS[(run + place) % len(DAYS)], 0.0, first_seed + run)
        for kind in plant.FLEETS
        for place, size in enumerate(sizes)
        for run in range(fleets)
    ]


def sick_cases(
    first_seed: int, fleets: int, sizes: tuple[int, ...] = SICK_SIZES, strengths: tuple[float, ...] = STRENGTHS
) -> list[Case]:
    """Fleets in which one device in twenty is faulty, blatantly or subtly."""
    return [
        Case(kind, size, DAYS[(run + place) % len(DAYS)], strength, first_seed + run)
        for kind in plant.FLEETS
        for place, size in enumerate(sizes)
        for run in range(fleets)
        for strength in strengths
    ]


def planted(case: Case) -> tuple[Fleet, dict[object, plant.Planted], set[object]]:
    """The fleet of a case, its faults by device, and further devices that may be named: a copy has two ends."""
    draw = np.random.default_rng(
        [case.seed, list(plant.FLEETS).index(case.fleet), case.devices, int(4 * case.strength)]
    )
    fleet = plant.healthy_fleet(case.fleet, case.devices, case.days, seed=int(draw.integers(2**32)))
    if case.strength == 0:
        return fleet, {}, set()
    places = draw.choice(case.devices, max(1, case.devices // 20), replace=False)
    rounds = -(-len(places) // len(plant.FAULTS))
    kinds = np.concatenate([draw.permutation(len(plant.FAULTS)) for _ in range(rounds)])[: len(places)]
    truth: dict[object, plant.Planted] = {}
    for place, kind in zip(places, kinds, strict=True):
        device = fleet.device_ids[place]
        try:
            done = plant.plant_fault(
                fleet, device, plant.FAULTS[kind], strength=case.strength, seed=int(draw.integers(2**32))
            )
        except SettingsError:  # a kind that this fleet cannot have
            continue
        fleet, truth[device] = done.fleet, done
    pairs = {other for device, done in truth.items() if done.kind is Kind.COPIED for other in _same_end(fleet, device)}
    return fleet, truth, pairs - truth.keys()


def _same_end(fleet: Fleet, device: object) -> list[object]:
    """The devices whose last days are those of this one."""
    last = np.nan_to_num(fleet.values[-14:])
    place = fleet.device_ids.index(device)  # type: ignore[arg-type]
    return [fleet.device_ids[d] for d in np.flatnonzero((last == last[:, [place]]).all(axis=0)) if d != place]


def judge(case: Case, method: Callable[[Fleet], list[Named]]) -> list[Outcome]:
    """Run a method on the fleet of a case and hold what it names against what was planted."""
    fleet, truth, either = planted(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if getattr(method, "func", None) is peer_names else "error")
        said = {named.device_id: named for named in method(fleet)}
    rows = [Outcome(case, "", len(said.keys() - truth.keys() - either))]
    for device, fault in truth.items():
        named = said.get(device)
        off = None
        if named is not None and fault.since is not None:
            first = np.datetime64(named.since) if named.since else None
            off = 9999 if first is None else abs(int((first - np.datetime64(fault.since)).astype(int)))
        rows.append(Outcome(case, fault.kind.value, int(named is not None), named and named.kind, off))
    return rows


def _judge_by_name(work: tuple[Case, str, float]) -> list[Outcome]:
    case, method, alpha = work
    return judge(case, partial(oddfleet_names, alpha=alpha) if method == "oddfleet" else METHODS[method])


METHODS: dict[str, Callable[[Fleet], list[Named]]] = {
    "oddfleet": oddfleet_names,
    **{name: partial(peer_names, peer) for name, peer in PEERS.items()},
}


def installed(methods: list[str]) -> list[str]:
    """Those that can run here; the others are named on stderr."""
    lacking = {name: PEERS[name].missing for name in methods if name in PEERS and PEERS[name].missing}
    for name, modules in lacking.items():
        print(f"skipped: {name} needs {', '.join(modules)}; `make bench` installs what it needs", file=sys.stderr)
    return [name for name in methods if name not in lacking]


def outcomes(cases: list[Case], method: str, workers: int, alpha: float = 0.01) -> Iterator[Outcome]:
    """Judge all cases, several at a time."""
    with ProcessPoolExecutor(workers) as pool:
        for done, rows in enumerate(
            pool.map(_judge_by_name, [(case, method, alpha) for case in cases], chunksize=4), 1
        ):
            if sys.stderr.isatty():
                print(f"\r{method}: {done}/{len(cases)} fleets", end="", file=sys.stderr)
            yield from rows


def share(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def summary(rows: list[Outcome]) -> dict[str, float]:
    """The figures of the table from any selection of rows."""
    clean = [row.found > 0 for row in rows if row.case.strength == 0]
    faults = [row for row in rows if row.kind]
    found = [row for row in faults if row.found]
    wrong = sum(row.found for row in rows if not row.kind and row.case.strength > 0)
    return {
        "alarms": share(clean),
        "recall": share([bool(row.found) for row in faults]),
        "precision": len(found) / (len(found) + wrong) if found or wrong else float("nan"),
        "kind": share([row.said == row.kind for row in found]),
        "since": share([row.days_off <= 3 for row in found if row.days_off is not None]),
        "faults": len(faults),
        "clean": len(clean),
    }


COLUMNS = ("alarms", "recall", "precision", "kind", "since", "faults", "clean")
PEER_COLUMNS = ("alarms", "recall", "precision", "faults", "clean")


def table(rows: list[Outcome], key: Callable[[Outcome], object], title: str, columns: tuple[str, ...] = COLUMNS) -> str:
    """A Markdown table, one line a value of the key."""
    lines = [f"| {title} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    groups: dict[object, list[Outcome]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    for name, group in [*groups.items(), ("all", rows)]:
        numbers = summary(group)
        cells = [f"{numbers[c]:.0f}" if c in ("faults", "clean") else f"{numbers[c]:.3f}" for c in columns]
        lines.append(f"| {name} | {' | '.join('' if cell == 'nan' else cell for cell in cells)} |")
    return "\n".join(lines)


def comparison(rows: dict[str, list[Outcome]]) -> str:
    """The Markdown table of all methods, one line a method."""
    lines = ["| method | alarms on clean fleets | recall | precision |", "|---|---|---|---|"]
    for name, outcome in rows.items():
        numbers = summary(outcome)
        cells = [f"{numbers[c]:.2f}".replace("nan", "") for c in ("alarms", "recall", "precision")]
        lines.append(f"| {PEERS[name].title if name in PEERS else name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def print_tables(rows: list[Outcome]) -> None:
    """All that is to be told of oddfleet."""
    faults = [row for row in rows if row.kind]
    print(table(rows, lambda row: row.case.fleet, "fleet"))
    print(table(faults, lambda row: row.kind, "fault"))
    print(table(faults, lambda row: row.case.strength, "strength"))
    print(table([row for row in rows if row.case.strength == 0], lambda row: row.case.devices, "devices, healthy"))
    print(table([row for row in rows if row.case.strength > 0], lambda row: row.case.devices, "devices, sick"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--clean", type=int, default=20, help="healthy fleets a kind and size")
    parser.add_argument("--sick", type=int, default=10, help="sick fleets a kind, size and strength")
    parser.add_argument("--sizes", type=int, nargs="+", help="devices in healthy and sick fleets")
    parser.add_argument("--kinds", nargs="+", help="only these kinds of fleets")
    parser.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS, help="strengths of the faults")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["oddfleet"], help="who judges")
    parser.add_argument("--peers", dest="methods", action="store_const", const=list(METHODS), help="all methods")
    parser.add_argument("--alpha", type=float, default=0.01, help="false-alarm rate oddfleet is asked for")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--save", type=Path, help="all outcomes as JSON lines")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    sizes = tuple(args.sizes or ())
    cases = clean_cases(args.first_seed, args.clean, sizes or SIZES)
    cases += sick_cases(args.first_seed, args.sick, sizes or SICK_SIZES, tuple(args.strengths))
    cases = [case for case in cases if not args.kinds or case.fleet in args.kinds]
    rows = {method: list(outcomes(cases, method, args.workers, args.alpha)) for method in installed(args.methods)}
    if args.save:
        lines = [json.dumps({"method": method, **asdict(row)}) for method, found in rows.items() for row in found]
        args.save.write_text("".join(f"{line}\n" for line in lines))
    for method, found in rows.items():
        if method == "oddfleet":
            print_tables(found)
        else:
            print("\n" + table(found, lambda row: row.case.fleet, f"{method}: fleet", PEER_COLUMNS))
    if len(rows) > 1:
        print("\n" + comparison(rows))


if __name__ == "__main__":
    main()
