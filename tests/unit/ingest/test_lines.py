"""Stretches of whole lines: nothing lost between them, whatever the size of the blocks."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddfleet.ingest import lines
from oddfleet.ingest.lines import Entry, Stretch, UnreadableError, count_line_ends, stretches

TEXT = st.text(alphabet="ab\r\n", max_size=40)


def _blocks(content: bytes, size: int) -> list[bytes]:
    return [content[place : place + size] for place in range(0, len(content), size)]


@given(text=TEXT, size=st.integers(1, 9))
def test_the_stretches_are_the_file_and_end_with_lines(text: str, size: int) -> None:
    content = text.encode()
    found = list(stretches(_blocks(content, size)))
    assert b"".join(stretch.body for stretch in found) == content
    assert all(stretch.body.endswith((b"\r", b"\n")) for stretch in found[:-1])
    before = b""
    for stretch in found:
        assert stretch.first_line == 1 + count_line_ends(before)
        before += stretch.body


@given(text=TEXT, size=st.integers(1, 9), code=st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"]))
def test_every_code_gives_the_same_text(text: str, size: int, code: str) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(code, b"")
    content = mark + text.encode(code)
    # The first block tells the code; no file comes in blocks of less than a mark.
    blocks = [content[:4], *_blocks(content[4:], size)]
    assert b"".join(stretch.body for stretch in stretches(blocks)) == text.encode()


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark(code: str) -> None:
    assert [stretch.body for stretch in stretches(["date,traffic\n".encode(code)])] == [b"date,traffic\n"]


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_endless_line_is_cut_and_the_lines_about_it_stay(
    monkeypatch: pytest.MonkeyPatch, size: int, end: bytes
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines, "_KEPT", 10)
    content = end.join([b"first", b"x" * 5000, b"third", b""])
    found = list(stretches(_blocks(content, size)))
    endless = [stretch for stretch in found if stretch.endless]
    assert endless == ([Stretch(2, b"x" * 10, endless=True)] if size < 1000 else endless)
    assert b"".join(stretch.body for stretch in found if not stretch.endless).split() == [b"first", b"third"]
    assert [stretch.first_line for stretch in found if b"third" in stretch.body] == [3]


def test_an_endless_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    assert [stretch.endless for stretch in stretches([b"a\n", b"x" * 200, b"x" * 200])] == [False, True]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="it is no file"):
        list(Entry(tmp_path).blocks())
    with pytest.raises(UnreadableError, match="No such file"):
        list(Entry(tmp_path / "gone").blocks())
