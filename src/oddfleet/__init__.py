"""Which devices of a fleet behave oddly, why, and since when.

>>> import oddfleet
>>> fleet = oddfleet.plant.sample_fleet()
>>> oddfleet.find_oddities(fleet).ids == [] or "some are odd"
'some are odd'
"""

from __future__ import annotations

from oddfleet import plant
from oddfleet.errors import InputError, OddfleetError, OutputError, SettingsError
from oddfleet.model import FaultTest, Finding, Fleet, Kind, Oddities, SelfTest
from oddfleet.pipeline import find_oddities, read, selftest

__all__ = [
    "FaultTest",
    "Finding",
    "Fleet",
    "InputError",
    "Kind",
    "OddfleetError",
    "Oddities",
    "OutputError",
    "SelfTest",
    "SettingsError",
    "find_oddities",
    "plant",
    "read",
    "selftest",
]
