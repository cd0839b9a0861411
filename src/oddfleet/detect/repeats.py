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

from oddfleet.detect import moments
from oddfleet.detect.promises import MOST_BREAKERS
from oddfleet.model import BoolArray, FloatArray, IntArray

WINDOWS = (7, 14, 28)
"""Days of a window, the longer ones where short windows of so common values meet by chance."""
MOST_CHANCE = 0.01
"""A window is long enough when chance meetings are no more than this share of all windows."""
SURPRISING = 1e-3
"""Stretches that chance gives less often than this are counted where many devices repeat something."""
SEASON = 15
"""Days before and after, within which a value may be common."""
MOST_DEVICES = 50
"""So many devices tell how common values are."""
_BASE = np.uint64(0x9E3779B97F4A7C15)


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
    window = _window(values)
    none = np.zeros((4, 0), np.int64)
    met = _joined(values, _equal_windows(values, window) if window <= len(values) // 2 else none, window)
    own = met.device == met.source
    return _worst(values, met.only(own)), _worst(values, met.only(~own).and_turned())


def _log_commonness(values: FloatArray) -> FloatArray:
    """Log of the share (days, devices) of a device's days that have the value of this day; 0 = says nothing."""
    n_days, devices = values.shape
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    begins = np.ones(values.shape, bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    group = np.cumsum(begins, axis=0) - 1 + np.arange(devices) * n_days
    counts = np.bincount(group.ravel(), minlength=n_days * devices)
    share = np.empty(values.shape)
    np.put_along_axis(share, order, counts[group] / np.maximum(np.isfinite(values).sum(axis=0), 1), axis=0)
    repeated = np.zeros(values.shape, bool)
    repeated[1:] = values[1:] == values[:-1]
    return np.where(repeated | ~np.isfinite(values), 0.0, np.log(np.minimum(share, 1.0)))


def _window(values: FloatArray) -> int:
    """Days of a window, such that the middle device's windows hardly meet by chance."""
    if values.size == 0:
        return WINDOWS[-1]
    some = values[:, moments.evenly_spaced(values.shape[1], MOST_DEVICES)]
    usual = float(np.median(_log_commonness(some).mean(axis=0)))
    for window in WINDOWS:
        if np.log(values.size) + window * usual < np.log(MOST_CHANCE):
            return window
    return WINDOWS[-1]


def _equal_windows(values: FloatArray, window: int) -> npt.NDArray[np.int64]:
    """Pairs of equal windows: source, device, start in the source, and lag, (4, pairs)."""
    n_days, devices = values.shape
    starts = n_days - window + 1
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    # A value's bits are mixed before they are added up, for nearby values share most of theirs.
    mixed = (bits ^ (bits >> np.uint64(29))) * _BASE
    hashed = np.zeros((starts, devices), np.uint64)
    for day in range(window):
        hashed = hashed * _BASE + (mixed[day : day + starts] ^ (mixed[day : day + starts] >> np.uint64(32)))
    changes = np.zeros(values.shape, bool)
    changes[1:] = values[1:] != values[:-1]
    past, lost = _so_far(changes), _so_far(np.isnan(values))
    telling = (past[window:] - past[:starts] >= 2) & (lost[window:] == lost[:starts])
    # Device after device, so that equal windows of one device stand together, in order of time.
    place = np.flatnonzero(telling.T.ravel())
    key = hashed.T.ravel()[place]
    # Sorting values is far faster than sorting places, and most windows stand alone.
    ordered = np.sort(key)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    again = np.isin(key, twice)
    order = np.argsort(key[again], kind="stable")
    place, key = place[again][order], key[again][order]
    meets = key[1:] == key[:-1]
    one, two = place[:-1][meets], place[1:][meets]
    return np.stack([one // starts, two // starts, one % starts, two % starts - one % starts])


def _so_far(days: BoolArray) -> npt.NDArray[np.int32]:
    """How many of the days (days, devices) before each day are marked, and in the end of all: (days + 1, devices)."""
    count = np.zeros((len(days) + 1, days.shape[1]), np.int32)
    np.cumsum(days, axis=0, out=count[1:])
    return count


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


def _log_surprise(values: FloatArray, met: _Meetings) -> FloatArray:
    """Log p-value of each stretch: the more common of the two devices counts, days that overlap only once.

    What seems surprising by the values' shares in the whole record is looked at again with those of the same weekday,
    the same season and, for two devices on the same days, the same day: rounded values of a rhythm come again by it.
    """
    log_p = _log_chance(values, met, lambda involved: _log_commonness(values[:, involved]))
    again = np.flatnonzero(log_p < np.log(SURPRISING))
    if again.size:
        log_p[again] = _log_chance(values, met.only(again), lambda involved: _log_local_commonness(values, involved))
    return log_p


def _log_chance(values: FloatArray, met: _Meetings, commonness_of: Callable[[IntArray], FloatArray]) -> FloatArray:
    """Log p-value of each stretch from how common the values of the involved devices are on each day."""
    n_days, devices = values.shape
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


def _log_local_commonness(values: FloatArray, involved: IntArray) -> FloatArray:
    """As ``_log_commonness`` (days, involved), by the largest share.

    Of the record, or of the other days of the same weekday, of the days about, or of the fleet on that day.
    """
    n_days = len(values)
    day = np.arange(n_days)
    about = day[:, None] + np.arange(-SEASON, SEASON + 1)
    near = np.clip(about, 0, n_days - 1)
    there = near == about
    local = np.empty((n_days, len(involved)))
    for column, device in enumerate(involved):
        series = values[:, device]
        same_about = ((series[near] == series[:, None]) & there).sum(axis=1) - 1
        shares = [same_about / there.sum(axis=1), _share_on_day(values, device)]
        for weekday in range(7):
            same = series[weekday::7]
            shares.append(np.zeros(n_days))
            shares[-1][weekday::7] = ((same[:, None] == same).sum(axis=1) - 1) / max(len(same), 1)
        local[:, column] = np.max(shares, axis=0)
    common = _log_commonness(values[:, involved])
    return np.where(common < 0, np.maximum(common, np.log(np.maximum(local, 1 / n_days))), 0.0)


def _share_on_day(values: FloatArray, device: int) -> FloatArray:
    """The share (days,) of the other devices that have the value of a device on the same day."""
    same = (values == values[:, [device]]).sum(axis=1) - 1
    # One other, the source of a copy, is no sign that a value is common.
    share: FloatArray = np.maximum(same - 1, 0) / max(values.shape[1] - 1, 1)
    return share


def _worst(values: FloatArray, met: _Meetings) -> Repeats:
    """The most surprising stretch of every device; none of any where many devices have one."""
    devices = values.shape[1]
    log_p = _log_surprise(values, met)
    order = np.lexsort((met.start, log_p, met.device))
    owner, place = np.unique(met.device[order], return_index=True)
    worst = order[place]
    if (log_p[worst] < np.log(SURPRISING)).sum() > max(2.0, MOST_BREAKERS * devices):
        owner, worst = owner[:0], worst[:0]
    found = Repeats(np.zeros(devices), *(np.zeros(devices, np.int64) for _ in range(4)))
    found.log_p[owner] = log_p[worst]
    for part, known in (
        (found.start, met.start),
        (found.days, met.days),
        (found.source, met.source),
        (found.lag, met.lag),
    ):
        part[owner] = known[worst]
    return found
