"""The kinds of devices of a fleet: a camera is not odd for not being a thermostat.

The fleet is split wherever one of a few descriptions of its devices leaves a wide gap between two groups, and each part
again (divisive clustering; the gap is Ashman's D, Ashman et al. 1994, with robust centres and spreads). A group must be
large enough for no odd device to found one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from oddfleet.detect import moments
from oddfleet.detect.descriptions import LEVEL, SPREAD, WEEK, describe, telling
from oddfleet.model import BoolArray, DateArray, FloatArray, IntArray

WIDE_GAP = 5.0
"""Ashman's D that parts two kinds; the halves of one bell are 2.3 apart, the end of an exponential tail 3.3."""
SMALL_GROUP = 30.0
"""The spread of a small group is badly known: over its size, this is added to the gap that is needed."""
EMPTY = 0.2
"""So much of the way between the two centres holds no device: a few odd ones may stand in the gap."""
STRAYS = 0.05
"""Of either part this share may stand anywhere: what is odd about them may look like the way to the other part."""
PURPOSE = {LEVEL: float(np.log(1.5)), SPREAD: float(np.log(4)), WEEK: 0.3}
"""A kind serves another purpose: its level is another by this factor, its relative spread by this, or its week.
Somewhat more noise, memory or a drift in many devices is what may be wrong with them."""
FEW, ANOTHER_LEVEL = 10, float(np.log(2))
"""In a fleet smaller than this one device may be a kind, if its level is another by a factor of 2."""
FEW_SHARE, WAYS = 0.1, 3
"""A smaller share of a group is a kind of its own only if it is this many descriptions apart."""
SMALL_SHARE = 0.03
"""A group is at least this share of the fleet."""
ERROR = 0.3
"""No description is known better than this over the root of the number of days."""
SHORTEST_HALF = 14
"""Days from which on half of a record is described as well."""
_STEPS = 3
"""So many of the widest steps in each description are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """What parts two kinds: a place on a line through their descriptions.

    Attributes:
        weights: float64 (descriptions,), the direction of the line.
        place: where on it the one kind ends and the other begins.
    """

    weights: FloatArray
    place: float

    def beyond(self, rows: FloatArray) -> BoolArray:
        """Which devices, described by rows (descriptions, devices), lie beyond it."""
        beyond: BoolArray = self.weights @ rows > self.place
        return beyond


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A group of devices, and the cuts that lead to it, each with the side.

    Attributes:
        devices: int, those of the fleet.
        cuts: what parts it from the others.
    """

    devices: IntArray
    cuts: tuple[tuple[_Cut, bool], ...] = ()

    def has(self, rows: FloatArray) -> BoolArray:
        """Which devices, described by rows (descriptions, devices), are of this kind; none that is not described."""
        has = np.asarray(np.isfinite(rows).all(axis=0))
        for cut, beyond in self.cuts:
            has = has & (cut.beyond(rows) == beyond)
        return has


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The kinds of devices of a fleet.

    Attributes:
        labels: int (devices,), the kind of each: 0 for the largest, and so on.
        rarely_silent: whether what a device is shows on the days on which it is not silent.
        levels: float64 (kinds,), the middle level of each.
        parts: one for each label.
    """

    labels: IntArray
    rarely_silent: bool
    levels: FloatArray
    parts: tuple[_Part, ...]

    def of(self, values: FloatArray, dates: DateArray) -> IntArray:
        """The kinds (devices,) of others, from values and dates as in ``find``."""
        labels = np.zeros(values.shape[1], np.int64)
        if len(self.parts) == 1:
            return labels
        rows = describe(telling(values, rarely_silent=self.rarely_silent), dates)
        for label, part in enumerate(self.parts):
            labels[part.has(rows)] = label
        rest = np.flatnonzero(~np.isfinite(rows).all(axis=0))
        labels[rest] = _nearest(rows[LEVEL, rest], self.levels)
        return labels


def find(values: FloatArray, dates: DateArray) -> Kinds:
    """Find the kinds of devices in a fleet.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
        dates: datetime64[D] (days,).
    """
    if values.size == 0:
        everyone = _Part(np.arange(values.shape[1]))
        return Kinds(np.zeros(values.shape[1], np.int64), False, np.zeros(1), (everyone,))
    rarely_silent = bool(np.median((values == 0).sum(axis=0)) == 0)
    views = _Views(telling(values, rarely_silent=rarely_silent), dates)
    parts = _split(views, _Part(np.flatnonzero(np.isfinite(views.whole).all(axis=0))), fewest=2)
    if len(parts) > 1 or values.shape[1] < FEW:
        # Where a fleet has several kinds, or is too small to show them, a kind may have one device.
        parts = [smaller for part in parts for smaller in _split(views, part, fewest=1)]
    return _labelled(parts, views.whole[LEVEL], rarely_silent=rarely_silent)


class _Views:
    """The descriptions of a fleet, and those of either half of its record, made when they are first asked for."""

    def __init__(self, values: FloatArray, dates: DateArray) -> None:
        self._values, self._dates = values, dates
        self.whole = describe(values, dates)
        self.described = int(np.isfinite(self.whole).all(axis=0).sum())
        self.floor = ERROR / np.sqrt(max(len(values), 1))

    @cached_property
    def halves(self) -> tuple[FloatArray, ...]:
        """The descriptions of the first and of the second half; none where they would be too short."""
        half = len(self._values) // 2
        parts = (slice(half), slice(half, None)) if half >= SHORTEST_HALF else ()
        return tuple(describe(self._values[part], self._dates[part]) for part in parts)


def _split(views: _Views, part: _Part, fewest: int) -> list[_Part]:
    """The part, or what it falls into.

    Args:
        views: the descriptions of the fleet.
        part: the devices to split, all of them described.
        fewest: devices that a part must have.
    """
    best = _widest(views, part.devices, fewest, 0.0)
    if best is None:
        # Only then: a cut between kinds would leave some of a third kind on the wrong side.
        best = _widest(views, part.devices, fewest, STRAYS)
    if best is None:
        return [part]
    rows = views.whole[:, part.devices]
    cut = _nearer(rows, best, views.floor)
    beyond = cut.beyond(rows)
    return [
        smaller
        for side in (False, True)
        for smaller in _split(views, _Part(part.devices[beyond == side], (*part.cuts, (cut, side))), fewest)
    ]


def _widest(views: _Views, group: IntArray, fewest: int, strays: float) -> BoolArray | None:
    """The part of the group beyond its widest gap; None where no gap is wide enough."""
    rows = views.whole[:, group]
    best, widest = None, 1.0
    for part in _candidates(rows, max(fewest, int(SMALL_SHARE * views.whole.shape[1]))):
        gap = _gap(rows, part, views.floor, several=len(group) < views.described, strays=strays)
        if gap > widest and all(_lasts(half[:, group], part, views.floor) for half in views.halves):
            best, widest = part, gap
    return best


def _nearer(rows: FloatArray, part: BoolArray, floor: float) -> _Cut:
    """What parts a part from the rest, told by all descriptions: the middle of the gap where nobody stands in it.

    Else the middle between the two; those on the wrong side of it change over.
    """
    low, high, spread = _centres(rows, part, floor)
    weights = (high - low) / spread**2
    along, middle = weights @ rows, float(weights @ (high + low) / 2)
    begins, ends = float(along[part].min()), float(along[~part].max())
    # The centre of a part that holds several kinds is that of one of them: the middle would cut through another.
    empty = begins - ends >= EMPTY * float(np.median(along[part]) - np.median(along[~part]))
    return _Cut(weights, (begins + ends) / 2 if empty else middle)


def _labelled(parts: list[_Part], levels: FloatArray, *, rarely_silent: bool) -> Kinds:
    """The kinds, with the devices that could not be described in that of the nearest level, or in the largest.

    Args:
        parts: the devices of each that are described.
        levels: float64 (devices,), of all devices.
        rarely_silent: as in ``Kinds``.
    """
    rest = np.setdiff1d(np.arange(len(levels)), np.concatenate([part.devices for part in parts]))
    parts = sorted((part for part in parts if len(part.devices)), key=lambda part: -len(part.devices)) or parts[:1]
    centres = np.array([np.median(levels[part.devices]) if len(part.devices) else 0.0 for part in parts])
    labels = np.zeros(len(levels), np.int64)
    for label, part in enumerate(parts):
        labels[part.devices] = label
    labels[rest] = _nearest(levels[rest], centres)
    return _by_size(labels, centres, parts, rarely_silent=rarely_silent)


def _by_size(labels: IntArray, centres: FloatArray, parts: list[_Part], *, rarely_silent: bool) -> Kinds:
    """The kinds, the largest first, of equals that of the first device."""
    sizes = np.bincount(labels, minlength=len(parts))
    firsts = [int(np.flatnonzero(labels == label)[0]) if sizes[label] else 0 for label in range(len(parts))]
    order = sorted(range(len(parts)), key=lambda label: (-sizes[label], firsts[label]))
    place = np.empty(len(parts), np.int64)
    place[order] = np.arange(len(parts))
    return Kinds(place[labels], rarely_silent, centres[order], tuple(parts[label] for label in order))


def _nearest(levels: FloatArray, centres: FloatArray) -> IntArray:
    """The kind of the nearest level for each of some levels (devices,); the first kind for one that is not known."""
    near: IntArray = np.abs(centres - np.nan_to_num(levels)[:, None]).argmin(axis=1)
    return np.where(np.isfinite(levels), near, 0)


def _candidates(rows: FloatArray, fewest: int) -> list[BoolArray]:
    """Parts of a group (devices,) that lie beyond one of the widest steps in one description."""
    parts = []
    for row in rows:
        order = np.argsort(row, kind="stable")
        ordered = row[order]
        steps = np.diff(ordered)
        steps[: fewest - 1] = 0.0
        steps[len(steps) - fewest + 1 :] = 0.0
        for cut in np.argsort(-steps, kind="stable")[:_STEPS] + 1:
            apart = moments.middle_of_sorted(ordered[cut:]) - moments.middle_of_sorted(ordered[:cut])
            if steps[cut - 1] > 0 and steps[cut - 1] >= EMPTY * apart:
                part = np.zeros(len(row), bool)
                part[order[cut:]] = True
                parts.append(part)
    return parts


def _gap(rows: FloatArray, part: BoolArray, floor: float, *, several: bool = False, strays: float = 0.0) -> float:
    """Ashman's D between a part and the rest over the one that is needed, along the line that parts them best.

    The line is that of linear discriminant analysis (Fisher 1936) with independent descriptions. Where the fleet is
    known to have several kinds, one device needs less to be another. A share of either side may stray into the gap.
    """
    low, high, spread = _centres(rows, part, floor)
    few = min(int(part.sum()), int((~part).sum()))
    if not any(abs(high[row] - low[row]) >= least for row, least in PURPOSE.items()):
        return 0.0
    # What is wrong with a few odd devices may be alike; that they are of another kind shows in several ways.
    ways = int((np.abs(high - low) > WIDE_GAP * spread).sum())
    if (few == 1 or few < FEW_SHARE * len(part)) and ways < (WAYS - 1 if several and few == 1 else WAYS):
        return 0.0
    if few == 1 and not several and abs(high[LEVEL] - low[LEVEL]) < ANOTHER_LEVEL:
        return 0.0
    weights = (high - low) / spread**2
    along = weights @ rows
    ends = np.median(along[part]) - np.median(along[~part])
    upper, lower = np.sort(along[part]), -np.sort(-along[~part])
    if upper[int(strays * len(upper))] - lower[int(strays * len(lower))] < EMPTY * ends:
        return 0.0
    return _apart(along, part, floor * float(np.sqrt(weights @ weights))) / (WIDE_GAP + SMALL_GROUP / few)


def _apart(along: FloatArray, part: BoolArray, noise: float) -> float:
    """Ashman's D of a part and the rest on a line, whose numbers are not known better than the noise."""
    spread = max(moments.robust_spread(along[part]), moments.robust_spread(along[~part]), noise)
    return float(np.median(along[part]) - np.median(along[~part])) / spread


def _lasts(rows: FloatArray, part: BoolArray, floor: float) -> bool:
    """Whether a gap is there in half of the record, too: what happened on the way makes no kind."""
    known = np.isfinite(rows).all(axis=0)
    rows, part = rows[:, known], part[known]
    if not part.any() or part.all():
        return False
    low, high, spread = _centres(rows, part, floor)
    weights = (high - low) / spread**2
    return _apart(weights @ rows, part, floor * float(np.sqrt(weights @ weights))) > WIDE_GAP


def _centres(rows: FloatArray, part: BoolArray, floor: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centres of the rest and of a part, and the wider spread of the two, floor at least; each (descriptions,)."""
    (low, low_spread), (high, high_spread) = (_centre(rows[:, side]) for side in (~part, part))
    return low, high, np.maximum(np.maximum(low_spread, high_spread), floor)


def _centre(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median and robust spread (descriptions,) of rows (descriptions, devices)."""
    centre = np.median(rows, axis=1)
    return centre, 1.4826 * np.median(np.abs(rows - centre[:, None]), axis=1)
