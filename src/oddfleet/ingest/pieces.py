"""Files to pieces of text, and pieces of text to blocks of rows, each by the fastest reader that gets it right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import cast

import polars as pl

from oddfleet.ingest.clean import read_clean
from oddfleet.ingest.dialect import opening, settled
from oddfleet.ingest.exact import PLAIN, read_exactly, text_of
from oddfleet.ingest.issues import make_issue
from oddfleet.ingest.layout import Block, Layout, Piece, Refusal, columns_of
from oddfleet.ingest.lines import LONGEST_LINE, Entry, Stretch, UnreadableError, stretches
from oddfleet.model import DeviceId


def pieces_of(
    entry: Entry, *, with_device: bool = False, device: DeviceId | None = None, refusal: str | None = None
) -> Iterator[Piece]:
    """Cut a file into pieces; at least one, which is empty where the file is.

    Args:
        entry: the file.
        with_device: whether each line has to name its device.
        device: the device that the file is of.
        refusal: why no line of it may be used; then they are only counted.
    """
    plan: Layout | Refusal | None = None

    @cache
    def settle() -> Layout:
        return settled(cast("Layout", plan), stretches(entry.blocks()))

    try:
        for stretch, more in _with_more(stretches(entry.blocks())):
            body, first_line = stretch.body, stretch.first_line
            if stretch.endless:
                endless = Refusal(f"the line must have less than {LONGEST_LINE:,} bytes, got more", endless=True)
                yield Piece(entry.path, first_line, body, endless)
                continue
            if plan is None and body.strip():
                begin = opening(stretch, with_device=with_device)
                plan, body, first_line = begin.plan, begin.body, begin.first_line
                if more and isinstance(plan, Layout) and plan.separator != ",":
                    # What a comma in a number means must be known before the first of them is stored.
                    plan = settle()
            if plan is not None:
                yield Piece(entry.path, first_line, body, Refusal(refusal) if refusal else plan, device, settle)
    except UnreadableError as error:
        yield Piece(entry.path, 0, b"", Refusal(f"the file cannot be read{' to its end' if plan else ''}: {error}"))
        return
    if plan is None:
        yield Piece(entry.path, 1, b"", Refusal(refusal) if refusal else PLAIN)


def _with_more(found: Iterator[Stretch]) -> Iterator[tuple[Stretch, bool]]:
    """Stretches, each with whether another one follows; the last before a break is had before the error is."""
    last: Stretch | None = None
    try:
        for stretch in found:
            if last is not None:
                yield last, True
            last = stretch
    except UnreadableError:
        if last is not None:
            yield last, False
        raise
    if last is not None:
        yield last, False


def read_pieces(pieces: Sequence[Piece]) -> list[Block]:
    """Read pieces of text, of whatever layouts; one block a piece, in the same order."""
    blocks: list[Block] = []
    for plan, run in groupby(pieces, key=lambda piece: piece.plan):
        alike = list(run)
        if isinstance(plan, Refusal):
            blocks += [_refused(piece, plan) for piece in alike]
        elif plan.device_id is not None and alike[0].device is not None:
            # Each line says again of which device the file is, or of another one.
            blocks += [read_exactly(replace(piece, plan=_settled(piece, plan))) for piece in alike]
        else:
            tables = read_clean([piece.body for piece in alike], plan)
            blocks += [
                _unusual(piece, plan) if table is None else _clean(table, plan)
                for piece, table in zip(alike, tables, strict=True)
            ]
    return blocks


def _clean(table: pl.DataFrame, plan: Layout) -> Block:
    return Block(table, _nothing(plan), (), table.height)


@cache
def _nothing(plan: Layout) -> pl.DataFrame:
    return pl.DataFrame(schema=columns_of(plan)).drop("value")


def _unusual(piece: Piece, plan: Layout) -> Block:
    """A piece that is not plain: its file is asked how it writes, and what then is not plain is read line by line."""
    settled_plan = _settled(piece, plan)
    if settled_plan != plan:
        (table,) = read_clean([piece.body], settled_plan)
        if table is not None:
            return _clean(table, settled_plan)
    return read_exactly(replace(piece, plan=settled_plan))


def _settled(piece: Piece, plan: Layout) -> Layout:
    return plan if piece.settle is None else piece.settle()


def _refused(piece: Piece, refusal: Refusal) -> Block:
    block = read_exactly(piece)
    if piece.is_about_the_file:
        return replace(block, issues=(make_issue(piece.file, 0, "", refusal.reason),))
    if refusal.endless:
        # One line, be it of nothing but blanks.
        issue = make_issue(piece.file, piece.first_line, text_of(piece.body), refusal.reason)
        return replace(block, issues=(issue,), lines=1)
    return block
