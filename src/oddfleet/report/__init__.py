"""What a run shows: JSON documents, pictures, one page and lines on the console, from the same findings."""

from __future__ import annotations

from oddfleet.report.console import Progress, print_compaction, print_selftest, print_summary
from oddfleet.report.documents import compaction_json, findings_json, oddities_json, selftest_json
from oddfleet.report.html import report_html
from oddfleet.report.plots import draw_device, write_plots

__all__ = [
    "Progress",
    "compaction_json",
    "draw_device",
    "findings_json",
    "oddities_json",
    "print_compaction",
    "print_selftest",
    "print_summary",
    "report_html",
    "selftest_json",
    "write_plots",
]
