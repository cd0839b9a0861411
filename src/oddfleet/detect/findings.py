"""Symptoms and broken promises as findings: dated, measured, compared with the cohort and put in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from oddfleet.detect import measures, mend, ranks, scores, statements
from oddfleet.detect.features import COMPARED
from oddfleet.detect.judge import TESTS, jury_of
from oddfleet.detect.patient import Patient, Symptom
from oddfleet.detect.promises import Broken
from oddfleet.detect.repeats import Repeats
from oddfleet.model import QUANTILES, AnyFleet, Finding, FloatArray, IntArray, Kind

LARGE = 50
"""In a cohort of more devices one of them does not move what is usual."""
_AS_RECORDED = (Kind.LEVEL, Kind.ROUNDED, Kind.INACTIVE, Kind.FROZEN)
_REPEATS = (Kind.COPIED, Kind.REPLAYED)


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Where a finding's numbers come from.

    Attributes:
        fleet: the fleet.
        device: the column of the device.
        patient: the device among its cohort.
        copies: whose days a device repeats.
        measured: what devices of a large cohort measure, and which, by kind and test, once it is known.
    """

    fleet: AnyFleet
    device: int
    patient: Patient
    copies: Repeats
    measured: dict[str, tuple[FloatArray, IntArray]]


def of_symptom(cohort: Cohort, symptom: Symptom) -> Finding:
    """The finding for one symptom of a device."""
    kind, fleet, device = symptom.kind, cohort.fleet, cohort.device
    value, usual = _value(cohort, symptom), _middle(_measured(cohort, symptom)[0])
    since, until, days = _period(cohort, symptom)
    evidence = statements.Evidence(
        value=value,
        usual=usual,
        since=since,
        until=until,
        days=days,
        test=symptom.test,
        detail=_detail(cohort, symptom),
        source=_source(cohort, kind),
    )
    # Times the number of tests (Bonferroni), so that the number means what it seems to mean.
    p_value = float(np.exp(min(symptom.log_p + np.log(len(TESTS)), 0.0)))
    return _finding(fleet, device, kind, evidence, p_value)


def of_promise(fleet: AnyFleet, device: int, broken: Broken) -> Finding:
    """The finding for a promise that a device (a column of the fleet) breaks on at least one day."""
    count = int(broken.counts[device])
    evidence = statements.Evidence(
        value=float(count),
        usual=broken.usual(device),
        since=_date(fleet, broken.first[device]),
        until=_date(fleet, broken.last[device]),
        days=count,
        test="",
        detail=float(broken.lowest[device]) if broken.kind is Kind.NEGATIVE_TRAFFIC else float("nan"),
    )
    return _finding(fleet, device, broken.kind, evidence, None)


def _finding(fleet: AnyFleet, device: int, kind: Kind, evidence: statements.Evidence, p_value: float | None) -> Finding:
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


def quantiles(cohort: Cohort, symptom: Symptom) -> FloatArray:
    """What the others of its cohort measure where a symptom's finding tells ``value``: their ``model.QUANTILES``.

    Of steps and drifts, which go either way, it is the size. None at all (0,) where nobody else has a number.
    """
    known, who = _measured(cohort, symptom)
    known = np.compress(np.isfinite(known) & (who != cohort.patient.place), known)
    if known.size == 0:
        return known
    found: FloatArray = np.quantile(known, QUANTILES)
    return found


def _value(cohort: Cohort, symptom: Symptom) -> float:
    """The measure of a kind for the device as the symptom shows it.

    Measured in MB and without what the fleet shares; what concerns the record as such, as recorded.
    """
    kind, place = symptom.kind, cohort.patient.place
    if kind in _REPEATS and symptom.days is not None:
        return float(symptom.days.sum())
    if kind is Kind.DETACHED:
        return cohort.patient.follows
    if kind is Kind.MIXTURE:
        return float(_features_out(cohort)[place])
    recorded = kind in _AS_RECORDED
    series = cohort.patient.judgement.block.values[:, place] if recorded else _in_mb(cohort, symptom.series)
    return float(measures.measure(kind, series[:, None], symptom.test)[0])


