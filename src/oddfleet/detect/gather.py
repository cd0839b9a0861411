"""What is known of every device of a fleet before it is decided, gathered block by block.

Up to ``MOST_LEARNERS`` devices judge each other. Of a larger fleet so many, evenly spaced, do; every other device is
judged by them, from its own series alone. So neither memory nor the time for a device grows with the fleet, and what
comes out does not depend on how it is cut into blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from oddfleet.detect import cohorts, days, fingerprints, groups, moments, newcomers, promises, repeats, runs
from oddfleet.detect.features import COMPARED
from oddfleet.detect.fingerprints import Prints
from oddfleet.detect.groups import Group, Panel
from oddfleet.detect.judge import TESTS, Judgement
from oddfleet.detect.promises import Broken
from oddfleet.detect.repeats import Repeats, Setting
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.detect.sieve import Sieve
from oddfleet.detect.threads import at_once, each
from oddfleet.model import AnomalousDay, AnyFleet, Fleet, FleetDays, FloatArray, IntArray, Kind
from oddfleet.settings import Settings

MOST_LEARNERS = 5000
"""So many devices, of each value of a column where that tells the cohorts, say what is usual."""
TAUGHT_DAYS = 732
"""Of a record with more days than that fewer devices are learners."""
FEWEST_LEARNERS = 500
COMPARED_AT_ONCE = 2000
"""Devices that are compared day by day for copies at a time."""
OF_PROMISES = ("silent_run", "silent_days", "lost_days")
"""The tests of what every device promises: to be active all the year."""
Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What is known of a fleet (arrays end in (devices,)).

    Attributes:
        groups: the cohorts with their tests; ``members`` are those of the fleet's devices that say what is usual.
        group: which cohort each device is judged in.
        log_p: log p-value of the most surprising test of each device.
        features: float64 (features, devices), rows as in ``COMPARED``.
        repeated: replays and copies.
        broken: the promises.
        days: what all of them did from day to day.
        silent: on how many days each has been silent when the record ends.
        sieve: what judges the other devices; None where there is none.
    """

    groups: tuple[Group, ...]
    group: IntArray
    log_p: FloatArray
    features: FloatArray
    repeated: tuple[Repeats, Repeats]
    broken: dict[Kind, Broken]
    days: FleetDays
    silent: IntArray
    sieve: Sieve | None = None


def gather(fleet: AnyFleet, settings: Settings, step: Step) -> Gathered:
    """Judge every device of a fleet.

    Args:
        fleet: the fleet.
        settings: the false-alarm rate, and which devices are judged together.
        step: told (devices done, in all).

    Raises:
        SettingsError: when the cohorts are to come from a column that the meta file has not.
    """
    step(0, fleet.n_devices)
    auto = settings.cohorts == "auto"
    labels = None if auto else np.array(cohorts.by_column(fleet, settings.cohorts), object)
    learners = _learners(fleet.n_devices, fleet.n_days, labels)
    everyone = len(learners) == fleet.n_devices
    taught = fleet if everyone and isinstance(fleet, Fleet) else fleet.subset(learners)
    if everyone:
        return _of_learners(taught, settings, step)
    panel = groups.judged(taught, np.zeros((2, len(learners))), settings)
    placed = (replace(group, members=learners[group.members].tolist()) for group in panel.groups)
    panel = replace(panel, groups=tuple(placed))
    learns = np.zeros(fleet.n_devices, bool)
    learns[learners] = True
    odd_days = days.anomalous(panel.groups, fleet.dates, settings.alpha)
    return _of_all(fleet, panel, Sieve(panel, taught, learns, labels), odd_days, step)


def tests(devices: int) -> list[int]:
    """The rows of the tests that decide. Alone or in twos only the promises do, and who repeats days breaks none."""
    return [TESTS.index(test) for test in (TESTS if devices >= FEWEST_DEVICES else OF_PROMISES)]


def judgements(fleet: AnyFleet, known: Gathered, places: IntArray) -> Iterator[tuple[Judgement, int, int]]:
    """The tests of some devices, each among its cohort: where it stands there, and its place in the fleet.

    Args:
        fleet: the fleet.
        known: what was gathered about it.
        places: int, the devices, in any order; they come in another.
    """
    wanted = set(places.tolist())
    for group in known.groups:
        for place, device in enumerate(group.members):
            if device in wanted:
                wanted.remove(device)
                yield group.judgement, place, device
    rest = np.array(sorted(wanted), np.int64)
    if known.sieve is not None:
        size = at_once(fleet.n_days)
        for start in range(0, len(rest), size):
            yield from _of_newcomers(fleet, known, known.sieve, rest[start : start + size])


