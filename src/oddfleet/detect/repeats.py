"""Stretches of days that come twice: a device's own history replayed, or the series of another device.

Every window of a few days of every device is hashed, and equal hashes are brought together by sorting: all pairs of
devices and days are compared at the cost of one sort, the idea of fingerprinting (Karp and Rabin 1987).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from oddfleet.detect import commonness, moments
from oddfleet.detect.promises import MOST_BREAKERS
from oddfleet.detect.windows import Windows
from oddfleet.model import BoolArray, FloatArray, IntArray

WINDOWS = (7, 14, 28)
"""Days of a window, the longer ones where short windows of so common values meet by chance."""
MOST_CHANCE = 0.01
"""A window is long enough when chance meetings are no more than this share of all windows."""
SURPRISING = 1e-3
"""Stretches that chance gives less often than this are counted where many devices repeat something."""
MOST_DEVICES = 50
"""So many devices tell how common values are."""
_PARTS = ("log_p", "start", "days", "source", "lag")


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """The most surprising repeated stretch of every device (arrays (devices,)).

    Attributes:
        log_p: log p-value, at most 0; 0 where nothing is repeated.
        start: index of its first day.
        days: its number of days.
        source: the device it repeats.
        lag: how many days later than there.
    """

    log_p: FloatArray
    start: IntArray
    days: IntArray
    source: IntArray
    lag: IntArray

    def of(self, devices: npt.NDArray[Any]) -> Repeats:
        """Those of some devices."""
        return Repeats(*(getattr(self, part)[devices] for part in _PARTS))

    def note(self, places: IntArray, some: Repeats) -> None:
        """Enter what is known of some devices."""
        for part in _PARTS:
            getattr(self, part)[places] = getattr(some, part)


@dataclass(frozen=True, slots=True, eq=False)
class _Meetings:
    """Stretches that are equal: one of each pair of devices in a row (arrays (stretches,)).

    Attributes:
        device: who repeats.
        source: whom it repeats.
        start: index of the first day of the repetition.
        lag: how many days later than there.
        days: number of days.
    """

    device: IntArray
    source: IntArray
    start: IntArray
    lag: IntArray
    days: IntArray

    def only(self, some: npt.NDArray[Any]) -> _Meetings:
        """Some of them."""
        return _Meetings(self.device[some], self.source[some], self.start[some], self.lag[some], self.days[some])

    def turned(self) -> _Meetings:
        """The same, as the sources repeat the devices."""
        return _Meetings(self.source, self.device, self.start - self.lag, -self.lag, self.days)

    def and_turned(self) -> _Meetings:
        """The same, told of both ends."""
        other = self.turned()
        names = ("device", "source", "start", "lag", "days")
        return _Meetings(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What must be known of a whole fleet to judge some of its devices.

    Attributes:
        devices: their number.
        window: days of a window.
        sample: float64 (days, some devices), MB a day: how common a value is on a day.
    """

    devices: int
    window: int
    sample: FloatArray

    @classmethod
    def of(cls, sample: FloatArray, devices: int) -> Setting:
        """That of a fleet of so many devices, from some of them or all."""
        return cls(devices, _window(sample, devices), sample)


def find(values: FloatArray) -> tuple[Repeats, Repeats]:
    """Find replays of a device's own days, and copies of another's.

    A stretch is as surprising as that its values, each as common as it is in the two devices, come in the same order by
    chance, times the number of stretches that could have met (the union bound). Days that only repeat the day before
    say nothing, and neither does what more than a tenth of the fleet does.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation, which no day equals.

    Returns:
        Replays and copies. Of a copy both ends are named, for the record cannot tell which is the original.
    """
    replays, copies = among(values, Setting.of(values, values.shape[1]))
    return unless_usual(replays), unless_usual(copies)


def among(values: FloatArray, setting: Setting, windows: Windows | None = None) -> tuple[Repeats, Repeats]:
    """Find replays and copies among some devices of a fleet, be they usual or not.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation, which no day equals.
        setting: what the whole fleet is like.
        windows: the windows of the values, where they are known.
    """
    window = setting.window
    if window > len(values) // 2:
        return nothing(values.shape[1]), nothing(values.shape[1])
    met = _joined(values, _equal_windows(Windows.of(values, window) if windows is None else windows), window)
    own = met.device == met.source
    return _worst(values, met.only(own), setting), _worst(values, met.only(~own).and_turned(), setting)


def rare_windows(values: FloatArray, setting: Setting) -> BoolArray:
    """The windows (starts, devices) of some devices that hardly meet another of the fleet by chance."""
    n_days, starts = len(values), len(values) - setting.window + 1
    limit = np.log(MOST_CHANCE) - np.log(n_days * setting.devices)
    ordered = np.sort(values, axis=0)
    repeats = np.flatnonzero((ordered[1:] == ordered[:-1]).any(axis=0))
    # A value that comes once is as rare as any; where all are so, so are all windows.
    rare = np.full((starts, values.shape[1]), -setting.window * np.log(n_days) < limit)
    if repeats.size:
        told = np.zeros((n_days + 1, len(repeats)))
        told[1:] = moments.running(np.add, commonness.of_record(values[:, repeats]))
        rare[:, repeats] = told[setting.window :] - told[:starts] < limit
    return rare


