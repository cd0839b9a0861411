from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import linalg, signal, stats

from oddfleet.detect import habits, ranks, scores
from oddfleet.detect.habits import Habits
from oddfleet.model import DateArray, FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw

DAYS = 364
DAY = np.arange(DAYS)[:, None]
NONE = Habits(weekly=False, memory=np.zeros(0))


def _dates(n_days: int) -> DateArray:
    return np.datetime64("2020-01-01") + np.arange(n_days)


def _remembering(noise: FloatArray, *memory: float) -> FloatArray:
    """Autoregressive series, each day from those before it, long under way on the first day."""
    days = np.zeros(noise.shape)
    for day, fresh in enumerate(noise):
        days[day] = fresh + sum(weight * days[day - lag] for lag, weight in enumerate(memory, 1))
    recent: FloatArray = days[200:]
    return recent


def _weeks(n_devices: int, height: float) -> FloatArray:
    """One day of the week is high, and each device has its own."""
    high: FloatArray = height * ((DAY + np.arange(n_devices)) % 7 == 0)
    return high


def _find(values: FloatArray) -> Habits:
    return habits.find(values, _dates(len(values)))


@pytest.mark.parametrize("first", ["2020-01-01", "1969-12-30", "2024-02-26"])
def test_weekdays_by_the_calendar(first: str) -> None:
    dates = np.datetime64(first) + np.arange(20)
    assert habits.weekdays(dates).tolist() == [day.weekday() for day in dates.tolist()]


def test_without_week_by_loops(draw: Draw) -> None:
    values = 50 + draw("lognormal", (45, 4))
    values[draw("uniform", values.shape) < 0.2] = np.nan
    values[3::7, 0] = np.nan  # a device without Sundays
    values[:, 3] = np.nan
    weekday = habits.weekdays(_dates(45))
    got = habits.without_week(values, weekday)
    assert (np.isnan(got) == np.isnan(values)).all()
    for device in range(3):
        seen = [(row, value) for row, value in enumerate(values[:, device].tolist()) if not isnan(value)]
        whole = sum(value for _, value in seen) / len(seen)
        for row, value in seen:
            same = [other for day, other in seen if weekday[day] == weekday[row]]
            assert got[row, device] == pytest.approx(value - sum(same) / len(same) + whole)


@pytest.mark.parametrize("memory", [(0.7,), (0.5, -0.2, 0.3)])
def test_innovations_by_loops(draw: Draw, memory: tuple[float, ...]) -> None:
    values = 9 + draw("normal", (40, 3))
    values[draw("uniform", values.shape) < 0.2] = np.nan
    before = values.copy()
    got = habits.innovations(values, np.array(memory))
    np.testing.assert_array_equal(values, before)
    for device in range(3):
        series = values[:, device].tolist()
        seen = [value for value in series if not isnan(value)]
        mean = sum(seen) / len(seen)
        for day, value in enumerate(series):
            if day < len(memory) or isnan(value):
                assert np.isnan(got[day, device])
            else:
                past = [series[day - lag] for lag in range(1, len(memory) + 1)]
                foretold = sum(w * (p - mean) for w, p in zip(memory, past, strict=True) if not isnan(p))
                assert got[day, device] == pytest.approx(value - foretold)


@pytest.mark.parametrize("law", ["normal", "lognormal", "student", "uniform"])
@pytest.mark.parametrize("n_devices", [1, 3, 40])
def test_white_noise_has_no_habit(draw: Draw, law: str, n_devices: int) -> None:
    found = [_find(fleet) for fleet in draw(law, (120, 90, n_devices))]
    assert sum(usual.weekly for usual in found) <= 1
    assert sum(usual.memory.size > 0 for usual in found) <= 1


def test_counts_have_no_habit(draw: Draw) -> None:
    counts = stats.poisson(1.5).ppf(draw("uniform", (DAYS, 40))).astype(float)
    assert not _find(counts).weekly
    assert _find(counts).memory.size == 0


@pytest.mark.parametrize("lost", [0.0, 0.2])
def test_weeks_of_ones_own_are_found_and_taken_out(draw: Draw, lost: float) -> None:
    noise = 20 + draw("normal", (DAYS, 30))
    values = noise + _weeks(30, 2.0)
    values[draw("uniform", values.shape) < lost] = np.nan
    found, weekday = _find(values), habits.weekdays(_dates(DAYS))
    assert found.weekly
    assert found.memory.size == 0
    own = habits.own_days(values, weekday, found)
    seen = np.isfinite(own)
    assert (seen == np.isfinite(values)).all()
    left = (own - noise)[seen]
    assert np.std(left) < 0.3  # of 0.7 planted; the rest is the noise of seven means
    np.testing.assert_allclose(np.nanmean(own, axis=0), np.nanmean(values, axis=0))
    assert (scores.rhythm_score(ranks.normal_scores(own), seen, weekday) < 3).all()
    np.testing.assert_array_equal(habits.own_days(values, weekday, found, weekly=True), values)


