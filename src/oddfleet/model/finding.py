"""What the program says: findings about devices, and issues with the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from oddfleet.errors import InputError
from oddfleet.model.days import FleetDays
from oddfleet.model.fleet import DeviceId, FloatArray

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles by which a finding is compared with its cohort."""


class Kind(StrEnum):
    """The ways a device can be odd, in the words of ``docs/glossary.md``."""

    MISSING_DAYS = "missing_days"
    DUPLICATE_DAYS = "duplicate_days"
    INVALID_VALUES = "invalid_values"
    NEGATIVE_TRAFFIC = "negative_traffic"
    INACTIVE = "inactive"
    LEVEL = "level"
    SPREAD = "spread"
    SHAPE = "shape"
    ROUNDED = "rounded"
    WEEKLY_RHYTHM = "weekly_rhythm"
    CYCLE = "cycle"
    DETACHED = "detached"
    LEVEL_SHIFT = "level_shift"
    DRIFT = "drift"
    WANDER = "wander"
    VOLATILITY_CHANGE = "volatility_change"
    SPIKES = "spikes"
    FROZEN = "frozen"
    REPLAYED = "replayed"
    COPIED = "copied"
    MIXTURE = "mixture"


@dataclass(frozen=True, slots=True)
class DataIssue:
    """A piece of input that could not be used.

    Attributes:
        file: the file as the user named it.
        line: line number in the file, the first line being 1; 0 when it is about the file as a whole.
        text: the offending text as it stood (shortened when very long).
        reason: why it could not be used, in plain words.
    """

    file: str
    line: int
    text: str
    reason: str

    @property
    def sentence(self) -> str:
        """Where it is and what is wrong with it, without the text."""
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim about one device, with the numbers to check it by hand.

    Attributes:
        device_id: the device.
        name: its name in the meta file; None where it has none.
        kind: what is odd.
        since: first day the finding speaks of; None when it holds for the whole record.
        until: last day the finding speaks of; None when it holds for the whole record.
        days: number of days it speaks of.
        value: what was measured on this device, in ``unit``.
        usual: what is usual in its cohort (the centre), in ``unit``.
        unit: unit of ``value`` and ``usual``.
        p_value: chance of something at least as surprising in a healthy device; None for a broken
            promise, which is a fact and not a statistic.
        text: one plain sentence with the numbers in it.
        rivals: other explanations that this data cannot rule out.
        next_check: what to look at next.
    """

    device_id: DeviceId
    name: str | None
    kind: Kind
    since: date | None
    until: date | None
    days: int
    value: float
    usual: float
    unit: str
    p_value: float | None
    text: str
    rivals: tuple[str, ...]
    next_check: str

    def _repr_html_(self) -> str:
        from oddfleet.model.notebook import finding_html  # noqa: PLC0415 - only a notebook asks for it

        return finding_html(self)


@dataclass(frozen=True, slots=True, eq=False)
class Oddities:
    """The decision about a fleet.

    Attributes:
        ids: odd device ids, oddest first; empty when nothing is odd.
        findings: the findings about all devices, those of odd devices first, strongest first per
            device. A broken promise is reported even where it does not make its device odd.
        table: one column a name, one entry a device: ``id``, ``name``, ``cohort``, ``p_value``, ``odd``,
            ``silent_days`` (since it last had traffic, when the record ends) and every feature (float, NaN where it
            cannot be computed).
        alpha: the false-alarm rate the decision was made for.
        notes: sentences about the decision as a whole (such as a fleet too small to compare).
        among: the ``QUANTILES`` of what the cohort measures where a finding about an odd device tells ``value``, by
            device and kind, in the finding's unit; of steps and drifts the size. Empty where nobody has a number.
        days: the fleet day by day; None where nobody looked.
        draw: draws, for a decision, a device of its fleet as a matplotlib Figure; None where the fleet is not known.
    """

    ids: list[DeviceId]
    findings: tuple[Finding, ...]
    table: Mapping[str, Sequence[Any]]
    alpha: float
    notes: tuple[str, ...] = ()
    among: Mapping[tuple[DeviceId, Kind], FloatArray] = field(default_factory=dict)
    days: FleetDays | None = None
    draw: Callable[[Oddities, DeviceId], Any] | None = field(default=None, repr=False)

    @property
    def devices(self) -> Any:
        """``table`` as a Polars DataFrame, one row a device; ids are text where some are no numbers."""
        import narwhals as nw  # noqa: PLC0415 - no run asks for it

        columns = dict(self.table)
        if any(isinstance(device_id, str) for device_id in columns["id"]):
            columns["id"] = [str(device_id) for device_id in columns["id"]]
        return nw.from_dict(columns, backend="polars").to_native()

    def of(self, device_id: DeviceId) -> tuple[Finding, ...]:
        """The findings about one device, strongest first."""
        return tuple(finding for finding in self.findings if finding.device_id == device_id)

    def plot(self, device_id: DeviceId) -> Any:
        """A device's daily traffic against the band of its cohort, with its findings marked, as a matplotlib Figure.

        Args:
            device_id: any device of the fleet, odd or not.

        Raises:
            InputError: when the fleet has no such device, or the result does not know its fleet.
        """
        if self.draw is None:
            raise InputError(
                f"device {device_id!r}: the fleet is needed to draw it, got a result without; run "
                "oddfleet.find_oddities(fleet) and plot its result"
            )
        return self.draw(self, device_id)

    def _repr_html_(self) -> str:
        from oddfleet.model.notebook import oddities_html  # noqa: PLC0415 - only a notebook asks for it

        return oddities_html(self)
