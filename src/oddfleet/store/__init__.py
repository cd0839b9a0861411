"""The SQLite database: every line that was read, and the standing questions asked in SQL."""

from __future__ import annotations

from oddfleet.store.database import answer_questions, read_meta, write_database

__all__ = ["answer_questions", "read_meta", "write_database"]
