"""The fleet day by day: what it carried, what is usual for such a day, and which days were odd for all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from oddfleet.model.fleet import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class AnomalousDay:
    """A day, or several in a row, on which most of the fleet carried more or less than is usual for such days.

    Attributes:
        day: the day, or the first of several.
        until: the last of them; ``day`` itself where it is one.
        change: by what share the average device carried more (above 0) or less, each counted by its own usual and the
            outer tenths left out; NaN where they usually carry nothing.
        devices: the share of the devices that were beyond their own usual in that direction; 0.5 where all is as ever.
        p_value: chance of any such day in the record of a fleet without one.
        text: one plain sentence with the numbers in it.
    """

    day: date
    until: date
    change: float
    devices: float
    p_value: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class FleetDays:
    """What a fleet carried on each day (arrays (days,)).

    Attributes:
        total_mb: float64, the sum of all devices, in MB; a device without observation adds nothing.
        observed: int, devices with an observation.
        usual_mb: float64, what is usual for the total of such a day, in MB; NaN where no day about has any.
        low_mb: float64, the lower, and
        high_mb: the upper end of the band of what is usual, in MB.
        anomalous: the days that were odd for the whole fleet, in order of time.
    """

    total_mb: FloatArray
    observed: IntArray
    usual_mb: FloatArray
    low_mb: FloatArray
    high_mb: FloatArray
    anomalous: tuple[AnomalousDay, ...] = ()
