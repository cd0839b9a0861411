from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from oddfleet.errors import SettingsError
from oddfleet.settings import Settings, Trials


@pytest.mark.parametrize("alpha", [1e-12, 0.01, 0.5])
def test_rates_in_range(alpha: float) -> None:
    assert Settings(alpha=alpha).alpha == alpha


@pytest.mark.parametrize("alpha", [0.0, -0.01, 0.500001, 1.0, float("inf"), float("nan")])
def test_rates_out_of_range(alpha: float) -> None:
    with pytest.raises(SettingsError, match=f"^alpha: .* above 0 and at most 0.5, got {alpha:g}; .*0.01$"):
        Settings(alpha=alpha)


def test_cohorts_need_a_word() -> None:
    with pytest.raises(SettingsError, match=r"^cohorts: must be 'auto', 'none' or a column .*, got ''; .*'auto'$"):
        Settings(cohorts="")


@pytest.mark.parametrize(("name", "least"), [("repeats", 1), ("seed", 0)])
def test_trials_in_range(name: str, least: int) -> None:
    assert getattr(Trials(**{name: least}), name) == least
    with pytest.raises(
        SettingsError, match=f"^{name}: must be at least {least}, got {least - 1}; leave it out to use "
    ):
        Trials(**{name: least - 1})


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().alpha = 0.5  # type: ignore[misc]
