from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, groupby

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import measures
from oddfleet.model import FloatArray, Kind

Series = list[float]
COUNTED = (Kind.MISSING_DAYS, Kind.INACTIVE, Kind.FROZEN)
MEASURED = (
    *COUNTED,
    Kind.LEVEL,
    Kind.SPREAD,
    Kind.SHAPE,
    Kind.ROUNDED,
    Kind.WEEKLY_RHYTHM,
    Kind.CYCLE,
    Kind.LEVEL_SHIFT,
    Kind.DRIFT,
    Kind.WANDER,
    Kind.VOLATILITY_CHANGE,
    Kind.SPIKES,
)


def _series(seed: int, lost: bool) -> Series:
    """A short record with something of everything: a step, a stuck stretch, zeros, repeated values, lost days."""
    draw = np.random.default_rng(seed)
    series = np.round(draw.gamma(4.0, 25.0, 45) + 30.0 * (np.arange(45) >= 25), 1 - seed % 3)
    series[30:34], series[12:14] = series[30], 0.0
    if lost:
        series[draw.choice(45, 6, replace=False)] = np.nan
    return [float(value) for value in series]


def _seen(series: Series) -> Series:
    return [x for x in series if not math.isnan(x)]


def _mean(numbers: Series) -> float:
    return sum(numbers) / len(numbers)


def _median(series: Series) -> float:
    ordered = sorted(_seen(series))
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _away(series: Series) -> Series:
    return [abs(x - _median(series)) for x in series]


def _ranked(series: Series) -> Series:
    """Van der Waerden scores, NaN where the series is."""
    seen = _seen(series)
    ranks = [sum(y < x for y in seen) + (sum(y == x for y in seen) + 1) / 2 for x in series]
    raw = [float(stats.norm.ppf((rank - 0.375) / (len(seen) + 0.25))) for rank in ranks]
    told = [value for value, x in zip(raw, series, strict=True) if not math.isnan(x)]
    size = math.sqrt(_mean([(value - _mean(told)) ** 2 for value in told]))
    return [math.nan if math.isnan(x) else (raw[day] - _mean(told)) / size for day, x in enumerate(series)]


def _l_kurtosis(series: Series) -> float:
    seen = sorted(_seen(series))
    fourth = [(d - 3 * c + 3 * b - a) / 4 for a, b, c, d in combinations(seen, 4)]
    return _mean(fourth) / _mean([(b - a) / 2 for a, b in combinations(seen, 2)])


def _l_skewness(series: Series) -> float:
    seen = sorted(_seen(series))
    third = [(c - 2 * b + a) / 3 for a, b, c in combinations(seen, 3)]
    return _mean(third) / _mean([(b - a) / 2 for a, b in combinations(seen, 2)])


def _weekly_share(series: Series) -> float:
    ranked = _ranked(series)
    parts = [_seen(ranked[weekday::7]) for weekday in range(7)]
    return sum(len(part) * _mean(part) ** 2 for part in parts) / len(_seen(ranked))


def _cycle_share(series: Series) -> float:
    ranked = [0.0 if math.isnan(x) else x for x in _ranked(series)]
    week = [_mean(ranked[day::7]) for day in range(7)]
    ranked = [x - week[day % 7] for day, x in enumerate(ranked)]
    power = []
    times = 2 if len(ranked) >= 80 else 1  # halves, too
    for turns in np.arange(4 * times, len(ranked) * times / 2) / times:
        if min(abs(turns / len(ranked) * 7 - k) for k in (1, 2, 3)) > 7.75 / len(ranked):
            angles = [2 * math.pi * turns * day / len(ranked) for day in range(len(ranked))]
            wave = [sum(x * f(a) for x, a in zip(ranked, angles, strict=True)) for f in (math.cos, math.sin)]
            power.append(wave[0] ** 2 + wave[1] ** 2)
    return times * max(power) / sum(power)


def _memory(series: Series) -> float:
    ranked = _ranked(series)
    return _mean(_seen([a * b for a, b in zip(ranked[1:], ranked[:-1], strict=True)]))


