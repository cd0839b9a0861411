from __future__ import annotations

from oddfleet.processors import usable_processors


def test_this_process_may_use_a_processor() -> None:
    assert usable_processors() >= 1
