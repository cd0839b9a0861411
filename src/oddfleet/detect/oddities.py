"""The whole way from a fleet to the decision: repeats, cohorts, tests, decision, diagnosis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import decide, diagnose, findings, groups, promises, repeats
from oddfleet.detect.features import COMPARED
from oddfleet.detect.findings import Broken
from oddfleet.detect.groups import Group
from oddfleet.detect.judge import TESTS
from oddfleet.detect.patient import patient
from oddfleet.detect.repeats import Repeats
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import BoolArray, Finding, Fleet, FloatArray, Kind, Oddities, id_order
from oddfleet.settings import Settings

OF_PROMISES = ("silent_run", "silent_days", "lost_days")
"""The tests of what every device promises: to be active all the year."""
DECISIVE = (Kind.NEGATIVE_TRAFFIC, Kind.INVALID_VALUES, Kind.DUPLICATE_DAYS)
"""Promises that one day breaks. Lost days are counted, for any collector loses some."""


@dataclass(frozen=True, slots=True, eq=False)
class _Verdict:
    """What is known of a fleet when it is decided (arrays (devices,)).

    Attributes:
        groups: the cohorts with their tests.
        repeated: replays and copies.
        broken: the promises.
        breaks: True where a promise is broken that the fleet keeps.
        log_p: log p-value of every device.
        odd: the decision.
    """

    groups: list[Group]
    repeated: tuple[Repeats, Repeats]
    broken: dict[Kind, Broken]
    breaks: BoolArray
    log_p: FloatArray
    odd: BoolArray


def find_oddities(fleet: Fleet, settings: Settings) -> Oddities:
    """Find the devices that behave oddly, and say why and since when.

    Args:
        fleet: the fleet; not changed.
        settings: the false-alarm rate and which devices are judged together.

    Returns:
        The decision; no device odd is a proper one.

    Raises:
        SettingsError: when the cohorts are to come from a column that the meta file has not.
    """
    # Sums of numbers beyond all measure overflow: what cannot be told of them is NaN, and no warning is needed.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _judged(fleet, settings)


def _judged(fleet: Fleet, settings: Settings) -> Oddities:
    verdict = _decide(fleet, settings)
    ids, breaks, log_p = fleet.device_ids, verdict.breaks, verdict.log_p
    order = sorted(range(fleet.n_devices), key=lambda d: (not breaks[d], log_p[d], id_order(ids[d])))
    said = _findings(fleet, verdict, settings.alpha)
    ranked = [device for device in order if verdict.odd[device]]
    rest = [device for device in order if not verdict.odd[device]]
    return Oddities(
        ids=[ids[device] for device in ranked],
        findings=tuple(finding for device in (*ranked, *rest) for finding in said[device]),
        table=_table(fleet, verdict),
        alpha=settings.alpha,
        notes=_notes(fleet, verdict),
    )


def _decide(fleet: Fleet, settings: Settings) -> _Verdict:
    repeated = repeats.find(fleet.values)
    judged = groups.judged(fleet, np.stack([found.log_p for found in repeated]), settings)
    # Alone or in twos only the promises are judged, and a device that repeats days breaks none.
    tests = [TESTS.index(test) for test in (TESTS if fleet.n_devices >= FEWEST_DEVICES else OF_PROMISES)]
    log_p = np.zeros(fleet.n_devices)
    for group in judged:
        log_p[group.members] = decide.device_log_p(group.judgement.log_p[tests])
    broken = {kind: Broken.of(kind, days) for kind, days in promises.broken_days(fleet).items()}
    breaks = np.any([promises.breakers(broken[kind].days) for kind in DECISIVE], axis=0)
    return _Verdict(judged, repeated, broken, breaks, log_p, breaks | decide.discoveries(log_p, settings.alpha))


def _findings(fleet: Fleet, verdict: _Verdict, alpha: float) -> list[list[Finding]]:
    """The findings about every device: broken promises of all, symptoms of the odd ones."""
    said: list[list[Finding]] = [[] for _ in range(fleet.n_devices)]
    for kind in DECISIVE:
        for device in np.flatnonzero(verdict.broken[kind].counts).tolist():
            said[device].append(findings.of_promise(fleet, device, verdict.broken[kind]))
    lost = verdict.broken[Kind.MISSING_DAYS]
    for group in verdict.groups:
        usual: dict[str, float] = {}
        for place, device in enumerate(group.members):
            if verdict.odd[device]:
                who = patient(group.judgement, place, device, verdict.repeated, alpha)
                said[device] += _symptoms(findings.Cohort(fleet, device, who, verdict.repeated[1], usual), lost)
    for device in np.flatnonzero(lost.counts).tolist():
        if all(finding.kind is not Kind.MISSING_DAYS for finding in said[device]):
            said[device].append(findings.of_promise(fleet, device, lost))
    return said


def _symptoms(cohort: findings.Cohort, lost: Broken) -> list[Finding]:
    """The findings for the symptoms of one odd device; lost days are told as the broken promise that they are."""
    said = []
    for symptom in diagnose.symptoms(cohort.patient):
        if symptom.kind is not Kind.MISSING_DAYS:
            said.append(findings.of_symptom(cohort, symptom))
        elif lost.counts[cohort.device]:
            said.append(findings.of_promise(cohort.fleet, cohort.device, lost))
    return said


def _table(fleet: Fleet, verdict: _Verdict) -> dict[str, list[object]]:
    """One column a name, one entry a device."""
    values = np.full((len(COMPARED), fleet.n_devices), np.nan)
    labels = [""] * fleet.n_devices
    for group in verdict.groups:
        values[:, group.members] = group.judgement.table.values
        for device in group.members:
            labels[device] = group.label
    return {
        "id": list(fleet.device_ids),
        "name": list(fleet.names),
        "cohort": labels,
        "p_value": np.exp(np.where(verdict.breaks, -np.inf, verdict.log_p)).tolist(),
        "odd": verdict.odd.tolist(),
        **{name: row.tolist() for name, row in zip(COMPARED, values, strict=True)},
    }


def _notes(fleet: Fleet, verdict: _Verdict) -> tuple[str, ...]:
    if fleet.n_devices < FEWEST_DEVICES:
        return (
            f"A fleet of {fleet.n_devices} cannot say what is usual: only the promises (active, not negative, every "
            f"day told once) were checked; {FEWEST_DEVICES} devices or more can be compared.",
        )
    if len(verdict.groups) == 1:
        return ()
    sizes = sorted((len(group.members) for group in verdict.groups), reverse=True)
    said = f"{len(sizes)} cohorts were judged each by itself, of {', '.join(map(str, sizes))} devices."
    lonely = sum(size for size in sizes if size < FEWEST_DEVICES)
    alone = f" {lonely} of these devices have too few like them to be compared." if lonely else ""
    return (said + alone,)