def _split(series: Series) -> int:
    """The day from which on the scores fit a step best: all days tried, five observations or more either side."""
    ranked = _ranked(series)
    misfit = {}
    for day in range(len(series)):
        sides = _seen(ranked[:day]), _seen(ranked[day:])
        if min(map(len, sides)) >= 5:
            misfit[day] = sum((x - _mean(side)) ** 2 for side in sides for x in side)
    return min(misfit, key=lambda day: round(misfit[day], 9))


def _shift(series: Series) -> float:
    day = _split(series)
    return _mean(_seen(series[day:])) - _mean(_seen(series[:day]))


def _volatility(series: Series) -> float:
    away = _away(series)
    day = _split(away)
    return _mean(_seen(away[day:])) / _mean(_seen(away[:day]))


def _drift(series: Series) -> float:
    days = [day for day, x in enumerate(series) if not math.isnan(x)]
    slope = stats.linregress(days, _seen(series)).slope
    return float(slope * (days[-1] - days[0]))


def _longest(flags: list[bool]) -> int:
    return max((len(list(group)) for flag, group in groupby(flags) if flag), default=0)


def _stuck(series: Series) -> int:
    return 1 + _longest([False] + [a == b != 0 for a, b in zip(series[1:], series[:-1], strict=True)])


ORACLES: dict[Kind, Callable[[Series], float]] = {
    Kind.MISSING_DAYS: lambda x: len(x) - len(_seen(x)),
    Kind.INACTIVE: lambda x: _longest([math.isnan(value) or value == 0 for value in x]),
    Kind.FROZEN: _stuck,
    Kind.LEVEL: lambda x: _mean(_seen(x)),
    Kind.SPREAD: lambda x: _mean(_seen(_away(x))),
    Kind.SHAPE: _l_kurtosis,
    Kind.ROUNDED: lambda x: len(set(_seen(x))),
    Kind.WEEKLY_RHYTHM: _weekly_share,
    Kind.CYCLE: _cycle_share,
    Kind.LEVEL_SHIFT: _shift,
    Kind.DRIFT: _drift,
    Kind.WANDER: _memory,
    Kind.VOLATILITY_CHANGE: _volatility,
    Kind.SPIKES: lambda x: max(_seen(_away(x))),
}


def _column(series: Series) -> FloatArray:
    return np.array(series)[:, None]


@pytest.mark.parametrize("kind", MEASURED)
@pytest.mark.parametrize("lost", [False, True])
def test_measures_by_loops(kind: Kind, lost: bool) -> None:
    fleet = [_series(seed, lost) for seed in range(6)]
    got = measures.measure(kind, np.array(fleet).T, "")
    np.testing.assert_allclose(got, [ORACLES[kind](series) for series in fleet], rtol=1e-7)


def test_skewness_by_loops() -> None:
    fleet = [_series(seed, lost=True) for seed in range(3)]
    got = measures.measure(Kind.SHAPE, np.array(fleet).T, "skewness_l")
    np.testing.assert_allclose(got, [_l_skewness(series) for series in fleet], rtol=1e-9)


_NAN = pytest.mark.xfail(strict=True, reason="no observation is measured as 0")


@pytest.mark.parametrize(
    "kind",
    [
        Kind.LEVEL,
        Kind.SPREAD,
        Kind.SHAPE,
        Kind.ROUNDED,
        Kind.LEVEL_SHIFT,
        Kind.VOLATILITY_CHANGE,
        *(
            pytest.param(kind, marks=_NAN)
            for kind in (Kind.WEEKLY_RHYTHM, Kind.CYCLE, Kind.DRIFT, Kind.WANDER, Kind.SPIKES)
        ),
    ],
)
def test_nothing_observed_is_not_measured(kind: Kind) -> None:
    assert np.isnan(measures.measure(kind, np.full((45, 1), np.nan), "")).all()


def test_ratio_to_no_variation_at_all_is_not_measured() -> None:
    still_then_not = np.where(np.arange(60) < 40, 5.0, 5.0 + np.arange(60))
    assert np.isnan(measures.measure(Kind.VOLATILITY_CHANGE, still_then_not[:, None], "")).all()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_unit(kind: Kind) -> None:
    assert measures.unit(kind, "")
    assert measures.unit(kind, "skewness_l") == "L-skewness"
