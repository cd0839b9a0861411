"""All tests of one cohort: from its series to a log p-value for each device and each way of being odd."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from oddfleet.detect import (
    farthest,
    features,
    habits,
    lapses,
    leans,
    mixture,
    moderate,
    moments,
    scale,
    shared,
    surprise,
    tails,
    ties,
)
from oddfleet.detect.farthest import Farthest
from oddfleet.detect.features import COMPARED, EXTREMES, Block, FeatureTable
from oddfleet.detect.habits import Habits
from oddfleet.detect.leans import Leans
from oddfleet.detect.mixture import Law
from oddfleet.detect.moderate import Moderation
from oddfleet.detect.scale import Scale
from oddfleet.detect.shared import Shared
from oddfleet.detect.surprise import Reading
from oddfleet.detect.tails import Tails
from oddfleet.detect.ties import Ties
from oddfleet.model import BoolArray, DateArray, FloatArray, IntArray, Kind

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
    "spikes_log": Kind.SPIKES,
    "spikes_score": Kind.SPIKES,
    "coupling_share": Kind.DETACHED,
    "mixture": Kind.MIXTURE,
    "silent_run": Kind.INACTIVE,
    "silent_days": Kind.INACTIVE,
    "stuck_run": Kind.FROZEN,
    "lost_days": Kind.MISSING_DAYS,
    "replay": Kind.REPLAYED,
    "copy": Kind.COPIED,
}
TESTS = (*COMPARED, "mixture", *lapses.TESTS, "replay", "copy")
"""The rows of ``Judgement.log_p``; the last two are made for the fleet as a whole."""


_ALONE = ("kurtosis_l", "distinct_share", "shift_score", *EXTREMES, "spikes_score")
_ALONE_IN_COUNTS = (*_ALONE, "skewness_l")
"""Features that are not combined with others: one far day, or one slow change, moves them together with one that is.
How skewness goes with spread is another for small counts than for large ones."""
MOST_OTHERS = 500
"""So many others judge a repair: more say the same."""
OF_KIND = (Kind.LEVEL, Kind.WEEKLY_RHYTHM)
"""Ways in which kinds of devices differ from each other, all year, and many odd ones hardly do."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a cohort says of its healthy devices, so that one more can be judged.

    Attributes:
        habits: what is taken out of every device's own days.
        far: the furthest days of each device.
        moderation: how far the sampling errors of the devices can be trusted.
        ties: what explains which feature.
        leans: which features lie further to one side.
        reading: how the features are read.
        tails: how heavy the tails of the features are.
        law: how the features go together.
        law_tail: how heavy the tail of their combination is.
    """

    habits: Habits
    far: Farthest
    moderation: Moderation
    ties: Ties
    leans: Leans
    reading: Reading
    tails: Tails
    law: Law
    law_tail: Tails


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The tests of one cohort, and what is usual in it.

    Attributes:
        log_p: float64 (tests, devices), rows as in ``TESTS``; 0 where a test cannot be made.
        above: bool (tests, devices), True where a device has more of the tested thing than the middle one.
        table: the features.
        loose: the features freed of what level and spread explain; these are compared.
        scale: the scale on which the cohort is judged.
        common: what the fleet shares, on that scale.
        block: the series of the cohort.
        dates: datetime64[D] (days,).
        learnt: what is usual.
    """

    log_p: FloatArray
    above: BoolArray
    table: FeatureTable
    loose: FeatureTable
    scale: Scale
    common: Shared
    block: Block
    dates: DateArray
    learnt: Learnt

    def of(self, devices: IntArray) -> Judgement:
        """The tests of some of the devices; what is usual stays."""
        return Judgement(
            self.log_p[:, devices],
            self.above[:, devices],
            self.table.of(devices),
            self.loose.of(devices),
            self.scale.of(devices),
            self.common.of(devices),
            self.block.of(devices),
            self.dates,
            replace(self.learnt, far=self.learnt.far.of(devices)),
        )


def judge(values: FloatArray, dates: DateArray, repeated: FloatArray) -> Judgement:
    """Test every device of a cohort against the others.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
        dates: datetime64[D] (days,).
        repeated: float64 (2, devices), log p-values of replays and copies.
    """
    fitting = scale.choose(values)
    scaled = fitting.apply(values)
    common = shared.find(scaled, factors=fitting.power == 0.0)
    block = block_of(values, scaled, fitting, common)
    usual = habits.find(block.residual, dates)
    own, memory = habits.without(block.residual, habits.weekdays(dates), usual)
    far = farthest.find(own)
    table = with_coupling(features.compute_in_parts(block, own, dates, usual, memory), common)
    table = with_far_days(table, fitting, farthest.members_score(far))
    moderation = moderate.learn(table)
    table = moderation.apply(table)
    tied = ties.find(table, counted=fitting.counted)
    loose = tied.loosen(table)
    leant = leans.learn(loose, remembering=usual.differs is not None)
    straight = leant.straighten(loose)
    reading = Reading.of(straight)
    compared = surprise.log_surprises(straight, reading)
    heavier = tails.learn(compared)
    compared = heavier.apply(compared)
    above = above_middle(loose, loose)
    alone = _ALONE_IN_COUNTS if fitting.counted else _ALONE
    combined = np.array([[name not in alone] for name in COMPARED])
    law = mixture.learn(np.where(combined, compared, 0.0), above[: len(COMPARED)])
    together = law.log_surprise(compared, above[: len(COMPARED)])[None]
    law_tail = tails.learn(together)
    log_p = np.concatenate([compared, law_tail.apply(together), lapses.log_surprises(values), repeated])
    learnt = Learnt(usual, far, moderation, tied, leant, reading, heavier, law, law_tail)
    return Judgement(log_p, above, table, loose, fitting, common, block, dates, learnt)