def _measured(cohort: Cohort, symptom: Symptom) -> tuple[FloatArray, IntArray]:
    """What devices of the cohort measure, in the middle of which is what is usual; and which devices they are.

    All of them in a large cohort, else the others; of what is known of all anyway, all.
    """
    kind, patient = symptom.kind, cohort.patient
    everyone = np.arange(patient.judgement.log_p.shape[1])
    if kind in _REPEATS and symptom.days is not None:
        return np.zeros(len(everyone)), everyone
    if kind is Kind.DETACHED:
        return patient.followings, everyone
    if kind is Kind.MIXTURE:
        return _features_out(cohort), everyone
    if kind is Kind.SPREAD:
        spreads: FloatArray = _value(cohort, symptom) * np.exp(-patient.apart("spread_log_mb"))
        return spreads, everyone
    key, large = f"{kind}/{symptom.test}", len(everyone) > LARGE
    if not large or key not in cohort.measured:
        jury = jury_of(len(everyone), -1 if large else patient.place)
        matrix = patient.judgement.block.values if kind in _AS_RECORDED else patient.judgement.block.freed
        known = measures.measure(kind, matrix[:, jury], symptom.test)
        # A usual step or drift goes either way: what is usual is its size.
        cohort.measured[key] = np.abs(known) if kind in (Kind.LEVEL_SHIFT, Kind.DRIFT) else known, jury
    return cohort.measured[key]


def _in_mb(cohort: Cohort, series: FloatArray) -> FloatArray:
    mb: FloatArray = cohort.patient.judgement.scale.of(cohort.patient.place).invert(series[:, None])[:, 0]
    return mb


def _middle(known: FloatArray) -> float:
    known = known[np.isfinite(known)]
    return float(np.median(known)) if known.size else float("nan")


def _features_out(cohort: Cohort) -> FloatArray:
    """How many features of each device are a little out (the outer tenth of the cohort)."""
    log_p = cohort.patient.judgement.log_p[: len(COMPARED)]
    out: FloatArray = (log_p < np.log(0.1)).sum(axis=0).astype(float)
    return out


def _period(cohort: Cohort, symptom: Symptom) -> tuple[date | None, date | None, int]:
    """First and last day that a finding speaks of, None where it is all of the record; and how many days."""
    fleet, kind, series = cohort.fleet, symptom.kind, symptom.series
    if kind in (Kind.LEVEL_SHIFT, Kind.VOLATILITY_CHANGE):
        change = mend.change_day(series) if kind is Kind.LEVEL_SHIFT else mend.volatility_change_day(series)
        return _date(fleet, change), None, fleet.n_days - change
    if kind is Kind.DRIFT:
        knee = mend.trend(series)[1]
        return (_date(fleet, knee) if knee > 0 else None), None, fleet.n_days - knee
    days = symptom.days
    if kind is Kind.SPIKES:
        days = mend.spike_days(series)
        if not days.any():
            days = np.arange(len(series)) == np.nanargmax(np.abs(series - np.nanmedian(series)))
    if days is None or (kind is Kind.COPIED and days.all()):
        return None, None, fleet.n_days
    spoken = np.flatnonzero(days)
    return _date(fleet, spoken[0]), _date(fleet, spoken[-1]), len(spoken)


def _detail(cohort: Cohort, symptom: Symptom) -> float:
    """The further number some sentences quote: a period in days, the MB a device is stuck at, a lag in days."""
    if symptom.kind is Kind.CYCLE:
        return scores.cycle_period(ranks.normal_scores(symptom.series[:, None])[:, 0])
    if symptom.kind is Kind.FROZEN and symptom.days is not None:
        return float(cohort.patient.values[np.flatnonzero(symptom.days)[0]])
    if symptom.kind is Kind.COPIED:
        return float(cohort.copies.lag[cohort.device])
    return float("nan")


def _source(cohort: Cohort, kind: Kind) -> str:
    """The device whose days another's repeat."""
    if kind is not Kind.COPIED:
        return ""
    source = int(cohort.copies.source[cohort.device])
    name = cohort.fleet.names[source]
    return f"{cohort.fleet.device_ids[source]}" if name is None else f"{name} ({cohort.fleet.device_ids[source]})"


def _date(fleet: AnyFleet, day: int) -> date:
    found: date = fleet.dates[day].astype("datetime64[D]").item()
    return found
