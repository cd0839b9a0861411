"""Freed memory is used again, and not given back to the system, which would have to clear it anew."""

from __future__ import annotations

import numpy as np

_JUST_BELOW = (32 << 20) - (1 << 16)
"""The largest block from which glibc learns has 32 MB."""


def keep_freed_memory() -> None:
    """Let the C library keep up to 64 MB that are freed.

    The detector makes and frees thousands of matrices of a few MB. glibc has the system map each, page by page of
    zeros, a sixth of the detector's time, until a larger one was freed. So one is, into which nobody ever looks (see
    ``M_MMAP_THRESHOLD`` in mallopt(3)). Elsewhere nothing happens.
    """
    np.empty(_JUST_BELOW, np.uint8)