def judge_again(judgement: Judgement, place: int, residual: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Test repaired versions of the cohort's device at ``place``.

    Args:
        judgement: the tests of its cohort.
        place: which device of the cohort.
        residual: float64 (days, versions), on the scale of the cohort, without what the fleet shares.

    Returns:
        ``log_p`` and ``above`` of the versions, (tests, versions), as in ``Judgement``. Only the compared features
        are tested again; what a repair cannot touch stays as it was.
    """
    jury = jury_of(judgement.loose.values.shape[1], place)
    leant = judgement.learnt.leans
    others = surprise.listen(leant.straighten(judgement.loose.of(jury)))
    scaling = judgement.scale.of(place)
    values = scaling.invert(residual + judgement.common.part[:, [place]])
    common, learnt = judgement.common, judgement.learnt
    profile = None if common.profile is None else common.profile[:, [place]]
    own, memory = habits.without(residual, habits.weekdays(judgement.dates), learnt.habits)
    block = Block(values, scaling.invert(residual), residual, profile)
    table, far = features.compute(block, own, judgement.dates, learnt.habits, memory), farthest.find(own)
    table = with_far_days(table, judgement.scale, farthest.probes_score(far, learnt.far.of(jury).pool()))
    moved = np.nan_to_num(residual - judgement.block.residual[:, [place]])
    row = COMPARED.index("coupling_share")
    pulled = (moved * common.pull[:, [place]]).sum(axis=0)
    table.values[row] = judgement.table.values[row, place] + pulled
    table.errors[row] = judgement.table.errors[row, place]
    table = learnt.ties.loosen(learnt.moderation.apply(table))
    log_p = np.repeat(judgement.log_p[:, [place]], residual.shape[1], axis=1)
    probed = surprise.log_surprises_of(leant.straighten(table), others, learnt.reading)
    log_p[: len(COMPARED)] = learnt.tails.apply(probed)
    log_p[TESTS.index("silent_days"), ~(values == 0).any(axis=0)] = 0.0
    return log_p, above_middle(table, judgement.loose)


def jury_of(devices: int, place: int) -> IntArray:
    """The devices of a cohort but one (or none, for -1), no more than are needed to say what is usual."""
    others = np.arange(devices) if place < 0 else np.delete(np.arange(devices), place)
    jury: IntArray = others[moments.evenly_spaced(len(others), MOST_OTHERS)]
    return jury


def log_surprise_combined(judgement: Judgement, log_p: FloatArray, above: BoolArray) -> FloatArray:
    """Log p-value (versions,) of all features together, of tests as ``judge_again`` returns them."""
    combined = judgement.learnt.law.log_surprise(log_p[: len(COMPARED)], above[: len(COMPARED)])
    heavier: FloatArray = judgement.learnt.law_tail.apply(combined[None])[0]
    return heavier


def block_of(values: FloatArray, scaled: FloatArray, fitting: Scale, common: Shared) -> Block:
    """The series (days, devices) as the features look at them, from the values and the same on their scale."""
    residual = scaled - common.part
    return Block(values, fitting.invert(residual) if common.profiles else values, residual, common.profile)


def with_coupling(table: FeatureTable, common: Shared) -> FeatureTable:
    """The features with how strongly each device follows what is shared."""
    row = COMPARED.index("coupling_share")
    known = np.isfinite(table.values[0]) if common.profiles else np.zeros(table.values.shape[1], bool)
    table.values[row], table.errors[row] = np.where(known, [common.coupling, common.errors], np.nan)
    return table


def with_far_days(table: FeatureTable, scale: Scale, score: FloatArray) -> FeatureTable:
    """The features with the score (devices,) of the furthest days."""
    # Counts of different levels have tails of different forms: no day of one stands for a day of another.
    known = np.isfinite(table.values[0]) & (not scale.counted)
    table.values[COMPARED.index("spikes_score")] = np.where(known, score, np.nan)
    return table


def above_middle(table: FeatureTable, cohort: FeatureTable) -> BoolArray:
    """Which features lie above the cohort's middle; the other tests, judged on one side, always do."""
    above = np.ones((len(TESTS), table.values.shape[1]), bool)
    above[: len(COMPARED)] = table.values > moments.median(cohort.values.T)[:, None]
    return above
