"""Bokeh's JavaScript, as a page carries it: packed, and run only if it is what was packed.

Charts are made in the browser with BokehJS (``templates/report.js``). Made with Bokeh for Python, each would take 30 KB
of JSON, and its import half a second of every run; so of the Python package only two files are read.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

_PARTS = ("bokeh.min.js", "bokeh-api.min.js")
_QUICKLY = 1
"""Packed in a quarter of the time of the smallest, the page has 0.1 MB more."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script of a page.

    Attributes:
        text: what runs.
    """

    text: str

    @property
    def source(self) -> str:
        """By which the page's content security policy knows it, such as ``'sha256-...'``."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

    @property
    def packed(self) -> str:
        """The text as zlib's bytes in base 64."""
        return base64.b64encode(zlib.compress(self.text.encode(), _QUICKLY)).decode("ascii")


def bokeh_js() -> Script:
    """BokehJS and its plotting interface, of the installed package."""
    folder = Path(str(distribution("bokeh").locate_file("bokeh/server/static/js")))
    return Script("\n".join((folder / part).read_text(encoding="utf-8") for part in _PARTS))
