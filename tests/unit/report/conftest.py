"""Hand-made fleets and findings: the report is tested without the detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest

from oddfleet.model import (
    Answers,
    DataHealth,
    DeviceId,
    DeviceTotal,
    FaultTest,
    Finding,
    Fleet,
    Kind,
    Oddities,
    SelfTest,
)

MakeFleet = Callable[..., Fleet]
MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., Oddities]


@pytest.fixture
def make_fleet() -> MakeFleet:
    def make(
        n_devices: int = 6,
        n_days: int = 60,
        ids: Sequence[DeviceId] | None = None,
        names: Sequence[str | None] | None = None,
    ) -> Fleet:
        return Fleet(
            device_ids=tuple(ids if ids is not None else range(1, n_devices + 1)),
            names=tuple(names if names is not None else (f"lamp_{k}" for k in range(1, n_devices + 1))),
            dates=np.datetime64("2020-01-01") + np.arange(n_days),
            values=100 + np.random.default_rng(1).normal(0, 5, (n_days, n_devices)),
        )

    return make


@pytest.fixture
def make_finding() -> MakeFinding:
    def make(device_id: DeviceId = 1, kind: Kind = Kind.LEVEL_SHIFT, **changes: Any) -> Finding:
        facts: dict[str, Any] = {
            "name": "lamp_1",
            "since": date(2020, 1, 20),
            "until": None,
            "days": 41,
            "value": 61.25,
            "usual": 99.8,
            "unit": "MB a day",
            "p_value": 3.2e-7,
            "text": "Since 2020-01-20 it has 61.25 MB a day where 99.8 is usual.",
            "rivals": ("another model was installed", "its place changed"),
            "next_check": "Ask who changed it.",
        }
        return Finding(device_id=device_id, kind=kind, **(facts | changes))

    return make


@pytest.fixture
def make_result() -> MakeResult:
    def make(
        fleet: Fleet,
        ids: Sequence[DeviceId] = (),
        findings: Sequence[Finding] = (),
        cohorts: Sequence[str] | None = None,
        notes: Sequence[str] = (),
    ) -> Oddities:
        odd = [device_id in ids for device_id in fleet.device_ids]
        table: dict[str, Sequence[Any]] = {
            "id": list(fleet.device_ids),
            "name": list(fleet.names),
            "cohort": list(cohorts or ["all"] * fleet.n_devices),
            "p_value": [1e-9 if one else 0.5 for one in odd],
            "odd": odd,
            "silent_days": [0] * fleet.n_devices,
            "level_log_mb": np.linspace(4.0, 5.0, fleet.n_devices).tolist(),
        }
        return Oddities(ids=list(ids), findings=tuple(findings), table=table, alpha=0.01, notes=tuple(notes))

    return make


@pytest.fixture
def answers() -> Answers:
    return Answers(
        first_day=date(2020, 1, 1),
        first_day_total_mb=7512.34,
        top_devices=(DeviceTotal(1, "lamp_1", 37245.12), DeviceTotal(2, None, 36999.0)),
    )


@pytest.fixture
def health() -> DataHealth:
    return DataHealth(
        lines_read=27375,
        rows_stored=27370,
        lines_rejected=5,
        devices=75,
        named_without_data=925,
        data_without_name=1,
        first_day=date(2020, 1, 1),
        last_day=date(2020, 12, 31),
    )


@pytest.fixture
def selftest() -> SelfTest:
    """Four kinds: seen at once, not to be planted, seen from 0.3 on, never seen."""
    nan, all_three = float("nan"), (5, 5, 5)
    return SelfTest(
        strengths=(0.25, 0.5, 1.0),
        faults=(
            FaultTest(Kind.INACTIVE, all_three, (1.0, 1.0, 1.0), 0.25, 1.0, 0.8),
            FaultTest(Kind.DETACHED, (0, 0, 0), (nan, nan, nan), None, nan, nan),
            FaultTest(Kind.DRIFT, (0, 5, 5), (nan, 0.4, 1.0), 0.5833333, 0.9, nan),
            FaultTest(Kind.COPIED, all_three, (0.0, 0.2, 0.4), None, 0.0, nan),
        ),
        overall=FaultTest(None, (10, 15, 15), (0.5, 0.5333, 0.8), 0.25, 0.75, 0.8),
        alpha=0.01,
        repeats=5,
        seed=0,
        n_devices=1000,
        at_once=20,
        odd=(12, "hall"),
        notes=("A random sample of 1,000 devices stands for the fleet of 5,000.",),
    )
