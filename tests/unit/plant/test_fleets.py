from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from oddfleet import plant
from oddfleet.detect import find_oddities
from oddfleet.errors import SettingsError
from oddfleet.model import Fleet, FloatArray, Kind
from oddfleet.settings import Settings


def _made(kind: str, seed: int = 1) -> FloatArray:
    return plant.healthy_fleet(kind, 50, seed=seed).values


def _alike(values: FloatArray) -> float:
    """Median rank correlation of each device's days with the median day of all."""
    common = np.median(values / np.median(values, axis=0), axis=1)
    return float(np.median([stats.spearmanr(series, common).statistic for series in values.T]))


def _memory(values: FloatArray) -> float:
    return float(np.median([np.corrcoef(series[1:], series[:-1])[0, 1] for series in values.T]))


def test_a_steady_fleet_is_what_it_says() -> None:
    fleet = plant.steady_fleet(250, seed=3, first_day="2021-03-01")
    assert fleet.device_ids == tuple(range(1, 251))
    assert len(set(fleet.names)) == 250
    assert (str(fleet.dates[0]), str(fleet.dates[-1])) == ("2021-03-01", "2022-03-01")
    assert fleet.values.mean() == pytest.approx(100, abs=0.1)
    assert fleet.values.std(axis=0).mean() == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("kind", plant.FLEETS)
def test_a_seed_is_a_fleet(kind: str) -> None:
    fleet = plant.healthy_fleet(kind, 5, 60, seed=1)
    assert np.array_equal(fleet.values, plant.healthy_fleet(kind, 5, 60, seed=1).values, equal_nan=True)
    assert not np.array_equal(fleet.values, plant.healthy_fleet(kind, 5, 60, seed=2).values, equal_nan=True)


@pytest.mark.parametrize("kind", plant.FLEETS)
@pytest.mark.parametrize(("n_devices", "n_days"), [(1, 366), (3, 2), (7, 30), (150, 10)])
def test_fleets_have_the_size_that_is_asked_for(kind: str, n_devices: int, n_days: int) -> None:
    fleet = plant.healthy_fleet(kind, n_devices, n_days, seed=1, first_day="2024-02-28")
    assert fleet.values.shape == (n_days, n_devices)
    assert str(fleet.dates[1]) == "2024-02-29"
    assert len(set(fleet.names)) == n_devices
    assert (fleet.values[np.isfinite(fleet.values)] >= 0).all()


@pytest.mark.parametrize("kind", plant.FLEETS)
def test_only_lossy_fleets_lose_days(kind: str) -> None:
    lost = np.isnan(_made(kind)).mean(axis=0)
    assert (lost > 0).any() == (kind == "lossy")
    assert lost.max() < 0.25


def test_steady_devices_differ_by_chance_only() -> None:
    means = np.concatenate([_made("steady", seed).mean(axis=0) for seed in range(5)])
    assert stats.kstest((means - 100) / 5 * np.sqrt(366), "norm").pvalue > 0.001


def test_a_weekly_fleet_has_a_quiet_weekend_and_many_levels() -> None:
    for seed in range(3):
        values = _made("weekly", seed)
        weekdays = np.stack([values[day::7].mean(axis=0) for day in range(7)])
        assert (weekdays[5:].max(axis=0) < weekdays[:5].min(axis=0)).all()
        assert values.mean(axis=0).max() > 20 * values.mean(axis=0).min()


def test_counts_are_small_and_whole_with_many_zeros() -> None:
    values = _made("counts")
    assert (values == np.round(values)).all()
    assert 0.05 < (values == 0).mean() < 0.8
    np.testing.assert_allclose(values.var(axis=0) / values.mean(axis=0), 1, atol=0.4)  # as Poisson's


def test_a_seasonal_fleet_shares_its_year() -> None:
    months = np.stack([part.mean(axis=0) for part in np.array_split(_made("seasonal"), 12)])
    assert _alike(months) > 0.9
    assert _alike(_made("steady")) < 0.4


def test_bursty_devices_are_log_normal() -> None:
    values = np.log(_made("bursty"))
    p = [stats.normaltest(series).pvalue for series in values.T]
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert (values.std(axis=0) > 0.5).all()


@pytest.mark.parametrize(("n_devices", "sizes"), [(10, [1, 3, 6]), (60, [6, 18, 36]), (300, [30, 90, 180])])
def test_a_mixed_fleet_has_three_kinds(n_devices: int, sizes: list[int]) -> None:
    """About their weekdays' medians steady devices vary by 5 %, those with a working week by 10, bursty ones by 50."""
    for seed in range(4):
        logs = np.log(plant.healthy_fleet("mixed", n_devices, seed=seed).values)
        weekday = np.arange(len(logs)) % 7
        week = np.stack([np.median(logs[weekday == day], axis=0) for day in range(7)])
        kind = np.digitize((logs - week[weekday]).std(axis=0), [0.07, 0.25])
        assert sorted(np.bincount(kind)) == sizes
        assert np.array_equal(np.ptp(week, axis=0)[kind < 2] > 0.2, kind[kind < 2] == 1)


def test_all_drop_on_the_same_few_days() -> None:
    values = _made("drop_days")
    low = values < 0.7 * np.median(values, axis=0)
    together = low.mean(axis=1) > 0.5
    assert 2 <= together.sum() <= 10
    assert low[~together].mean() < 0.01


def test_wandering_devices_remember_the_day_before() -> None:
    for seed in range(3):
        assert _memory(_made("wandering", seed)) > 0.7
        assert abs(_memory(_made("steady", seed))) < 0.1


def test_some_devices_lose_more_days_than_others() -> None:
    lost = np.isnan(_made("lossy")).sum(axis=0)
    assert lost.var() > 2 * lost.mean()


def test_there_is_no_fleet_of_a_kind_that_is_not_known() -> None:
    with pytest.raises(SettingsError, match=r"^plant: the fleet must be one of steady, .*lossy, got calm; choose one "):
        plant.healthy_fleet("calm", 5, seed=1)


def test_the_sample_fleet_has_six_odd_devices() -> None:
    fleet = plant.sample_fleet()
    healthy = plant.steady_fleet(60, seed=2020)
    touched = [i for place, i in enumerate(fleet.device_ids) if (fleet.values != healthy.values)[:, place].any()]
    assert touched == [7, 16, 25, 34, 43, 52]
    assert _kinds(fleet) == {
        7: Kind.LEVEL_SHIFT,
        16: Kind.WANDER,
        25: Kind.SPIKES,
        34: Kind.INACTIVE,
        43: Kind.WEEKLY_RHYTHM,
        52: Kind.SHAPE,
    }


def _kinds(fleet: Fleet) -> dict[int | str, Kind]:
    found = find_oddities(fleet, Settings())
    return {device: found.of(device)[0].kind for device in found.ids}
