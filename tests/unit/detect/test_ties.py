from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import surprise, ties
from oddfleet.detect.features import COMPARED, SCORED, FeatureTable
from oddfleet.detect.moments import MOMENTS, pooled_error
from oddfleet.detect.surprise import Reading

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw, Judge

ROWS, BATCHES = len(COMPARED), 10
LEVEL, SPREAD, SKEWNESS = (COMPARED.index(name) for name in ("level_log_mb", "spread_log_mb", "skewness_l"))
MEMORY, SPIKE = (COMPARED.index(name) for name in ("memory_score", "spike_log"))
TIMELY = [COMPARED.index(name) for name in SCORED]
LEVEL_ERROR = 0.02


def _table(draw: Draw, n_devices: int, *, levels: float = 1.0, seed: int = 1) -> FeatureTable:
    """Devices whose features are nothing but their sampling errors, 1 each; levels differ by so much, truly."""
    values = draw("normal", (ROWS, n_devices), seed=seed)
    values[LEVEL] = 4 + levels * draw("normal", (n_devices,), seed=seed + 5000) + LEVEL_ERROR * values[LEVEL]
    errors = np.ones((ROWS, n_devices))
    errors[LEVEL] = LEVEL_ERROR
    errors[: len(MOMENTS)] /= pooled_error(np.ones(1), BATCHES)  # are pooled, and corrected for the pooling
    return FeatureTable(values, errors, BATCHES)


def _even(draw: Draw, n_devices: int) -> FeatureTable:
    """The same with even noise, of which nothing is far off, and levels side by side."""
    table = _table(draw, n_devices)
    table.values[:] = draw("uniform", (ROWS, n_devices)) * 2 - 1
    table.values[LEVEL] = 4 + np.linspace(-2, 2, n_devices)
    return table


def _found(found: ties.Ties) -> list[tuple[int, int]]:
    return [(tie.feature, tie.by) for tie in found.ties]


def _loosened(table: FeatureTable, *, counted: bool = False) -> FeatureTable:
    return ties.find(table, counted=counted).loosen(table)


@pytest.mark.parametrize(
    ("n_devices", "degree", "rival"), [(12, 1, 2), (29, 1, 2), (30, 2, 3), (99, 2, 3), (100, 4, 3), (300, 4, 3)]
)
def test_a_tie_is_a_polynomial_by_least_squares_and_its_doubt_that_of_the_curve(
    draw: Draw, n_devices: int, degree: int, rival: int
) -> None:
    table = _even(draw, n_devices)
    level = table.values[LEVEL]
    table.values[MEMORY] += 7 + 6 * level - 0.8 * (level - 4) ** 2
    found = ties.find(table, counted=False)
    assert _found(found) == [(MEMORY, LEVEL)]
    loose = found.loosen(table)
    place = level - np.median(level)
    weights, covariance = np.polyfit(place, table.values[MEMORY], degree, cov="unscaled")
    curve = np.polyval(weights, place)
    np.testing.assert_allclose(loose.values[MEMORY], table.values[MEMORY] - curve + weights[-1], rtol=1e-9)
    powers = np.vander(place, degree + 1)
    left = ((table.values[MEMORY] - curve) ** 2).sum() / (n_devices - degree - 1)
    sampling = [float(row @ covariance @ row) * left for row in powers]
    apart = curve - np.polyval(np.polyfit(place, table.values[MEMORY], rival), place)
    np.testing.assert_allclose(loose.errors[MEMORY], np.sqrt(1 + apart**2 + sampling), rtol=1e-6)
    others = np.arange(ROWS) != MEMORY
    np.testing.assert_array_equal(loose.values[others], table.values[others])
    np.testing.assert_array_equal(loose.errors[others], table.errors[others])


@pytest.mark.parametrize(("n_devices", "left"), [(15, 0.5), (40, 0.1), (150, 0.1)])
@pytest.mark.parametrize("feature", [SPREAD, SKEWNESS, MEMORY, SPIKE, ROWS - 1])
def test_what_follows_from_level_is_removed(draw: Draw, n_devices: int, feature: int, left: float) -> None:
    table = _table(draw, n_devices)
    table.values[LEVEL] = 4 + 2 * (draw("uniform", (n_devices,)) * 2 - 1)
    noise = table.values[feature].copy()
    table.values[feature] += 5 * table.values[LEVEL]
    loose = _loosened(table)
    assert np.corrcoef(loose.values[feature], table.values[LEVEL])[0, 1] == pytest.approx(0, abs=left)
    assert np.std(loose.values[feature] - noise) < 1
    assert (loose.errors[feature] > table.errors[feature]).all()
    middle = np.abs(table.values[LEVEL] - np.median(table.values[LEVEL])).argsort()[:5]
    np.testing.assert_allclose(loose.values[feature, middle], noise[middle] + 20, atol=3)  # what is usual stays
    np.testing.assert_array_equal(loose.values[LEVEL], table.values[LEVEL])


