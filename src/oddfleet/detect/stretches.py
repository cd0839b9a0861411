"""Stretches of days that are not a device's own: copied, replayed, silent, stuck or lost. They are told first."""

from __future__ import annotations

import numpy as np

from oddfleet.detect import runs
from oddfleet.detect.judge import KIND_OF_TEST, TESTS, judge_again
from oddfleet.detect.patient import Patient, Symptom, seen_before
from oddfleet.model import BoolArray, FloatArray, Kind

_TESTS = ("copy", "replay", "silent_run", "stuck_run", "lost_days")
_BY_ROUNDING = (Kind.FROZEN, Kind.REPLAYED)
_COUPLING, _DISTINCT, _MIXTURE = (TESTS.index(test) for test in ("coupling_share", "distinct_share", "mixture"))


def take_out(odd: Patient) -> tuple[list[Symptom], FloatArray, FloatArray]:
    """The stretches that are not the device's own, the series without them, and what is then surprising."""
    residual = odd.judgement.block.residual[:, odd.place]
    log_p = odd.judgement.log_p[:, odd.place].copy()
    days = {test: _days(odd, test) for test in _significant(odd, log_p)}
    away: BoolArray = np.any([*days.values(), np.zeros(len(residual), bool)], axis=0)
    rounded = _is_rounded(odd, np.where(away, np.nan, residual))
    days = {test: spoken for test, spoken in days.items() if not (rounded and KIND_OF_TEST[test] in _BY_ROUNDING)}
    found = [Symptom(KIND_OF_TEST[test], test, float(log_p[TESTS.index(test)]), residual, days[test]) for test in days]
    log_p[[TESTS.index(test) for test in _TESTS]] = 0.0
    if not found:
        return found, residual, log_p
    series = np.where(np.any(list(days.values()), axis=0), np.nan, residual)
    if "silent_run" in days:
        log_p[TESTS.index("silent_days")] = 0.0
    after, above = judge_again(odd.judgement, odd.place, series[:, None])
    log_p = seen_before(odd, np.where(log_p[:, None] < 0, after, 0.0), above)[:, 0]
    log_p[_MIXTURE] = 0.0
    if np.isfinite(series).sum() < np.isfinite(odd.values).sum() / 2:
        # What is left of the device is too little to follow anything.
        log_p[_COUPLING] = 0.0
    return found, series, log_p


def _significant(odd: Patient, log_p: FloatArray) -> list[str]:
    """The tests of stretches that are significant, the most surprising first.

    Days lost for the most part in one stretch are the device's silence and no further finding; where they are
    scattered, their longest stretch is none.
    """
    tests = [test for test in _TESTS if log_p[TESTS.index(test)] <= odd.limit]
    if "silent_run" in tests and "lost_days" in tests:
        lost, silence = _days(odd, "lost_days"), _days(odd, "silent_run")
        tests.remove(
            "lost_days" if (lost & silence).sum() >= lost.sum() / 2 or not lost[silence].all() else "silent_run"
        )
    return sorted(tests, key=lambda test: float(log_p[TESTS.index(test)]))


def _is_rounded(odd: Patient, rest: FloatArray) -> bool:
    """Whether a device takes few distinct values on the days (days,) that are its own: then some repeat by chance."""
    before = odd.judgement.log_p[_DISTINCT, odd.place]
    if before > odd.limit:
        return False
    after, above = judge_again(odd.judgement, odd.place, rest[:, None])
    return bool(after[_DISTINCT, 0] <= min(odd.limit, before / 2) and not above[_DISTINCT, 0])


def _days(odd: Patient, test: str) -> BoolArray:
    """The days (days,) that a test of stretches speaks of."""
    values = odd.values[:, None]
    if test == "lost_days":
        return np.isnan(odd.values)
    if test in ("copy", "replay"):
        start, length = odd.copy if test == "copy" else odd.replay
    else:
        flags = runs.quiet_days(values) if test == "silent_run" else runs.stuck_days(values)
        starts, lengths = runs.longest_run(flags)
        # The first day of a stuck value is the one that the next repeats.
        early = int(test == "stuck_run")
        start, length = int(starts[0]) - early, int(lengths[0]) + early
    day = np.arange(len(values))
    inside: BoolArray = (day >= start) & (day < start + length)
    return inside
