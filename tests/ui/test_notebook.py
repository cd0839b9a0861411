"""The example notebook runs from top to bottom and shows what is kept in it.

``python -m tests.ui.test_notebook`` renews what is kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.test_docs import broken_links

nbclient = pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat, which reads notebooks, is not installed")
pytest.importorskip("ipykernel", reason="ipykernel, in which notebooks run, is not installed")

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "docs" / "example.ipynb"
MOST_BYTES = 200_000
PICTURE = "image/png"


def executed(path: Path) -> Any:
    """The notebook with the outputs of a fresh kernel."""
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=120, record_timing=False, resources=place).execute()
    return notebook


def as_kept(notebook: Any) -> Any:
    """The notebook without what differs between machines, is large, or stands in for what cannot be shown."""
    notebook.metadata.language_info = {"name": "python"}
    for output in outputs(notebook):
        output.data.pop(PICTURE, None)
        if "text/html" in output.data:
            output.data.pop("text/plain", None)
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.fixture(scope="module")
def fresh() -> Any:
    return executed(EXAMPLE)


def test_every_cell_runs_and_nothing_is_printed_or_complained_of(fresh: Any) -> None:
    assert {output.output_type for output in outputs(fresh)} == {"execute_result"}


def test_a_figure_is_shown_though_pyplot_was_never_imported(fresh: Any) -> None:
    assert len([output for output in outputs(fresh) if PICTURE in output.data]) == 1


def test_what_is_kept_is_what_it_shows(fresh: Any) -> None:
    kept = json.loads(EXAMPLE.read_text("utf-8"))
    assert json.loads(nbformat.writes(as_kept(fresh))) == kept


def test_it_is_small() -> None:
    assert EXAMPLE.stat().st_size < MOST_BYTES


def test_its_links_lead_somewhere() -> None:
    cells = json.loads(EXAMPLE.read_text("utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "](method.md)" in text
    assert broken_links(text, EXAMPLE.parent) == []


if __name__ == "__main__":
    nbformat.write(as_kept(executed(EXAMPLE)), EXAMPLE)
