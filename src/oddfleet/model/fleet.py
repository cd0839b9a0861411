"""A fleet: one value per device and day, and what the record says of those days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from oddfleet.errors import InputError

DeviceId = int | str
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
DateArray = npt.NDArray[np.datetime64]


class AnyFleet(Protocol):
    """A fleet that may be too large to be in memory as a whole; its parts are as in ``Fleet``."""

    @property
    def device_ids(self) -> tuple[DeviceId, ...]:
        """The devices; no repeats."""

    @property
    def names(self) -> tuple[str | None, ...]:
        """Their names in the meta file, None where it has none."""

    @property
    def dates(self) -> DateArray:
        """Every calendar day from first to last."""

    @property
    def attributes(self) -> Mapping[str, tuple[str | None, ...]]:
        """Further columns of the meta file."""

    @property
    def n_days(self) -> int:
        """Number of calendar days."""

    @property
    def n_devices(self) -> int:
        """Number of devices."""

    def subset(self, places: IntArray) -> Fleet:
        """The fleet of some devices, in the order wanted, in memory."""

    def blocks(self, devices: int) -> Iterator[tuple[IntArray, Fleet]]:
        """All devices once, at most so many at a time, each block with the places of its devices in the fleet."""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """A fleet's daily traffic as a matrix.

    Attributes:
        device_ids: the devices, in the order of the columns of ``values``; no repeats.
        names: their names in the meta file, None where it has none; same order.
        dates: ``datetime64[D]`` (days,), every calendar day from first to last, rising by one.
        values: float64 (days, devices), MB a day; NaN = no observation that can be used.
        duplicated: bool (days, devices), True where the record has more than one line for the day
            (``values`` then holds the first one that is a number).
        invalid: bool (days, devices), True where the record has a line for the day without a usable number.
        attributes: further columns of the meta file, each one entry a device; one may name the cohorts.

    Raises:
        InputError: when the parts do not fit together.

    >>> fleet = Fleet(device_ids=(4,), names=("running_gopher",),
    ...               dates=np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"),
    ...               values=np.array([[96.4], [np.nan]]))
    >>> fleet.n_devices, fleet.n_days
    (1, 2)
    """

    device_ids: tuple[DeviceId, ...]
    names: tuple[str | None, ...]
    dates: DateArray
    values: FloatArray
    duplicated: BoolArray = field(default_factory=lambda: np.zeros((0, 0), bool))
    invalid: BoolArray = field(default_factory=lambda: np.zeros((0, 0), bool))
    attributes: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.values.shape
        for part in ("duplicated", "invalid"):
            if getattr(self, part).size == 0:
                object.__setattr__(self, part, np.zeros(shape, bool))
        if shape != (len(self.dates), len(self.device_ids)) or len(self.names) != len(self.device_ids):
            raise InputError(
                f"fleet: values must be (days, devices) = ({len(self.dates)}, {len(self.device_ids)}) with one name "
                f"a device, got {shape} and {len(self.names)} names; check how the fleet was built"
            )
        marks = {"duplicated": self.duplicated.shape, "invalid": self.invalid.shape}
        for part, size in {**marks, **{name: len(column) for name, column in self.attributes.items()}}.items():
            if size not in (shape, self.n_devices):
                raise InputError(f"fleet: {part} must fit values of shape {shape}, got {size}; check how it was built")
        if len(set(self.device_ids)) != len(self.device_ids):
            raise InputError("fleet: every device must appear once, got repeated ids; merge or rename them")
        if len(self.dates) > 1 and not (np.diff(self.dates) == np.timedelta64(1, "D")).all():
            raise InputError("fleet: dates must rise by one day, got gaps or another order; reindex to every day")

    @property
    def n_days(self) -> int:
        """Number of calendar days from the first to the last."""
        return len(self.dates)

    @property
    def n_devices(self) -> int:
        """Number of devices."""
        return len(self.device_ids)

    def subset(self, places: IntArray) -> Fleet:
        """The fleet of some of its devices.

        Args:
            places: int (devices of the subset,), their columns in ``values``, in the order wanted.
        """
        parts = {"values": self.values, "duplicated": self.duplicated, "invalid": self.invalid}
        return part_of(self, places, {name: part[:, places] for name, part in parts.items()})

    def blocks(self, devices: int) -> Iterator[tuple[IntArray, Fleet]]:
        """All devices once, at most so many at a time, each block with the places (devices,) of its devices."""
        for start in range(0, self.n_devices, devices):
            places = np.arange(start, min(start + devices, self.n_devices))
            yield places, self.subset(places)

    def _repr_html_(self) -> str:
        from oddfleet.model.notebook import fleet_html  # noqa: PLC0415 - only a notebook asks for it

        return fleet_html(self)

    @classmethod
    def from_wide(cls, frame: Any) -> Fleet:
        """A fleet from a table with one column a device.

        Args:
            frame: a pandas DataFrame with dates as its index, or any frame with a column ``date``; the
                other columns are device ids, their values MB a day, NaN or null = no observation.

        Raises:
            InputError: when dates cannot be told or a column is not numeric.
        """
        from oddfleet.model import frames  # noqa: PLC0415 - narwhals only where there is a frame

        return cls(**frames.wide_parts(frame))

    @classmethod
    def from_long(cls, frame: Any) -> Fleet:
        """A fleet from a table with one row an observation.

        Args:
            frame: a pandas, Polars or Arrow table with columns ``date``, ``device_id`` and ``value``
                (MB a day; NaN or null = a line without a usable number). The first row of a device and
                day that holds a number is the observation; further rows mark the day as duplicated.

        Raises:
            InputError: when a column is missing or has the wrong type, or there is no row.
        """
        from oddfleet.model import frames  # noqa: PLC0415 - narwhals only where there is a frame

        return cls(**frames.long_parts(frame))


def part_of(whole: AnyFleet, places: IntArray, arrays: Mapping[str, npt.NDArray[Any]]) -> Fleet:
    """The fleet of some devices of another.

    Args:
        whole: the other.
        places: int (devices of the part,), which of its devices, in the order wanted.
        arrays: those of a ``Fleet``, such as ``values``, for these devices alone.
    """
    return Fleet(
        device_ids=tuple(whole.device_ids[place] for place in places),
        names=tuple(whole.names[place] for place in places),
        dates=whole.dates,
        attributes={name: tuple(column[place] for place in places) for name, column in whole.attributes.items()},
        **arrays,
    )
