"""Known fleets and known faults, for the demonstration, ``selftest``, the tests and the benchmarks."""

from oddfleet.plant.faults import DATED, FAULTS, Planted, plant_fault, with_fault
from oddfleet.plant.fleets import FLEETS, healthy_fleet, sample_fleet, steady_fleet
from oddfleet.plant.folder import write_folder

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