def test_a_week_that_few_have_is_no_habit(draw: Draw) -> None:
    values = draw("normal", (DAYS, 30)) + _weeks(30, 5.0) * (np.arange(30) < 12)
    found = _find(values)
    assert not found.weekly
    assert found.memory.size == 0
    np.testing.assert_array_equal(habits.own_days(values, habits.weekdays(_dates(DAYS)), found), values)


def _foretelling(memory: tuple[float, ...], seen: float) -> FloatArray:
    """The best coefficients for series of known memory, where this share of the days is seen (scipy)."""
    echo = signal.lfilter([1.0], [1.0, *(-weight for weight in memory)], np.eye(1, 500)[0])
    correlation = np.array([echo[lag:] @ echo[: 500 - lag] for lag in range(habits.LAGS + 1)]) / (echo @ echo)
    heard = np.append(1.0, seen * correlation[1:])  # days that are lost go together with nothing
    coefficients: FloatArray = linalg.solve(linalg.toeplitz(heard[:-1]), heard[1:])
    return coefficients


@pytest.mark.parametrize("lost", [0.0, 0.1])
@pytest.mark.parametrize("memory", [(0.3,), (0.6,), (0.9,), (0.5, 0.3), (0.6, -0.3)])
def test_memory_is_recovered_and_what_is_left_is_white(draw: Draw, memory: tuple[float, ...], lost: float) -> None:
    values = _remembering(draw("normal", (DAYS + 200, 40)), *memory)
    values[draw("uniform", values.shape) < lost] = np.nan
    found = _find(values)
    assert not found.weekly
    np.testing.assert_allclose(found.memory, _foretelling(memory, 1 - lost), atol=0.1)
    fresh = habits.own_days(values, habits.weekdays(_dates(DAYS)), found)
    if not lost:  # where days are lost the past is not known, and what is left remembers it
        memories = scores.memory_score(ranks.normal_scores(fresh), np.isfinite(fresh))
        assert np.median(np.abs(memories)) < 1.3
        assert np.median(np.nanstd(fresh, axis=0)) == pytest.approx(1, abs=0.05)


def test_memory_that_few_have_is_no_habit(draw: Draw) -> None:
    values = draw("normal", (DAYS + 200, 30))
    mixed = np.where(np.arange(30) < 12, _remembering(values, 0.8), values[200:])
    assert _find(mixed).memory.size == 0


def test_memory_and_week_together(draw: Draw) -> None:
    noise = _remembering(draw("normal", (DAYS + 200, 40)), 0.6)
    values, weekday = noise + _weeks(40, 4.0), habits.weekdays(_dates(DAYS))
    found = _find(values)
    assert found.weekly
    assert found.memory[0] == pytest.approx(0.6, abs=0.1)
    own, kept = (habits.own_days(values, weekday, found, weekly=weekly) for weekly in (False, True))
    without = habits.without_week(values, weekday)
    np.testing.assert_allclose(own, habits.innovations(without, found.memory), equal_nan=True)
    np.testing.assert_allclose(kept, habits.innovations(values, found.memory), equal_nan=True)
    seen = np.isfinite(kept)
    assert np.median(scores.rhythm_score(ranks.normal_scores(kept), seen, weekday)) > 5
    assert np.median(scores.rhythm_score(ranks.normal_scores(own), seen, weekday)) < 1


def test_a_level_scale_or_unit_makes_no_difference(draw: Draw) -> None:
    values = _remembering(draw("normal", (DAYS + 200, 20)), 0.5) + _weeks(20, 3.0)
    base, other = _find(values), _find(np.linspace(1, 5, 20) * 1e9 * (7 + values))
    assert base.weekly == other.weekly
    np.testing.assert_allclose(base.memory, other.memory, rtol=1e-9)


def test_a_large_fleet_is_known_by_some_of_its_devices(draw: Draw) -> None:
    assert _find(draw("normal", (DAYS, 500)) + _weeks(500, 3.0)).weekly


@pytest.mark.parametrize("shape", [(0, 5), (90, 0), (28, 5)])
def test_too_little_for_a_habit(draw: Draw, shape: tuple[int, int]) -> None:
    found = _find(draw("normal", shape).cumsum(axis=0))
    assert not found.weekly
    assert found.memory.size == 0


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e15])
def test_flat_devices_have_no_habit(value: float) -> None:
    found = _find(np.full((90, 4), value))
    assert not found.weekly
    assert found.memory.size == 0