def test_what_the_spread_explains_is_removed_after_the_level(draw: Draw) -> None:
    table = _table(draw, 200)
    level = table.values[LEVEL] - 4
    own = 8 * draw("normal", (200,), seed=9)  # how devices of one level differ in spread
    table.values[SPREAD] += 6 * level + own
    noise = table.values[MEMORY].copy()
    table.values[MEMORY] += 3 * level + 0.5 * own
    found = ties.find(table, counted=False)
    assert _found(found) == [(SPREAD, LEVEL), (MEMORY, LEVEL), (MEMORY, SPREAD)]
    loose = found.loosen(table)
    assert np.corrcoef(loose.values[SPREAD], own)[0, 1] > 0.97
    assert np.corrcoef(loose.values[MEMORY], noise)[0, 1] > 0.9


def test_the_table_is_not_changed(draw: Draw) -> None:
    table = _table(draw, 150)
    table.values[MEMORY] += 5 * table.values[LEVEL]
    before = table.values.copy(), table.errors.copy()
    assert _found(ties.find(table, counted=False)) == [(MEMORY, LEVEL)]
    assert _loosened(table).batches == BATCHES
    np.testing.assert_array_equal(table.values, before[0])
    np.testing.assert_array_equal(table.errors, before[1])


@pytest.mark.parametrize("n_devices", [4, 12, 30, 100, 300])
def test_independent_features_are_not_tied(draw: Draw, n_devices: int) -> None:
    tables = [_table(draw, n_devices, seed=seed) for seed in range(20)]
    assert sum(len(ties.find(table, counted=False).ties) for table in tables) <= 1


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("n_devices", [20, 200])
def test_where_levels_are_alike_nothing_is_tied(draw: Draw, n_devices: int, counted: bool) -> None:
    table = _table(draw, n_devices, levels=0.0)
    table.values[MEMORY] += 400 * (table.values[LEVEL] - 4)
    table.errors[MEMORY] *= 8
    assert ties.find(table, counted=counted).ties == ()


@pytest.mark.parametrize(("n_devices", "tied"), [(1, False), (3, False), (4, False), (11, False), (12, True)])
def test_few_devices_show_no_tie(draw: Draw, n_devices: int, tied: bool) -> None:
    table = _table(draw, n_devices)
    table.values[MEMORY] += 9 * table.values[LEVEL]
    assert bool(ties.find(table, counted=False).ties) == tied


@pytest.mark.parametrize("n_devices", [4, 8, 40])
def test_what_counting_ties_is_doubted_even_where_it_does_not_show(draw: Draw, n_devices: int) -> None:
    table = _table(draw, n_devices)
    loose, plain = _loosened(table, counted=True), _loosened(table)
    np.testing.assert_array_equal(plain.errors, table.errors)
    np.testing.assert_allclose(loose.values, table.values, atol=1e-12)
    for place, name in enumerate(COMPARED):
        doubted = name in ties.OF_DISTRIBUTION and name != "level_log_mb"
        assert (loose.errors[place] > table.errors[place]).all() == doubted, name
        assert (loose.errors[place] > table.errors[place]).any() == doubted, name
        assert not (doubted and name in SCORED)


@pytest.mark.parametrize("n_devices", [14, 50, 200])
def test_doubt_grows_towards_the_ends_and_beyond(draw: Draw, n_devices: int) -> None:
    table = _table(draw, n_devices)
    table.values[MEMORY] += 8 * table.values[LEVEL]
    found = ties.find(table, counted=False)
    level, spread = np.median(table.values[LEVEL]), np.std(table.values[LEVEL])
    probe = FeatureTable(np.tile(level + spread * np.arange(-8.0, 9.0), (ROWS, 1)), np.ones((ROWS, 17)), BATCHES)
    doubt = np.sqrt(found.loosen(probe).errors[MEMORY] ** 2 - 1)
    middle = doubt[7:10].mean()
    assert doubt[[5, 11]].mean() > middle
    for way in (doubt[4::-1], doubt[12:]):  # from three spreads outwards
        assert (np.diff(way) > 0).all()
        assert way[-1] > 10 * middle


