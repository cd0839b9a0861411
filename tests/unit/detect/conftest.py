"""Noise of several laws, and what "not above nominal" means: shared by the calibration tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from scipy import stats

from oddfleet.model import FloatArray

Draw = Callable[..., FloatArray]
Judge = Callable[..., None]

NOMINAL = (0.1, 0.01, 0.001)


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Independent values of a law: normal, lognormal, exponential, student (t(3)), student4 (t(4)) or uniform."""

    def values(law: str, shape: tuple[int, ...], seed: int = 1) -> FloatArray:
        rng = np.random.default_rng(seed)
        drawn: dict[str, Callable[[], FloatArray]] = {
            "normal": lambda: rng.normal(size=shape),
            "lognormal": lambda: rng.lognormal(size=shape),
            "exponential": lambda: rng.exponential(size=shape),
            "student": lambda: rng.standard_t(3, size=shape),
            "student4": lambda: rng.standard_t(4, size=shape),
            "uniform": lambda: rng.uniform(size=shape),
        }
        return drawn[law]()

    return values


@pytest.fixture(scope="session")
def assert_held() -> Judge:
    """Assert that p-values fall below 0.1, 0.01 and 0.001 as often as that, or less, but for the luck of the draw.

    ``factor`` is the anti-conservatism that is known and put up with; ``least`` the share of the nominal rate that
    must be reached at 0.1, so that a test which never rejects does not pass.
    """

    def judge(p: FloatArray, *, factor: float = 1.0, least: float = 0.0, nominal: Iterable[float] = NOMINAL) -> None:
        for level in nominal:
            assert (p <= level).sum() <= stats.binom.isf(1e-3, p.size, min(1.0, factor * level)), f"at {level}"
        assert (p <= 0.1).sum() >= stats.binom.ppf(1e-3, p.size, 0.1 * least), "hardly ever rejects"

    return judge


@pytest.fixture
def holey(draw: Draw) -> FloatArray:
    """Twenty series of a hundred days with every fifth day, more or less, not observed."""
    values = draw("lognormal", (100, 20))
    values[draw("uniform", values.shape, seed=2) < 0.2] = np.nan
    return values
