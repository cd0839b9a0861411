"""What would have been found: known faults planted in copies of the user's own fleet, and the copies judged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from oddfleet import detect, plant
from oddfleet.errors import InputError, SettingsError
from oddfleet.model import AnyFleet, DeviceId, FaultTest, Finding, Fleet, IntArray, Kind, Oddities, SelfTest
from oddfleet.pipeline.progress import Progress, Step
from oddfleet.settings import Settings, Trials

STRENGTHS = (0.125, 0.25, 0.5, 1.0, 2.0)
MOST_DEVICES = 1000
"""A random sample of so many stands for a larger fleet."""
DEVICES_A_FAULT = 50
"""At most one device in so many gets a fault at a time, so that the fleet still says what is usual."""
_PARTS = ("values", "duplicated", "invalid")
"""The parts of a fleet that a fault may change, cell by cell."""
DAYS_OFF = 3
"""A date is right when it is off by at most so many days."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one planted fault; ``dated_right`` is None where it does not begin on a day."""

    kind: Kind
    strength: float
    found: bool
    named_right: bool
    dated_right: bool | None


def selftest(fleet: Fleet, alpha: float = 0.01, cohorts: str = "auto", repeats: int = 5, seed: int = 0) -> SelfTest:
    """Plant known faults in copies of a fleet and say, kind by kind, which would have been found.

    Every kind of ``oddfleet.plant.FAULTS`` is planted at each strength of 0.125, 0.25, 0.5 (subtle), 1 (blatant)
    and 2, ``repeats`` times, each time in a device chosen at random among those that are not odd as they are.
    Where the fleet is large, several faults are planted at once, in at most one device in 50: the figures then hold
    for a fleet with so many odd devices, in which a weak fault is found a little sooner than when it is the only one.

    Args:
        fleet: the fleet; not changed. Of more than 1000 devices a random sample of 1000 is judged.
        alpha: share of healthy fleets that may raise any alarm.
        cohorts: which devices are judged together: ``"auto"``, ``"none"`` or a column of the meta file.
        repeats: how often each fault is planted at each strength.
        seed: the same seed gives the same answer.

    Returns:
        One entry a kind, and one for all together.

    Raises:
        SettingsError: when a setting makes no sense.
        InputError: when there is no healthy device to plant in.
    """
    return tested(fleet, Settings(alpha=alpha, cohorts=cohorts), Trials(repeats=repeats, seed=seed), _silent)