def test_a_device_far_beyond_the_others_in_level_is_given_the_benefit_of_the_doubt(draw: Draw) -> None:
    table = _table(draw, 60)
    table.values[LEVEL, 0] += 30
    table.values[MEMORY, 1:] += 5 * (table.values[LEVEL, 1:] - 4)
    loose = _loosened(table)
    away = np.abs(loose.values[MEMORY] - np.median(loose.values[MEMORY])) / loose.errors[MEMORY]
    assert away[0] < 3
    assert away.max() < 5
    assert surprise.log_surprises(loose, Reading.of(loose))[MEMORY].min() > np.log(1e-3)


@pytest.mark.parametrize("n_devices", [20, 60, 200])
def test_a_device_off_the_curve_stays_off_and_bends_it_little(draw: Draw, n_devices: int) -> None:
    table = _table(draw, n_devices)
    table.values[MEMORY] += 3 * table.values[LEVEL]
    clean = _loosened(table)
    middle = int(np.abs(table.values[LEVEL] - np.median(table.values[LEVEL])).argmin())
    table.values[MEMORY, middle] += 100
    loose = _loosened(table)
    assert loose.values[MEMORY, middle] - clean.values[MEMORY, middle] == pytest.approx(100, abs=1)
    others = np.arange(n_devices) != middle
    assert np.abs(loose.values[MEMORY] - clean.values[MEMORY])[others].max() < 2
    assert surprise.log_surprises(loose, Reading.of(loose))[MEMORY].argmin() == middle


def test_features_that_some_devices_lack(draw: Draw) -> None:
    table = _table(draw, 60)
    table.values[MEMORY] += 5 * table.values[LEVEL]
    table.values[:, :10] = table.errors[:, :10] = np.nan
    table.values[ROWS - 1] = np.nan  # nothing is shared
    table.values[SPIKE, 10:57] = np.nan
    found = ties.find(table, counted=True)
    assert (MEMORY, LEVEL) in _found(found)
    assert not {ROWS - 1, SPIKE} & {feature for feature, _ in _found(found)}
    loose = found.loosen(table)
    np.testing.assert_array_equal(np.isnan(loose.values), np.isnan(table.values))
    assert np.isnan(loose.errors[MEMORY, :10]).all()
    assert np.isfinite(loose.errors[MEMORY, 10:]).all()


def test_devices_of_which_nearly_all_are_alike_in_level(draw: Draw) -> None:
    table = _table(draw, 4)
    table.values[LEVEL] = [0, 0, 0, 100]
    table.values[MEMORY] = table.values[SKEWNESS] = [0, 0, 9, 5]
    for counted in (True, False):
        loose = _loosened(table, counted=counted)
        np.testing.assert_allclose(loose.values, table.values, atol=1e-9)
        assert np.isfinite(loose.errors).all()


@pytest.mark.parametrize("value", [np.nan, 0.0, 3.0])
def test_features_without_variation(draw: Draw, value: float) -> None:
    table = _table(draw, 60)
    table.values[MEMORY] = value
    np.testing.assert_array_equal(_loosened(table, counted=True).values[MEMORY], table.values[MEMORY])
    table.values[:] = value
    assert ties.find(table, counted=True).ties == ()
    table.values[:] = table.errors[:] = np.nan
    assert ties.find(table, counted=True).ties == ()


def test_unit_and_zero_point_do_not_matter(draw: Draw) -> None:
    table = _table(draw, 80)
    table.values[MEMORY] += 5 * table.values[LEVEL]
    moved = FeatureTable(table.values.copy(), table.errors.copy(), BATCHES)
    moved.values[LEVEL] += 30
    moved.values[MEMORY] = 7 + 1000 * moved.values[MEMORY]
    moved.errors[MEMORY] *= 1000
    got, expected = _loosened(moved), _loosened(table)
    np.testing.assert_allclose(got.values[MEMORY], 7 + 1000 * expected.values[MEMORY], rtol=1e-6)
    np.testing.assert_allclose(got.errors[MEMORY], 1000 * expected.errors[MEMORY], rtol=1e-6)


