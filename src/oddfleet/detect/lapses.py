"""Silence, values that are stuck and days that are lost: how surprising each is among the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oddfleet.detect import predictive, promises, runs
from oddfleet.detect.promises import UsualLoss
from oddfleet.detect.runs import FEWEST_DEVICES
from oddfleet.model import BoolArray, FloatArray, IntArray

TESTS = ("silent_run", "silent_days", "stuck_run", "lost_days")
"""The rows of what the functions here return."""
LENGTH_ERROR = 0.25
"""Chance alone moves the log of a longest stretch by so much: by a quarter of its length."""
_Run = Callable[[FloatArray, float | None], tuple[FloatArray, IntArray]]


@dataclass(frozen=True, slots=True)
class Usual:
    """What a cohort says of the stretches and lost days of a device that is no member.

    Attributes:
        silences: the rate of silent days and the lengths of the longest silences.
        stuck: the same of days that repeat the one before.
        silent: how many days are silent; None where silence is a number like any other.
        lost: how many days are lost.
    """

    silences: tuple[float, predictive.Usual]
    stuck: tuple[float, predictive.Usual]
    silent: UsualLoss | None
    lost: UsualLoss


def log_surprises(values: FloatArray) -> FloatArray:
    """Log p-values (4, devices), rows as in ``TESTS``, of the devices of a cohort.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
    """
    zero = values == 0
    silent = promises.log_surprise_of_lost(zero) if _rarely_silent(values, zero) else np.zeros(values.shape[1])
    quiet, stuck = (
        np.maximum(alone, log_surprise_of_lengths(lengths))
        for alone, lengths in (runs.log_surprise_silent(values), runs.log_surprise_stuck(values))
    )
    return np.stack([quiet, silent, stuck, promises.log_surprise_of_lost(np.isnan(values))])


def usual(values: FloatArray) -> Usual:
    """Sum up a cohort of at least ``FEWEST_DEVICES`` devices, from values as in ``log_surprises``."""
    zero = values == 0
    silences, stuck = (
        (runs.usual_rate(flags), predictive.usual(np.log1p(runs.longest_run(flags)[1]), LENGTH_ERROR))
        for flags in (runs.quiet_days(values), runs.stuck_days(values))
    )
    silent = promises.usual_loss(zero) if _rarely_silent(values, zero) else None
    return Usual(silences, stuck, silent, promises.usual_loss(np.isnan(values)))


def log_surprises_of(values: FloatArray, said: Usual) -> FloatArray:
    """``log_surprises`` of devices that are no members of the cohort, as if each were its next device."""
    silent = (
        np.zeros(values.shape[1]) if said.silent is None else promises.log_surprise_of_loss(values == 0, said.silent)
    )
    quiet = _of_stretch(values, runs.log_surprise_silent, said.silences)
    stuck = _of_stretch(values, runs.log_surprise_stuck, said.stuck)
    return np.stack([quiet, silent, stuck, promises.log_surprise_of_loss(np.isnan(values), said.lost)])


def log_surprise_of_lengths(lengths: IntArray) -> FloatArray:
    """Log p-value of the longest stretch of each device among the others': where long ones are usual, one is no oddity.

    Args:
        lengths: int (devices,), days.

    Returns:
        float64 (devices,); minus infinity, as if nothing were usual, where there are fewer than ``FEWEST_DEVICES``.
    """
    if len(lengths) < FEWEST_DEVICES:
        return np.full(len(lengths), -np.inf)
    error = np.full(len(lengths), LENGTH_ERROR)
    return predictive.log_upper_tail(predictive.hear_others(np.log1p(lengths), error, LENGTH_ERROR))


def _of_stretch(values: FloatArray, log_surprise: _Run, said: tuple[float, predictive.Usual]) -> FloatArray:
    alone, lengths = log_surprise(values, said[0])
    heard = predictive.hear(said[1], np.log1p(lengths), np.full(len(lengths), LENGTH_ERROR))
    return np.maximum(alone, predictive.log_upper_tail(heard))


def _rarely_silent(values: FloatArray, zero: BoolArray) -> bool:
    """Whether silence is a fault: where traffic is counted, zero is a number like any other."""
    counted = np.median((values == np.floor(values)).mean(axis=0)) >= 0.5
    return bool(np.median(zero.sum(axis=0)) == 0 and not counted)
