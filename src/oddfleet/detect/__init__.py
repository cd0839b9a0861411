"""The statistics: arrays in, arrays out. No files, no clock, no hidden randomness."""

from __future__ import annotations

from oddfleet.detect.oddities import find_oddities

__all__ = ["find_oddities"]
