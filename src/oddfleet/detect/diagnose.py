"""What is odd about an odd device: the repairs that make it ordinary, in the order in which they do most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import mend, moments, stretches
from oddfleet.detect.habits import weekdays, without_week
from oddfleet.detect.judge import KIND_OF_TEST, TESTS, judge_again, log_surprise_combined
from oddfleet.detect.patient import Patient, Symptom, seen_before
from oddfleet.model import FloatArray, Kind

MOST_KINDS = 4
"""A device with more things wrong with it is broken altogether; a longer list helps nobody."""
NEXT_TO_NOTHING = 0.15
"""A repair that leaves no more of the surprise than this explains the device."""
SPECIFIC = (Kind.CYCLE, Kind.WEEKLY_RHYTHM, Kind.LEVEL_SHIFT, Kind.DRIFT, Kind.SPIKES, Kind.ROUNDED, Kind.DETACHED)
"""Kinds whose repair takes away one form and nothing else: where it is enough, a device is odd in no wider sense."""
SUSPECTED = {Kind.VOLATILITY_CHANGE: float(np.log(0.01))}
"""Kinds that may explain a wider one (here: spread) although their own test, the weaker, is only this surprising."""
FOLLOWS_LESS = 0.5
"""A device that follows the others less than this share of what is usual is detached from them."""
_DISTINCT = TESTS.index("distinct_share")
_MIXTURE = TESTS.index("mixture")


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """A repaired series (days,) and what is surprising about it.

    Attributes:
        kind: what was repaired.
        test: the test that called for it.
        series: the repaired series.
        log_p: float64 (tests,), what is still to be explained.
        surprise: log p-value of that test before.
        leftover: how much surprise the repair leaves beyond the limit; and how much in all, to choose between equals.
    """

    kind: Kind
    test: str
    series: FloatArray
    log_p: FloatArray
    surprise: float
    leftover: tuple[float, float]


def symptoms(odd: Patient) -> list[Symptom]:
    """Explain one odd device, first by stretches of days that are not its own, then by repairing the rest, greedily.

    In every round each kind whose test is still significant is repaired on trial; the repair that leaves the least
    surprise names the next symptom, and the next round goes on from the repaired series. A step in level, for
    instance, also moves mean, spread and shape; but only repairing the step makes all of them usual again.

    Returns:
        The symptoms, the strongest explanation first; empty when no test is significant.
    """
    found, series, log_p = stretches.take_out(odd)
    usual = _usual(odd)
    while log_p.min() <= odd.limit and len(found) < MOST_KINDS:
        best = _best_repair(odd, series, log_p, usual, {symptom.kind for symptom in found})
        if _is_combination(odd, best, log_p) and not found:
            found.append(Symptom(Kind.MIXTURE, "mixture", float(log_p[_MIXTURE]), series))
        days = odd.values == 0 if best.kind is Kind.INACTIVE else None
        found.append(Symptom(best.kind, best.test, float(log_p[TESTS.index(best.test)]), series, days))
        series, log_p = best.series, best.log_p.copy()
        log_p[_MIXTURE] = 0.0
    return found


def _is_combination(odd: Patient, best: _Trial, log_p: FloatArray) -> bool:
    """Whether a device is odd in combination: with its clearest symptom mended the rest still is, together.

    A symptom that is far clearer than the combination speaks for itself.
    """
    single = log_p[TESTS.index(best.test)]
    return best.kind is not Kind.MIXTURE and best.log_p[_MIXTURE] <= odd.limit and single >= 2 * odd.limit


def _best_repair(
    odd: Patient, series: FloatArray, log_p: FloatArray, usual: mend.Usual, explained: set[Kind]
) -> _Trial:
    """The repair that explains most.

    Of repairs that each leave next to nothing a specific one is the explanation, then that of the most surprising test;
    else the one that leaves least.
    """
    kinds = _significant(odd, series, log_p)
    versions = [(kind, version) for kind in kinds for version in _versions(odd, kind, series, usual)]
    # All at once, for one call on many versions costs hardly more than on one.
    after, above = judge_again(odd.judgement, odd.place, np.column_stack([version for _, version in versions]))
    after = np.where(log_p[:, None] < 0, after, 0.0)
    # A repair of counts is no whole number any more: that it takes more values is its own doing.
    after[_DISTINCT] = seen_before(odd, after, above)[_DISTINCT]
    for column, (kind, _) in enumerate(versions):
        after[:, column] = _without(after[:, column], explained | {kind})
    after[_MIXTURE] = log_surprise_combined(odd.judgement, after, above)
    seen = seen_before(odd, after, above)
    best: dict[Kind, _Trial] = {}
    for column, (kind, version) in enumerate(versions):
        leftover = _excess(odd, after[:, column]), -float(np.delete(after[:, column], _MIXTURE).sum())
        if kind not in best or leftover < best[kind].leftover:
            surprise = float(log_p[TESTS.index(kinds[kind])])
            best[kind] = _Trial(kind, kinds[kind], version, seen[:, column], surprise, leftover)
    enough = [trial for trial in best.values() if trial.leftover[0] <= NEXT_TO_NOTHING * _excess(odd, log_p)]
    if enough:
        return min(enough, key=lambda trial: (trial.kind not in SPECIFIC, trial.surprise))
    return min(best.values(), key=lambda trial: trial.leftover)


def _excess(odd: Patient, log_p: FloatArray) -> float:
    """Surprise beyond the limit, over all tests (tests,) of single features."""
    return float(np.maximum(odd.limit - np.delete(log_p, _MIXTURE), 0.0).sum())


def _versions(odd: Patient, kind: Kind, series: FloatArray, usual: mend.Usual) -> list[FloatArray]:
    """The repaired versions of a series, or the series where this kind cannot be repaired."""
    if kind is Kind.ROUNDED:
        # What was rounded is the traffic as recorded.
        judgement = odd.judgement
        part, own = judgement.common.part[:, odd.place], judgement.scale.of(odd.place)
        smooth = own.apply(mend.unrounded(own.invert((series + part)[:, None])[:, 0])[:, None])[:, 0]
        return [smooth - part]
    if kind is Kind.DETACHED:
        return [series - odd.judgement.common.excess[:, odd.place]]
    if kind is Kind.INACTIVE:
        return [np.where(odd.values == 0, np.nan, series)]
    own_week = series
    if odd.judgement.learnt.habits.weekly and kind is not Kind.WEEKLY_RHYTHM:
        own_week = without_week(series[:, None], weekdays(odd.judgement.dates))[:, 0]
    return mend.variants(kind, own_week, usual) or [series]


def _significant(odd: Patient, series: FloatArray, log_p: FloatArray) -> dict[Kind, str]:
    """The kinds whose tests are significant, each with its most surprising test, in the order of the tests.

    A combination is named only where nothing by itself is odd.
    """
    kinds: dict[Kind, str] = {}
    for row in np.argsort(log_p, kind="stable"):
        kind = KIND_OF_TEST[TESTS[row]]
        if log_p[row] <= max(SUSPECTED.get(kind, odd.limit), odd.limit):
            kinds.setdefault(kind, TESTS[row])
    if len(kinds) > 1:
        kinds.pop(Kind.MIXTURE, None)
    if Kind.DRIFT in kinds and Kind.LEVEL_SHIFT in kinds:
        # Each moves what the other is measured by: the better fit is the one.
        kinds.pop(Kind.LEVEL_SHIFT if mend.drifts(series) else Kind.DRIFT)
    if Kind.DETACHED in kinds and len(kinds) > 1:
        # What a device does not follow stands in its residual as a form of its own; and the other way round.
        if odd.follows < FOLLOWS_LESS:
            return {Kind.DETACHED: kinds[Kind.DETACHED]}
        kinds.pop(Kind.DETACHED)
    return kinds


def _without(log_p: FloatArray, kinds: set[Kind]) -> FloatArray:
    """The same p-values (tests,) with the tests of kinds that are explained set to no surprise."""
    explained = np.array([KIND_OF_TEST[test] in kinds for test in TESTS])
    return np.where(explained, 0.0, log_p)


def _usual(odd: Patient) -> mend.Usual:
    """What would be usual for this device, on the scale of its cohort."""
    judgement, place = odd.judgement, odd.place
    levels = np.exp(judgement.table.row("level_log_mb"))
    level = float(moments.median(levels[:, None])[0])
    own = judgement.scale.of(place).apply(np.array([[level]]))[0, 0]
    spread = np.exp(judgement.table.row("spread_log_mb")[place] - odd.away("spread_log_mb"))
    return mend.Usual(float(np.nan_to_num(own)), float(np.nan_to_num(spread)))
