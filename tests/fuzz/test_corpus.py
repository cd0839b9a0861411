"""All that the fuzzer ever found to be worth keeping, once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.readers import READERS

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*/*"))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.parent.name}/{file.name[:12]}")
def test_no_reader_breaks(file: Path) -> None:
    READERS[file.parent.name](file.read_bytes())


def test_there_is_a_corpus_for_every_reader() -> None:
    assert {file.parent.name for file in CORPUS} == set(READERS)
