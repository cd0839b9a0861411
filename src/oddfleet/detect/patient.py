"""An odd device under diagnosis, and what is found about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from oddfleet.detect import moments
from oddfleet.detect.judge import TESTS, Judgement
from oddfleet.detect.repeats import Repeats
from oddfleet.model import BoolArray, FloatArray, Kind


@dataclass(frozen=True, slots=True, eq=False)
class Symptom:
    """One thing that is odd about a device.

    Attributes:
        kind: which.
        test: the test that is most surprising about it.
        log_p: log p-value of that test, for this test alone.
        series: the series (days,) in which it was seen, on the scale of its cohort and without what the fleet shares:
            the device's own, less what was found before.
        days: bool (days,), the days it speaks of where that is a stretch or certain days; else None.
    """

    kind: Kind
    test: str
    log_p: float
    series: FloatArray
    days: BoolArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """One odd device with all that a diagnosis needs.

    Attributes:
        judgement: the tests of its cohort.
        place: which device of the cohort.
        replay: its replay of its own days, and
        copy: its copy of another's: first day and number of days of each.
        limit: log p-value from which on a test is significant.
    """

    judgement: Judgement
    place: int
    replay: tuple[int, int]
    copy: tuple[int, int]
    limit: float

    @property
    def named(self) -> Patient:
        """The same with its clearest test significant: in a sick fleet some are named that alone would not be."""
        return replace(self, limit=max(self.limit, float(self.judgement.log_p[:, self.place].min())))

    @property
    def values(self) -> FloatArray:
        """Its series (days,), MB a day."""
        values: FloatArray = self.judgement.block.values[:, self.place]
        return values

    @property
    def follows(self) -> float:
        """How strongly it follows what its cohort shares, where 1 is usual; NaN where nothing is shared."""
        return float(self.followings[self.place])

    @property
    def followings(self) -> FloatArray:
        """The same of every device of the cohort (devices,)."""
        coupling = self.judgement.table.row("coupling_share")
        followings: FloatArray = coupling / moments.median(coupling[:, None])[0]
        return followings

    def away(self, feature: str) -> float:
        """How far a feature is from what is usual for a device like this one."""
        return float(moments.median(self.apart(feature)[:, None])[0])

    def apart(self, feature: str) -> FloatArray:
        """How far a feature of this device is above that of every device of the cohort (devices,)."""
        row = self.judgement.loose.row(feature)
        apart: FloatArray = row[self.place] - row
        return apart


def patient(judgement: Judgement, place: int, device: int, repeated: tuple[Repeats, Repeats], alpha: float) -> Patient:
    """Gather what a diagnosis needs.

    Args:
        judgement: the tests of the device's cohort.
        place: which device of the cohort.
        device: which device of the fleet.
        repeated: replays and copies of the fleet.
        alpha: the false-alarm rate; a test is significant at this rate over the number of tests.
    """
    replay, copy = ((int(found.start[device]), int(found.days[device])) for found in repeated)
    return Patient(judgement, place, replay, copy, float(np.log(alpha / len(TESTS))))


def seen_before(odd: Patient, log_p: FloatArray, above: BoolArray) -> FloatArray:
    """The p-values (tests, versions) of what the untouched record shows too, on the same side; else no surprise.

    What only a repair brings to light is the repair's doing as often as the device's.
    """
    before = odd.judgement.log_p[:, odd.place][:, None]
    same_side = above == odd.judgement.above[:, odd.place][:, None]
    return np.where(same_side, np.maximum(log_p, before), 0.0)
