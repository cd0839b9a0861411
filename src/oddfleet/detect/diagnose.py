"""What is odd about an odd device: the repairs that make it ordinary, in the order in which they do most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import mend
from oddfleet.detect.judge import KIND_OF_TEST, Judgement, judge_again
from oddfleet.model import BoolArray, FloatArray, Kind

MOST_KINDS = 4
"""A device with more things wrong with it is broken altogether; a longer list helps nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Symptom:
    """One thing that is odd about a device.

    Attributes:
        kind: which.
        test: the test that is most surprising about it.
        log_p: log p-value of that test, for this test alone.
        series: the series (days,) in which it was seen: the device's own, less what was found before.
    """

    kind: Kind
    test: str
    log_p: float
    series: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Patient:
    """One odd device with all that a trial repair needs.

    Attributes:
        judgement: the tests of its cohort.
        place: which device of the cohort.
        shared: float64 (days,), what the fleet shares, as this device follows it.
        usual: what is usual in the cohort.
        limit: log p-value from which on a test is significant.
    """

    judgement: Judgement
    place: int
    shared: FloatArray
    usual: mend.Usual
    limit: float


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """A repaired series (days,) and what is surprising about it.

    Attributes:
        kind: what was repaired.
        test: the test that called for it.
        series: the repaired series.
        log_p: float64 (tests,), what is still to be explained.
        leftover: how much surprise the repair leaves beyond the limit; and, to choose between equals, how much it
            leaves in all, less what it takes away.
    """

    kind: Kind
    test: str
    series: FloatArray
    log_p: FloatArray
    leftover: tuple[float, float]


def symptoms(judgement: Judgement, place: int, values: FloatArray, residual: FloatArray, alpha: float) -> list[Symptom]:
    """Explain one odd device by repairing it, greedily.

    In every round each kind whose test is still significant is repaired on trial; the repair that leaves the least
    surprise names the next symptom, and the next round goes on from the repaired series. A step in level, for
    instance, also moves mean, spread and shape; but only repairing the step makes all of them usual again.

    Args:
        judgement: the tests of its cohort.
        place: which device of the cohort.
        values: float64 (days,), its series; NaN = no observation.
        residual: float64 (days,), the same without what the fleet shares.
        alpha: the false-alarm rate; a test is significant at this rate over the number of tests.

    Returns:
        The symptoms, the strongest explanation first; empty when no test is significant.
    """
    limit = float(np.log(alpha / len(judgement.tests)))
    patient = _Patient(judgement, place, values - residual, _usual_mb(judgement), limit)
    log_p, series = judgement.log_p[:, place], values
    found: list[Symptom] = []
    while log_p.min() <= limit and len(found) < MOST_KINDS:
        explained = {symptom.kind for symptom in found}
        best = _best_repair(patient, series, log_p, explained)
        found.append(Symptom(best.kind, best.test, float(log_p[judgement.tests.index(best.test)]), series))
        series, log_p = best.series, best.log_p
    return found


def _best_repair(patient: _Patient, series: FloatArray, log_p: FloatArray, explained: set[Kind]) -> _Trial:
    """The repair of a significant kind that leaves least."""
    judgement, trials = patient.judgement, []
    for kind, test in _significant(patient, log_p).items():
        versions = mend.variants(kind, series, patient.usual) or [series]
        matrix = np.column_stack(versions)
        after, above = judge_again(judgement, patient.place, matrix, matrix - patient.shared[:, None])
        after = _without(after, patient, explained | {kind})
        seen = _seen_before(patient, after, above)
        for column, version in enumerate(versions):
            left = np.maximum(patient.limit - after[:, column], 0.0).sum()
            balance = log_p[judgement.tests.index(test)] - after[:, column].sum()
            trials.append(_Trial(kind, test, version, seen[:, column], (float(left), float(balance))))
    return min(trials, key=lambda trial: trial.leftover)


def _significant(patient: _Patient, log_p: FloatArray) -> dict[Kind, str]:
    """The kinds whose tests are significant, each with its most surprising test, in the order of the tests.

    Days lost in one stretch are the device's silence and no further finding.
    """
    kinds: dict[Kind, str] = {}
    for row in np.argsort(log_p, kind="stable"):
        if log_p[row] <= patient.limit:
            test = patient.judgement.tests[row]
            kinds.setdefault(_kind(patient.judgement, patient.place, test), test)
    if Kind.INACTIVE in kinds:
        kinds.pop(Kind.MISSING_DAYS, None)
    return kinds


def _kind(judgement: Judgement, place: int, test: str) -> Kind:
    """What a surprising test speaks of. A furthest day that is not far out, but oddly near, is a matter of shape."""
    if test == "spike_log":
        return KIND_OF_TEST[test] if judgement.above[judgement.tests.index(test), place] else Kind.SHAPE
    return KIND_OF_TEST[test]


def _seen_before(patient: _Patient, log_p: FloatArray, above: BoolArray) -> FloatArray:
    """The p-values (tests, versions) of what the untouched record shows too, on the same side; else no surprise.

    What only a repair brings to light is the repair's doing as often as the device's.
    """
    before = patient.judgement.log_p[:, patient.place][:, None]
    same_side = above == patient.judgement.above[:, patient.place][:, None]
    return np.where(same_side, np.maximum(log_p, before), 0.0)


def _without(log_p: FloatArray, patient: _Patient, kinds: set[Kind]) -> FloatArray:
    """The same p-values, (tests, versions) with the tests of kinds that are explained set to no surprise."""
    explained = [_kind(patient.judgement, patient.place, test) in kinds for test in patient.judgement.tests]
    return np.where(np.array(explained)[:, None], 0.0, log_p)


def _usual_mb(judgement: Judgement) -> mend.Usual:
    level, spread = (np.exp(judgement.table.row(name)) for name in ("level_log_mb", "spread_log_mb"))
    known = np.isfinite(level) & np.isfinite(spread)
    if not known.any():
        return mend.Usual(0.0, 0.0)
    return mend.Usual(float(np.median(level[known])), float(np.median(spread[known])))
