"""Files in, tables of rows out: every line is either a row or a data issue, never lost and never a crash."""

from __future__ import annotations

from oddfleet.ingest.read import read_source
from oddfleet.ingest.scan import Stored, fleet_of, scan_source
from oddfleet.ingest.source import Source, to_fleet

__all__ = ["Source", "Stored", "fleet_of", "read_source", "scan_source", "to_fleet"]
