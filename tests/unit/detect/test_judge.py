from __future__ import annotations

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import (
    decide,
    farthest,
    features,
    habits,
    judge,
    lapses,
    moderate,
    promises,
    runs,
    scale,
    shared,
    surprise,
)
from oddfleet.detect.features import COMPARED, FeatureTable
from oddfleet.model import FloatArray, Kind

DAY = np.arange(366)
DATES = plant.steady_fleet(1, seed=1).dates
ONE_SIDED = ("mixture", "silent_run", "silent_days", "stuck_run", "lost_days", "replay", "copy")
CLEAN = plant.steady_fleet(12, seed=2).values
CLEAN[30:33, 4] = np.nan
CLEAN[50:53, 5] = CLEAN[50, 5]
CLEAN[60, 6] = 0.0
WEEKLY = CLEAN + 20.0 * (DAY % 7 < 5)[:, None]
WEEKLY[60, 6] = 0.0
COUNTS = plant.healthy_fleet("counts", 12, seed=3).values
BURSTY = plant.healthy_fleet("bursty", 12, seed=3).values
FLEETS = pytest.mark.parametrize("values", [CLEAN, WEEKLY, COUNTS, BURSTY], ids=["clean", "weekly", "counts", "bursty"])
REPEATED = -np.arange(24.0).reshape(2, 12)


def _judged(values: FloatArray, repeated: FloatArray | None = None) -> judge.Judgement:
    nothing = np.zeros((2, values.shape[1]))
    return judge.judge(values, DATES[: len(values)], nothing if repeated is None else repeated)


def _row(log_p: FloatArray, test: str) -> FloatArray:
    row: FloatArray = log_p[judge.TESTS.index(test)]
    return row


@FLEETS
def test_every_row_is_the_test_it_is_named_for(values: FloatArray) -> None:
    judgement = _judged(values, REPEATED)
    fitting = scale.choose(values)
    common = shared.find(fitting.apply(values), factors=fitting.power == 0)
    residual = fitting.apply(values) - common.part
    freed = fitting.invert(residual) if common.profiles else values
    block = features.Block(values, freed, residual, common.profile)
    own = habits.own_days(residual, habits.weekdays(DATES), habits.find(residual, DATES))
    table = features.compute(block, own, DATES, habits.find(residual, DATES))
    coupling = common.coupling if common.profiles else np.full(12, np.nan)
    np.testing.assert_array_equal(judgement.table.values[:-2], table.values[:-2])
    far = farthest.find(own)
    score = np.full(12, np.nan) if values is COUNTS else farthest.members_score(far)
    np.testing.assert_array_equal(judgement.table.row("spikes_score"), score)
    np.testing.assert_array_equal(judgement.table.errors[:-1], moderate.learn(table).apply(table).errors[:-1])
    np.testing.assert_array_equal(judgement.table.row("coupling_share"), coupling)
    expected = dict(zip(COMPARED, surprise.log_surprises(judgement.loose, judgement.learnt.reading), strict=True))
    for name, (alone, lengths) in {
        "silent_run": runs.log_surprise_silent(values),
        "stuck_run": runs.log_surprise_stuck(values),
    }.items():
        expected[name] = np.maximum(alone, lapses.log_surprise_of_lengths(lengths))
    expected["silent_days"] = promises.log_surprise_of_lost(values == 0) if values is not COUNTS else np.zeros(12)
    expected["lost_days"] = promises.log_surprise_of_lost(np.isnan(values))
    expected["replay"], expected["copy"] = REPEATED
    assert set(judge.TESTS) - set(expected) == {"mixture"}
    assert judgement.log_p.shape == judgement.above.shape == (len(judge.TESTS), 12)
    assert judgement.log_p.max() <= 0
    for name, row in expected.items():
        np.testing.assert_array_equal(_row(judgement.log_p, name), row, err_msg=name)


def test_every_test_speaks_of_a_kind_and_the_features_come_first() -> None:
    assert set(judge.TESTS) == set(judge.KIND_OF_TEST)
    assert judge.TESTS[: len(COMPARED)] == COMPARED
    assert judge.TESTS[-2:] == ("replay", "copy")
    assert set(judge.OF_KIND) <= set(judge.KIND_OF_TEST.values())


@FLEETS
def test_above_is_more_than_the_middle_device_has(values: FloatArray) -> None:
    judgement = _judged(values)
    for name, row in zip(judge.TESTS, judgement.above, strict=True):
        if name in ONE_SIDED:
            assert row.all()
        else:
            loose = judgement.loose.row(name)
            middle = float(np.median(loose[np.isfinite(loose)])) if np.isfinite(loose).any() else np.nan
            assert row.tolist() == (loose > middle).tolist()


def test_where_zero_is_a_count_it_is_no_silence() -> None:
    assert _row(_judged(COUNTS).log_p, "silent_days").tolist() == [0.0] * 12
    silent = CLEAN.copy()
    silent[5::9, 0] = 0.0
    assert _row(_judged(silent).log_p, "silent_days")[0] < -50


def test_only_where_something_is_shared_it_can_be_followed() -> None:
    alone = WEEKLY.copy()
    alone[:, 0] = CLEAN[:, 0]
    assert np.isnan(_judged(CLEAN).table.row("coupling_share")).all()
    judgement = _judged(alone)
    coupling = judgement.table.row("coupling_share")
    assert abs(coupling[0]) < 0.3
    assert np.delete(coupling, 0).min() > 0.7
    assert _row(judgement.log_p, "coupling_share").argmin() == 0


