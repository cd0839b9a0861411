"""Which devices are judged together."""

from __future__ import annotations

from oddfleet.errors import SettingsError
from oddfleet.model import Fleet

FEWEST_DEVICES = 5
"""A smaller group is judged with the rest of the fleet: it could not say what is usual in it."""
REST = "fleet"


def assign(fleet: Fleet, choice: str) -> tuple[str, ...]:
    """The cohort of every device.

    Args:
        fleet: the fleet.
        choice: ``"auto"`` and ``"none"`` judge the fleet as one cohort (none are looked for yet); anything else
            is a column of the meta file whose values are the cohorts. Devices without a value, and those of groups
            smaller than ``FEWEST_DEVICES``, are judged together.

    Raises:
        SettingsError: when there is no such column.
    """
    if choice in ("auto", "none"):
        return (REST,) * fleet.n_devices
    if choice not in fleet.attributes:
        raise SettingsError(
            f"cohorts: must be 'auto', 'none' or a column of the meta file "
            f"({', '.join(sorted(fleet.attributes)) or 'it has none'}), got {choice!r}; choose one of these"
        )
    labels = fleet.attributes[choice]
    large = {label for label in set(labels) if label is not None and labels.count(label) >= FEWEST_DEVICES}
    return tuple(label if label is not None and label in large else REST for label in labels)
