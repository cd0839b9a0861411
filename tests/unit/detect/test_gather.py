"""Fleets larger than their learners: what is said of a device, and that it does not depend on the blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from oddfleet import plant
from oddfleet.detect import find_oddities, gather, oddities, threads
from oddfleet.detect.features import COMPARED
from oddfleet.model import Fleet, IntArray, Kind, Oddities
from oddfleet.settings import Settings

DEVICES, LEARNERS = 400, 150
AUTO = Settings()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few learners, so that a fleet of some hundred devices is a large one."""
    monkeypatch.setattr(gather, "MOST_LEARNERS", LEARNERS)
    monkeypatch.setattr(threads, "DEVICES_AT_ONCE", 128)


def _sick(kind: str = "weekly", devices: int = DEVICES, seed: int = 1) -> Fleet:
    """A fleet with faults in learners (multiples of 2 or 3 there) and in others alike."""
    fleet = plant.healthy_fleet(kind, devices, 180, seed=seed)
    faults = (Kind.LEVEL_SHIFT, Kind.SPIKES, Kind.FROZEN, Kind.REPLAYED, Kind.WANDER, Kind.DRIFT, Kind.INACTIVE)
    for place, fault in enumerate(faults):
        fleet = plant.with_fault(fleet, fleet.device_ids[11 + 50 * place], fault, seed=place)
    return plant.with_fault(fleet, fleet.device_ids[390], Kind.COPIED, seed=1)


