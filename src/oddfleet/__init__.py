"""Which devices of a fleet behave oddly, why, and since when."""

from __future__ import annotations