def unless_usual(found: Repeats) -> Repeats:
    """What was found, or nothing where many devices of the fleet have such a stretch."""
    devices = len(found.log_p)
    many = (found.log_p < np.log(SURPRISING)).sum() > max(2.0, MOST_BREAKERS * devices)
    return nothing(devices) if many else found


def nothing(devices: int) -> Repeats:
    """No stretch of any of so many devices."""
    return Repeats(np.zeros(devices), *(np.zeros(devices, np.int64) for _ in range(4)))


def _window(values: FloatArray, devices: int) -> int:
    """Days of a window, such that the middle device's windows hardly meet by chance in a fleet of so many."""
    if values.size == 0:
        return WINDOWS[-1]
    some = values[:, moments.evenly_spaced(values.shape[1], MOST_DEVICES)]
    usual = float(np.median(commonness.of_record(some).mean(axis=0)))
    for window in WINDOWS:
        if np.log(len(values) * devices) + window * usual < np.log(MOST_CHANCE):
            return window
    return WINDOWS[-1]


def _equal_windows(windows: Windows) -> npt.NDArray[np.int64]:
    """Pairs of equal windows: source, device, start in the source, and lag, (4, pairs)."""
    starts = len(windows.hashes)
    # Device after device, so that equal windows of one device stand together, in order of time.
    key, telling = windows.hashes.T.ravel(), windows.telling.T.ravel()
    # Sorting values is far faster than sorting places, and most windows stand alone.
    ordered = np.sort(key if telling.all() else key[telling])
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not twice.size:
        return np.zeros((4, 0), np.int64)
    place = np.flatnonzero(telling)
    key = key[place]
    again = np.isin(key, twice)
    order = np.argsort(key[again], kind="stable")
    place, key = place[again][order], key[again][order]
    meets = key[1:] == key[:-1]
    one, two = place[:-1][meets], place[1:][meets]
    return np.stack([one // starts, two // starts, one % starts, two % starts - one % starts])


def _joined(values: FloatArray, windows: IntArray, window: int) -> _Meetings:
    """Windows that follow each other on the same pair and lag, joined over days that one of the two has lost."""
    source, device, start, lag = windows[:, np.lexsort((windows[2], windows[3], windows[1], windows[0]))]
    begins = np.ones(len(source), bool)
    begins[1:] = (np.diff(source) != 0) | (np.diff(device) != 0) | (np.diff(lag) != 0)
    begins[1:] |= np.diff(start) > 2 * window
    for place in np.flatnonzero(~begins[1:] & (np.diff(start) > window)):
        between = np.arange(start[place] + window, start[place + 1])
        differ = values[between, source[place]] - values[between + lag[place], device[place]]
        begins[place + 1] = bool(np.isfinite(differ).any())
    head = np.flatnonzero(begins)
    tail = np.append(head[1:], len(source))[: len(head)] - 1
    days = start[tail] - start[head] + window
    return _Meetings(device[head], source[head], start[head] + lag[head], lag[head], days)


def _log_surprise(values: FloatArray, met: _Meetings, setting: Setting) -> FloatArray:
    """Log p-value of each stretch: the more common of the two devices counts, days that overlap only once.

    What seems surprising by the values' shares in the whole record is looked at again with those of the same weekday,
    the same season and, for two devices on the same days, the same day: rounded values of a rhythm come again by it.
    """
    log_p = _log_chance(values, met, setting, lambda involved: commonness.of_record(values[:, involved]))
    again = np.flatnonzero(log_p < np.log(SURPRISING))
    if again.size:
        log_p[again] = _log_chance(
            values, met.only(again), setting, lambda involved: commonness.local(values, involved, setting.sample)
        )
    return log_p


def _log_chance(
    values: FloatArray, met: _Meetings, setting: Setting, commonness_of: Callable[[IntArray], FloatArray]
) -> FloatArray:
    """Log p-value of each stretch from how common the values of the involved devices are on each day."""
    n_days, devices = len(values), setting.devices
    involved, place = np.unique(np.concatenate([met.device, met.source]), return_inverse=True)
    told = np.concatenate([np.zeros((1, len(involved))), np.cumsum(commonness_of(involved), axis=0)])
    at, there = place[: len(met.device)], place[len(met.device) :]
    one = told[met.start + met.days, at] - told[met.start, at]
    two = told[met.start - met.lag + met.days, there] - told[met.start - met.lag, there]
    own = met.device == met.source
    overlap = np.where(own, np.minimum(met.lag / np.maximum(met.days, 1), 1.0), 1.0)
    # A device's own days meet among themselves; two devices on the same days; or any day of one any day of another.
    others = np.where(own, n_days, np.where(met.lag == 0, 2 * devices, 2 * n_days * devices))
    size = np.log(max(n_days * devices, 1))
    log_p: FloatArray = np.minimum(np.maximum(one, two) * overlap + size + np.log(others), 0.0)
    return log_p


def _worst(values: FloatArray, met: _Meetings, setting: Setting) -> Repeats:
    """The most surprising stretch of every device."""
    log_p = _log_surprise(values, met, setting)
    order = np.lexsort((met.start, log_p, met.device))
    owner, place = np.unique(met.device[order], return_index=True)
    worst = order[place]
    found = nothing(values.shape[1])
    found.log_p[owner] = log_p[worst]
    for part, known in (
        (found.start, met.start),
        (found.days, met.days),
        (found.source, met.source),
        (found.lag, met.lag),
    ):
        part[owner] = known[worst]
    return found
