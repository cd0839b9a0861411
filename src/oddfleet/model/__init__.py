"""The nouns: what a fleet is, what can be said of it, what could not be read. Frozen; no files, no statistics."""

from __future__ import annotations

from oddfleet.model.arrays import id_order
from oddfleet.model.days import AnomalousDay, FleetDays
from oddfleet.model.explanation import Explanation
from oddfleet.model.finding import QUANTILES, DataIssue, Finding, Kind, Oddities
from oddfleet.model.fleet import AnyFleet, BoolArray, DateArray, DeviceId, Fleet, FloatArray, IntArray
from oddfleet.model.roster import ROSTER_KEY, Roster
from oddfleet.model.selftest import FaultTest, SelfTest
from oddfleet.model.summary import TOP_DEVICES, Answers, Compaction, DataHealth, DeviceTotal

__all__ = [
    "QUANTILES",
    "ROSTER_KEY",
    "TOP_DEVICES",
    "AnomalousDay",
    "Answers",
    "AnyFleet",
    "BoolArray",
    "Compaction",
    "DataHealth",
    "DataIssue",
    "DateArray",
    "DeviceId",
    "DeviceTotal",
    "Explanation",
    "FaultTest",
    "Finding",
    "Fleet",
    "FleetDays",
    "FloatArray",
    "IntArray",
    "Kind",
    "Oddities",
    "Roster",
    "SelfTest",
    "id_order",
]
