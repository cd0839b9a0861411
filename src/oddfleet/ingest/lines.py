"""Bytes to stretches of whole lines: packed or not, in whatever code, never more than a few megabytes at a time."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

BYTES_AT_ONCE = 1 << 22
"""What is held as text at a time; a bad line sends only its own stretch through the slow reader."""
LONGEST_LINE = 1 << 20
"""A line of more bytes is no line of a record; only its beginning is kept."""
_KEPT = 1 << 10
_BITE = 1 << 18
_PACKED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
_BREAKS = (OSError, *_PACKED, RuntimeError, NotImplementedError, ValueError)
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class UnreadableError(Exception):
    """A file cannot be read, or not to its end; ``str(error)`` says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a folder or in a zip.

    Attributes:
        path: what it is called to the user.
        archive: the zip it is in, open; None for a file of its own.
        member: which file of the zip.
    """

    path: Path
    archive: zipfile.ZipFile | None = None
    member: zipfile.ZipInfo | None = None

    def blocks(self) -> Iterator[bytes]:
        """Its content, unpacked where its name ends in ``.gz``.

        Raises:
            UnreadableError: when it cannot be opened, or breaks off; what came before is sound.
        """
        held = bytearray()
        broken: Exception | None = None
        with ExitStack() as opened:
            try:
                stream = self._open(opened)
                # In small bites, so that all before a break is had.
                while bite := stream.read1(_BITE):
                    held += bite
                    if len(held) >= BYTES_AT_ONCE:
                        yield bytes(held)
                        held.clear()
            except _BREAKS as error:
                broken = error
        if held:
            yield bytes(held)
        if broken is not None:
            reason = broken.strerror if isinstance(broken, OSError) else None
            damaged = isinstance(broken, gzip.BadGzipFile) and "CRC" in str(broken)
            doubt = ", so that any of its lines may be wrong" if damaged else ""
            raise UnreadableError((reason or str(broken)) + doubt) from broken

    def _open(self, opened: ExitStack) -> io.BufferedIOBase:
        if self.archive is not None and self.member is not None:
            stream: IO[bytes] = opened.enter_context(self.archive.open(self.member))
        elif self.path.exists() and not self.path.is_file():
            raise OSError(0, "it is no file")
        else:
            stream = opened.enter_context(self.path.open("rb"))
        if self.path.suffix.lower() == ".gz":
            return opened.enter_context(gzip.GzipFile(fileobj=stream))
        return cast("io.BufferedIOBase", stream)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole lines, in UTF-8 as far as they are text.

    Attributes:
        first_line: number of the first of them in the file.
        body: the lines.
        endless: whether it is the beginning of one line that is longer than any line should be.
    """

    first_line: int
    body: bytes
    endless: bool = False


def stretches(blocks: Iterable[bytes]) -> Iterator[Stretch]:
    """Cut a file into stretches of whole lines, whatever ends them, without its byte order mark."""
    number, kept, head, given = 1, b"", b"", b""
    for block in in_utf8(blocks):
        kept += block
        # Counted only when more comes: most files are one stretch.
        number, given = number + count_line_ends(given), b""
        if head:
            end = _after_first_end(kept)
            if end == 0:
                kept = kept[-1:] if kept.endswith(b"\r") else b""
                continue
            yield Stretch(number, head, endless=True)
            number, kept, head = number + 1, kept[end:], b""
        cut = _after_last_end(kept)
        if cut:
            given, kept = kept[:cut], kept[cut:]
            yield Stretch(number, given)
        if len(kept) > LONGEST_LINE:
            head, kept = kept[:_KEPT], kept[-1:] if kept.endswith(b"\r") else b""
    if head or kept:
        yield Stretch(number + count_line_ends(given), head or kept, endless=bool(head))


def count_line_ends(text: bytes) -> int:
    r"""Number of line ends, be they ``\n``, ``\r\n`` or ``\r``."""
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def in_utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a file in UTF-8, without its byte order mark; what is not text stays as it is."""
    decoder: codecs.IncrementalDecoder | None = None
    for place, block in enumerate(blocks):
        text = block
        if place == 0:
            code, skipped = _code(block)
            text = block[skipped:]
            while text.startswith(codecs.BOM_UTF8):  # put there twice by some
                text = text.removeprefix(codecs.BOM_UTF8)
            decoder = None if code == "utf-8" else codecs.getincrementaldecoder(code)("backslashreplace")
        yield text if decoder is None else decoder.decode(text).encode("utf-8", "backslashreplace")
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode("utf-8", "backslashreplace")


def _code(start: bytes) -> tuple[str, int]:
    """The code of a text by its first bytes, and how many of them are its mark."""
    for mark, code in _MARKS.items():
        if start.startswith(mark):
            return code, len(mark)
    # Of plain words in UTF-16 every other byte is nothing.
    if len(start) >= 4 and start[1] == start[3] == 0 and start[0] and start[2]:
        return "utf-16-le", 0
    if len(start) >= 4 and start[0] == start[2] == 0 and start[1] and start[3]:
        return "utf-16-be", 0
    return "utf-8", 0


def _after_last_end(text: bytes) -> int:
    """The place behind the last line end; 0 where there is none. A CR at the very end may be half of one."""
    return max(text.rfind(b"\n"), text.rfind(b"\r", 0, max(len(text) - 1, 0))) + 1


def _after_first_end(text: bytes) -> int:
    feed, back = text.find(b"\n") + 1, text.find(b"\r") + 1
    if back and (not feed or back < feed):
        if back == len(text):
            return 0
        return back + 1 if text[back : back + 1] == b"\n" else back
    return feed
