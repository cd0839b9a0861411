from __future__ import annotations

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import features, judge, promises, runs, shared, surprise
from oddfleet.model import FloatArray, Kind

ROWS = ("silent_run", "stuck_run", "lost_days")


def _judged(values: FloatArray) -> tuple[judge.Judgement, FloatArray]:
    """The tests of a cohort, and its series without what is shared."""
    common = shared.take_out(values)
    return judge.judge(values, common.residual, common.coupling, DATES), common.residual


DATES = plant.steady_fleet(1, seed=1).dates
CLEAN = plant.steady_fleet(12, seed=2).values
CLEAN[30:33, 4] = np.nan
CLEAN[50:53, 5] = CLEAN[50, 5]
CLEAN[60, 6] = 0.0
WEEKLY = CLEAN + 20.0 * (np.arange(366) % 7 < 5)[:, None]


@pytest.mark.parametrize("values", [CLEAN, WEEKLY], ids=["clean", "weekly"])
def test_every_row_is_the_test_it_is_named_for(values: FloatArray) -> None:
    judgement, residual = _judged(values)
    got = dict(zip(judgement.tests, judgement.log_p, strict=True))
    table = features.compute(values, residual, DATES)
    quiet, stuck = runs.quiet_days(values), runs.stuck_days(values)
    expected = dict(zip(features.COMPARED, surprise.log_surprises(table), strict=True))
    expected["silent_run"] = runs.log_surprise(quiet, runs.usual_rate(quiet))
    expected["stuck_run"] = runs.log_surprise(stuck, runs.usual_rate(stuck))
    expected["lost_days"] = promises.log_surprise_of_lost(np.isnan(values))
    assert set(got) - set(expected) == (set() if values is CLEAN else {"coupling_score"})
    for name, row in expected.items():
        np.testing.assert_array_equal(got[name], row, err_msg=name)


@pytest.mark.parametrize("values", [CLEAN, WEEKLY], ids=["clean", "weekly"])
def test_every_test_speaks_of_a_kind(values: FloatArray) -> None:
    assert set(_judged(values)[0].tests) <= set(judge.KIND_OF_TEST)


def test_above_is_more_than_the_middle_device_has() -> None:
    judgement, _ = _judged(CLEAN)
    for place, name in enumerate(judgement.tests):
        row = judgement.above[place]
        if name in ROWS:
            assert row.all()
        else:
            values = judgement.table.row(name)
            assert row.tolist() == [value > float(np.median(values)) for value in values]


@pytest.mark.parametrize("values", [CLEAN, WEEKLY], ids=["clean", "weekly"])
@pytest.mark.parametrize("place", [0, 4, 5, 6, 11])
def test_an_unchanged_device_is_judged_as_by_the_others(values: FloatArray, place: int) -> None:
    judgement, residual = _judged(values)
    own, own_residual = values[:, [place]], residual[:, [place]]
    got, above = judge.judge_again(judgement, place, own, own_residual)
    without = judge.judge(np.delete(values, place, 1), np.delete(residual, place, 1), None, DATES)
    of_others = surprise.log_surprises_of(features.compute(own, own_residual, DATES), without.table)
    np.testing.assert_allclose(got[: len(of_others)], of_others, rtol=1e-9)
    np.testing.assert_allclose(got[len(of_others) :, 0], judgement.log_p[len(of_others) :, place], rtol=1e-9)
    # With and without itself in the core of the cohort, a usual device is as good as equally surprising.
    np.testing.assert_allclose(np.exp(got[:, 0]), np.exp(judgement.log_p[:, place]), rtol=0.2, atol=0.01)
    assert above[:, 0].tolist() == judgement.above[:, place].tolist()


def test_versions_are_judged_one_by_one() -> None:
    judgement, _ = _judged(CLEAN)
    versions = np.column_stack([CLEAN[:, 0], CLEAN[:, 0] + 30, np.where(np.arange(366) < 99, np.nan, CLEAN[:, 0])])
    together, above = judge.judge_again(judgement, 0, versions, versions)
    for column in range(3):
        alone = judge.judge_again(judgement, 0, versions[:, [column]], versions[:, [column]])
        np.testing.assert_allclose(together[:, [column]], alone[0], rtol=1e-9)
        assert (above[:, [column]] == alone[1]).all()
    level, silent = judgement.tests.index("level_log_mb"), judgement.tests.index("silent_run")
    assert together[level, 1] < -20
    assert together[silent, 2] < -20
    assert together[[level, silent], 0].min() > -5


@pytest.mark.parametrize(("filled", "surprised"), [(True, False), (False, True)])
def test_lost_days_are_surprising_until_they_are_filled(filled: bool, surprised: bool) -> None:
    values = CLEAN.copy()
    values[1::7, 0] = np.nan
    judgement, _ = _judged(values)
    version = CLEAN[:, [0]] if filled else values[:, [0]]
    after, _ = judge.judge_again(judgement, 0, version, version)
    assert (after[judgement.tests.index("lost_days"), 0] < -10) == surprised


def test_two_devices_have_no_coupling() -> None:
    """Nor has any cohort whose coupling is too short to compare, whoever hands it in."""
    judgement = judge.judge(CLEAN[:, :2], CLEAN[:, :2], np.array([5.0, 9.0]), DATES)
    assert "coupling_score" not in judgement.tests
    assert judge.KIND_OF_TEST["coupling_score"] is Kind.DETACHED
