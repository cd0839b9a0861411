"""The whole way from a fleet to the decision: shared, cohorts, tests, decision, diagnosis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import cohorts, decide, diagnose, findings, promises, shared
from oddfleet.detect.features import COMPARED
from oddfleet.detect.judge import Judgement, judge
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import BoolArray, Finding, Fleet, FloatArray, Kind, Oddities, id_order
from oddfleet.settings import Settings

DECISIVE = (Kind.NEGATIVE_TRAFFIC, Kind.INVALID_VALUES, Kind.DUPLICATE_DAYS)
"""Promises that one day breaks. Lost days are counted, for any collector loses some."""


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """One cohort with its tests."""

    members: list[int]
    residual: FloatArray
    judgement: Judgement


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
    labels = cohorts.assign(fleet, settings.cohorts)
    groups = [_judged(fleet, [d for d, own in enumerate(labels) if own == label]) for label in sorted(set(labels))]
    log_p = np.zeros(fleet.n_devices)
    for group in groups:
        log_p[group.members] = decide.device_log_p(group.judgement.log_p)
    broken = promises.broken_days(fleet)
    breaks = np.any([promises.breakers(broken[kind]) for kind in DECISIVE], axis=0)
    odd = breaks | decide.discoveries(log_p, settings.alpha)
    ids = fleet.device_ids
    order = sorted(range(fleet.n_devices), key=lambda d: (not breaks[d], log_p[d], id_order(ids[d])))
    said = _findings(fleet, groups, broken, odd, settings.alpha)
    ranked = [device for device in order if odd[device]]
    return Oddities(
        ids=[fleet.device_ids[device] for device in ranked],
        findings=tuple(finding for device in (*ranked, *(d for d in order if not odd[d])) for finding in said[device]),
        table=_table(fleet, labels, groups, np.where(breaks, -np.inf, log_p), odd),
        alpha=settings.alpha,
        notes=_notes(fleet),
    )


def _judged(fleet: Fleet, members: list[int]) -> _Group:
    values = fleet.values[:, members]
    common = shared.take_out(values)
    return _Group(members, common.residual, judge(values, common.residual, common.coupling, fleet.dates))


def _findings(
    fleet: Fleet, groups: list[_Group], broken: dict[Kind, BoolArray], odd: BoolArray, alpha: float
) -> list[list[Finding]]:
    """The findings about every device: broken promises of all, symptoms of the odd ones."""
    said: list[list[Finding]] = [[] for _ in range(fleet.n_devices)]
    for kind in DECISIVE:
        for device in np.flatnonzero(broken[kind].any(axis=0)).tolist():
            said[device].append(findings.of_promise(fleet, device, kind, broken[kind]))
    for group in groups:
        cohort = findings.Cohort(fleet, group.members, len(group.judgement.tests))
        for place, device in enumerate(group.members):
            if odd[device]:
                series, residual = fleet.values[:, device], group.residual[:, place]
                for symptom in diagnose.symptoms(group.judgement, place, series, residual, alpha):
                    if symptom.kind is not Kind.MISSING_DAYS:
                        said[device].append(findings.of_symptom(cohort, device, symptom))
    lost = broken[Kind.MISSING_DAYS]
    for device in np.flatnonzero(lost.any(axis=0)).tolist():
        said[device].append(findings.of_promise(fleet, device, Kind.MISSING_DAYS, lost))
    return said


def _table(
    fleet: Fleet, labels: tuple[str, ...], groups: list[_Group], log_p: FloatArray, odd: BoolArray
) -> dict[str, list[object]]:
    """One column a name, one entry a device."""
    values = np.full((len(COMPARED), fleet.n_devices), np.nan)
    for group in groups:
        values[:, group.members] = group.judgement.table.values
    return {
        "id": list(fleet.device_ids),
        "name": list(fleet.names),
        "cohort": list(labels),
        "p_value": np.exp(log_p).tolist(),
        "odd": odd.tolist(),
        **{name: row.tolist() for name, row in zip(COMPARED, values, strict=True)},
    }


def _notes(fleet: Fleet) -> tuple[str, ...]:
    if fleet.n_devices >= FEWEST_DEVICES:
        return ()
    return (
        f"A fleet of {fleet.n_devices} cannot say what is usual: only the promises (active, not negative, every day "
        f"told once) were checked; {FEWEST_DEVICES} devices or more can be compared.",
    )
