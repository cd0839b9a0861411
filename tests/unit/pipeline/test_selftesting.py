"""The self-test, mostly with a watchman whose eyesight is known in the place of the detector."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import oddfleet
from oddfleet import FaultTest, Finding, Fleet, InputError, Kind, Oddities, SelfTest, SettingsError, pipeline, plant
from oddfleet.pipeline import selftesting
from oddfleet.settings import Settings, Trials

STEADY = plant.steady_fleet(8, 60, seed=1)
NONE = (0, 0, 0, 0, 0)
NAN = math.nan  # one and the same object everywhere, and so equal within a tuple


class Watchman:
    """Names every device that differs from the fleet he knows, by more than ``least`` MB on some day.

    Attributes:
        judged: the fleets he was shown, in order.
        places: in each, the columns that differ.
    """

    def __init__(
        self, known: Fleet, *, least: float = 0.0, kind: Kind = Kind.LEVEL_SHIFT, late: int | None = 0
    ) -> None:
        self.known, self.least, self.kind, self.late = known, least, kind, late
        self.always: list[int | str] = []
        self.silent = False
        self.judged: list[Fleet] = []
        self.places: list[list[int]] = []
        self.settings: list[Settings] = []

    def __call__(self, fleet: Fleet, settings: Settings) -> Oddities:
        ids = {device_id: place for place, device_id in enumerate(self.known.device_ids)}
        known = self.known.subset(np.array([ids[device_id] for device_id in fleet.device_ids]))
        away = np.abs(np.nan_to_num(fleet.values) - np.nan_to_num(known.values))
        marks = (fleet.duplicated != known.duplicated) | (fleet.invalid != known.invalid)
        differs = (away > 0) | marks
        self.judged.append(fleet)
        self.places.append(np.flatnonzero(differs.any(axis=0)).tolist())
        self.settings.append(settings)
        seen = (away > self.least) | marks
        named = [fleet.device_ids[place] for place in np.flatnonzero(seen.any(axis=0))]
        said = () if self.silent else tuple(
            self.finding(fleet, device_id, seen[:, fleet.device_ids.index(device_id)]) for device_id in named
        )  # fmt: skip
        return Oddities([*self.always, *named], said, {}, settings.alpha, ("He looks well.",))

    def finding(self, fleet: Fleet, device_id: int | str, seen: oddfleet.model.BoolArray) -> Finding:
        first: date = fleet.dates[np.flatnonzero(seen)[0]].item()
        since = None if self.late is None else first + timedelta(days=self.late)
        return Finding(
            device_id, None, self.kind, since, None, 1, 1.0, 0.0, "MB a day", 1e-9, "It is odd.", (), "Look."
        )


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watchman]:
    """Puts a watchman in the place of the detector, and leaves only some kinds of fault."""

    def post(watchman: Watchman, *kinds: Kind) -> Watchman:
        monkeypatch.setattr("oddfleet.detect.find_oddities", watchman)
        monkeypatch.setattr("oddfleet.plant.FAULTS", kinds)
        return watchman

    return post


def of(result: SelfTest, kind: Kind) -> FaultTest:
    return next(fault for fault in result.faults if fault.kind is kind)


def test_who_sees_all(post: Callable[..., Watchman]) -> None:
    post(Watchman(STEADY), Kind.DRIFT, Kind.LEVEL_SHIFT)
    result = oddfleet.selftest(STEADY, alpha=0.02, repeats=3, seed=4)
    every = (3, 3, 3, 3, 3), (1.0, 1.0, 1.0, 1.0, 1.0), 0.125
    assert result.strengths == (0.125, 0.25, 0.5, 1.0, 2.0)
    # In the order of the kinds, not of the planting; a drift begins on no day, and he calls it by another name.
    assert result.faults == (
        FaultTest(Kind.LEVEL_SHIFT, *every, named_right=1.0, dated_right=1.0),
        FaultTest(Kind.DRIFT, *every, named_right=0.0, dated_right=NAN),
    )
    assert result.overall == FaultTest(None, (6,) * 5, *every[1:], named_right=0.5, dated_right=1.0)
    assert (result.alpha, result.repeats, result.seed, result.n_devices) == (0.02, 3, 4, 8)
    assert (result.odd, result.notes) == ((), ("He looks well.",))


def test_who_sees_nothing(post: Callable[..., Watchman]) -> None:
    post(Watchman(STEADY, least=math.inf), Kind.LEVEL_SHIFT)
    result = oddfleet.selftest(STEADY, repeats=2)
    assert result.overall == FaultTest(None, (2,) * 5, (0.0,) * 5, None, NAN, NAN)


def test_who_sees_the_strong_ones(post: Callable[..., Watchman]) -> None:
    # A step of three times the noise, about 5 MB: 3.75 MB at strength 0.25, 7.5 MB at 0.5.
    year = plant.steady_fleet(8, 366, seed=1)
    post(Watchman(year, least=5.5), Kind.LEVEL_SHIFT)
    overall = oddfleet.selftest(year).overall
    assert (overall.found, overall.begins) == ((0.0, 0.0, 1.0, 1.0, 1.0), 0.375)


@pytest.mark.parametrize(("late", "share"), [(0, 1.0), (3, 1.0), (-3, 1.0), (4, 0.0), (-4, 0.0), (None, 0.0)])
def test_a_date_is_right_within_three_days(post: Callable[..., Watchman], late: int | None, share: float) -> None:
    post(Watchman(STEADY, late=late), Kind.LEVEL_SHIFT)
    assert oddfleet.selftest(STEADY, repeats=1).overall.dated_right == share


def test_a_device_named_without_a_finding_is_found_and_no_more(post: Callable[..., Watchman]) -> None:
    post(Watchman(STEADY), Kind.LEVEL_SHIFT).silent = True
    overall = oddfleet.selftest(STEADY, repeats=1).overall
    assert (overall.found, overall.named_right, overall.dated_right) == ((1.0,) * 5, 0.0, 0.0)


def test_the_first_finding_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    result = Oddities([2, 1], (), {}, 0.01)
    weak = Watchman(STEADY, kind=Kind.DRIFT).finding(STEADY, 2, STEADY.values[:, 0] > 0)
    strong = replace(weak, kind=Kind.LEVEL_SHIFT)
    other = replace(weak, device_id=3)
    said = selftesting._first_findings(replace(result, findings=(strong, weak, other)))
    assert said == {2: strong, 1: None}


@pytest.mark.parametrize(("devices", "at_once"), [(1, 1), (99, 1), (100, 2), (160, 3)])
def test_at_most_one_device_in_fifty_has_a_fault(post: Callable[..., Watchman], devices: int, at_once: int) -> None:
    fleet = plant.steady_fleet(devices, 12, seed=1)
    watchman = post(Watchman(fleet), Kind.LEVEL_SHIFT, Kind.DRIFT)
    result = oddfleet.selftest(fleet, repeats=1)
    assert result.at_once == at_once
    untouched, *copies = [len(places) for places in watchman.places]
    assert untouched == 0
    assert copies == [at_once] * (10 // at_once) + [10 % at_once] * (10 % at_once > 0)


def test_odd_devices_are_left_alone(post: Callable[..., Watchman]) -> None:
    watchman = post(Watchman(STEADY), Kind.LEVEL_SHIFT)
    watchman.always = [3, 1, 8]
    result = oddfleet.selftest(STEADY, repeats=4)
    assert result.odd == (3, 1, 8)
    assert {place for places in watchman.places for place in places} <= {1, 3, 4, 5, 6}
    assert all(fleet.device_ids == STEADY.device_ids for fleet in watchman.judged)


def test_devices_without_values_are_left_alone(post: Callable[..., Watchman]) -> None:
    values = STEADY.values.copy()
    values[1:, :6], values[0, :3] = np.nan, np.nan
    fleet = replace(STEADY, values=values)
    watchman = post(Watchman(fleet), Kind.LEVEL_SHIFT)
    oddfleet.selftest(fleet)
    assert {place for places in watchman.places for place in places} == {6, 7}


@pytest.mark.parametrize("odd", [[], [1, 2]], ids=["a day only", "all odd"])
def test_no_healthy_device_is_said_in_one_line(post: Callable[..., Watchman], odd: list[int | str]) -> None:
    fleet = plant.steady_fleet(2, 30 if odd else 1, seed=1)
    post(Watchman(fleet), Kind.LEVEL_SHIFT).always = odd
    with pytest.raises(InputError, match=rf"^fleet: .+ got none: of 2 devices {len(odd)} are odd; [^\n]+$"):
        oddfleet.selftest(fleet)


def test_of_a_large_fleet_a_sample_is_judged(post: Callable[..., Watchman]) -> None:
    fleet = plant.steady_fleet(1001, 6, seed=1)
    fleet = replace(fleet, attributes={"room": tuple(fleet.names)})
    watchman = post(Watchman(fleet), Kind.LEVEL_SHIFT)
    result = oddfleet.selftest(fleet, repeats=1, cohorts="room")
    assert (result.n_devices, result.at_once) == (1000, 20)
    assert result.notes == ("A random sample of 1,000 devices stands for the fleet of 1,001.", "He looks well.")
    assert len(set(watchman.judged[0].device_ids)) == 1000
    for judged, settings in zip(watchman.judged, watchman.settings, strict=True):
        assert judged.attributes["room"] == judged.names
        assert settings.cohorts == "room"


def test_nothing_is_copied_from_a_device_that_has_a_fault_itself(post: Callable[..., Watchman]) -> None:
    fleet = plant.steady_fleet(200, 6, seed=1)
    watchman = post(Watchman(fleet), Kind.COPIED)
    oddfleet.selftest(fleet, repeats=8)
    for judged, places in itertools.islice(zip(watchman.judged, watchman.places, strict=True), 1, None):
        sources = np.delete(judged.values[-1], places)
        assert set(judged.values[-1, places]) <= set(sources)


def test_a_fleet_of_equals_shows_no_noise_to_make_a_fault_of(post: Callable[..., Watchman]) -> None:
    fleet = replace(STEADY, values=np.full_like(STEADY.values, 7.0))
    watchman = post(Watchman(fleet), Kind.DRIFT, Kind.NEGATIVE_TRAFFIC, Kind.DUPLICATE_DAYS)
    result = oddfleet.selftest(fleet, repeats=1)
    assert [fault.planted for fault in result.faults] == [(1,) * 5, (1,) * 5, NONE]
    assert of(result, Kind.DRIFT) == FaultTest(Kind.DRIFT, NONE, (NAN,) * 5, None, NAN, NAN)
    # A copy without a fault need not be judged.
    assert all(watchman.places[1:])


@pytest.mark.parametrize(
    ("shares", "begins"),
    [
        ((0.0, 0.0, 0.0), None),
        ((0.0, 0.0, 0.49), None),
        ((0.0, 0.0, 0.5), 2.0),
        ((0.0, 0.25, 1.0), 1.0 + 1 / 3),
        ((0.5, 0.6, 1.0), 0.5),
        # Lucky at first: it begins where half are found from there on.
        ((1.0, 0.4, 0.6), 1.5),
        ((1.0, 1.0, 0.4), None),
        # Nothing could be planted at some strength.
        ((0.0, math.nan, 1.0), 1.25),
        ((math.nan, 1.0, 1.0), 1.0),
        ((0.0, 1.0, math.nan), 0.75),
        ((math.nan, math.nan, math.nan), None),
    ],
)
def test_where_it_begins(shares: tuple[float, ...], begins: float | None) -> None:
    assert selftesting._begins((0.5, 1.0, 2.0), shares) == (None if begins is None else pytest.approx(begins))


def test_a_seed_is_a_selftest(post: Callable[..., Watchman]) -> None:
    shown = []
    for seed in (3, 3, 4):
        watchman = post(Watchman(STEADY), Kind.LEVEL_SHIFT, Kind.SPIKES)
        oddfleet.selftest(STEADY, repeats=2, seed=seed)
        shown.append([fleet.values.tolist() for fleet in watchman.judged])
    assert shown[0] == shown[1] != shown[2]


def test_the_fleet_is_not_changed(post: Callable[..., Watchman]) -> None:
    before = STEADY.values.copy()
    post(Watchman(STEADY), *plant.FAULTS)
    oddfleet.selftest(STEADY, repeats=1)
    assert (STEADY.values == before).all()
    assert not (STEADY.duplicated | STEADY.invalid).any()


def test_the_detector_itself_is_tested() -> None:
    fleet = plant.steady_fleet(6, 50, seed=1)
    values = fleet.values.copy()
    values[20] = np.nan  # the collector was down for a day
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = oddfleet.selftest(replace(fleet, values=values), repeats=1)
    assert [fault.kind for fault in result.faults] == [kind for kind in Kind if kind in plant.FAULTS]
    assert of(result, Kind.DETACHED).planted == NONE
    for promise in (Kind.NEGATIVE_TRAFFIC, Kind.DUPLICATE_DAYS, Kind.INVALID_VALUES):
        assert of(result, promise).found == (1.0,) * 5
        assert of(result, promise).named_right == of(result, promise).dated_right == 1.0
    assert result.overall.found[-1] > result.overall.found[0]
    assert result.odd == ()


@pytest.mark.parametrize("change", [{"repeats": 0}, {"seed": -1}, {"alpha": 0.0}, {"cohorts": ""}, {"cohorts": "room"}])
def test_settings_that_make_no_sense(change: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=f"^{next(iter(change))}: .+, got .+; .+$"):
        oddfleet.selftest(STEADY, **change)  # type: ignore[arg-type]


def test_from_a_folder_it_tells_how_far_it_is_and_writes_nothing(post: Callable[..., Watchman], tmp_path: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    class Listener:
        def step(self, label: str) -> Callable[[int, int], None]:
            said = told.setdefault(label, [])
            return lambda done, total: said.append((done, total))

    plant.write_folder(STEADY, tmp_path)
    before = sorted(tmp_path.iterdir())
    post(Watchman(STEADY), Kind.LEVEL_SHIFT)
    result = pipeline.selftest_data(tmp_path, Settings(alpha=0.02), Trials(repeats=2, seed=5), Listener())
    assert list(told) == ["reading", "arranging", "planting"]
    assert told["planting"] == [(0, 10), *((done, 10) for done in range(11))]
    assert repr(result) == repr(oddfleet.selftest(STEADY, alpha=0.02, repeats=2, seed=5))
    assert sorted(tmp_path.iterdir()) == before


def test_no_data(tmp_path: Path) -> None:
    class Deaf:
        def step(self, label: str) -> Callable[[int, int], None]:
            return lambda done, total: None

    with pytest.raises(InputError, match="nowhere"):
        pipeline.selftest_data(tmp_path / "nowhere", Settings(), Trials(), Deaf())
