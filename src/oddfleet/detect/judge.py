"""Every test of every device of one cohort, and of a device as it would be after a repair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddfleet.detect import features, moments, promises, runs, surprise
from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.model import BoolArray, DateArray, FloatArray, Kind

KIND_OF_TEST: dict[str, Kind] = {
    "level_log_mb": Kind.LEVEL,
    "spread_log_mb": Kind.SPREAD,
    "skewness_l": Kind.SHAPE,
    "kurtosis_l": Kind.SHAPE,
    "distinct_share": Kind.ROUNDED,
    "weekly_score": Kind.WEEKLY_RHYTHM,
    "cycle_score": Kind.CYCLE,
    "memory_score": Kind.WANDER,
    "drift_score": Kind.DRIFT,
    "shift_score": Kind.LEVEL_SHIFT,
    "volatility_score": Kind.VOLATILITY_CHANGE,
    "spike_log": Kind.SPIKES,
    "silent_run": Kind.INACTIVE,
    "stuck_run": Kind.FROZEN,
    "lost_days": Kind.MISSING_DAYS,
    "coupling_score": Kind.DETACHED,
}
"""What each test speaks of when it is surprising."""
_RUNS = ("silent_run", "stuck_run", "lost_days")


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The tests of one cohort.

    Attributes:
        tests: their names, rows of ``log_p``.
        log_p: float64 (tests, devices), 0 where a test cannot be made.
        above: bool (tests, devices), True where a device has more of the tested thing than the middle one.
        table: the compared features.
        dates: datetime64[D] (days,).
        silent_rate: how often silent days come in the middle device.
        stuck_rate: how often stuck days come in the middle device.
    """

    tests: tuple[str, ...]
    log_p: FloatArray
    above: BoolArray
    table: FeatureTable
    dates: DateArray
    silent_rate: float
    stuck_rate: float


def judge(values: FloatArray, residual: FloatArray, coupling: FloatArray | None, dates: DateArray) -> Judgement:
    """Test every device of a cohort against the others.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
        residual: the same without what the fleet shares.
        coupling: float64 (devices,), how each device follows what is shared; None where nothing is.
        dates: datetime64[D] (days,).
    """
    table = features.compute(values, residual, dates)
    quiet, stuck = runs.quiet_days(values), runs.stuck_days(values)
    silent_rate, stuck_rate = runs.usual_rate(quiet), runs.usual_rate(stuck)
    rows = [
        *surprise.log_surprises(table),
        runs.log_surprise(quiet, silent_rate),
        runs.log_surprise(stuck, stuck_rate),
        promises.log_surprise_of_lost(np.isnan(values)),
    ]
    tests: tuple[str, ...] = (*COMPARED, *_RUNS)
    if coupling is not None and len(coupling) >= runs.FEWEST_DEVICES:
        others = surprise.hear_others(coupling, np.ones(len(coupling)), 1.0)
        rows.append(surprise.log_tail(others, skewed=False))
        tests = (*tests, "coupling_score")
    above = _above(table, table, len(tests))
    return Judgement(tests, np.array(rows), above, table, dates, silent_rate, stuck_rate)


def judge_again(
    judgement: Judgement, place: int, values: FloatArray, residual: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Test repaired versions (days, versions) of the cohort's device at ``place``.

    Returns:
        ``log_p`` and ``above`` of the versions, (tests, versions), as in ``Judgement``.
    """
    others = FeatureTable(
        np.delete(judgement.table.values, place, axis=1),
        np.delete(judgement.table.errors, place, axis=1),
        judgement.table.batches,
    )
    before = judgement.log_p[:, place]
    lost = np.isnan(values).any(axis=0)
    table = features.compute(values, residual, judgement.dates)
    rows = [
        *surprise.log_surprises_of(table, others),
        runs.log_surprise(runs.quiet_days(values), judgement.silent_rate),
        runs.log_surprise(runs.stuck_days(values), judgement.stuck_rate),
        np.where(lost, before[judgement.tests.index("lost_days")], 0.0),
    ]
    # A repair does not touch how a device follows the others.
    rows += [np.full(values.shape[1], before[row]) for row in range(len(rows), len(judgement.tests))]
    return np.array(rows), _above(table, judgement.table, len(judgement.tests))


def _above(table: FeatureTable, cohort: FeatureTable, tests: int) -> BoolArray:
    """Which features lie above the cohort's middle; the counts and the coupling, judged on one side, always do."""
    above = np.ones((tests, table.values.shape[1]), bool)
    above[: len(COMPARED)] = table.values > moments.median(cohort.values.T)[:, None]
    return above