def test_a_device_with_too_few_days_follows_nothing() -> None:
    values = WEEKLY.copy()
    values[20:, 0] = np.nan
    judgement = _judged(values)
    assert np.isnan(judgement.table.values[:, 0]).all()
    assert (judgement.log_p[: len(COMPARED), 0] == 0).all()


@FLEETS
@pytest.mark.parametrize("place", [0, 4, 5, 6, 11])
def test_an_unchanged_device_is_judged_as_by_the_others(values: FloatArray, place: int) -> None:
    judgement = _judged(values, REPEATED)
    got, above = judge.judge_again(judgement, place, judgement.block.residual[:, [place]])
    count, loose = len(COMPARED), judgement.loose
    own = FeatureTable(loose.values[:, [place]], loose.errors[:, [place]], loose.batches)
    others = FeatureTable(np.delete(loose.values, place, 1), np.delete(loose.errors, place, 1), loose.batches)
    np.testing.assert_allclose(
        got[:count],
        surprise.log_surprises_of(own, surprise.listen(others), judgement.learnt.reading),
        rtol=1e-6,
        atol=1e-9,
    )
    np.testing.assert_array_equal(got[count:, 0], judgement.log_p[count:, place])
    # With and without itself in the core of the cohort, a usual device is as good as equally surprising.
    np.testing.assert_allclose(np.exp(got[:, 0]), np.exp(judgement.log_p[:, place]), rtol=0.2, atol=0.01)
    assert above[:, 0].tolist() == judgement.above[:, place].tolist()


def test_versions_are_judged_one_by_one() -> None:
    judgement = _judged(CLEAN)
    own = judgement.block.residual[:, 0]
    versions = np.column_stack([own, own + 30, np.where(DAY < 99, np.nan, own)])
    together, above = judge.judge_again(judgement, 0, versions)
    for column in range(3):
        alone = judge.judge_again(judgement, 0, versions[:, [column]])
        np.testing.assert_allclose(together[:, [column]], alone[0], rtol=1e-9)
        assert (above[:, [column]] == alone[1]).all()
    assert _row(together, "level_log_mb")[1] < -15
    assert _row(together, "level_log_mb")[[0, 2]].min() > -5
    assert above[judge.TESTS.index("level_log_mb"), 1]


@pytest.mark.parametrize(("left", "surprised"), [(True, True), (False, False)])
def test_silent_days_are_surprising_until_they_are_taken_out(left: bool, surprised: bool) -> None:
    values = CLEAN.copy()
    values[5::9, 0] = 0.0
    judgement = _judged(values)
    residual = np.where(left | (values[:, 0] != 0), judgement.block.residual[:, 0], np.nan)
    after, _ = judge.judge_again(judgement, 0, residual[:, None])
    assert (_row(after, "silent_days")[0] < -10) == surprised


def test_a_repair_that_adds_what_was_not_followed_is_seen_to_follow() -> None:
    values = WEEKLY.copy()
    values[:, 0] = CLEAN[:, 0]
    judgement = _judged(values)
    before = _row(judgement.log_p, "coupling_share")[0]
    mended = judgement.block.residual[:, [0]] - judgement.common.excess[:, [0]]
    after, _ = judge.judge_again(judgement, 0, mended)
    assert before < -8
    assert _row(after, "coupling_share")[0] > before / 2


@FLEETS
def test_the_combination_is_judged_by_the_law_of_the_cohort(values: FloatArray) -> None:
    judgement = _judged(values)
    combined = judge.log_surprise_combined(judgement, judgement.log_p, judgement.above)
    np.testing.assert_allclose(combined, _row(judgement.log_p, "mixture"), rtol=1e-9)


def test_tails_heavier_than_the_law_are_learnt_from_a_large_cohort() -> None:
    judgement = _judged(plant.healthy_fleet("bursty", 150, 120, seed=4).values)
    plain = surprise.log_surprises(judgement.loose, judgement.learnt.reading)
    stretched = judgement.learnt.tails.stretch > 1
    assert (judgement.log_p[: len(COMPARED)] >= plain - 1e-12).all()
    np.testing.assert_array_equal(judgement.log_p[: len(COMPARED)][~stretched], plain[~stretched])


def test_large_healthy_fleets_with_a_long_memory_are_silent() -> None:
    """Six fleets whose middle device remembers more than 0.945 of the day before, some more and some less.

    Of 6000 p-values 0.6 fall below 1e-4. By the middle device's memory, and as if true differences were normal, it
    were 8, 13 and 17 of steps, drifts and spreads, and four of the six fleets alarmed.
    """
    below = np.zeros(len(judge.TESTS))
    for seed in (4, 9, 10, 13, 31, 41):
        log_p = _judged(plant.healthy_fleet("wandering", 1000, seed=seed).values).log_p
        assert not decide.discoveries(decide.device_log_p(log_p), 0.01).any(), seed
        below += (log_p <= np.log(1e-4)).sum(axis=1)
    assert dict(zip(judge.TESTS, below, strict=True)) == {test: pytest.approx(0, abs=4) for test in judge.TESTS}


@pytest.mark.parametrize(("devices", "place", "size"), [(5, 2, 4), (5, -1, 5), (501, 0, 500), (2000, 7, 500)])
def test_a_jury_is_the_others_or_enough_of_them(devices: int, place: int, size: int) -> None:
    jury = judge.jury_of(devices, place)
    assert len(set(jury.tolist())) == len(jury) == size
    assert place not in jury
    assert set(jury.tolist()) <= set(range(devices))


def test_a_record_too_short_for_features_has_none() -> None:
    judgement = _judged(CLEAN[:20])
    assert (judgement.log_p[: len(COMPARED)] == 0).all()
    assert judge.KIND_OF_TEST["coupling_share"] is Kind.DETACHED
