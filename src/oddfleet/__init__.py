"""Which devices of a fleet behave oddly, why, and since when.

>>> import oddfleet
>>> fleet = oddfleet.plant.sample_fleet()
>>> oddfleet.find_oddities(fleet).ids == [] or "some are odd"
'some are odd'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from oddfleet.errors import InputError, OddfleetError, OutputError, SettingsError

if TYPE_CHECKING:
    from oddfleet import plant
    from oddfleet.model import AnomalousDay, FaultTest, Finding, Fleet, FleetDays, Kind, Oddities, SelfTest
    from oddfleet.pipeline import find_oddities, read, scan, selftest
else:
    # numpy and scipy take most of a second to import: the command line shows its help, and hears Ctrl-C, without them.
    _MODULES = {
        **dict.fromkeys(
            ("AnomalousDay", "FaultTest", "Finding", "Fleet", "FleetDays", "Kind", "Oddities", "SelfTest"),
            "oddfleet.model",
        ),
        **dict.fromkeys(("find_oddities", "read", "scan", "selftest"), "oddfleet.pipeline"),
    }

    def __getattr__(name):
        if name == "plant":
            return importlib.import_module("oddfleet.plant")
        if name in _MODULES:
            return getattr(importlib.import_module(_MODULES[name]), name)
        raise AttributeError(f"module 'oddfleet' has no attribute '{name}'")

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "AnomalousDay",
    "FaultTest",
    "Finding",
    "Fleet",
    "FleetDays",
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
    "scan",
    "selftest",
]