def selftest_data(data: Path, settings: Settings, trials: Trials, progress: Progress) -> SelfTest:
    """Read a fleet and do its self-test; no file is written.

    Args:
        data: a folder of daily CSV files, or one CSV or Parquet table.
        settings: how the fleet is judged.
        trials: how often faults are planted, and from which seed.
        progress: told how far the work is.

    Raises:
        InputError: when there is no usable data, or no healthy device to plant in.
        SettingsError: when the cohort column does not exist.
    """
    from oddfleet import ingest  # noqa: PLC0415 - Polars is slow to import and not always needed

    fleet = ingest.to_fleet(ingest.read_source(data, progress.step("reading")), progress.step("arranging"))
    return tested(fleet, settings, trials, progress.step("planting"))


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def tested(fleet: AnyFleet, settings: Settings, trials: Trials, step: Step) -> SelfTest:
    """The self-test of a fleet.

    Args:
        fleet: the fleet, in memory or not; not changed.
        settings: how it is judged.
        trials: how often faults are planted, and from which seed.
        step: told (faults planted, in all).

    Raises:
        InputError: when there is no healthy device to plant in.
        SettingsError: when the cohort column does not exist.
    """
    draw = np.random.default_rng(trials.seed)
    judged = _sample(fleet, draw)
    faults = [(kind, strength) for kind in plant.FAULTS for strength in STRENGTHS for _ in range(trials.repeats)]
    step(0, len(faults))
    untouched = detect.find_oddities(judged, settings)
    healthy = _healthy(judged, untouched)
    order = draw.permutation(len(faults))
    at_once = min(max(1, judged.n_devices // DEVICES_A_FAULT), len(healthy))
    outcomes: list[_Outcome] = []
    for first in range(0, len(faults), at_once):
        step(first, len(faults))
        chosen = [faults[place] for place in order[first : first + at_once]]
        outcomes += _outcomes(judged, healthy, chosen, settings, draw)
    step(len(faults), len(faults))
    return SelfTest(
        strengths=STRENGTHS,
        faults=tuple(_summary(kind, outcomes) for kind in Kind if kind in plant.FAULTS),
        overall=_summary(None, outcomes),
        alpha=settings.alpha,
        repeats=trials.repeats,
        seed=trials.seed,
        n_devices=judged.n_devices,
        at_once=at_once,
        odd=tuple(untouched.ids),
        notes=(*_notes(fleet, judged), *untouched.notes),
    )


def _sample(fleet: AnyFleet, draw: np.random.Generator) -> Fleet:
    if fleet.n_devices <= MOST_DEVICES:
        return fleet if isinstance(fleet, Fleet) else fleet.subset(np.arange(fleet.n_devices))
    return fleet.subset(np.sort(draw.choice(fleet.n_devices, MOST_DEVICES, replace=False)))


def _notes(fleet: AnyFleet, judged: Fleet) -> tuple[str, ...]:
    if judged.n_devices == fleet.n_devices:
        return ()
    return (f"A random sample of {judged.n_devices:,} devices stands for the fleet of {fleet.n_devices:,}.",)


def _healthy(fleet: Fleet, untouched: Oddities) -> IntArray:
    """Places (devices,) of those that a fault can be planted in: not odd, and with a value on two days at least."""
    odd = set(untouched.ids)
    seen = np.isfinite(fleet.values).sum(axis=0) >= 2
    places = [place for place, device_id in enumerate(fleet.device_ids) if seen[place] and device_id not in odd]
    if not places:
        raise InputError(
            f"fleet: a healthy device with values on two days is needed to plant faults in, got none: of "
            f"{fleet.n_devices} devices {len(odd)} are odd; see to those first, or give a longer record"
        )
    return np.array(places)


def _outcomes(
    fleet: Fleet, healthy: IntArray, faults: Sequence[tuple[Kind, float]], settings: Settings, draw: np.random.Generator
) -> list[_Outcome]:
    """Plant these faults in one copy of the fleet, each in a device of its own, and judge the copy."""
    places = draw.choice(healthy, len(faults), replace=False)
    seeds = draw.integers(2**32, size=len(faults))
    # A fault is made to measure by devices that stay healthy: nothing is copied from one that gets a fault itself.
    others = np.setdiff1d(healthy, places)
    parts = {part: getattr(fleet, part).copy() for part in _PARTS}
    planted: list[tuple[float, plant.Planted]] = []
    for place, seed, (kind, strength) in zip(places, seeds, faults, strict=True):
        done = _planted(fleet.subset(np.append(others, place)), kind, strength, int(seed))
        if done is not None:
            planted.append((strength, done))
            for part, cells in parts.items():
                cells[:, place] = getattr(done.fleet, part)[:, -1]
    if not planted:
        return []
    result = detect.find_oddities(replace(fleet, **parts), settings)
    first = _first_findings(result)
    return [_outcome(fault, strength, first) for strength, fault in planted]


def _planted(fleet: Fleet, kind: Kind, strength: float, seed: int) -> plant.Planted | None:
    """A fault in the last device of the fleet; None where it cannot have such a fault, or would not show any of it."""
    try:
        planted = plant.plant_fault(fleet, fleet.device_ids[-1], kind, strength=strength, seed=seed)
    except SettingsError:
        return None
    same = all(
        np.array_equal(getattr(fleet, part)[:, -1], getattr(planted.fleet, part)[:, -1], equal_nan=part == "values")
        for part in _PARTS
    )
    return None if same else planted


def _first_findings(result: Oddities) -> dict[DeviceId, Finding | None]:
    """The strongest finding about each odd device; None where it has none."""
    first: dict[DeviceId, Finding | None] = dict.fromkeys(result.ids)
    for finding in reversed(result.findings):
        if finding.device_id in first:
            first[finding.device_id] = finding
    return first


def _outcome(fault: plant.Planted, strength: float, first: dict[DeviceId, Finding | None]) -> _Outcome:
    said = first.get(fault.device_id)
    near = (
        said is not None
        and said.since is not None
        and fault.since is not None
        and abs((said.since - fault.since).days) <= DAYS_OFF
    )
    return _Outcome(
        kind=fault.kind,
        strength=strength,
        found=fault.device_id in first,
        named_right=said is not None and said.kind is fault.kind,
        dated_right=None if fault.since is None else near,
    )


def _summary(kind: Kind | None, outcomes: Sequence[_Outcome]) -> FaultTest:
    """The figures of one kind, or of all."""
    own = [outcome for outcome in outcomes if kind in (outcome.kind, None)]
    at = [[outcome.found for outcome in own if outcome.strength == strength] for strength in STRENGTHS]
    shares = tuple(_share(found) for found in at)
    found = [outcome for outcome in own if outcome.found]
    return FaultTest(
        kind=kind,
        planted=tuple(len(tried) for tried in at),
        found=shares,
        begins=_begins(STRENGTHS, shares),
        named_right=_share([outcome.named_right for outcome in found]),
        dated_right=_share([outcome.dated_right for outcome in found if outcome.dated_right is not None]),
    )


def _share(yes: Sequence[bool]) -> float:
    return sum(yes) / len(yes) if yes else math.nan


def _begins(strengths: Sequence[float], shares: Sequence[float]) -> float | None:
    """The strength from which on at least half are found, by straight lines between the strengths tried.

    Strengths at which nothing was planted (NaN) are passed over.

    >>> _begins((0.5, 1.0, 2.0), (0.25, 0.75, 1.0)), _begins((0.5, 1.0), (0.5, 1.0)), _begins((0.5, 1.0), (0.5, 0.0))
    (0.75, 0.5, None)
    """
    tried = [(strength, share) for strength, share in zip(strengths, shares, strict=True) if not math.isnan(share)]
    if not tried or tried[-1][1] < 0.5:
        return None
    for (weaker, few), (stronger, many) in reversed(list(itertools.pairwise(tried))):
        if few < 0.5:
            return weaker + (stronger - weaker) * (0.5 - few) / (many - few)
    return tried[0][0]
