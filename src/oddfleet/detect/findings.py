"""Symptoms and broken promises as findings: dated, measured, compared with the cohort and put in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from oddfleet.detect import measures, mend, runs, scores, statements
from oddfleet.detect.diagnose import Symptom
from oddfleet.model import BoolArray, Finding, Fleet, FloatArray, Kind


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Where a finding's numbers come from.

    Attributes:
        fleet: the fleet.
        members: the columns of the fleet that are judged together.
        tests: number of tests that a device of this cohort undergoes.
    """

    fleet: Fleet
    members: list[int]
    tests: int


def of_symptom(cohort: Cohort, device: int, symptom: Symptom) -> Finding:
    """The finding for one symptom of a device (a column of the fleet)."""
    kind, test, series = symptom.kind, symptom.test, symptom.series
    others = [member for member in cohort.members if member != device]
    value, known = _measured(kind, test, series, cohort.fleet.values[:, others])
    since, until, days = _period(kind, series, cohort.fleet)
    evidence = statements.Evidence(
        value=value,
        usual=float(np.median(known[np.isfinite(known)])) if np.isfinite(known).any() else float("nan"),
        since=since,
        until=until,
        days=days,
        test=test,
        detail=_detail(kind, series),
    )
    # Times the number of tests (Bonferroni), so that the number means what it seems to mean.
    p_value = float(np.exp(min(symptom.log_p + np.log(cohort.tests), 0.0)))
    return _finding(cohort.fleet, device, kind, evidence, p_value)


def of_promise(fleet: Fleet, device: int, kind: Kind, broken: BoolArray) -> Finding:
    """The finding for a promise that a device breaks on at least one day.

    Args:
        fleet: the fleet.
        device: a column of the fleet.
        kind: the promise.
        broken: bool (days, devices), the days on which each device breaks it.
    """
    counts = broken.sum(axis=0)
    others = np.delete(counts, device)
    days = np.flatnonzero(broken[:, device])
    lowest = float(np.nanmin(fleet.values[:, device])) if kind is Kind.NEGATIVE_TRAFFIC else float("nan")
    evidence = statements.Evidence(
        value=float(len(days)),
        usual=float(np.median(others)) if others.size else 0.0,
        since=_date(fleet, days[0]),
        until=_date(fleet, days[-1]),
        days=len(days),
        test="",
        detail=lowest,
    )
    return _finding(fleet, device, kind, evidence, None)


def _finding(fleet: Fleet, device: int, kind: Kind, evidence: statements.Evidence, p_value: float | None) -> Finding:
    return Finding(
        device_id=fleet.device_ids[device],
        name=fleet.names[device],
        kind=kind,
        since=evidence.since,
        until=evidence.until,
        days=evidence.days,
        value=evidence.value,
        usual=evidence.usual,
        unit=measures.unit(kind, evidence.test),
        p_value=p_value,
        text=statements.sentence(kind, evidence),
        rivals=statements.rivals(kind),
        next_check=statements.next_check(kind),
    )


def _measured(kind: Kind, test: str, series: FloatArray, others: FloatArray) -> tuple[float, FloatArray]:
    """The measure of a kind for a series (days,) and for each of the others (days, others)."""
    if kind is Kind.DETACHED:
        return float(measures.following(series[:, None], others)[0]), measures.following(others, others)
    known = measures.measure(kind, others, test)
    # A usual step or drift goes either way: what is usual is its size.
    usual = np.abs(known) if kind in (Kind.LEVEL_SHIFT, Kind.DRIFT) else known
    return float(measures.measure(kind, series[:, None], test)[0]), usual


def _period(kind: Kind, series: FloatArray, fleet: Fleet) -> tuple[date | None, date | None, int]:
    """First and last day that a finding speaks of, None where it is all of the record; and how many days."""
    if kind in (Kind.LEVEL_SHIFT, Kind.VOLATILITY_CHANGE):
        change = mend.change_day(series) if kind is Kind.LEVEL_SHIFT else mend.volatility_change_day(series)
        return _date(fleet, change), None, fleet.n_days - change
    if kind is Kind.SPIKES:
        days = np.flatnonzero(mend.spike_days(series))
        if len(days) == 0:
            days = np.array([np.nanargmax(np.abs(series - np.nanmedian(series)))])
        return _date(fleet, days[0]), _date(fleet, days[-1]), len(days)
    if kind in (Kind.FROZEN, Kind.INACTIVE):
        start, length = _stretch(kind, series)
        return _date(fleet, start), _date(fleet, start + length - 1), length
    return None, None, fleet.n_days


def _stretch(kind: Kind, series: FloatArray) -> tuple[int, int]:
    """First day (index) and length of the longest silent or stuck stretch."""
    if kind is Kind.INACTIVE:
        starts, lengths = runs.longest_run(runs.quiet_days(series[:, None]))
        return int(starts[0]), int(lengths[0])
    starts, lengths = runs.longest_run(runs.stuck_days(series[:, None]))
    # The first day of a stuck value is the one that the next repeats.
    return int(starts[0]) - 1, int(lengths[0]) + 1


def _detail(kind: Kind, series: FloatArray) -> float:
    """The further number some sentences quote: a period in days, the value a device is stuck at in MB."""
    if kind is Kind.CYCLE:
        return scores.cycle_period(scores.normal_scores(series[:, None])[:, 0])
    if kind is Kind.FROZEN:
        return float(series[_stretch(kind, series)[0]])
    return float("nan")


def _date(fleet: Fleet, day: int) -> date:
    found: date = fleet.dates[day].astype("datetime64[D]").item()
    return found
