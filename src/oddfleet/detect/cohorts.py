"""Which devices are judged together, and what each of these cohorts is called."""

from __future__ import annotations

from collections import Counter

from oddfleet.errors import SettingsError
from oddfleet.model import AnyFleet

FEWEST_DEVICES = 5
"""A smaller group of a meta column is judged with the rest of the fleet: it could not say what is usual in it."""
REST = "fleet"


def by_column(fleet: AnyFleet, choice: str) -> tuple[str, ...]:
    """The cohort of every device by a column of the meta file.

    Args:
        fleet: the fleet.
        choice: ``"none"`` judges the fleet as one; anything else is a column of the meta file whose values are the
            cohorts. Devices without a value, and those of groups smaller than ``FEWEST_DEVICES``, are judged together.

    Raises:
        SettingsError: when there is no such column.
    """
    if choice == "none":
        return (REST,) * fleet.n_devices
    if choice not in fleet.attributes:
        raise SettingsError(
            f"cohorts: must be 'auto', 'none' or a column of the meta file "
            f"({', '.join(sorted(fleet.attributes)) or 'it has none'}), got {choice!r}; choose one of these"
        )
    labels = fleet.attributes[choice]
    large = {label for label, count in Counter(labels).items() if label is not None and count >= FEWEST_DEVICES}
    return tuple(label if label is not None and label in large else REST for label in labels)


def name(kind: int, kinds: int) -> str:
    """What one of so many kinds is called."""
    return REST if kinds == 1 else f"cohort {kind + 1}"
