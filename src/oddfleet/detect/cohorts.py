"""Which devices are judged together: a camera is not odd for not being a thermostat.

Where no column of the meta file says it, the fleet is split wherever one of a few descriptions of its devices leaves a
wide gap between two groups, and each part again (divisive clustering; the gap is Ashman's D, Ashman et al. 1994,
with robust centres and spreads). A group must be large enough for no odd device to found one.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from oddfleet.detect import moments, scores
from oddfleet.detect.habits import weekdays
from oddfleet.errors import SettingsError
from oddfleet.model import BoolArray, DateArray, Fleet, FloatArray, IntArray

FEWEST_DEVICES = 5
"""A smaller group of a meta column is judged with the rest of the fleet: it could not say what is usual in it."""
REST = "fleet"
WIDE_GAP = 5.0
"""Ashman's D that parts two kinds; the halves of one bell are 2.3 apart, the end of an exponential tail 3.3."""
SMALL_GROUP = 30.0
"""The spread of a small group is badly known: over its size, this is added to the gap that is needed."""
EMPTY = 0.2
"""So much of the way between the two centres holds no device: a few odd ones may stand in the gap."""
STRAYS = 0.05
"""Of either part this share may stand anywhere: what is odd about them may look like the way to the other part."""
LEVEL, SPREAD, WEEK = 0, 1, 4
"""Rows of ``describe``."""
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


def assign(fleet: Fleet, choice: str) -> tuple[str, ...]:
    """The cohort of every device.

    Args:
        fleet: the fleet.
        choice: ``"auto"`` finds them; ``"none"`` judges the fleet as one; anything else
            is a column of the meta file whose values are the cohorts. Devices without a value, and those of groups
            smaller than ``FEWEST_DEVICES``, are judged together.

    Raises:
        SettingsError: when there is no such column.
    """
    if choice == "none":
        return (REST,) * fleet.n_devices
    if choice == "auto":
        return _named(find(fleet.values, fleet.dates))
    if choice not in fleet.attributes:
        raise SettingsError(
            f"cohorts: must be 'auto', 'none' or a column of the meta file "
            f"({', '.join(sorted(fleet.attributes)) or 'it has none'}), got {choice!r}; choose one of these"
        )
    labels = fleet.attributes[choice]
    large = {label for label in set(labels) if label is not None and labels.count(label) >= FEWEST_DEVICES}
    return tuple(label if label is not None and label in large else REST for label in labels)


def find(values: FloatArray, dates: DateArray) -> IntArray:
    """Find the kinds of devices in a fleet.

    Args:
        values: float64 (days, devices), MB a day; NaN = no observation.
        dates: datetime64[D] (days,).

    Returns:
        int (devices,), the cohort of each: 0 for the largest, and so on.
    """
    if values.size == 0:
        return np.zeros(values.shape[1], np.int64)
    rarely_silent = np.median((values == 0).sum(axis=0)) == 0
    # Where silence is a fault, what a device is shows on its other days.
    views = _Views(np.where(values == 0, np.nan, values) if rarely_silent else values, dates)
    known = np.flatnonzero(np.isfinite(views.whole).all(axis=0))
    groups = _split(views, known, fewest=2)
    if len(groups) > 1 or values.shape[1] < FEW:
        # Where a fleet has several kinds, or is too small to show them, a kind may have one device.
        groups = [part for group in groups for part in _split(views, group, fewest=1)]
    groups = _with_rest(groups, views.whole[0])
    groups.sort(key=lambda group: (-len(group), int(group[0]) if len(group) else 0))
    labels = np.zeros(values.shape[1], np.int64)
    for label, group in enumerate(groups):
        labels[group] = label
    return labels


def describe(values: FloatArray, dates: DateArray) -> FloatArray:
    """What a device is, in numbers that hold in any unit but for the level: float64 (descriptions, devices).

    Log of the level and of the relative spread, L-skewness, L-kurtosis, the weekdays' share of the variation (its root,
    as a correlation), the correlation with the day before, and the share of zeros. NaN where it cannot be told.
    """
    level, spread, skewness, kurtosis = moments.moments(values)
    away = values - moments.median(values)
    usual = np.exp(spread)
    away = np.where(np.isfinite(away), np.clip(away / np.where(usual > 0, usual, 1.0), -4, 4), 0.0)
    seen = np.isfinite(values)
    count = np.maximum(seen.sum(axis=0), 1)
    away = np.where(seen, away - away.sum(axis=0) / count, 0.0)
    square = np.maximum((away**2).sum(axis=0), 1e-12)
    week = scores.between_weekdays(away, seen, weekdays(dates))[0] / square
    memory = (away[1:] * away[:-1]).sum(axis=0) / square
    zeros = (values == 0).sum(axis=0) / count
    return np.stack([level, spread - level, skewness, kurtosis, np.sqrt(week), memory, zeros])


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


def _split(views: _Views, group: IntArray, fewest: int) -> list[IntArray]:
    """The group, or what it falls into.

    Args:
        views: the descriptions of the fleet.
        group: the devices to split, all of them described.
        fewest: devices that a part must have.
    """
    best = _widest(views, group, fewest, 0.0)
    if best is None:
        # Only then: a cut between kinds would leave some of a third kind on the wrong side.
        best = _widest(views, group, fewest, STRAYS)
    if best is None:
        return [group]
    best = _nearer(views.whole[:, group], best, views.floor)
    return [*_split(views, group[~best], fewest), *_split(views, group[best], fewest)]


def _widest(views: _Views, group: IntArray, fewest: int, strays: float) -> BoolArray | None:
    """The part of the group beyond its widest gap; None where no gap is wide enough."""
    rows = views.whole[:, group]
    best, widest = None, 1.0
    for part in _candidates(rows, max(fewest, int(SMALL_SHARE * views.whole.shape[1]))):
        gap = _gap(rows, part, views.floor, several=len(group) < views.described, strays=strays)
        if gap > widest and all(_lasts(half[:, group], part, views.floor) for half in views.halves):
            best, widest = part, gap
    return best


def _nearer(rows: FloatArray, part: BoolArray, floor: float) -> BoolArray:
    """The part, with those on the wrong side of the middle changed over: what strays is told by all descriptions."""
    low, high, spread = _centres(rows, part, floor)
    weights = (high - low) / spread**2
    nearer: BoolArray = weights @ rows > weights @ (high + low) / 2
    return nearer


def _with_rest(groups: list[IntArray], levels: FloatArray) -> list[IntArray]:
    """The groups, with the devices that could not be described in that of the nearest level, or in the largest."""
    rest = np.setdiff1d(np.arange(len(levels)), np.concatenate(groups))
    largest = max(range(len(groups)), key=lambda place: len(groups[place]))
    centres = np.array([np.median(levels[group]) if len(group) else 0.0 for group in groups])
    for device in rest:
        near = int(np.abs(centres - levels[device]).argmin()) if np.isfinite(levels[device]) else largest
        groups[near] = np.sort(np.append(groups[near], device))
    return groups


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
            apart = np.median(ordered[cut:]) - np.median(ordered[:cut])
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


def _named(labels: IntArray) -> tuple[str, ...]:
    if labels.max(initial=0) == 0:
        return (REST,) * len(labels)
    return tuple(f"cohort {label + 1}" for label in labels)
