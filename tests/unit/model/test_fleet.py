"""A fleet is checked when it is built, and cannot be changed after."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from oddfleet import Fleet, InputError

DATES = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")
PARTS: dict[str, Any] = {"device_ids": (4, "hall"), "names": ("fox", None), "dates": DATES, "values": np.ones((2, 2))}


def test_sizes_and_what_is_filled_in() -> None:
    fleet = Fleet(**PARTS)
    assert (fleet.n_days, fleet.n_devices) == (2, 2)
    assert fleet.attributes == {}
    for part in (fleet.duplicated, fleet.invalid):
        assert part.dtype == bool
        assert part.shape == (2, 2)
        assert not part.any()


def test_what_is_given_stays() -> None:
    marked = np.array([[True, False], [False, True]])
    fleet = Fleet(**PARTS, duplicated=marked, invalid=~marked, attributes={"room": ("attic", None)})
    assert fleet.duplicated.tolist() == marked.tolist()
    assert fleet.invalid.tolist() == (~marked).tolist()
    assert fleet.attributes["room"] == ("attic", None)


def test_a_subset_keeps_all_that_is_said_of_its_devices() -> None:
    marked = np.array([[True, False], [False, True]])
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    fleet = Fleet(
        **(PARTS | {"values": values}), duplicated=marked, invalid=~marked, attributes={"room": ("attic", None)}
    )
    swapped = fleet.subset(np.array([1, 0]))
    assert (swapped.device_ids, swapped.names) == (("hall", 4), (None, "fox"))
    assert swapped.values.tolist() == [[2.0, 1.0], [4.0, 3.0]]
    assert swapped.duplicated.tolist() == marked[:, ::-1].tolist()
    assert swapped.invalid.tolist() == (~marked)[:, ::-1].tolist()
    assert swapped.attributes == {"room": (None, "attic")}
    assert (swapped.dates == fleet.dates).all()
    assert fleet.subset(np.array([1])).values.tolist() == [[2.0], [4.0]]


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Fleet(**PARTS).names = ("a", "b")  # type: ignore[misc]


@pytest.mark.parametrize("n_days", [0, 1])
def test_a_record_of_a_day_or_none_has_no_gap(n_days: int) -> None:
    assert Fleet(**(PARTS | {"dates": DATES[:n_days], "values": np.ones((n_days, 2))})).n_days == n_days


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"values": np.ones((3, 2))}, "values must be (days, devices) = (2, 2) with one name a device, got (3, 2)"),
        ({"values": np.ones((2, 3))}, "got (2, 3) and 2 names"),
        ({"values": np.ones(2)}, "got (2,)"),
        ({"names": ("fox",)}, "and 1 names"),
        ({"device_ids": (4, 4)}, "every device must appear once"),
        ({"dates": DATES[::-1]}, "dates must rise by one day"),
        ({"dates": np.array(["2020-01-01", "2020-01-03"], "datetime64[D]")}, "dates must rise by one day"),
        ({"dates": np.array(["2020-01-01", "2020-01-01"], "datetime64[D]")}, "dates must rise by one day"),
        ({"dates": np.array(["2020-01-01", "NaT"], "datetime64[D]")}, "dates must rise by one day"),
    ],
    ids=["days", "devices", "flat", "names", "repeated id", "backwards", "gap", "twice", "no date"],
)
def test_parts_that_do_not_fit_are_refused_in_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        Fleet(**(PARTS | change))
    assert re.fullmatch(r"fleet: .+, got .+; [^;\n]+", str(error.value))
    assert said in str(error.value)


@pytest.mark.parametrize(
    "change",
    [{"duplicated": np.ones((1, 1), bool)}, {"invalid": np.ones((2, 3), bool)}, {"attributes": {"room": ("attic",)}}],
    ids=["duplicated", "invalid", "attributes"],
)
def test_marks_and_attributes_must_fit_too(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Fleet(**PARTS, **change)