def _of_newcomers(
    fleet: AnyFleet, known: Gathered, sieve: Sieve, places: IntArray
) -> Iterator[tuple[Judgement, int, int]]:
    values = np.ascontiguousarray(fleet.subset(places).values)
    for number, some, judged in sieve.judged(places, values, fleet.dates):
        for row, found in zip((-2, -1), known.repeated, strict=True):
            judged.log_p[row] = found.log_p[places[some]]
        for place, device in enumerate(places[some].tolist()):
            among = newcomers.among(known.groups[number].judgement, judged, place)
            yield among, among.log_p.shape[1] - 1, device


def _learners(devices: int, days: int, labels: npt.NDArray[np.object_] | None) -> IntArray:
    """Places of the devices that say what is usual, in rising order."""
    most = min(MOST_LEARNERS, max(FEWEST_LEARNERS, MOST_LEARNERS * TAUGHT_DAYS // max(days, 1)))
    if labels is None:
        return moments.evenly_spaced(devices, most)
    label = np.unique(labels.astype(str), return_inverse=True)[1]
    order = np.argsort(label, kind="stable")
    pools = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    return np.sort(np.concatenate([pool[moments.evenly_spaced(len(pool), most)] for pool in pools]))


def _of_learners(fleet: Fleet, settings: Settings, step: Step) -> Gathered:
    """What is known where all devices judge each other."""
    repeated = repeats.find(fleet.values)
    panel = groups.judged(fleet, np.stack([found.log_p for found in repeated]), settings, step)
    broken = promises.broken(fleet, promises.gaps(fleet))
    odd_days = days.anomalous(panel.groups, fleet.dates, settings.alpha)
    daily = days.of_fleet(days.totals(fleet.values), fleet.dates, odd_days)
    silent = runs.silent_to_the_end(fleet.values)
    return Gathered(panel.groups, *_heard(panel, fleet.n_devices), repeated, broken, daily, silent)


def _heard(panel: Panel, devices: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """What the cohorts say of their own members: ``group``, ``log_p`` and ``features`` of so many devices."""
    group, log_p = np.zeros(devices, np.int64), np.zeros(devices)
    features = np.full((len(COMPARED), devices), np.nan)
    for number, found in enumerate(panel.groups):
        group[found.members] = number
        log_p[found.members] = found.judgement.log_p[tests(devices)].min(axis=0)
        features[:, found.members] = found.judgement.table.values
    return group, log_p, features


def _of_all(fleet: AnyFleet, panel: Panel, sieve: Sieve, odd_days: tuple[AnomalousDay, ...], step: Step) -> Gathered:
    """What is known of a fleet of which some devices judge the others."""
    devices, done = fleet.n_devices, 0
    group, log_p, features = _heard(panel, devices)
    replays, prints = repeats.nothing(devices), []
    broken = {kind: Broken.by_nobody(kind, devices) for kind in promises.KINDS}
    total, silent = np.zeros((2, fleet.n_days)), np.zeros(devices, np.int64)
    for found in each(sieve.sift, fleet.blocks(at_once(fleet.n_days))):
        new = found.newcomers
        group[new], log_p[new], features[:, new] = found.group, found.log_p, found.features
        replays.note(found.places, found.replays)
        for kind, some in found.broken.items():
            broken[kind].note(found.places, some)
        prints.append(found.prints)
        total += found.total
        silent[found.places] = found.silent
        done += len(found.places)
        step(done, devices)
    repeated = repeats.unless_usual(replays), repeats.unless_usual(_copies(fleet, prints, sieve.setting))
    for row, kept in zip((-2, -1), repeated, strict=True):
        log_p = np.minimum(log_p, kept.log_p)
        for one in panel.groups:
            # Not known when the learners were judged.
            one.judgement.log_p[row] = kept.log_p[one.members]
    daily = days.of_fleet(total, fleet.dates, odd_days)
    return Gathered(panel.groups, group, log_p, features, repeated, broken, daily, silent, sieve)


def _copies(fleet: AnyFleet, prints: list[Prints], setting: Setting) -> Repeats:
    """The copies among devices that have a fingerprint in common; none where so many have that it is usual."""
    met = fingerprints.pairs(prints)
    found = repeats.nothing(fleet.n_devices)
    if len(np.unique(met)) > max(COMPARED_AT_ONCE, promises.MOST_BREAKERS * fleet.n_devices):
        return found
    for some in _together(met):
        copies = repeats.among(np.ascontiguousarray(fleet.subset(some).values), setting)[1]
        copies = replace(copies, source=some[copies.source])
        better = copies.log_p < found.log_p[some]
        found.note(some[better], copies.of(better))
    return found


def _together(met: IntArray) -> Iterator[IntArray]:
    """Devices to compare at a time, so that each pair (2, pairs) is compared once."""
    together: set[int] = set()
    for pair in met.T.tolist():
        if len(together) + sum(device not in together for device in pair) > COMPARED_AT_ONCE:
            yield np.array(sorted(together), np.int64)
            together = set()
        together.update(pair)
    if together:
        yield np.array(sorted(together), np.int64)
