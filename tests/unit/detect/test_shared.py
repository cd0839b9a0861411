from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet import plant
from oddfleet.detect import shared
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

DAYS, DEVICES = 60, 8
NOISE = plant.steady_fleet(DEVICES, DAYS, seed=3).values
WEEK = 30.0 * (np.arange(DAYS) % 7 < 5)
YEAR = np.arange(364)
MONDAYS = np.where(YEAR % 7 == 0, 6.0, -1.0) / np.sqrt(6)
SEASON = np.sqrt(2) * np.sin(2 * np.pi * YEAR / 364)


def _fleet(follow: Sequence[float] = (1,) * DEVICES, lost: float = 0.0, *, shock: float = 0.0) -> FloatArray:
    """Devices that follow the week, and a shock on one day, by so much each; a share of the days is lost."""
    values = NOISE + (WEEK + shock * (np.arange(DAYS) == 20))[:, None] * np.array(follow)
    return np.where(np.random.default_rng(1).random(values.shape) < lost, np.nan, values)


def _slow(noise: FloatArray, memory: float) -> FloatArray:
    """Autoregressive noise of variance 1 from independent noise of variance 1; 1 makes it a random walk."""
    if memory == 1:
        return noise.cumsum(axis=0)
    slow = noise.copy()
    for day in range(1, len(noise)):
        slow[day] = memory * slow[day - 1] + np.sqrt(1 - memory**2) * noise[day]
    return slow


@dataclass
class _Expected:
    """One profile, as found one device and day at a time."""

    part: FloatArray
    excess: FloatArray
    coupling: list[float]
    errors: list[float]


def _standard(values: FloatArray) -> tuple[FloatArray, list[float]]:
    """Day by day and device by device: distances from the median in mean deviations, clipped about the day's median."""
    standard, scales = np.full(values.shape, np.nan), []
    for device, series in enumerate(values.T):
        seen = series[np.isfinite(series)].tolist()
        scale = sum(abs(x - median(seen)) for x in seen) / len(seen) if seen else 0.0
        if seen:
            standard[:, device] = (series - median(seen)) / (scale or 1.0)
        scales.append(scale)
    for today in standard:
        middle = median(today[np.isfinite(today)].tolist())
        for place, away in enumerate((today - middle).tolist()):
            today[place] = middle + max(-4.0, min(4.0, away)) if np.isfinite(away) else np.nan
    seen = np.isfinite(standard)
    return standard - np.where(seen, standard, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1), scales


def _quotient(pairs: list[tuple[float, float]]) -> float:
    """The slope of y on x, from pairs (x, y), through 0."""
    square = sum(x * x for x, _ in pairs)
    return sum(x * y for x, y in pairs) / (square or 1.0)


def _one_profile(values: FloatArray, *, factors: bool) -> _Expected:
    """Least squares, profile and weights in turn, until neither moves any more."""
    standard, scales = _standard(values)
    seen, weights = np.isfinite(standard), [1.0] * values.shape[1]
    for _round in range(40):
        profile = [
            _quotient([(weights[d], today[d]) for d in np.flatnonzero(np.isfinite(today))]) for today in standard
        ]
        weights = [
            _quotient([(profile[day], series[day]) for day in np.flatnonzero(np.isfinite(series))])
            for series in standard.T
        ]
        usual = median(abs(weight) for weight in weights)
        weights = [max(-3.0, min(3.0, weight / usual)) for weight in weights]
    profiles, slopes, errors = np.zeros(values.shape), [], []
    for own in range(values.shape[1]):
        for day, today in enumerate(standard):
            others = [d for d in np.flatnonzero(np.isfinite(today)) if d != own]
            profiles[day, own] = _quotient([(weights[d], today[d]) for d in others])
        x, y = np.where(seen[:, own], profiles[:, own], 0.0), np.where(seen[:, own], standard[:, own], 0.0)
        slope = float(x @ y) / (float(x @ x) or 1.0)
        memory = float(x[1:] @ x[:-1] / (x @ x or 1.0)) * float(y[1:] @ y[:-1] / (y @ y or 1.0))
        memory = max(0.0, memory)
        days = seen[:, own].sum() * (1 - memory) / (1 + memory)
        unit = (scales[own] or 1.0) if factors else 1.0
        slopes.append(slope * unit)
        errors.append(unit * float(np.sqrt(((y - slope * x) ** 2).sum() / (x @ x or 1.0) / max(days - 2, 1))))
    reach = 3 * max(1.4826 * median(abs(s - median(slopes)) for s in slopes), median(errors))
    used = [max(median(slopes) - reach, min(median(slopes) + reach, slope)) for slope in slopes]
    each = np.array(scales) / np.array([(scale or 1.0) if factors else 1.0 for scale in scales])
    part = profiles * np.array(used) * each
    return _Expected(part, profiles * np.array(slopes) * each - part, slopes, errors)