@pytest.mark.parametrize("shape", ["straight", "bent", "saturating"])
@pytest.mark.parametrize(("n_devices", "factor"), [(20, 2.0), (60, 1.5), (200, 1.5)])
def test_devices_that_follow_the_tie_are_no_surprise(
    draw: Draw, assert_held: Judge, *, n_devices: int, shape: str, factor: float
) -> None:
    log_p = []
    for seed in range(600 // n_devices):
        table = _table(draw, n_devices, seed=seed)
        away = table.values[LEVEL] - 4
        curve = {"straight": 5 * away, "bent": 3 * away + away**2, "saturating": 8 * np.tanh(away)}
        table.values[TIMELY] += curve[shape]
        loose = _loosened(table)
        log_p.append(surprise.log_surprises(loose, Reading.of(loose))[TIMELY].ravel())
    assert_held(np.exp(np.concatenate(log_p)), factor=factor)


@pytest.mark.parametrize(("n_devices", "slope"), [(20, 2.0), (50, 1.2), (200, 0.6)])
def test_what_is_plain_to_see_is_tied(draw: Draw, n_devices: int, slope: float) -> None:
    table = _table(draw, n_devices)
    table.values[TIMELY] += slope * table.values[LEVEL]
    p = [stats.linregress(table.values[LEVEL], table.values[place]).pvalue for place in TIMELY]
    tied = [feature for feature, _ in _found(ties.find(table, counted=False))]
    plain = [place for place, chance in zip(TIMELY, p, strict=True) if chance < 1e-6]
    assert len(plain) > 2
    assert set(plain) <= set(tied) <= set(TIMELY)


def test_powers_go_on_straight_beyond_the_cohort() -> None:
    place = np.linspace(-9, 9, 181)
    got = ties._powers(place, 4)
    inside = np.abs(place) <= 4
    assert got[inside] == pytest.approx(np.vander(place[inside], 5, increasing=True), abs=1e-9)
    for way in (place > 4, place < -4):
        np.testing.assert_allclose(np.diff(got[way], n=2, axis=0), 0, atol=1e-6)
    assert np.abs(np.diff(got, axis=0)).max() < 4 * 4**3 * 0.11  # without a jump


def _fan(draw: Draw, n_devices: int, seed: int = 1) -> FeatureTable:
    """Devices of which those that count much differ in skewness three times as much as those that count little."""
    table = _table(draw, n_devices, seed=seed)
    table.values[SKEWNESS] *= np.exp((table.values[LEVEL] - 4).clip(-2, 2) * np.log(3) / 4)
    return table


def _thirds(table: FeatureTable) -> tuple[float, float]:
    """Standard deviation of the skewness of the third of devices with the lowest and with the highest level."""
    low, high = np.quantile(table.values[LEVEL], [1 / 3, 2 / 3])
    skewness = table.values[SKEWNESS]
    return float(skewness[table.values[LEVEL] <= low].std()), float(skewness[table.values[LEVEL] >= high].std())


def test_counts_are_measured_by_how_far_those_of_their_level_lie(draw: Draw) -> None:
    table = _fan(draw, 3000)
    low, high = _thirds(table)
    assert high > 1.6 * low
    low, high = _thirds(_loosened(table, counted=True))
    assert high == pytest.approx(low, rel=0.12)


@pytest.mark.parametrize(("n_devices", "counted"), [(99, True), (3000, False)])
def test_how_far_devices_lie_is_asked_of_many_that_count(draw: Draw, n_devices: int, counted: bool) -> None:
    found = ties.find(_fan(draw, n_devices), counted=counted)
    assert all(tie.scatter.size == 0 for tie in found.ties)


def test_counts_of_any_level_are_no_surprise(draw: Draw, assert_held: Judge) -> None:
    p = []
    for seed in range(10):
        loose = _loosened(_fan(draw, 400, seed=seed), counted=True)
        upper = loose.values[LEVEL] > np.median(loose.values[LEVEL])
        p.append(np.exp(surprise.log_surprises(loose, Reading.of(loose))[SKEWNESS, upper]))
    assert_held(np.concatenate(p), factor=1.2, least=0.6)


def test_a_handful_of_odd_devices_of_high_level_hardly_ever_makes_a_tie(draw: Draw) -> None:
    tied = 0
    for seed in range(20):
        table = _table(draw, 100, seed=seed)
        table.values[MEMORY, np.argsort(table.values[LEVEL])[[-1, -2, -4]]] = 4.2
        tied += (MEMORY, LEVEL) in _found(ties.find(table, counted=False))
    assert tied <= 2  # 14 where these are heard as they are
