"""What was read, kept: the SQLite database with the standing questions in SQL, or one Parquet file."""

from __future__ import annotations

from oddfleet.store.compact import is_rejected_file, write_parquet, write_rejected
from oddfleet.store.database import answer_questions, read_devices, read_meta, read_series, write_database

__all__ = [
    "answer_questions",
    "is_rejected_file",
    "read_devices",
    "read_meta",
    "read_series",
    "write_database",
    "write_parquet",
    "write_rejected",
]
