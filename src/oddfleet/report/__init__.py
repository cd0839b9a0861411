"""What a run shows: JSON documents, pictures, one page and lines on the console, from the same findings."""

from __future__ import annotations

from oddfleet.report.console import Progress, print_selftest, print_summary
from oddfleet.report.documents import error_json, findings_json, oddities_json, selftest_json
from oddfleet.report.html import report_html
from oddfleet.report.plots import draw_device, write_plots
from oddfleet.report.wording import visible

__all__ = [
    "Progress",
    "draw_device",
    "error_json",
    "findings_json",
    "oddities_json",
    "print_selftest",
    "print_summary",
    "report_html",
    "selftest_json",
    "visible",
    "write_plots",
]
