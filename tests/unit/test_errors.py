"""How errors are said, whatever they hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import oddfleet
from oddfleet.errors import error_json, visible


def test_visible_writes_out_what_steers_a_terminal_or_hides() -> None:
    assert visible("客厅 ünïcode <b>") == "客厅 ünïcode <b>"
    assert visible("a\x1b[2J\n\x00\u202eb\ud800") == "a\\x1b[2J\\n\\x00\\u202eb\\ud800"


@pytest.mark.parametrize("said", ['data: "x" is missing', "höhle/客厅: a line\nand half a pair \ud800"])
def test_an_error_is_a_document_too(said: str) -> None:
    assert json.loads(error_json(said).encode("ascii")) == {"schema": 1, "error": said}


def test_all_public_names_are_there_and_no_other() -> None:
    assert set(oddfleet.__all__) <= set(dir(oddfleet))
    assert [name for name in oddfleet.__all__ if not hasattr(oddfleet, name)] == []
    assert not hasattr(oddfleet, "find_oddity")


def test_help_needs_none_of_the_large_libraries() -> None:
    hook = (
        "import sys; from oddfleet.cli import app; app(['run', '--help'], standalone_mode=False); "
        "sys.exit(sorted({'numpy', 'scipy', 'polars', 'matplotlib', 'sqlite3'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", hook], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
