from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.model import Fleet, FloatArray
from oddfleet.plant import site
from oddfleet.plant.site import Site


def _fleet(values: FloatArray) -> Fleet:
    return replace(plant.steady_fleet(*values.shape[::-1], seed=1), values=values)


def _site(fleet: Fleet, place: int = 3, *, strength: float = 1.0, seed: int = 1) -> Site:
    return site.choose(fleet, place, strength, np.random.default_rng(seed))


def _healthy(kind: str, n_devices: int = 30, seed: int = 1) -> Fleet:
    return plant.healthy_fleet(kind, n_devices, seed=seed)


@pytest.mark.parametrize(
    ("kind", "to_scale"),
    [
        ("steady", np.positive),
        ("wandering", np.positive),
        ("lossy", np.positive),
        ("counts", np.sqrt),
        ("bursty", np.log),
    ],
)
def test_sizes_are_on_the_scale_of_the_noise(kind: str, to_scale: np.ufunc) -> None:
    where = _site(_healthy(kind))
    np.testing.assert_allclose(where.scaled, to_scale(where.fleet.values))
    np.testing.assert_allclose(where.in_mb(where.series), where.values)


def test_a_few_days_below_zero_or_silent_are_no_other_scale() -> None:
    for value in (-5.0, 0.0):
        for kind in ("counts", "bursty"):
            fleet = _healthy(kind)
            values = fleet.values.copy()
            values[7:9, 5] = value
            odd, healthy = _site(_fleet(values), 5), _site(fleet, 5)
            assert odd.scaled.min() == healthy.scaled.min()
            np.testing.assert_allclose(np.delete(odd.scaled, 5, 1), np.delete(healthy.scaled, 5, 1))
            np.testing.assert_allclose(odd.noise, healthy.noise, rtol=0.1)


def test_where_most_devices_are_silent_on_some_days_or_below_zero_there_is_no_logarithm() -> None:
    values = _healthy("bursty").values.copy()
    values[7] = 0.0
    np.testing.assert_allclose(_site(_fleet(values)).scaled, np.sqrt(values))
    values[7] = -1.5
    np.testing.assert_allclose(_site(_fleet(values)).scaled, values)


def test_what_a_device_shares_and_what_is_its_own() -> None:
    """A week that all share at different strengths, with noise of 3."""
    draw = np.random.default_rng(2)
    week = np.where(np.arange(364) % 7 < 5, 10.0, -25.0)
    strength = draw.uniform(0.5, 2.0, 40)
    where = _site(_fleet(200 + week[:, None] * strength + draw.normal(0, 3, (364, 40))))
    assert np.corrcoef(where.usual, week)[0, 1] > 0.99
    np.testing.assert_allclose(where.usual, 200 + week * strength[3], atol=2.0)
    assert where.noise == pytest.approx(3, rel=0.15)
    np.testing.assert_allclose(where.own + where.usual, where.series)


@pytest.mark.parametrize("kind", ["steady", "wandering", "counts", "bursty"])
def test_independent_devices_share_nothing(kind: str) -> None:
    where = _site(_healthy(kind))
    np.testing.assert_allclose(where.usual, where.series.mean())


@pytest.mark.parametrize("n_devices", [1, 3])
def test_a_few_devices_share_nothing_that_could_be_told(n_devices: int) -> None:
    where = _site(_healthy("weekly", n_devices), 0)
    np.testing.assert_allclose(where.usual, where.series.mean())


@pytest.mark.parametrize("series", [[5.0] * 40, [0.0] * 38 + [8.0, 9.0], [0.0, 1.0] * 20])
def test_a_quiet_device_has_the_noise_of_its_far_days(series: list[float]) -> None:
    counts = np.random.default_rng(1).poisson(3, (40, 6)).astype(float)
    counts[:, 5] = series
    where = _site(_fleet(counts), 5)
    assert where.noise == pytest.approx(np.sqrt(series).std(), rel=0.5)


def test_lost_days_are_left_out() -> None:
    fleet = _healthy("weekly")
    values = fleet.values.copy()
    values[np.random.default_rng(3).uniform(size=values.shape) < 0.1] = np.nan
    values[100] = np.nan  # of all devices
    where, whole = _site(_fleet(values)), _site(fleet)
    assert np.isfinite(where.usual).all()
    assert np.isfinite(where.noise)
    seen = np.isfinite(values).any(axis=1)
    np.testing.assert_allclose(where.usual[seen], whole.usual[seen], rtol=0.15)


@pytest.mark.parametrize("n_days", [2, 3, 8, 100])
def test_what_begins_does_so_in_the_middle_half(n_days: int) -> None:
    starts = [_site(plant.steady_fleet(5, n_days, seed=1), seed=seed).start for seed in range(200)]
    assert min(starts) >= n_days // 4
    assert max(starts) < n_days - n_days // 4
    assert len(set(starts)) > n_days // 3


def test_some_days_are_seen_and_neither_first_nor_last() -> None:
    values = plant.steady_fleet(5, 20, seed=1).values.copy()
    values[[0, 1, 7, 19], 3] = np.nan
    where = _site(_fleet(values))
    for count in (0, 1, 5, 14, 100):
        days = where.some_days(count)
        assert len(days) == min(count, 14)
        assert (np.diff(days) > 0).all()
        assert set(days.tolist()) <= set(range(3, 18)) - {7}


def test_a_stretch_begins_at_the_start_and_spares_the_last_day() -> None:
    where = _site(plant.steady_fleet(5, 40, seed=1))
    assert np.flatnonzero(where.late).tolist() == list(range(where.start, 40))
    for length in (0.1, 2.0, 5.4, 1000.0):
        days = np.flatnonzero(where.stretch(length))
        assert days[0] == where.start
        assert days[-1] == min(where.start + max(2, round(length)), 39) - 1
        assert len(days) == days[-1] - days[0] + 1


def test_a_size_is_the_noise_times_the_strength() -> None:
    fleet = plant.steady_fleet(5, 200, seed=1)
    for strength in (0.5, 2.0):
        assert _site(fleet, strength=strength).size == pytest.approx(strength * _site(fleet).noise)


def test_where_nothing_was_observed_there_is_a_scale_still() -> None:
    assert site._power(np.full((5, 3), np.nan)) == 1
