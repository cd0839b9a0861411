from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from oddfleet.model import AnomalousDay, FleetDays, Oddities

DAY = AnomalousDay(date(2020, 3, 14), date(2020, 3, 14), -0.41, 0.96, 1e-9, "All fell.")
TOTALS = np.ones(3)


@pytest.mark.parametrize("noun", [DAY, FleetDays(TOTALS, TOTALS.astype(int), TOTALS, TOTALS, TOTALS)])
def test_days_are_frozen(noun: AnomalousDay | FleetDays) -> None:
    name = dataclasses.fields(noun)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(noun, name, None)


def test_days_are_those_of_the_decision_and_none_where_nobody_looked() -> None:
    assert FleetDays(TOTALS, TOTALS.astype(int), TOTALS, TOTALS, TOTALS).anomalous == ()
    assert Oddities([], (), {}, 0.01).days is None
