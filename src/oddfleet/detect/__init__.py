"""The statistics: arrays in, arrays out. No files, no clock, no hidden randomness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddfleet.lazily import lazily

if TYPE_CHECKING:
    from oddfleet.detect.oddities import find_oddities
else:
    # scipy is imported here and nowhere else: a run imports it while a second thread stores the rows.
    __getattr__, __dir__ = lazily(__name__, {"oddities": ("find_oddities",)})

__all__ = ["find_oddities"]
