"""What a run shows: JSON documents, pictures, one page and lines on the console, from the same findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddfleet.lazily import lazily

if TYPE_CHECKING:
    from oddfleet.report.chart import shown
    from oddfleet.report.documents import (
        compaction_json,
        explanation_json,
        findings_json,
        oddities_json,
        selftest_json,
    )
    from oddfleet.report.page.html import report_html
    from oddfleet.report.picture.painter import Painter
    from oddfleet.report.picture.plots import draw_device, write_plots
    from oddfleet.report.reading import Results, read_findings
    from oddfleet.report.terminal.console import print_compaction, print_selftest, print_summary
    from oddfleet.report.terminal.explanation import print_explanation
    from oddfleet.report.terminal.progress import Progress
else:
    # Rich, Jinja2 and matplotlib: each only where something is printed, or drawn.
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "chart": ("shown",),
            "terminal.console": ("print_compaction", "print_selftest", "print_summary"),
            "documents": (
                "compaction_json",
                "explanation_json",
                "findings_json",
                "oddities_json",
                "selftest_json",
            ),
            "terminal.explanation": ("print_explanation",),
            "page.html": ("report_html",),
            "picture.painter": ("Painter",),
            "picture.plots": ("draw_device", "write_plots"),
            "terminal.progress": ("Progress",),
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
