"""What a run shows: JSON documents, pictures, one page and lines on the console, from the same findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddfleet.lazily import lazily

if TYPE_CHECKING:
    from oddfleet.report.chart import shown
    from oddfleet.report.console import print_compaction, print_selftest, print_summary
    from oddfleet.report.documents import (
        compaction_json,
        explanation_json,
        findings_json,
        oddities_json,
        selftest_json,
    )
    from oddfleet.report.explanation import print_explanation
    from oddfleet.report.html import report_html
    from oddfleet.report.painter import Painter
    from oddfleet.report.plots import draw_device, write_plots
    from oddfleet.report.progress import Progress
    from oddfleet.report.reading import Results, read_findings
else:
    # Rich, Jinja2 and matplotlib: each only where something is printed, or drawn.
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "chart": ("shown",),
            "console": ("print_compaction", "print_selftest", "print_summary"),
            "documents": (
                "compaction_json",
                "explanation_json",
                "findings_json",
                "oddities_json",
                "selftest_json",
            ),
            "explanation": ("print_explanation",),
            "html": ("report_html",),
            "painter": ("Painter",),
            "plots": ("draw_device", "write_plots"),
            "progress": ("Progress",),
            "reading": ("Results", "read_findings"),
        },
    )

__all__ = [
    "Painter",
    "Progress",
    "Results",
    "compaction_json",
    "draw_device",
    "explanation_json",
    "findings_json",
    "oddities_json",
    "print_compaction",
    "print_explanation",
    "print_selftest",
    "print_summary",
    "read_findings",
    "report_html",
    "selftest_json",
    "shown",
    "write_plots",
]
