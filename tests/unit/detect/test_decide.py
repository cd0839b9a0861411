from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from oddfleet.detect import decide
from oddfleet.model import FloatArray

if TYPE_CHECKING:
    from tests.unit.detect.conftest import Draw


def _step_up(p: FloatArray, alpha: float) -> set[int]:
    """By definition: the k smallest, k the largest rank whose p-value is at most alpha k / n."""
    order = sorted(range(len(p)), key=lambda device: float(p[device]))
    ranks = [k for k in range(1, len(p) + 1) if p[order[k - 1]] <= alpha * k / len(p)]
    return set(order[: max(ranks, default=0)])


def test_device_p_is_the_smallest_times_the_number_of_features() -> None:
    p = np.array([[0.5, 1e-3, 1.0], [0.02, 1e-9, 1.0], [0.4, 0.3, 1.0]])
    np.testing.assert_allclose(np.exp(decide.device_log_p(np.log(p))), [0.06, 3e-9, 1.0])


@pytest.mark.parametrize("alpha", [0.001, 0.01, 0.05, 0.5])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("devices", [29, 40, 480])
def test_discoveries_are_the_step_up_by_definition(draw: Draw, devices: int, alpha: float, seed: int) -> None:
    p = draw("uniform", (devices,), seed=seed)
    p[: 3 * seed] *= 10.0 ** -np.arange(3 * seed) / (seed + 1)
    # Whether any device is odd is asked at alpha, or less among many; which ones, at three times alpha.
    asked = {29: alpha, 40: alpha / 2, 480: alpha / 4}[devices]
    expected = _step_up(p, 3 * alpha) if _step_up(p, asked) else set()
    assert set(np.flatnonzero(decide.discoveries(np.log(p), alpha))) == expected


@pytest.mark.parametrize(
    ("log_p", "odd"),
    [
        ([], []),
        ([0.0], [False]),
        ([-20.0], [True]),
        ([0.0] * 4, [False] * 4),
        ([-1e6, 0.0], [True, False]),
        ([-1e6] * 3, [True] * 3),
    ],
)
def test_edges(log_p: list[float], odd: list[bool]) -> None:
    assert decide.discoveries(np.array(log_p), 0.01).tolist() == odd


@pytest.mark.parametrize("n_devices", [1, 3, 100])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_clean_fleets_raise_alarms_at_the_promised_rate(draw: Draw, n_devices: int, alpha: float) -> None:
    fleets = np.log(draw("uniform", (3000, 12, n_devices)))
    alarms = sum(decide.discoveries(decide.device_log_p(fleet), alpha).any() for fleet in fleets)
    promised = alpha / 2 if n_devices >= decide.MANY else alpha
    assert 0.6 * promised < alarms / 3000 < 1.4 * promised


@pytest.mark.parametrize("devices", [1, 2, 50])
def test_adjusted_p_values_are_scipys(draw: Draw, devices: int) -> None:
    p = np.minimum(np.abs(draw("normal", (devices, 20))), 1.0)
    p[: devices // 3] = p[-1]
    p[-1, 0] = 0.0
    for fleet in p.T:
        np.testing.assert_allclose(decide._adjusted(fleet), stats.false_discovery_control(fleet))


@pytest.mark.parametrize("odd", [0, 1, 3, 20])
def test_the_limit_parts_the_named_from_the_others(odd: int) -> None:
    rng = np.random.default_rng(odd)
    log_p = np.log(np.concatenate([rng.uniform(0, 1e-6, odd), rng.uniform(size=200 - odd)]))
    named = decide.discoveries(log_p, 0.01)
    assert named.sum() >= odd
    np.testing.assert_array_equal(log_p <= decide.limit(log_p, 0.01), named)