def test_devices_that_are_hardly_observed_are_not_asked(draw: Draw) -> None:
    values = draw("normal", (DAYS, 20)) + _weeks(20, 3.0)
    values[20:, :12] = np.nan
    assert _find(values).weekly


@pytest.mark.parametrize(("period", "days"), [(6, 3), (9, 3), (12, 6)])
def test_a_strict_cycle_leaves_bounded_memory(period: int, days: int) -> None:
    on = (np.arange(366)[:, None] + np.arange(20)) % period < days
    assert np.abs(_find(on.astype(float)).memory).max() < 3


def _each_its_own(noise: FloatArray, memory: FloatArray) -> FloatArray:
    """Series (days, devices) of mean 50 of which each remembers the day before by its own share (devices,)."""
    days = np.zeros(noise.shape)
    for day, fresh in enumerate(noise):
        days[day] = memory * days[day - 1] + np.sqrt(1 - memory**2) * fresh
    return 50 + days[200:]


def _memory(values: FloatArray, usual: Habits) -> FloatArray:
    score = habits.without(values, habits.weekdays(_dates(len(values))), usual)[1]
    assert score is not None
    return score


def _slope_by_loops(days: list[float], fresh: list[float]) -> tuple[float, float]:
    """Slope of innovations on the day before and its standard error, either half about its own mean."""
    mean = float(np.nanmean(days))
    before = [0.0, *(0.0 if isnan(day) else day - mean for day in days[:-1])]
    held = []
    for column in (before, [new - float(np.nanmean(fresh[2:])) for new in fresh]):
        known = [0.0 if isnan(new) else value for value, new in zip(column, fresh, strict=True)][2:]
        reach = 4 * sum(map(abs, known)) / len(known)
        held.append([min(max(value, -reach), reach) for value in known])
    product = square = rest = 0.0
    count, half = 0, (len(days) - 2) // 2
    for part in (slice(half), slice(half, None)):
        pairs = [
            (x, y) for x, y, new in zip(held[0][part], held[1][part], fresh[2:][part], strict=True) if not isnan(new)
        ]
        x, y = np.array(pairs).T
        product += float(((x - x.mean()) * (y - y.mean())).sum())
        square += float(((x - x.mean()) ** 2).sum())
        rest += float(((y - y.mean()) ** 2).sum())
        count += len(pairs)
    return product / square, float((rest / count / square) ** 0.5)


@pytest.mark.parametrize("lost", [0.0, 0.1])
def test_own_memory_by_loops(draw: Draw, lost: float) -> None:
    values = _each_its_own(draw("normal", (260, 4)), np.array([0.5, 0.7, 0.8, 0.95]))
    values[draw("uniform", values.shape) < lost] = np.nan
    values[40, 1] += 90.0
    usual = Habits(weekly=False, memory=np.array([0.6, 0.1]), differs=(0.02, 0.05))
    fresh, weekday = habits.innovations(values, usual.memory), habits.weekdays(_dates(60))
    own, score = habits.own_days(values, weekday, usual), _memory(values, usual)
    for device in range(4):
        days, new = values[:, device].tolist(), fresh[:, device].tolist()
        slope, error = _slope_by_loops(days, new)
        more = (slope - 0.02) * 0.05**2 / (0.05**2 + error**2)
        mean = float(np.nanmean(days))
        for day in range(2, 60):
            past = 0.0 if isnan(days[day - 1]) else days[day - 1] - mean
            left = new[day] - min(max(more, -0.15), 0.15) * past
            assert own[day, device] == pytest.approx(left, nan_ok=True)
        count = int(np.isfinite(fresh[:, device]).sum())
        t = (slope - 0.02) / error
        assert score[device] == pytest.approx(np.arctanh(t / (t**2 + count) ** 0.5) * (count - 3) ** 0.5)


@pytest.mark.parametrize("differ", [0.0, 0.02])
def test_how_devices_differ_in_memory_is_told(draw: Draw, differ: float) -> None:
    memory = 0.9 + differ * draw("normal", (1000,), 2)
    found = _find(_each_its_own(draw("normal", (DAYS + 200, 1000)), memory))
    assert found.differs is not None
    assert found.differs[1] == pytest.approx(differ, abs=0.012)