@pytest.mark.parametrize("factors", [True, False])
@pytest.mark.parametrize("lost", [0.0, 0.2])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e13])
def test_one_profile_device_by_device(lost: float, scale: float, factors: bool) -> None:
    values = _fleet((1, 1, 1, 0.5, 2, 1, 0, -1), lost, shock=-90)
    values[30, 1] += 200  # a day of one device
    values[:, 2] = np.nan if lost else 7  # one device that says nothing
    got, expected = shared.find(values * scale, factors=factors), _one_profile(values * scale, factors=factors)
    assert got.profiles == 1
    # A few power iterations come that near to a profile that stands out.
    np.testing.assert_allclose(got.part / scale, expected.part / scale, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(got.excess / scale, expected.excess / scale, rtol=1e-4, atol=1e-3)
    unit = scale if factors else 1.0
    np.testing.assert_allclose(got.coupling / unit, np.array(expected.coupling) / unit, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(got.errors / unit, np.array(expected.errors) / unit, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("lost", [0.0, 0.3])
@pytest.mark.parametrize("factors", [True, False])
def test_what_all_follow_is_gone_and_the_rest_stays(draw: Draw, lost: float, factors: bool) -> None:
    noise = draw("normal", (364, 40))
    values = noise + 3 * MONDAYS[:, None]
    values[draw("uniform", values.shape) < lost] = np.nan
    got = shared.find(values, factors=factors)
    left = values - got.part
    assert got.profiles == 1
    assert np.isfinite(got.part).all()  # also on days that a device has lost
    known = np.isfinite(values)
    assert np.std((left - noise)[known]) < 0.3
    assert np.std(left[known]) == pytest.approx(1, abs=0.03)
    assert np.abs(np.nan_to_num(left * MONDAYS[:, None]).mean(axis=0)).max() < 4 / np.sqrt(364)


def test_two_profiles_are_found_one_after_the_other(draw: Draw) -> None:
    noise = draw("normal", (364, 40))
    follow = 1 + 0.5 * draw("uniform", (2, 40))
    values = noise + 3 * follow[0] * MONDAYS[:, None] + 2 * follow[1] * SEASON[:, None]
    got = shared.find(values, factors=False)
    assert got.profiles == 2
    assert np.std(values - got.part - noise) < 0.35
    assert np.std(values - got.part) == pytest.approx(1, abs=0.05)


def test_some_follow_one_profile_and_some_the_other_way_round(draw: Draw) -> None:
    noise = draw("normal", (364, 40))
    side = np.where(np.arange(40) < 30, 1.0, -1.0)
    got = shared.find(noise + 2 * side * MONDAYS[:, None], factors=False)
    assert got.profiles == 1
    assert (np.sign(got.coupling) == side).all()


def test_a_day_on_which_all_drop_is_taken_out() -> None:
    shock = NOISE - 80.0 * (np.arange(DAYS) == 20)[:, None]
    got = shared.find(shock, factors=False)
    assert np.abs((shock - got.part)[20] - 100).max() < 25


def test_values_are_not_changed() -> None:
    values = _fleet(lost=0.1)
    before = values.copy()
    shared.find(values, factors=True)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("following", range(DEVICES + 1))
def test_shared_is_what_half_of_the_devices_follow(following: int) -> None:
    got = shared.find(_fleet([1] * following + [0] * (DEVICES - following)), factors=False)
    assert got.profiles == (following >= DEVICES / 2)
    if following >= DEVICES / 2:
        score = got.coupling / got.errors
        assert np.flatnonzero(score > 4).tolist() == list(range(following))
    else:
        assert (got.part == 0).all()
        assert (got.excess == 0).all()
        assert np.isnan([got.coupling, got.errors]).all()


@pytest.mark.parametrize(("days", "devices"), [(DAYS, 4), (3, DEVICES), (DAYS, 0), (0, DEVICES)])
def test_too_little_to_share(days: int, devices: int) -> None:
    got = shared.find(_fleet()[:days, :devices], factors=False)
    assert got.profiles == 0
    assert got.part.shape == got.excess.shape == (days, devices)
    assert not got.part.any()
    assert np.isnan(got.coupling).all()
    assert len(got.coupling) == len(got.errors) == devices


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
@pytest.mark.parametrize("factors", [True, False])
def test_flat_fleets_share_nothing(value: float, factors: bool) -> None:
    got = shared.find(np.full((DAYS, DEVICES), value), factors=factors)
    assert got.profiles == 0


@pytest.mark.parametrize("n_devices", [7, 20])
@pytest.mark.parametrize("law", ["normal", "student", "lognormal"])
def test_independent_noise_shares_nothing(draw: Draw, law: str, n_devices: int) -> None:
    fleets = draw(law, (300, 100, n_devices))
    assert sum(shared.find(fleet, factors=True).profiles > 0 for fleet in fleets) <= 3


@pytest.mark.parametrize("memory", [0.5, 0.9, 0.98, 1.0])
@pytest.mark.parametrize(("n_days", "n_devices"), [(60, 6), (364, 6), (364, 50)])
def test_independent_devices_with_memory_share_nothing(draw: Draw, memory: float, n_days: int, n_devices: int) -> None:
    fleets = draw("normal", (20, n_days, n_devices))
    assert all(shared.find(_slow(fleet, memory), factors=False).profiles == 0 for fleet in fleets)


@pytest.mark.parametrize("n_devices", [5, 9, 10, 40])
def test_one_profile_leaves_no_second(draw: Draw, n_devices: int) -> None:
    fleets = draw("normal", (40, 364, n_devices)) + 5 * MONDAYS[:, None]
    assert sum(shared.find(fleet, factors=False).profiles > 1 for fleet in fleets) <= 1


@pytest.mark.parametrize("memory", [0.0, 0.6])
@pytest.mark.parametrize("law", ["normal", "exponential", "student4"])
def test_couplings_of_devices_that_follow_alike_scatter_by_their_errors(
    draw: Draw, assert_held: Judge, law: str, memory: float
) -> None:
    noise = draw(law, (20, 364, 50))
    noise /= noise.std()
    profile = _slow(draw("normal", (20, 364, 1), seed=2).swapaxes(0, 1), memory).swapaxes(0, 1)
    p = []
    for own, common in zip(noise, profile, strict=True):
        got = shared.find(_slow(own, memory) + common, factors=True)
        assert got.profiles == 1
        p.append(2 * stats.norm.sf(np.abs(got.coupling - np.median(got.coupling)) / got.errors))
    assert_held(np.concatenate(p), least=0.7)


@pytest.mark.parametrize("n_devices", [8, 40])
@pytest.mark.parametrize(
    "own",
    [
        10.0 * (YEAR >= 200),
        YEAR / 364 * 15,
        -2 * MONDAYS,  # follows nothing
        -6 * MONDAYS,  # the wrong way round
        8 * MONDAYS,  # five times as much
    ],
    ids=["step", "drift", "detached", "reversed", "much"],
)
def test_what_is_a_devices_own_stays(draw: Draw, own: FloatArray, n_devices: int) -> None:
    noise = draw("normal", (364, n_devices))
    values = noise + 2 * MONDAYS[:, None]
    values[:, 0] += own
    got = shared.find(values, factors=True)
    left = (values - got.part)[:, 0]
    assert got.profiles == 1
    share = (left @ (own - own.mean())) / ((own - own.mean()) ** 2).sum()
    assert share == pytest.approx(1, abs=0.25)
    others = (values - got.part)[:, 1:]
    assert np.std(others) == pytest.approx(1, abs=0.12)  # and spoils no other


def test_excess_is_what_a_devices_own_following_adds(draw: Draw) -> None:
    noise = draw("normal", (364, 40))
    follow = np.where(np.arange(40) == 0, 0.0, 1.0)
    got = shared.find(noise + 3 * follow * MONDAYS[:, None], factors=True)
    own = got.part + got.excess
    assert np.std(got.part[:, 0]) > 2  # taken to follow nearly as the others do
    assert np.std(own[:, 0]) < 0.3  # but it does not
    inside = np.abs(got.excess[:, 1:]).max(axis=0) == 0
    assert inside.mean() > 0.9
    assert (got.coupling[1:] - got.coupling[0] > 5 * got.errors[0]).all()


@pytest.mark.parametrize("factors", [True, False])
@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_coupling_is_what_all_days_pull_together(draw: Draw, lost: float, factors: bool) -> None:
    noise = draw("uniform", (364, 12)) * np.linspace(1, 3, 12)  # of which nothing is clipped
    values = noise + 0.5 * MONDAYS[:, None]
    values[draw("uniform", values.shape, seed=2) < lost] = np.nan
    values[:, 3] = 7
    got = shared.find(values, factors=factors)
    assert got.profiles == 1
    away = np.nan_to_num(values - np.nanmean(values, axis=0))
    np.testing.assert_allclose((away * got.pull).sum(axis=0), got.coupling, rtol=1e-9, atol=1e-12)
    assert (got.pull[np.isnan(values)] == 0).all()


def test_a_device_that_moves_is_pulled_by_as_much(draw: Draw) -> None:
    values = draw("normal", (364, 40)) + 2 * MONDAYS[:, None]
    before = shared.find(values, factors=True)
    moved = 0.2 * MONDAYS
    values[:, 0] += moved
    after = shared.find(values, factors=True)
    assert after.coupling[0] - before.coupling[0] == pytest.approx(moved @ before.pull[:, 0], rel=0.05)
    assert (shared.find(draw("normal", (364, 40)), factors=True).pull == 0).all()  # where nothing is shared


def test_coupling_on_a_logarithm_is_by_factors_and_elsewhere_in_proportion_to_the_noise(draw: Draw) -> None:
    spread = np.where(np.arange(40) < 20, 1.0, 3.0)
    noise = draw("normal", (364, 40)) * spread
    alike, scaled = (shared.find(noise + 2 * follow * MONDAYS[:, None], factors=True) for follow in (1.0, spread))
    ratio = [np.median(got.coupling[20:]) / np.median(got.coupling[:20]) for got in (alike, scaled)]
    assert ratio == pytest.approx([1, 3], rel=0.1)
    noisy = shared.find(noise + 2 * spread * MONDAYS[:, None], factors=False)
    assert np.median(noisy.coupling[20:]) == pytest.approx(np.median(noisy.coupling[:20]), rel=0.1)