def _assert_same(got: Oddities, expected: Oddities) -> None:
    assert got.ids == expected.ids
    assert [finding.text for finding in got.findings] == [finding.text for finding in expected.findings]
    assert list(got.table["cohort"]) == list(expected.table["cohort"])
    for name in ("p_value", *COMPARED):
        np.testing.assert_allclose(got.table[name], expected.table[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert got.notes == expected.notes
    assert got.days is not None
    assert expected.days is not None
    assert got.days.anomalous == expected.days.anomalous
    for part in ("total_mb", "observed", "usual_mb", "low_mb", "high_mb"):
        # Sums of blocks that are cut in other places differ by rounding.
        np.testing.assert_allclose(getattr(got.days, part), getattr(expected.days, part), rtol=1e-12, err_msg=part)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["weekly", "seasonal", "mixed", "lossy"])
def test_the_decision_is_the_same_whatever_the_block_size(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    fleet = _sick(kind)
    expected = find_oddities(fleet, AUTO)
    assert len(expected.ids) >= 6
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(threads, "DEVICES_AT_ONCE", size)
        _assert_same(find_oddities(fleet, AUTO), expected)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["weekly", "mixed", "lossy"])
def test_days_that_are_odd_for_all_are_the_same_whatever_the_block_size(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fleet = plant.healthy_fleet(kind, DEVICES, 120, seed=1)
    values = fleet.values.copy()
    values[60:63] *= 0.4
    values[90, ::2] *= 3
    fleet = replace(fleet, values=values)
    expected = find_oddities(fleet, AUTO)
    assert expected.days is not None
    assert [(one.day.isoformat(), one.until.isoformat()) for one in expected.days.anomalous] == [
        ("2020-03-01", "2020-03-03"),
        ("2020-03-31", "2020-03-31"),
    ]
    np.testing.assert_allclose(expected.days.total_mb, np.nansum(values, axis=1), rtol=1e-12)
    assert expected.days.observed.tolist() == np.isfinite(values).sum(axis=1).tolist()
    for size in (7, 64, 1000):
        monkeypatch.setattr(threads, "DEVICES_AT_ONCE", size)
        _assert_same(find_oddities(fleet, AUTO), expected)


@pytest.mark.usefixtures("small")
def test_of_learners_alone_nothing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = _sick()
    known = gather.gather(fleet, AUTO, lambda _done, _total: None)
    learners, others = np.array(known.groups[0].members[:3]), np.setdiff1d(np.arange(9), known.groups[0].members)[:2]
    read: list[list[int]] = []

    def subset(fleet: Fleet, places: IntArray) -> Fleet:
        read.append(places.tolist())
        return whole(fleet, places)

    whole = Fleet.subset
    monkeypatch.setattr(Fleet, "subset", subset)
    for places, again in ((learners[:0], []), (learners, []), (np.append(learners, others), [others.tolist()])):
        read.clear()
        told = list(gather.judgements(fleet, known, places))
        assert sorted(device for _, _, device in told) == sorted(places.tolist())
        assert read == again


@pytest.mark.parametrize("learners", [DEVICES, DEVICES + 1, 10 * DEVICES])
def test_a_fleet_of_learners_is_judged_as_ever(monkeypatch: pytest.MonkeyPatch, learners: int) -> None:
    expected = find_oddities(_sick(), AUTO)
    monkeypatch.setattr(gather, "MOST_LEARNERS", learners)
    _assert_same(find_oddities(_sick(), AUTO), expected)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["steady", "weekly", "bursty", "seasonal"])
def test_what_is_said_hardly_depends_on_how_many_say_so(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The same devices are found, and the same is said of them first, by 150 learners as by all 400."""
    few = find_oddities(_sick(kind), AUTO)
    monkeypatch.setattr(gather, "MOST_LEARNERS", DEVICES)
    all_of_them = find_oddities(_sick(kind), AUTO)
    assert len(set(few.ids) ^ set(all_of_them.ids)) <= 1
    both = set(few.ids) & set(all_of_them.ids)
    assert sum(few.of(one)[0].kind == all_of_them.of(one)[0].kind for one in both) >= len(both) - 1


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", list(plant.FLEETS))
def test_a_large_healthy_fleet_is_silent(kind: str) -> None:
    """Of 5 fleets of each kind: at alpha 0.01 one alarm in all 45 is expected every other time."""
    fleets = (plant.healthy_fleet(kind, 900, 120, seed=seed) for seed in range(5))
    assert sum(bool(find_oddities(fleet, AUTO).ids) for fleet in fleets) <= 1


@pytest.mark.usefixtures("small")
def test_copies_are_found_wherever_the_two_devices_are() -> None:
    """Between two learners, a learner and another, two others; and a third of the record with a shift in time."""
    fleet = plant.healthy_fleet("steady", DEVICES, 180, seed=2)
    learners = gather._learners(DEVICES, 180, None).tolist()
    others = [place for place in range(DEVICES) if place not in learners]
    values = fleet.values.copy()
    pairs = [(learners[3], learners[90]), (learners[40], others[7]), (others[100], others[200])]
    for source, copy in pairs:
        values[:, copy] = values[:, source]
    values[100:170, others[50]] = values[10:80, learners[60]]
    pairs.append((learners[60], others[50]))
    found = find_oddities(replace(fleet, values=values), AUTO)
    assert set(found.ids) == {fleet.device_ids[place] for pair in pairs for place in pair}
    for source, copy in pairs:
        said = {finding.device_id: finding.text for finding in found.findings if finding.kind is Kind.COPIED}
        assert f"({fleet.device_ids[source]}), value" in said[fleet.device_ids[copy]]
        assert f"({fleet.device_ids[copy]}), value" in said[fleet.device_ids[source]]
    assert "90 days later" in said[fleet.device_ids[others[50]]]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("at_once", [10, 2000])
def test_where_many_devices_are_copies_none_is_odd_for_it(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Whether they are too many to be compared or not."""
    monkeypatch.setattr(gather, "COMPARED_AT_ONCE", at_once)
    fleet = plant.healthy_fleet("steady", DEVICES, 120, seed=2)
    values = fleet.values.copy()
    values[:, 200:] = values[:, :200]
    assert all(f.kind is not Kind.COPIED for f in find_oddities(replace(fleet, values=values), AUTO).findings)


@pytest.mark.usefixtures("small")
def test_copies_are_compared_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = plant.healthy_fleet("steady", DEVICES, 120, seed=2)
    values = fleet.values.copy()
    sources, copies = [5 + 7 * pair for pair in range(12)], [300 + 3 * pair for pair in range(12)]
    values[:, copies] = values[:, sources]
    expected = find_oddities(replace(fleet, values=values), AUTO)
    assert set(expected.ids) >= {fleet.device_ids[device] for device in (*sources, *copies)}
    assert len(expected.ids) <= 25  # in a sick fleet three in a hundred named ones may be healthy
    monkeypatch.setattr(gather, "COMPARED_AT_ONCE", 5)
    _assert_same(find_oddities(replace(fleet, values=values), AUTO), expected)


@pytest.mark.usefixtures("small")
def test_every_device_is_judged_among_its_own_kind() -> None:
    """The kinds that 150 devices tell are those that all of them do."""
    fleet = plant.healthy_fleet("mixed", DEVICES, 180, seed=3)
    labels = find_oddities(fleet, AUTO).table["cohort"]
    whole = find_oddities(fleet.subset(np.arange(LEARNERS)), AUTO).table["cohort"]
    assert len(set(labels)) == len(set(whole)) > 1
    sizes = Counter(labels)
    assert sorted(sizes.values()) == pytest.approx(sorted([0.6 * DEVICES, 0.3 * DEVICES, 0.1 * DEVICES]), abs=2)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("lost", [0, 200])
def test_who_cannot_be_described_is_judged_with_those_of_its_level(lost: int) -> None:
    fleet = plant.healthy_fleet("mixed", DEVICES, 180, seed=3)
    values = fleet.values.copy()
    values[lost // 2 :, 395] = np.nan
    values[:, 396] = 0.0
    found = find_oddities(replace(fleet, values=values), AUTO)
    assert {fleet.device_ids[395], fleet.device_ids[396]} <= set(found.ids)
    assert found.table["cohort"][396] in {"cohort 1", "cohort 2", "cohort 3"}


@pytest.mark.usefixtures("small")
def test_a_kind_that_only_stands_out_takes_in_newcomers_too() -> None:
    """Too near to be parted at first: so many are another kind, and are odd neither as learners nor as others."""
    fleet = plant.steady_fleet(DEVICES, seed=6)
    values = fleet.values.copy()
    other = np.arange(DEVICES) % 5 == 0
    values[:, other] *= 1.03
    found = find_oddities(replace(fleet, values=values), AUTO)
    labels = np.array(found.table["cohort"])
    assert (labels[other] == "fleet, another kind").all()
    assert (labels[~other] == "fleet").mean() > 0.99
    assert not found.ids


@pytest.mark.usefixtures("small")
def test_each_value_of_a_column_has_learners_of_its_own() -> None:
    made = tuple("lock" if place % 10 == 0 else "lamp" if place == 7 else "camera" for place in range(DEVICES))
    fleet = replace(plant.healthy_fleet("steady", DEVICES, 120, seed=1), attributes={"made": made})
    learners = gather._learners(DEVICES, 120, np.array(made, object))
    assert Counter(made[place] for place in learners) == {"camera": LEARNERS, "lock": 40, "lamp": 1}
    fleet = plant.with_fault(fleet, fleet.device_ids[391], Kind.LEVEL_SHIFT, seed=1)
    found = find_oddities(fleet, Settings(cohorts="made"))
    assert found.ids == [fleet.device_ids[391]]
    assert Counter(found.table["cohort"]) == {"camera": DEVICES - 41, "lock": 40, "fleet": 1}


@pytest.mark.usefixtures("small")
def test_broken_promises_of_all_devices_are_told() -> None:
    fleet = plant.healthy_fleet("steady", DEVICES, 120, seed=1)
    values = fleet.values.copy()
    values[40:44, 399] = np.nan
    values[7, 398] = -3.0
    found = find_oddities(replace(fleet, values=values), AUTO)
    kinds = {(finding.device_id, finding.kind, finding.days) for finding in found.findings}
    assert (fleet.device_ids[399], Kind.MISSING_DAYS, 4) in kinds
    assert (fleet.device_ids[398], Kind.NEGATIVE_TRAFFIC, 1) in kinds
    assert fleet.device_ids[398] in found.ids


@pytest.mark.usefixtures("small")
def test_more_broken_promises_than_anybody_reads_are_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oddities, "MOST_TOLD", 30)
    found = find_oddities(plant.healthy_fleet("lossy", DEVICES, 120, seed=1), AUTO)
    odd = set(found.ids)
    assert sum(finding.device_id not in odd for finding in found.findings) == 30
    assert "more broken promises of devices that are not odd are not told one by one." in found.notes[-1]


@pytest.mark.usefixtures("small")
def test_it_tells_how_far_it_is() -> None:
    seen: list[tuple[int, int]] = []
    find_oddities(plant.steady_fleet(DEVICES, 60, seed=1), AUTO, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 400), (128, 400), (256, 400), (384, 400), (400, 400)]


class _Backwards:
    """A fleet whose blocks come in another order than its devices."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def __getattr__(self, name: str) -> object:
        return getattr(self._fleet, name)

    def blocks(self, devices: int) -> Iterator[tuple[object, Fleet]]:
        return iter(list(self._fleet.blocks(devices))[::-1])


@pytest.mark.usefixtures("small")
def test_the_order_of_the_blocks_does_not_matter() -> None:
    fleet = _sick()
    _assert_same(find_oddities(_Backwards(fleet), AUTO), find_oddities(fleet, AUTO))  # type: ignore[arg-type]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("turn", [2, 3])
def test_kinds_that_take_turns_are_all_among_the_learners(turn: int) -> None:
    """Were every so many device a learner, it could be of one kind each time."""
    fleet = plant.healthy_fleet("steady", turn * LEARNERS, 120, seed=1)
    office = plant.healthy_fleet("weekly", turn * LEARNERS, 120, seed=2)
    other = np.arange(turn * LEARNERS) % turn == turn - 1
    found = find_oddities(replace(fleet, values=np.where(other, office.values, fleet.values)), AUTO)
    assert len(found.ids) <= 1


@pytest.mark.usefixtures("small")
def test_copies_are_found_beside_many_sparse_devices() -> None:
    """Devices that are nearly always silent share many a stretch by chance; that is no copy, and hides none."""
    fleet = plant.healthy_fleet("steady", DEVICES, 180, seed=2)
    sparse = np.arange(DEVICES) % 5 < 2
    events = (np.random.default_rng(1).random(fleet.values.shape) < 0.03).astype(float)
    values = np.where(sparse, events, fleet.values)
    values[:, 303] = values[:, 13]
    found = find_oddities(replace(fleet, values=values), AUTO)
    copied = {finding.device_id for finding in found.findings if finding.kind is Kind.COPIED}
    assert {fleet.device_ids[13], fleet.device_ids[303]} <= copied


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("days", [3, 25, 1500])
def test_short_and_long_records_in_blocks(days: int) -> None:
    assert find_oddities(plant.healthy_fleet("steady", 200, days, seed=1), AUTO).ids == []
