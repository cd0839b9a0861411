"""Known fleets and known faults, for the demonstration, ``selftest``, the tests and the benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddfleet.lazily import lazily

if TYPE_CHECKING:
    from oddfleet.plant.faults import DATED, FAULTS, Planted, plant_fault, with_fault
    from oddfleet.plant.fleets import FLEETS, healthy_fleet, sample_fleet, steady_fleet
    from oddfleet.plant.folder import write_folder
else:
    # A run plants nothing.
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "faults": ("DATED", "FAULTS", "Planted", "plant_fault", "with_fault"),
            "fleets": ("FLEETS", "healthy_fleet", "sample_fleet", "steady_fleet"),
            "folder": ("write_folder",),
        },
    )

__all__ = [
    "DATED",
    "FAULTS",
    "FLEETS",
    "Planted",
    "healthy_fleet",
    "plant_fault",
    "sample_fleet",
    "steady_fleet",
    "with_fault",
    "write_folder",
]