@pytest.mark.parametrize(("memory", "differ", "freedom"), [(0.9, 0.0, 200), (0.85, 0.01, 100), (0.95, 0.01, 15)])
def test_how_well_the_scale_of_slow_changes_is_known(draw: Draw, memory: float, differ: float, freedom: float) -> None:
    """A slope is left unknown by so much of 1 less the memory: with 0.95, 366 days and 0.01 by 0.0085 of 0.05."""
    remembers = memory + differ * draw("normal", (1000,), 2)
    found = _find(_each_its_own(draw("normal", (DAYS + 200, 1000)), remembers))
    sampling = (1 - memory**2) / DAYS
    unknown = differ**2 * sampling / (differ**2 + sampling) / (1 - memory) ** 2
    assert unknown == pytest.approx(0.5 / freedom if differ else 0, rel=0.5)
    assert freedom / 3 < found.freedom
    assert found.freedom < (4 * freedom if differ else np.inf)
    assert np.isinf(_find(draw("normal", (DAYS, 50))).freedom)


def test_few_devices_do_not_tell_how_they_differ(draw: Draw) -> None:
    values = _each_its_own(draw("normal", (DAYS + 200, 30)), np.full(30, 0.9))
    assert _find(values).differs is not None
    assert _find(values[:, 1:]).differs is None
    assert _find(values[:, 1:]).memory.size


def test_a_device_that_remembers_more_does_not_seem_to_drift(draw: Draw) -> None:
    """Where memory is long a little more of it is much more drift: of those who remember most, nearly twice."""
    memory = np.clip(0.9 + 0.03 * draw("normal", (4000,), 2), 0.8, 0.98)
    values = _each_its_own(draw("normal", (DAYS + 200, 4000)), memory)
    found, weekday = _find(values), habits.weekdays(_dates(DAYS))
    drifts = [
        scores.drift_score(ranks.normal_scores(own), np.isfinite(own))
        for own in (habits.innovations(values, found.memory), habits.own_days(values, weekday, found))
    ]
    most = memory >= np.quantile(memory, 0.95)
    by_the_middle, by_its_own = (np.std(drift[most]) / np.std(drift) for drift in drifts)
    assert by_the_middle > 1.7
    assert by_its_own < 1.45
    assert [int((np.abs(drift) > 3.5).sum() > 20) for drift in drifts] == [1, 0]


def test_a_step_or_drift_is_not_taken_for_memory(draw: Draw) -> None:
    memory = 0.85 + 0.01 * draw("normal", (100,), 2)
    values = _each_its_own(draw("normal", (DAYS + 200, 100)), memory)
    values[:, 0] += 3.0 * (np.arange(DAYS) >= 150)
    values[:, 1] += 4.0 * np.arange(DAYS) / DAYS
    found, weekday = _find(values), habits.weekdays(_dates(DAYS))
    middle, own = (
        np.abs(scores.drift_score(ranks.normal_scores(fresh[:, :2]), np.isfinite(fresh[:, :2])))
        for fresh in (habits.innovations(values, found.memory), habits.own_days(values, weekday, found))
    )
    assert float(middle.min()) > 2.5
    assert (own > 0.8 * middle).all()


def test_who_remembers_more_than_the_middle_one_by_its_score(draw: Draw) -> None:
    memory = np.full(400, 0.9)
    memory[:5] = 0.995
    values = _each_its_own(draw("normal", (DAYS + 200, 400)), memory)
    values[:, 399] = 7.0
    found, weekday = _find(values), habits.weekdays(_dates(DAYS))
    score = _memory(values, found)
    assert np.median(score[:5]) > 3
    assert np.std(score[5:399]) == pytest.approx(1, abs=0.15)
    assert abs(np.mean(score[5:399])) < 0.15
    assert score[399] == 0
    assert (habits.own_days(values, weekday, found)[7:, 399] == 7).all()


def test_own_memory_beside_a_week(draw: Draw) -> None:
    noise = _each_its_own(draw("normal", (DAYS + 200, 200)), 0.9 + 0.02 * draw("normal", (200,), 2))
    found, plain = _find(noise + _weeks(200, 4.0)), _find(noise)
    assert found.weekly
    assert found.differs is not None
    score = _memory(noise + _weeks(200, 4.0), found)
    without = _memory(noise, plain)
    assert np.corrcoef(score, without)[0, 1] > 0.95


@pytest.mark.parametrize("freedom", [8.0, 15.0, 60.0, 1e6])
def test_scores_of_doubtful_scale_have_the_tail_of_student(freedom: float) -> None:
    score = np.array([-9.0, -2.0, 0.0, 1.0, 3.0, 6.0])
    got = habits.of_doubtful_scale(score, freedom)
    expected = np.sign(score) * stats.norm.isf(stats.t.sf(np.abs(score), freedom))
    np.testing.assert_allclose(got, expected, atol=0.01, rtol=0.005)


def test_scores_of_a_sure_scale_stay() -> None:
    score = np.array([-9.0, 0.0, 40.0])
    np.testing.assert_array_equal(habits.of_doubtful_scale(score, np.inf), score)
