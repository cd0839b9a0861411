from __future__ import annotations

from dataclasses import replace

import pytest

from oddfleet import plant
from oddfleet.detect import cohorts
from oddfleet.errors import SettingsError
from oddfleet.model import Fleet

MADE = (*["camera"] * 5, *["lock"] * 4, None, *["meter"] * 6)
FLEET = replace(plant.steady_fleet(16, 30, seed=1), attributes={"type": MADE, "site": (None,) * 16})


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", ["fleet"] * 16),
        ("site", ["fleet"] * 16),
        ("type", ["camera"] * 5 + ["fleet"] * 5 + ["meter"] * 6),
    ],
)
def test_groups_too_small_to_compare_are_judged_together(choice: str, expected: list[str]) -> None:
    assert list(cohorts.by_column(FLEET, choice)) == expected


@pytest.mark.parametrize(
    ("fleet", "columns"), [(FLEET, "site, type"), (plant.steady_fleet(3, 30, seed=1), "it has none")]
)
def test_an_unknown_column_is_an_error_that_names_the_columns(fleet: Fleet, columns: str) -> None:
    with pytest.raises(SettingsError, match=rf"^cohorts: .* a column of the meta file \({columns}\), got 'kind'; "):
        cohorts.by_column(fleet, "kind")
