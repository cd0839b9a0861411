"""Plant a known fault, one for every kind of finding, from barely to blatantly visible, in a device of a fleet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from oddfleet.errors import SettingsError
from oddfleet.model import DeviceId, Fleet, Kind
from oddfleet.plant import forms, site
from oddfleet.plant.site import Site

STRONGEST = 100.0
_MARKS = (Kind.DUPLICATE_DAYS, Kind.INVALID_VALUES)
_BEGINS = (Kind.LEVEL_SHIFT, Kind.VOLATILITY_CHANGE, Kind.FROZEN, Kind.INACTIVE, Kind.REPLAYED)
FAULTS: tuple[Kind, ...] = tuple(kind for kind in Kind if kind in {*forms.AS_RECORDED, *forms.ON_SCALE, *_MARKS})
"""The kinds of fault that can be planted."""
DATED: tuple[Kind, ...] = (*_BEGINS, *_MARKS, Kind.SPIKES, Kind.MISSING_DAYS, Kind.NEGATIVE_TRAFFIC, Kind.COPIED)
"""Those that begin on a day (a copy only where it is not the whole record)."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fleet with a fault in one device.

    Attributes:
        fleet: the fleet with the fault.
        device_id: the device.
        kind: what was planted.
        since: the day it began; None where it holds for the whole record.
    """

    fleet: Fleet
    device_id: DeviceId
    kind: Kind
    since: date | None


def with_fault(fleet: Fleet, device_id: DeviceId, kind: Kind, *, strength: float = 1.0, seed: int) -> Fleet:
    """The fleet with a fault of a kind in one device: ``plant_fault(...).fleet``."""
    return plant_fault(fleet, device_id, kind, strength=strength, seed=seed).fleet


def plant_fault(fleet: Fleet, device_id: DeviceId, kind: Kind, *, strength: float = 1.0, seed: int) -> Planted:
    """Plant a fault in one device of a fleet.

    Sizes are measured in the device's own noise, that is, without what it shares with the fleet, and on the scale of
    that noise: the logarithm where noise comes in factors, the root for counts. Traffic that never was negative
    stays so and counts stay whole, whatever is planted (but for ``negative_traffic``).

    Args:
        fleet: the fleet; not changed.
        device_id: the device.
        kind: which fault; one of ``FAULTS``.
        strength: 1 = blatant, 0.5 = subtle.
        seed: the same seed gives the same fault.

    Raises:
        SettingsError: when no fault of this kind can be planted in this device, there is no such device, or the
            strength is not above 0.
    """
    if str(kind) not in FAULTS:
        raise SettingsError(f"plant: kind must be one of {', '.join(FAULTS)}, got {kind}; choose one of these")
    if device_id not in fleet.device_ids:
        raise SettingsError(f"plant: the fleet must have the device, got {device_id!r}; choose one of device_ids")
    if not 0 < strength <= STRONGEST:
        raise SettingsError(
            f"plant: strength must be above 0 and at most {STRONGEST:g}, got {strength:g}; "
            "give 1 for a blatant fault or 0.5 for a subtle one"
        )
    kind = Kind(kind)
    where = site.choose(fleet, fleet.device_ids.index(device_id), strength, np.random.default_rng(seed))
    planted = _marked(where, kind) if kind in _MARKS else _changed(where, kind)
    return Planted(planted, device_id, kind, _since(where, planted, kind))


def _changed(where: Site, kind: Kind) -> Fleet:
    values = where.fleet.values.copy()
    values[:, where.place] = forms.changed(where, kind)
    return replace(where.fleet, values=values)


def _marked(where: Site, kind: Kind) -> Fleet:
    """The fleet with days marked as doubled or as unreadable."""
    days = where.some_days(max(1, round(4 * where.strength)))
    if kind is Kind.DUPLICATE_DAYS:
        duplicated = where.fleet.duplicated.copy()
        duplicated[days, where.place] = True
        return replace(where.fleet, duplicated=duplicated)
    invalid, values = where.fleet.invalid.copy(), where.fleet.values.copy()
    invalid[days, where.place], values[days, where.place] = True, np.nan
    return replace(where.fleet, invalid=invalid, values=values)


def _since(where: Site, planted: Fleet, kind: Kind) -> date | None:
    if kind not in DATED:
        return None
    parts = ((where.fleet.duplicated, planted.duplicated), (where.fleet.invalid, planted.invalid))
    changed = (where.values != planted.values[:, where.place]) & ~np.isnan(where.values)
    for before, after in parts:
        changed |= before[:, where.place] != after[:, where.place]
    # A stuck value begins with the day that is repeated, and a change with the day it is made.
    begins = dict.fromkeys(_BEGINS, where.start) | {Kind.COPIED: forms.copy_start(where)}
    first = begins.get(kind, int(np.flatnonzero(changed)[0]) if changed.any() else None)
    if first is None or first == 0:
        return None
    found: date = where.fleet.dates[first].astype("datetime64[D]").item()
    return found
