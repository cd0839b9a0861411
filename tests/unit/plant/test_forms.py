from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from oddfleet import plant
from oddfleet.errors import SettingsError
from oddfleet.model import Fleet, FloatArray, Kind

STEADY = plant.steady_fleet(20, seed=3)
DROPS = plant.healthy_fleet("drop_days", 20, seed=3)
PLACE = 4
DEVICE = 5
KEEPING_LOST_DAYS = [
    kind
    for kind in plant.FAULTS
    if kind not in (Kind.MISSING_DAYS, Kind.INVALID_VALUES, Kind.INACTIVE, Kind.FROZEN, Kind.REPLAYED, Kind.COPIED)
]


def _days(fleet: Fleet) -> FloatArray:
    days: FloatArray = fleet.values[:, PLACE]
    return days


def _planted(kind: Kind, fleet: Fleet = STEADY, *, strength: float = 1.0, seed: int = 1) -> Fleet:
    return plant.with_fault(fleet, DEVICE, kind, strength=strength, seed=seed)


def _home(kind: Kind) -> Fleet:
    """A fleet in which this fault can be planted."""
    return DROPS if kind is Kind.DETACHED else STEADY


def _weekend(series: FloatArray) -> float:
    quiet = np.arange(len(series)) % 7 >= 5
    return float(abs(series[quiet].mean() - series[~quiet].mean()))


def _memory(series: FloatArray) -> float:
    return float(np.corrcoef(series[1:], series[:-1])[0, 1])


def _sameness(fleet: Fleet) -> float:
    """Share of days on which the device has the value of some other."""
    others = np.delete(fleet.values, PLACE, axis=1)
    return float((others == _days(fleet)[:, None]).any(axis=1).mean())


def _apart_from_all(fleet: Fleet) -> float:
    common = np.median(np.delete(fleet.values, PLACE, axis=1), axis=1)
    return -float(np.corrcoef(_days(fleet), common)[0, 1])


MEASURES: dict[Kind, Callable[[Fleet], float]] = {
    Kind.MISSING_DAYS: lambda fleet: float(np.isnan(_days(fleet)).sum()),
    Kind.DUPLICATE_DAYS: lambda fleet: float(fleet.duplicated[:, PLACE].sum()),
    Kind.INVALID_VALUES: lambda fleet: float(fleet.invalid[:, PLACE].sum()),
    Kind.NEGATIVE_TRAFFIC: lambda fleet: float((_days(fleet) < 0).sum()),
    Kind.INACTIVE: lambda fleet: float((_days(fleet) == 0).sum()),
    Kind.LEVEL: lambda fleet: float(_days(fleet).mean()),
    Kind.SPREAD: lambda fleet: float(_days(fleet).std()),
    Kind.SHAPE: lambda fleet: -float(stats.kurtosis(_days(fleet))),  # the further apart two humps, the lower
    Kind.ROUNDED: lambda fleet: -float(len(np.unique(_days(fleet)))),
    Kind.WEEKLY_RHYTHM: lambda fleet: _weekend(_days(fleet)),
    Kind.CYCLE: lambda fleet: float(np.abs(np.fft.rfft(_days(fleet) - _days(fleet).mean())).max()),
    Kind.DETACHED: _apart_from_all,
    Kind.LEVEL_SHIFT: lambda fleet: float(_days(fleet)[-90:].mean() - _days(fleet)[:90].mean()),
    Kind.DRIFT: lambda fleet: float(np.polyfit(np.arange(366), _days(fleet), 1)[0]),
    Kind.WANDER: lambda fleet: _memory(_days(fleet)),
    Kind.VOLATILITY_CHANGE: lambda fleet: float(_days(fleet)[-90:].std() / _days(fleet)[:90].std()),
    Kind.SPIKES: lambda fleet: float(_days(fleet).max()),
    Kind.FROZEN: lambda fleet: float((np.diff(_days(fleet)) == 0).sum()),
    Kind.REPLAYED: lambda fleet: -float(len(np.unique(_days(fleet)))),
    Kind.COPIED: _sameness,
    Kind.MIXTURE: lambda fleet: float(np.abs(_days(fleet) - _days(STEADY)).mean()),
}
"""What grows with the strength of each fault."""


