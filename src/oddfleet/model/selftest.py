"""What a self-test says: which planted faults would have been found in a fleet, and from what strength on."""

from __future__ import annotations

from dataclasses import dataclass

from oddfleet.model.finding import Kind
from oddfleet.model.fleet import DeviceId


@dataclass(frozen=True, slots=True)
class FaultTest:
    """How well faults of one kind are found.

    A strength of 1 is blatant and 0.5 subtle; what that means in MB or days is said where the fault is planted
    (``oddfleet.plant.plant_fault``), for most kinds a multiple of the device's own noise.

    Attributes:
        kind: what was planted; None for all kinds together.
        planted: number of faults planted at each strength; all 0 where this fleet cannot have such a fault.
        found: share of them whose device was named, at each strength; NaN where none was planted.
        begins: the strength from which on at least half are found, interpolated linearly between the strengths
            tried; the weakest tried where half are found at every one; None where half are not found at the
            strongest, or nothing was planted.
        named_right: share of the found devices whose first finding is of the planted kind; NaN where none was found.
        dated_right: share of the found devices whose first finding begins within 3 days of the fault, among the
            faults that begin on a day; NaN where there is no such.
    """

    kind: Kind | None
    planted: tuple[int, ...]
    found: tuple[float, ...]
    begins: float | None
    named_right: float
    dated_right: float


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What would have been found in a fleet, had it been there.

    Attributes:
        strengths: the strengths tried, weakest first: 1 = blatant, 0.5 = subtle.
        faults: one entry a kind, in the order of ``Kind``.
        overall: all kinds together.
        alpha: the false-alarm rate at which the fleet was judged.
        repeats: how often each fault was to be planted at each strength.
        seed: what the draws began with.
        n_devices: number of devices judged.
        at_once: number of faults planted in one copy of the fleet.
        odd: ids of the devices that were odd before anything was planted, oddest first; nothing was planted in them.
        notes: sentences about the test as a whole (such as a sample instead of a large fleet).
    """

    strengths: tuple[float, ...]
    faults: tuple[FaultTest, ...]
    overall: FaultTest
    alpha: float
    repeats: int
    seed: int
    n_devices: int
    at_once: int
    odd: tuple[DeviceId, ...]
    notes: tuple[str, ...] = ()
