"""What is known of one device after a run."""

from __future__ import annotations

from dataclasses import dataclass

from oddfleet.model.finding import Finding
from oddfleet.model.fleet import DateArray, DeviceId, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One device of a run: the verdict on it, its series and what was found.

    Attributes:
        device_id: the device.
        name: its name in the meta file; None where it has none.
        place: its place among the odd devices, the oddest being 1; None where it is not odd.
        n_odd: number of odd devices.
        n_devices: devices of the fleet; None where the results do not tell.
        alpha: the false-alarm rate at which the fleet was judged.
        findings: what was found, strongest first; of a device that is not odd these are broken promises.
        dates: ``datetime64[D]`` (days,), every day of the record.
        series: float64 (days,), MB a day, NaN = no observation; None where the rows were not stored.
    """

    device_id: DeviceId
    name: str | None
    place: int | None
    n_odd: int
    n_devices: int | None
    alpha: float
    findings: tuple[Finding, ...]
    dates: DateArray
    series: FloatArray | None
