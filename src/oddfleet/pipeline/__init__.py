"""A function for each thing a user can ask for: read, judge, run, demonstrate, test the watchman, compact, explain."""

from __future__ import annotations

from oddfleet.pipeline.compacting import compact
from oddfleet.pipeline.explaining import explain
from oddfleet.pipeline.judging import Run, demo, find_oddities, read, run, scan
from oddfleet.pipeline.progress import Progress
from oddfleet.pipeline.selftesting import selftest, selftest_data

__all__ = [
    "Progress",
    "Run",
    "compact",
    "demo",
    "explain",
    "find_oddities",
    "read",
    "run",
    "scan",
    "selftest",
    "selftest_data",
]