@pytest.mark.parametrize("kind", plant.FAULTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_stronger_the_more(kind: Kind, seed: int) -> None:
    healthy = MEASURES[kind](_home(kind))
    grown = [MEASURES[kind](_planted(kind, _home(kind), strength=s, seed=seed)) for s in (0.25, 0.5, 1.0)]
    assert healthy < grown[0] < grown[1] < grown[2]


@pytest.mark.parametrize("kind", KEEPING_LOST_DAYS)
def test_lost_days_stay_lost(kind: Kind) -> None:
    fleet = plant.healthy_fleet("lossy" if kind is not Kind.DETACHED else "drop_days", 20, seed=4)
    values = fleet.values.copy()
    values[[0, 30, 31], PLACE] = np.nan
    values[200] = np.nan  # of all devices
    planted = _planted(kind, replace(fleet, values=values))
    assert np.array_equal(np.isnan(_days(planted)), np.isnan(values[:, PLACE]))


@pytest.mark.parametrize("strength", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", plant.FLEETS)
def test_counts_stay_whole_and_traffic_above_zero(name: str, strength: float) -> None:
    fleet = plant.healthy_fleet(name, 12, 120, seed=6)
    for kind in plant.FAULTS:
        try:
            days = _days(_planted(kind, fleet, strength=strength))
        except SettingsError:
            assert kind is Kind.DETACHED
            continue
        known = days[np.isfinite(days)]
        assert name != "counts" or (known == np.round(known)).all(), kind
        assert (known < 0).any() == (kind is Kind.NEGATIVE_TRAFFIC), kind
        assert (
            (known > 0).all()
            or name == "counts"
            or kind
            in (
                Kind.NEGATIVE_TRAFFIC,
                Kind.INACTIVE,
                Kind.ROUNDED,
            )
        ), kind


def test_traffic_that_was_negative_may_be() -> None:
    values = STEADY.values - 100
    for kind in (Kind.SPREAD, Kind.LEVEL_SHIFT, Kind.ROUNDED, Kind.WANDER, Kind.LEVEL):
        days = _days(_planted(kind, replace(STEADY, values=values)))
        assert (days < 0).any()
        assert not np.array_equal(days, values[:, PLACE])


def test_negative_days_have_their_sign_turned() -> None:
    days = _days(_planted(Kind.NEGATIVE_TRAFFIC))
    np.testing.assert_array_equal(np.abs(days), _days(STEADY))


@pytest.mark.parametrize("kind", [Kind.MISSING_DAYS, Kind.INVALID_VALUES])
def test_the_record_keeps_its_length(kind: Kind) -> None:
    days = _days(_planted(kind, strength=20.0))
    assert np.flatnonzero(np.isfinite(days))[[0, -1]].tolist() == [0, 365]


def test_a_device_of_a_lossy_fleet_must_lose_more_to_stand_out() -> None:
    few = np.isnan(_days(_planted(Kind.MISSING_DAYS))).sum()
    values = np.where(np.random.default_rng(1).uniform(size=STEADY.values.shape) < 0.2, np.nan, STEADY.values)
    lossy = replace(STEADY, values=values)
    many = np.isnan(_days(_planted(Kind.MISSING_DAYS, lossy))).sum()
    assert many > max(few, 1.5 * np.isnan(_days(lossy)).sum())


@pytest.mark.parametrize("strength", [0.1, 1.0])
@pytest.mark.parametrize(("name", "step"), [("steady", 0.0), ("counts", 2.0), ("bursty", 0.0)])
def test_rounded_values_are_multiples_of_a_step(name: str, step: float, strength: float) -> None:
    days = _days(_planted(Kind.ROUNDED, plant.healthy_fleet(name, 20, seed=1), strength=strength))
    least = np.diff(np.unique(days)).min()
    assert least > step
    np.testing.assert_allclose(days / least, np.round(days / least), atol=1e-6)


def test_a_device_of_one_value_is_rounded_too() -> None:
    values = STEADY.values.copy()
    values[:, PLACE] = 7.0
    assert len(np.unique(_days(_planted(Kind.ROUNDED, replace(STEADY, values=values))))) == 1


def test_a_stuck_value_is_the_one_of_its_first_day() -> None:
    for seed in range(5):
        days = _days(_planted(Kind.FROZEN, seed=seed))
        stuck = np.flatnonzero(np.diff(days) == 0)
        assert (np.diff(stuck) == 1).all()
        assert days[stuck[0]] == _days(STEADY)[stuck[0]]


@pytest.mark.parametrize("after", [0.0, np.nan])
def test_no_value_is_stuck_at_zero(after: float) -> None:
    """Which would be inactive: the next value counts, or the largest so far."""
    values = STEADY.values.copy()
    values[60:, PLACE] = after
    for seed in range(5):
        days = _days(_planted(Kind.FROZEN, replace(STEADY, values=values), seed=seed))
        assert (np.diff(days) == 0).sum() > 20
        assert stats.mode(days[days > 0]).mode == np.nanmax(values[:, PLACE])
    values[300:, PLACE] = 5.0
    days = _days(_planted(Kind.FROZEN, replace(STEADY, values=values), seed=1))
    assert (days == 5.0).sum() > 66 + 20


def test_replayed_days_are_those_before() -> None:
    for seed in range(5):
        days = _days(_planted(Kind.REPLAYED, seed=seed))
        again = np.flatnonzero(days != _days(STEADY))
        length = len(again)
        assert length > 60
        assert (np.diff(again) == 1).all()
        np.testing.assert_array_equal(days[again], days[again - length])


def test_copied_days_are_anothers() -> None:
    for seed in range(5):
        fleet = _planted(Kind.COPIED, seed=seed)
        assert (np.delete(fleet.values, PLACE, 1) == _days(fleet)[:, None]).all(axis=0).sum() == 1


@pytest.mark.parametrize("name", ["steady", "counts", "bursty", "weekly", "seasonal", "mixed"])
def test_a_level_is_past_all_others(name: str) -> None:
    fleet = plant.healthy_fleet(name, 20, seed=1)
    means = np.delete(fleet.values.mean(axis=0), PLACE)
    assert _days(_planted(Kind.LEVEL, fleet)).mean() > 1.1 * means.max()


@pytest.mark.parametrize("others", [0.0, np.nan, -5.0])
def test_without_levels_to_compare_with_a_level_is_a_multiple_of_the_noise(others: float) -> None:
    values = np.full((100, 6), others if np.isfinite(others) else 0.0)
    values[:, PLACE] = _days(STEADY)[:100]
    alone = Fleet((DEVICE,), ("alone",), STEADY.dates[:100], values[:, [PLACE]])
    fleet = alone if np.isnan(others) else replace(plant.steady_fleet(6, 100, seed=1), values=values)
    days = plant.with_fault(fleet, DEVICE, Kind.LEVEL, seed=1).values[:, -1 if np.isnan(others) else PLACE]
    raised = days - _days(STEADY)[:100]
    assert raised.min() > 10
    assert np.ptp(raised) < 1e-9


def test_a_spread_and_a_shape_keep_the_level_and_the_order() -> None:
    for kind in (Kind.SPREAD, Kind.SHAPE):
        days = _days(_planted(kind))
        assert days.mean() == pytest.approx(_days(STEADY).mean(), abs=1.5)
        assert stats.spearmanr(days, _days(STEADY)).statistic > 0.999
    assert _days(_planted(Kind.SHAPE)).std() == pytest.approx(_days(STEADY).std(), rel=0.05)


def test_a_weekend_is_two_days_of_seven() -> None:
    raised = _days(_planted(Kind.WEEKLY_RHYTHM)) - _days(STEADY)
    changed = np.flatnonzero(np.abs(raised) > 1e-9)
    assert sorted({int(day) % 7 for day in changed}) == [5, 6]
    assert np.ptp(raised[changed]) < 1e-9


def test_a_cycle_is_a_wave_of_a_period_that_is_no_week() -> None:
    periods = set()
    for seed in range(12):
        wave = _days(_planted(Kind.CYCLE, seed=seed)) - _days(STEADY)
        power = np.abs(np.fft.rfft(wave)) ** 2
        assert power[power.argmax() - 1 : power.argmax() + 2].sum() > 0.85 * power.sum()
        periods.add(round(366 / int(power.argmax())))
    assert len(periods) > 2
    assert 7 not in periods


def test_a_detached_device_does_not_drop_with_the_others() -> None:
    low = np.median(DROPS.values, axis=1) < 0.75 * np.median(DROPS.values)
    for days, drops in ((_days(DROPS), True), (_days(_planted(Kind.DETACHED, DROPS)), False)):
        assert (days[low].mean() < 0.8 * days[~low].mean()) == drops
    untouched = np.abs(_days(_planted(Kind.DETACHED, DROPS, strength=9.0)) - _days(_planted(Kind.DETACHED, DROPS)))
    assert untouched.max() == 0  # no more than all of it can be taken away


def test_a_shift_and_a_change_of_volatility_leave_what_was_before() -> None:
    for kind in (Kind.LEVEL_SHIFT, Kind.VOLATILITY_CHANGE):
        moved = _days(_planted(kind)) - _days(STEADY)
        start = int(np.flatnonzero(np.abs(moved) > 1e-9)[0])
        assert 366 // 4 <= start <= 366 * 3 // 4
        assert (np.abs(moved[start:]) > 1e-9).mean() > 0.9
    moved = _days(_planted(Kind.LEVEL_SHIFT)) - _days(STEADY)
    assert np.ptp(moved[moved > 1e-9]) < 1e-9


def test_a_drift_is_a_line() -> None:
    moved = _days(_planted(Kind.DRIFT)) - _days(STEADY)
    np.testing.assert_allclose(np.diff(moved), np.diff(moved)[0], rtol=1e-6)


@pytest.mark.parametrize(("name", "seed"), [("steady", 2), ("wandering", 6)])
def test_a_wander_has_more_memory_than_the_fleet_and_the_spread_it_had(name: str, seed: int) -> None:
    fleet = plant.healthy_fleet(name, 20, seed=seed)
    usual = np.median([_memory(series) for series in fleet.values.T])
    days = [_days(_planted(Kind.WANDER, fleet, seed=seed)) for seed in range(12)]
    assert np.median([_memory(series) for series in days]) > usual + 0.6 * (1 - usual)
    assert 0.4 < np.median([series.std() for series in days]) / _days(fleet).std() < 1.6


@pytest.mark.parametrize("name", ["steady", "bursty", "seasonal", "counts"])
def test_spikes_are_beyond_what_the_fleet_has(name: str) -> None:
    fleet = plant.healthy_fleet(name, 20, seed=2)
    days = _days(_planted(Kind.SPIKES, fleet))
    far = np.flatnonzero(days != _days(fleet))
    assert len(far) == 4
    assert (days[far] > np.delete(days, far).max()).all()


def test_a_mixture_is_a_little_of_everything() -> None:
    days, healthy = _days(_planted(Kind.MIXTURE)), _days(STEADY)
    assert 1.0 < days.std() / healthy.std() < 2.0
    assert _memory(days) > _memory(healthy) + 0.1
    assert days[-90:].mean() > days[:90].mean()
    assert _weekend(days) > _weekend(healthy)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_where_nothing_moves_a_fault_is_harmless(value: float) -> None:
    fleet = replace(plant.steady_fleet(5, 60, seed=1), values=np.full((60, 5), value))
    for kind in plant.FAULTS:
        if kind is not Kind.DETACHED:
            days = _days(_planted(kind, fleet))
            assert np.isfinite(days[[0, -1]]).all(), kind


@pytest.mark.parametrize(
    ("fleet", "kind", "text"),
    [
        (plant.steady_fleet(1, 60, seed=1), Kind.COPIED, r"^plant: a fleet of one has no device to copy; "),
        (plant.steady_fleet(9, 60, seed=1), Kind.DETACHED, r"^plant: a device can be detached only where the fleet "),
    ],
)
def test_some_faults_need_a_fleet(fleet: Fleet, kind: Kind, text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        plant.with_fault(fleet, 1, kind, seed=1)
